"""A day's statement repeats what was notified: lanes are told only what they do not know."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from goodfunds.events import types
from goodfunds.files import camt053, camt054
from goodfunds.files.reports import AccountReport, Balance, Entry, EntryTransaction, Statement
from goodfunds.ids import reference
from services.settlement.gateway import answers
from tests.integration.settlement.desk import DAY, NOSTRO
from tests.integration.settlement.stage import Stage
from tests.integration.settlement.test_gateway import claimed, house

__all__ = ["claimed", "house"]


async def _debits(house: Stage) -> list[Entry]:
    """An entry for each payment, as the bank books it."""
    rows = await house.desk.connection.fetch(
        "SELECT lane, payment_id, amount_minor FROM payments ORDER BY payment_id"
    )
    return [
        Entry(
            number, row["amount_minor"], "EUR", "DBIT", booking_date=DAY, bank_reference=f"SB{number}",
            bank_transaction_code="PMNT/ICDT/ESCT",
            transactions=(
                EntryTransaction(
                    instruction_id=reference(row["lane"], row["payment_id"]), message_id="M",
                    payment_information_id="P", amount_minor=row["amount_minor"], currency="EUR",
                ),
            ),
        )
        for number, row in enumerate(rows, 1)
    ]  # fmt: skip


def _report(entries: Sequence[Entry], statement: bool) -> AccountReport:
    closing = 10_000_000 + sum(each.signed_minor for each in entries)
    balances = (Balance("OPBD", 10_000_000, "EUR", DAY), Balance("CLBD", closing, "EUR", DAY))
    account = Statement(1, "M", "S-1", "2026-03-03T19:00:00", NOSTRO, "EUR", "1", "1", DAY, DAY)
    if statement:
        account = replace(account, balances=balances)
    return AccountReport("M", datetime(2026, 3, 3, 19, tzinfo=UTC), [(account, entries)])


async def _notified(house: Stage, entries: Sequence[Entry]) -> None:
    house.bank.put("camt054-1.xml", camt054.write(_report(entries, statement=False)))
    await house.run()
    await house.deliver()
    house.emitted.clear()
    house.delivered = 0


async def _stated(house: Stage, entries: Sequence[Entry]) -> list[types.BankEntryReported]:
    house.bank.put("camt053-1.xml", camt053.write(_report(entries, statement=True)))
    await house.run()
    return house.events(types.BankEntryReported)


async def test_debits_that_their_lanes_have_booked_are_not_told_again(
    house: Stage, claimed: list[bytes]
) -> None:
    await house.run()
    await house.deliver()
    entries = await _debits(house)
    await _notified(house, entries[:5])
    told = await _stated(house, entries)
    assert [each.bank_reference for each in told] == ["SB6", "SB7", "SB8"]


async def test_of_a_debit_that_was_notified_and_not_yet_booked_the_statement_tells_again(
    house: Stage, claimed: list[bytes]
) -> None:
    await house.run()
    await house.deliver()
    entries = await _debits(house)
    house.bank.put("camt054-1.xml", camt054.write(_report(entries, statement=False)))
    await house.run()
    house.lose_told()
    assert len(await _stated(house, entries)) == len(entries)


async def test_what_differs_from_the_booked_debit_is_told_though_it_bears_its_reference(
    house: Stage, claimed: list[bytes]
) -> None:
    await house.run()
    await house.deliver()
    entries = await _debits(house)
    await _notified(house, entries)
    first, other = entries[0], "OTHER"
    differing = [
        replace(first, amount_minor=first.amount_minor + 1),
        replace(first, credit_debit="CRDT"),
        replace(first, reversal=True),
        replace(first, bank_reference=other),
        replace(first, status="PDNG"),
        replace(first, currency="USD"),
        replace(first, bank_reference=""),
    ]
    told = await _stated(house, [first, *differing])
    assert len(told) == len(differing)


@pytest.mark.parametrize("recorded", [True, False])
async def test_a_death_between_two_chunks_tells_each_new_debit_once(
    house: Stage, claimed: list[bytes], recorded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "EVENTS_PER_STEP", 3)
    await house.run()
    await house.deliver()
    entries = await _debits(house)
    await _notified(house, [entries[0], entries[3], entries[4]])
    house.bank.put("camt053-1.xml", camt053.write(_report(entries, statement=True)))
    await house.step()
    await house.step(record=recorded)
    # What was told is booked before the statement is read on, from where it was recorded.
    await house.deliver()
    await house.die()
    await house.run()
    told = [each.bank_reference for each in house.events(types.BankEntryReported)]
    assert told == ["SB2", "SB3", "SB6", "SB7", "SB8"]
