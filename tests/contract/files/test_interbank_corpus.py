"""Messages between banks, and direct debits, read, against what independent oracles know of each."""

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pytest

from goodfunds.files import camt029, camt056, pacs002, pacs004, pacs008, pacs009, pain008
from goodfunds.files.interbank import (
    CancellationRequest,
    CancellationStatus,
    InterbankStatus,
    InterbankTransfer,
    PaymentReturn,
)
from goodfunds.files.pain008 import DirectDebit
from goodfunds.files.records import InvalidFile
from goodfunds.files.type_dictionary import definition
from goodfunds.money import CURRENCIES
from tests.contract.files.corpus import Sample, samples

pytestmark = pytest.mark.corpus

Read = Callable[[BinaryIO], Iterator[Any]]
STRICT: dict[str, Read] = {
    "pacs.004": pacs004.read,
    "pacs.008": pacs008.read,
    "pacs.009": pacs009.read,
    "pain.008": pain008.read,
}
LENIENT: dict[str, Read] = {
    "pacs.002": pacs002.read,
    "camt.029": camt029.read,
    "camt.056": camt056.read,
}


@pytest.mark.parametrize("sample", samples(*STRICT))
def test_what_moves_money_is_read_whole_or_refused_where_it_is_invalid(sample: Sample) -> None:
    facts = sample.facts
    with sample.path.open("rb") as source:
        try:
            records = list(STRICT[sample.kind](source))
        except InvalidFile:
            # Gold (XAU) is a currency by the schema, and has no minor unit to be counted in. A version whose
            # definition is not known is refused for what the next one does not take.
            assert facts["valid"] is not True or facts["currency"] not in CURRENCIES or not _is_known(sample)
            return
    assert facts["valid"] is not False
    moved = [each for each in records if isinstance(each, InterbankTransfer | PaymentReturn | DirectDebit)]
    assert len(moved) == facts["entries"]
    assert sum(each.amount_minor for each in moved) == facts["sum_minor"]
    assert {each.currency for each in moved} == {facts["currency"]}


def _is_known(sample: Sample) -> bool:
    found = definition(str(sample.facts["format"]))
    return found is not None and found.name == sample.facts["format"]


@pytest.mark.parametrize("sample", samples(*LENIENT))
def test_what_became_of_payments_is_read_though_it_may_break_the_standard(sample: Sample) -> None:
    with sample.path.open("rb") as source:
        records = list(LENIENT[sample.kind](source))
    told = [
        each
        for each in records
        if isinstance(each, InterbankStatus | CancellationStatus | CancellationRequest)
    ]
    single = [each for each in told if not getattr(each, "whole_message", False)]
    assert len(single) == sample.facts["entries"]
    statuses = [each.status for each in told if isinstance(each, InterbankStatus) and each.status]
    assert statuses == sample.extra.get("statuses", statuses) or sample.kind != "pacs.002"
    reasons = {each.reason_code for each in single if each.reason_code}
    assert reasons == set(sample.extra.get("reasons", reasons))
