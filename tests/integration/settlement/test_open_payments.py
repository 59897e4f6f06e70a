"""What of a batch is open is counted with it: by every way into it, out of it and to an end, once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from goodfunds.events import types
from goodfunds.events.topics import BANK_NOTIFICATIONS, PAYMENTS
from goodfunds.lanes import lane_of
from goodfunds.observability.metrics import MoneyState
from services.settlement import SERVICE
from services.settlement.store import SQL
from tests.integration.settlement.desk import (
    EVENING,
    MORNING,
    NOSTRO,
    PARTITIONS,
    Desk,
    booked,
    instruction,
    kinds,
    opened,
)
from tests.integration.tampering import unguarded

LANE = lane_of("customer-1", PARTITIONS)
MIGRATION = (SERVICE.sql.parent / "migrations" / "0009_open_payments.sql").read_text(encoding="utf-8")


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    connection = await opened(database)
    yield Desk(connection)
    await connection.close()


def payments(*minor: int, **changes: Any) -> list[types.PaymentInstruction]:
    """An instruction of each amount, under keys of their own."""
    return [instruction(amount_minor=each, idempotency_key=f"{each}", **changes) for each in minor]


async def counted(desk: Desk) -> list[tuple[int, int]]:
    """(payments, minor units) that each batch counts as open, in the order of their dates; proved."""
    assert await desk.connection.fetch(SQL["proof_open_disagree"]) == []
    rows = await desk.connection.fetch(
        "SELECT open_payments, open_minor FROM batches ORDER BY requested_date, sequence, lane"
    )
    return [tuple(row) for row in rows]


async def submitted(desk: Desk, *minor: int) -> list[bytes]:
    """Payments of one batch that the bank has."""
    found = await desk.accept(*payments(*minor))
    await desk.close()
    batch_id = (await desk.batch_of(found[0]))["batch_id"]
    await desk.tell(LANE, types.BatchSubmitted(batch_id, 0, "GF1", "file", NOSTRO))
    return found


def rejection(payment: bytes, batch_id: bytes) -> types.PaymentStatusReported:
    return types.PaymentStatusReported(payment, batch_id, 0, "RJCT", "AC04", "", "GF1", "E2E-1")


async def test_a_payment_counts_from_its_acceptance_and_once_however_often_that_is_told(desk: Desk) -> None:
    one, two, three = payments(100, 20, 3)
    await desk.accept(one, one)
    assert await counted(desk) == [(1, 100)]
    await desk.accept(one, two)
    await desk.accept(three)
    assert await counted(desk) == [(3, 123)]
    await desk.close()
    await desk.accept(one, two, three)
    assert await counted(desk) == [(3, 123)]


async def test_a_debit_a_rejection_and_a_return_that_overtook_its_debit_each_end_a_payment_once(
    desk: Desk,
) -> None:
    debited, rejected, returned, silent = await submitted(desk, 100, 20, 3, 4)
    batch_id = (await desk.batch_of(silent))["batch_id"]
    answers = [
        booked(100, payment_id=debited),
        rejection(rejected, batch_id),
        booked(3, payment_id=returned, credit_debit="CRDT", is_return=True),
    ]
    assert kinds(await desk.tell(LANE, *answers, *answers)) == [
        "PaymentSettled", "PaymentRejectedByBank", "PaymentSettled", "PaymentReturned",
    ]  # fmt: skip
    assert await counted(desk) == [(1, 4)]
    assert await desk.tell(LANE, *answers) == []
    assert await counted(desk) == [(1, 4)]


async def test_what_comes_after_a_payments_end_changes_nothing_of_what_is_open(desk: Desk) -> None:
    debited, rejected, _ = await submitted(desk, 100, 20, 3)
    batch_id = (await desk.batch_of(debited))["batch_id"]
    await desk.tell(LANE, booked(100, payment_id=debited), rejection(rejected, batch_id))
    later = [
        rejection(debited, batch_id),
        booked(20, payment_id=rejected),
        booked(100, payment_id=debited, bank_reference="BANK-2"),
        booked(100, payment_id=debited, credit_debit="CRDT", is_return=True, bank_reference="BANK-3"),
    ]
    told = kinds(await desk.tell(LANE, *later))
    assert told == [
        "rejected_after_settlement", "settled_after_rejection", "second_settlement", "PaymentReturned",
    ]  # fmt: skip
    assert await counted(desk) == [(1, 3)]


async def test_a_payment_that_is_answered_in_the_poll_that_takes_it_in_is_at_no_time_open(desk: Desk) -> None:
    (known,) = await desk.accept(*payments(100))
    record = desk.log[-1]
    event = types.decode(record.value or b"")
    assert isinstance(event, types.PaymentAccepted)
    payment = bytes([known[0] ^ 1]) + known[1:]
    taken = replace(event, payment_id=payment, instruction=replace(event.instruction, amount_minor=7))
    records = [
        desk.record(PAYMENTS, LANE, taken.encode()),
        desk.record(BANK_NOTIFICATIONS, LANE, booked(7, payment_id=payment).encode()),
    ]
    assert kinds(await desk.poll({LANE: records})) == ["PaymentSettled"]
    assert await counted(desk) == [(1, 100)]


async def test_what_is_answered_while_it_is_held_is_neither_open_nor_sealed(desk: Desk) -> None:
    one, _ = await desk.accept(*payments(100, 20))
    await desk.tell(LANE, booked(100, payment_id=one), now=MORNING)
    assert await counted(desk) == [(1, 20)]
    await desk.close()
    assert await counted(desk) == [(1, 20)]


async def test_what_is_open_of_a_refused_batch_is_open_in_the_later_one_and_there_alone(desk: Desk) -> None:
    one, two, three = await submitted(desk, 100, 20, 3)
    left = (await desk.batch_of(one))["batch_id"]
    await desk.tell(LANE, booked(100, payment_id=one))
    refused = types.BatchRefused(left, 0, "GF1", "TM01", "after the cut-off")
    await desk.tell(LANE, refused, refused)
    assert await counted(desk) == [(0, 0), (2, 23)]
    assert await desk.tell(LANE, rejection(two, left)) == []
    assert await counted(desk) == [(0, 0), (2, 23)]
    await desk.tell(LANE, booked(20, payment_id=two))
    assert await counted(desk) == [(0, 0), (1, 3)]
    await desk.close(now=EVENING + timedelta(days=1))
    again = (await desk.batch_of(three))["batch_id"]
    await desk.tell(LANE, replace(refused, batch_id=again), now=EVENING + timedelta(days=1))
    assert await counted(desk) == [(0, 0), (0, 0), (1, 3)]


async def test_an_entry_and_a_rejection_of_a_whole_batch_leave_nothing_open(desk: Desk) -> None:
    first = await submitted(desk, 100, 20)
    batch_id = (await desk.batch_of(first[0]))["batch_id"]
    await desk.tell(LANE, booked(120, batch_id=batch_id, end_to_end_id="", transaction_count=2))
    second = await desk.accept(*payments(3, 4), now=EVENING)
    await desk.close(now=EVENING + timedelta(days=1))
    assert await counted(desk) == [(0, 0), (2, 7)]
    other = (await desk.batch_of(second[0]))["batch_id"]
    group = types.BatchStatusReported(other, 0, "RJCT", "FF01", "", "GF2")
    await desk.tell(LANE, group, group)
    assert await counted(desk) == [(0, 0), (0, 0)]


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE batches SET open_minor = open_minor - 1",
        "UPDATE batches SET open_payments = open_payments - 1",
        "UPDATE batches SET open_payments = 0, open_minor = 0",
        "INSERT INTO settlements SELECT payment_id, lane, amount_minor, '', '', now(), now(), 9 FROM payments"
        " WHERE amount_minor = 100",
    ],
    ids=["a cent less", "a payment less", "nothing", "one that is settled"],
)
async def test_the_proof_names_a_batch_that_counts_others_than_are_open(desk: Desk, spoil: str) -> None:
    (payment, _) = await submitted(desk, 100, 20)
    async with unguarded(desk.connection) as connection:
        await connection.execute(spoil)
    named = await desk.connection.fetch(SQL["proof_open_disagree"])
    assert [row["batch_id"] for row in named] == [(await desk.batch_of(payment))["batch_id"]]


async def test_the_proof_names_open_payments_of_a_batch_that_is_gone(desk: Desk) -> None:
    (payment, _) = await submitted(desk, 100, 20)
    gone = (await desk.batch_of(payment))["batch_id"]
    async with unguarded(desk.connection) as connection:
        await connection.execute("DELETE FROM batches")
    (named,) = await desk.connection.fetch(SQL["proof_open_disagree"])
    assert (named["batch_id"], named["lane"], named["open"], named["open_minor"]) == (gone, LANE, 2, 120)


async def test_counting_on_stays_within_the_page_of_the_batch(desk: Desk) -> None:
    outer = desk.connection.transaction()
    await outer.start()
    for minor in range(1, 11):
        await desk.accept(*payments(minor))
    updated, within = await desk.connection.fetchrow(
        "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'batches'"
    )
    await outer.rollback()
    assert (updated, within) == (9, 9), "the first poll opens the batch with what it begins with"


async def test_money_by_state_is_what_batches_count_and_as_old_as_they_are_in_their_state(desk: Desk) -> None:
    one, *_ = await submitted(desk, 100, 20, 3)
    await desk.tell(LANE, booked(100, payment_id=one))
    await desk.accept(*payments(4, 5), now=EVENING + timedelta(minutes=1))
    money = [MoneyState(*row.values()) for row in await desk.connection.fetch(SQL["money_by_state"])]
    assert sorted(money, key=lambda each: each.state) == [
        MoneyState("held", "EUR", 9, 2, EVENING + timedelta(minutes=1)),
        MoneyState("submitted", "EUR", 23, 2, EVENING),
    ]
    await desk.close(now=EVENING + timedelta(days=1))
    money = [MoneyState(*row.values()) for row in await desk.connection.fetch(SQL["money_by_state"])]
    assert [each.oldest for each in money if each.state == "claimed"] == [EVENING + timedelta(days=1)]


async def test_the_migration_counts_what_is_open_of_the_batches_that_are_there(desk: Desk) -> None:
    one, two, _ = await submitted(desk, 100, 20, 3)
    left = (await desk.batch_of(one))["batch_id"]
    await desk.tell(LANE, booked(100, payment_id=one))
    await desk.tell(LANE, types.BatchRefused(left, 0, "GF1", "TM01", "after the cut-off"))
    await desk.tell(LANE, booked(20, payment_id=two))
    await desk.accept(*payments(4, debtor_account="customer-2"))
    before = await counted(desk)
    assert len(before) == 3
    await desk.connection.execute(
        "ALTER TABLE batches DROP COLUMN has_open, DROP COLUMN open_payments, DROP COLUMN open_minor"
    )
    await desk.connection.execute(MIGRATION)
    assert await counted(desk) == before
