"""Files of real banks and real clients, read, against what independent oracles know of each."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pytest

from goodfunds.files import camt052, camt053, camt054, pain001, pain002
from goodfunds.files.camt_reading import Record
from goodfunds.files.records import GroupStatus, InvalidFile, PaymentFile, TransactionStatus
from goodfunds.files.reports import Entry, StatementEnd
from goodfunds.money import CURRENCIES
from goodfunds.rails.reasons import TRANSACTION_NOT_SUPPORTED, ZERO_AMOUNT
from tests.contract.files.corpus import Sample, samples

pytestmark = pytest.mark.corpus

REFUSED_FOR = {
    "EqvtAmt": TRANSACTION_NOT_SUPPORTED,
    "zero-amount": ZERO_AMOUNT,
}
"""What may be valid by the letter and is refused nevertheless: where it shows, and the reason code."""

READ_NEVERTHELESS = {
    "iban-bad-checksum-pain001.xml": "which accounts a rail can reach is for the rail to say, with AC03",
    "salesking__pain.001.001.03.ch.02.xml": "its schema was read in the wrong encoding: ü is allowed in it",
}
"""What an oracle calls invalid and the reader takes, with the reason."""

REPORTS: dict[str, Callable[[BinaryIO], Iterator[Record]]] = {
    "camt.052": camt052.read,
    "camt.053": camt053.read,
    "camt.054": camt054.read,
}


@pytest.mark.parametrize("sample", samples("pain.001"))
def test_a_payment_file_is_read_whole_as_the_oracles_know_it_or_refused_where_it_is_invalid(
    sample: Sample,
) -> None:
    facts, raw = sample.facts, sample.path.read_bytes()
    found = _whole(sample)
    if isinstance(found, InvalidFile):
        excuses = {
            code for sign, code in REFUSED_FOR.items() if sign.encode() in raw or sign in sample.path.name
        }
        assert facts["valid"] is not True or {error.code for error in found.errors} <= excuses, found
        return
    assert facts["valid"] is not False or sample.path.name in READ_NEVERTHELESS
    totals = Counter[str]()
    for transfer in found.transfers:
        totals[transfer.currency] += transfer.amount_minor
    assert len(found.transfers) == facts["entries"]
    assert _total(totals) == facts["sum_minor"]
    if isinstance(facts["currency"], str):
        assert set(totals) == {facts["currency"]}
    elif facts["currency"]:
        assert set(totals) == set(facts["currency"])
    assert len(found.payment_informations) == sample.extra.get(
        "payment_infos", len(found.payment_informations)
    )
    repeated = len(found.transfers) - len({transfer.end_to_end_id for transfer in found.transfers})
    if sample.path.name.startswith("duplicate-endtoendid"):
        assert repeated == 1
    assert len({(each.payment_information_index, each.transaction_index) for each in found.transfers}) == len(
        found.transfers
    )


def test_a_streamed_payment_file_gives_the_records_of_the_whole_one(payment_sample: Sample) -> None:
    whole = _whole(payment_sample)
    with payment_sample.path.open("rb") as source:
        if isinstance(whole, InvalidFile):
            with pytest.raises(InvalidFile) as streamed:
                list(pain001.read(source))
            assert streamed.value.errors[0] == whole.errors[0]
            assert streamed.value.message_id == whole.message_id
            return
        records = list(pain001.read(source))
    ours = [whole.header, *whole.payment_informations, *whole.transfers]
    assert sorted(map(repr, records)) == sorted(map(repr, ours))


@pytest.fixture(params=samples("pain.001"))
def payment_sample(request: pytest.FixtureRequest) -> Sample:
    assert isinstance(request.param, Sample)
    return request.param


@pytest.mark.parametrize("sample", samples("camt.052", "camt.053", "camt.054"))
def test_a_report_tells_what_the_oracles_know_of_each_of_its_statements(sample: Sample) -> None:
    facts = sample.facts
    with sample.path.open("rb") as source:
        try:
            records = list(REPORTS[sample.kind](source))
        except InvalidFile:
            assert _worthless(sample)
            return
    assert facts["valid"] is not False or sample.extra.get("readable", False)
    ends = [record for record in records if isinstance(record, StatementEnd)]
    assert len(ends) == sample.extra.get("statements", len(sample.parts))
    assert len(ends) == len(sample.parts)
    assert sum(isinstance(record, Entry) for record in records) == facts["entries"]
    entries: list[Entry] = []
    told = iter(sample.parts)
    for record in records:
        if isinstance(record, Entry):
            entries.append(record)
        elif isinstance(record, StatementEnd):
            _compare(next(told), entries, record)
            entries = []


def _compare(known: dict[str, Any], entries: list[Entry], end: StatementEnd) -> None:
    """A statement against what is known of it; what is not known (None or absent) is not compared."""
    statement = end.statement
    totals, booked = Counter[str](), Counter[str]()
    for entry in entries:
        totals[entry.currency] += entry.signed_minor
        if entry.status == "BOOK":
            booked[entry.currency] += entry.signed_minor
    assert [entry.number for entry in entries] == [*range(1, end.entries + 1)]
    assert end.booked_minor == _total(booked)
    # The oracles name balances by their code, and those of the bank's own kinds "?".
    balances = Counter(each.kind if len(each.kind) == 4 else "?" for each in statement.balances)
    pending = any(entry.status != "BOOK" for entry in entries)
    unbalanced = any("closing balance" in warning.message for warning in end.warnings)
    ours = {
        "id": statement.statement_id,
        "entries": len(entries),
        "sum_minor": _total(totals) if totals else 0,
        "account": statement.account,
        "account_ccy": statement.currency,
        "tx_details": sum(len(entry.transactions) for entry in entries),
        "reversals": sum(entry.reversal for entry in entries),
        "balance_codes": dict(balances),
        "opening": statement.opening.amount_minor if statement.opening else None,
        "closing": statement.closing.amount_minor if statement.closing else None,
        "balance_without_sign": not all(balance.has_sign for balance in statement.balances),
        "balanced": not unbalanced,
        "booked_sum_minor": end.booked_minor,
    }
    differ = {
        name: (ours[name], known[name])
        for name in ours
        if known.get(name) is not None
        and ours[name] != known[name]
        # The oracles add pending entries too, which move no balance.
        and not (name == "balanced" and pending)
    }
    assert differ == {}
    if isinstance(known.get("currency"), str) and totals:
        assert set(totals) == {known["currency"]}


@pytest.mark.parametrize("sample", samples("pain.002"))
def test_a_status_report_tells_each_status_and_reason_in_its_order(sample: Sample) -> None:
    with sample.path.open("rb") as source:
        records = list(pain002.read(source))
    assert isinstance(records[0], GroupStatus)
    assert sum(isinstance(record, TransactionStatus) for record in records) == sample.facts["entries"]
    statuses = [record.status for record in records if record.status]
    assert statuses == sample.extra.get("statuses", statuses)
    reasons = {record.reason_code for record in records if record.reason_code}
    assert reasons == set(sample.extra.get("status_reasons", reasons))


def _whole(sample: Sample) -> PaymentFile | InvalidFile:
    """The payment file, or its refusal."""
    with sample.path.open("rb") as source:
        try:
            return pain001.read_whole(source)
        except InvalidFile as fault:
            return fault


def _total(totals: Counter[str]) -> int | None:
    """The sum of one currency; None of several or none, as the oracles have it."""
    return next(iter(totals.values())) if len(totals) == 1 else None


def _worthless(sample: Sample) -> bool:
    """Whether a report may be refused: of version 01, or invalid, and none of its money can be read."""
    if str(sample.facts["format"]).endswith(".001.01"):
        return True
    currency = sample.facts["currency"]
    unknown = isinstance(currency, str) and currency not in CURRENCIES
    return sample.facts["valid"] is False and (
        unknown or bool(sample.extra.get("problems")) or not sample.extra.get("readable", False)
    )
