"""A bank's camt messages as the gateway hears them: what moved, of which payment, under which reference."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest

from goodfunds.events.types import BankEntryReported
from goodfunds.files import camt054
from goodfunds.files.reports import AccountReport, Entry, EntryBatch, EntryTransaction, Statement
from goodfunds.ids import reference
from services.settlement.gateway.messages import entries
from tests.unit.settlement.answers import DAY, NOSTRO

INSTRUCTION = reference(1, b"\1" * 16)
BATCH = reference(1, b"\2" * 16)


def _told(entry: Entry) -> list[tuple[str, BankEntryReported]]:
    statement = Statement(1, "M1", "N1", "2026-03-02T19:00:00Z", NOSTRO, "EUR", from_date=DAY, to_date=DAY)
    report = AccountReport("M1", datetime(2026, 3, 2, 19, tzinfo=UTC), [(statement, [entry])])
    return list(entries("camt.054", BytesIO(camt054.write(report))))


def _entry(amount_minor: int, *transactions: EntryTransaction, batches: tuple[EntryBatch, ...] = ()) -> Entry:
    return Entry(
        1, amount_minor, "EUR", "DBIT", booking_date=DAY, value_date=DAY, bank_reference="SB1",
        transactions=transactions, batches=batches,
    )  # fmt: skip


def test_an_entry_of_one_payment_is_what_moved_on_the_account_whatever_its_detail_says() -> None:
    detail = EntryTransaction(
        "E2E", INSTRUCTION, BATCH, amount_minor=100_00, currency="EUR", credit_debit="DBIT"
    )
    ((batch, told),) = _told(_entry(95_00, detail))
    assert (batch, told.instruction_id, told.end_to_end_id) == (BATCH, INSTRUCTION, "E2E")
    assert (told.amount_minor, told.bank_reference, told.booking_date, told.nostro) == (
        95_00,
        "SB1",
        DAY,
        NOSTRO,
    )
    assert (told.status, told.credit_debit, told.transaction_count) == ("BOOK", "DBIT", 1)


def test_a_batch_entry_with_details_is_told_payment_by_payment_and_unnamed_ones_apart() -> None:
    named = EntryTransaction("E1", INSTRUCTION, BATCH, amount_minor=1, currency="EUR", credit_debit="DBIT")
    unnamed = EntryTransaction("NOTPROVIDED", amount_minor=2, currency="EUR", credit_debit="DBIT")
    told = [each for _, each in _told(_entry(5, named, unnamed, unnamed))]
    assert [each.amount_minor for each in told] == [1, 2, 2]
    assert [each.bank_reference for each in told] == ["SB1", "SB1/2", "SB1/3"]


def test_a_batch_entry_without_details_names_its_batch_and_count() -> None:
    ((batch, told),) = _told(_entry(300, batches=(EntryBatch("GF1", BATCH, 3, 300, "EUR"),)))
    assert (batch, told.amount_minor, told.transaction_count, told.instruction_id) == (BATCH, 300, 3, "")


def test_details_that_do_not_add_up_to_their_entry_are_not_believed() -> None:
    detail = EntryTransaction("E1", INSTRUCTION, BATCH, amount_minor=1, currency="EUR", credit_debit="DBIT")
    ((_, told),) = _told(_entry(5, detail, detail))
    assert (told.amount_minor, told.instruction_id) == (5, "")


def test_a_return_says_so_and_why() -> None:
    detail = EntryTransaction(
        "E1", INSTRUCTION, BATCH, amount_minor=5, currency="EUR", credit_debit="CRDT", is_return=True,
        return_code="AC04", return_reason="closed",
    )  # fmt: skip
    entry = Entry(1, 5, "EUR", "CRDT", booking_date=DAY, bank_reference="SB2", transactions=(detail,))
    ((_, told),) = _told(entry)
    assert (told.is_return, told.reason_code, told.reason) == (True, "AC04", "closed")


def _returned(credit_minor: int, **changes: Any) -> BankEntryReported:
    fields: dict[str, Any] = {"amount_minor": credit_minor, "currency": "EUR", "is_return": True}
    detail = EntryTransaction("E1", INSTRUCTION, BATCH, credit_debit="CRDT", **{**fields, **changes})
    ((_, told),) = _told(Entry(1, credit_minor, "EUR", "CRDT", booking_date=DAY, transactions=(detail,)))
    return told


def test_a_return_tells_the_charges_that_its_message_states() -> None:
    told = _returned(95_00, charges_minor=5_00)
    assert (told.amount_minor, told.charges_minor) == (95_00, 5_00)
    assert _returned(100_00).charges_minor == 0


@pytest.mark.parametrize("element", ["InstdAmt", "TxAmt"])
def test_a_return_of_less_than_its_original_amount_tells_the_rest_as_charges(element: str) -> None:
    details = f'<AmtDtls><{element}><Amt Ccy="EUR">100.00</Amt></{element}></AmtDtls>'
    assert _charges_in(details) == 5_00
    assert _charges_in(details.replace("EUR", "USD")) == 0


def test_charges_in_the_shape_of_earlier_versions_count_and_those_given_back_do_not() -> None:
    one = '<Chrgs><Amt Ccy="EUR">{}</Amt><CdtDbtInd>{}</CdtDbtInd></Chrgs>'
    assert _charges_in(one.format("3.00", "DBIT") + one.format("2.00", "DBIT")) == 5_00
    assert _charges_in(one.format("5.00", "CRDT")) == 0


def _charges_in(inserted: str) -> int:
    detail = EntryTransaction(
        "E1", INSTRUCTION, BATCH, amount_minor=95_00, currency="EUR", credit_debit="CRDT", is_return=True
    )
    statement = Statement(1, "M1", "N1", "2026-03-02T19:00:00Z", NOSTRO, "EUR", from_date=DAY, to_date=DAY)
    entry = Entry(1, 95_00, "EUR", "CRDT", booking_date=DAY, transactions=(detail,))
    report = AccountReport("M1", datetime(2026, 3, 2, 19, tzinfo=UTC), [(statement, [entry])])
    content = camt054.write(report).decode().replace("<RtrInf", inserted + "<RtrInf")
    assert inserted in content
    ((_, told),) = entries("camt.054", BytesIO(content.encode()))
    return told.charges_minor
