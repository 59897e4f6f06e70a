"""Ingestion's handler on a real Postgres: decisions, money, answers told once, and what is refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from goodfunds.clock import millis
from goodfunds.errors import Conflict, InvariantBroken
from goodfunds.events import types
from goodfunds.ids import payment_id
from goodfunds.lanes import Poll, lane_of
from goodfunds.money import MAX_MINOR
from goodfunds.observability.metrics import read_money
from goodfunds.postgres import create_pool
from services.ingestion.store import SQL
from tests.integration.ingestion.desk import LANE, NOW, PARTITIONS, Desk, desk_on, rejected_by_bank
from tests.unit.ingestion.requests import ACCOUNT, Headers, funding, instruction, opening

TRANSIT = "transit-out:sepa-credit"
JSON = (("content-type", b"application/json"),)


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    async with desk_on(database) as desk:
        yield desk
        await desk.assert_books_balance()


def elsewhere(prefix: str = "customer") -> str:
    """An account of another lane than ACCOUNT's."""
    return next(name for n in range(99) if lane_of(name := f"{prefix}-{n}", PARTITIONS) != LANE)


def json_of(asked: types.PaymentInstruction) -> str:
    """An instruction as a client without Avro writes it."""
    fields: dict[str, Any] = {name: getattr(asked, name) for name in asked.__slots__}
    return json.dumps({**fields, "requested_execution_date": str(asked.requested_execution_date)})


async def test_a_payment_is_accepted_once_and_its_money_waits_in_transit(desk: Desk) -> None:
    await desk.open(1_000)
    (accepted,) = await desk.ask(instruction(amount_minor=400))
    assert isinstance(accepted, types.PaymentAccepted)
    assert accepted.instruction == instruction(amount_minor=400)
    assert await desk.ask(instruction(amount_minor=400)) == []
    assert (await desk.balance(ACCOUNT), await desk.balance(TRANSIT)) == (600, 400)
    row = await desk.connection.fetchrow("SELECT * FROM payments")
    assert (row["payment_id"], row["state"], row["event_seq"]) == (accepted.payment_id, "accepted", 3)


async def test_an_instruction_names_the_payment_that_it_becomes(desk: Desk) -> None:
    await desk.open(1_000)
    record = desk.record(instruction(amount_minor=400).encode())
    (accepted,) = await desk.poll({LANE: [record]})
    assert desk.handler.payment_of(record) == accepted.payment_id
    for none in (b"no event", None, opening().encode()):
        assert desk.handler.payment_of(desk.record(none)) is None


async def test_the_payments_of_one_poll_see_what_the_earlier_ones_took(desk: Desk) -> None:
    await desk.open(1_000)
    told = await desk.ask(*(instruction(amount_minor=400, idempotency_key=str(n)) for n in range(3)))
    assert [type(each).__name__ for each in told] == ["PaymentAccepted", "PaymentAccepted", "PaymentRejected"]
    assert told[2].reason_code == "AM04"
    assert await desk.balance(ACCOUNT) == 200


async def test_a_rejected_payment_keeps_its_key_and_moves_no_money(desk: Desk) -> None:
    await desk.open(1_000)
    asked = instruction(creditor_account="AE070331234567890123456")
    (rejected,) = await desk.ask(asked)
    assert (type(rejected), rejected.reason_code) == (types.PaymentRejected, "AC03")
    assert await desk.ask(asked) == []
    (refused,) = await desk.ask(instruction())
    assert (type(refused), refused.reason_code) == (types.InstructionRefused, "AM05")
    assert await desk.balance(ACCOUNT) == 1_000
    assert await desk.count("payments") == 1


async def test_texts_that_are_too_long_for_their_columns_are_rejected_and_not_parked(desk: Desk) -> None:
    long = "x" * 10_000
    await desk.open(1_000)
    told = await desk.ask(
        instruction(idempotency_key="1", currency=long),
        instruction(idempotency_key="2", rail=long),
        instruction(idempotency_key="3", uetr=long),
        instruction(idempotency_key="4", end_to_end_id=long),
        instruction(idempotency_key="5", creditor_name=long),
        instruction(idempotency_key="6", amount_minor=-(2**63)),
        instruction(idempotency_key="7", amount_minor=2**63 - 1),
    )
    codes = [each.reason_code for each in told]
    assert codes == ["AM11", "AG03", "CH16", "FF08", "BE20", "AM12", "AM12"]


async def test_json_and_avro_with_the_same_key_and_content_are_one_payment(desk: Desk) -> None:
    await desk.open(1_000)
    asked = instruction(amount_minor=1)
    (accepted,) = await desk.ask(json_of(asked).encode(), headers=JSON)
    assert accepted.instruction == asked
    assert await desk.ask(asked) == []


async def test_what_lies_on_a_wrong_lane_is_forwarded_and_decided_once(desk: Desk) -> None:
    await desk.open(100_00)
    wrong = (LANE + 1) % PARTITIONS
    headers = [("traceparent", b"t" * 300)]
    (accepted,) = await desk.ask(instruction(), lane=wrong, headers=headers)
    assert isinstance(accepted, types.PaymentAccepted)
    assert await desk.ask(instruction()) == []
    assert desk.forwarded == 1
    assert (await desk.balance(ACCOUNT), await desk.balance(TRANSIT)) == (0, 100_00)
    assert accepted.payment_id == payment_id(millis(NOW), "shop", "key")


async def test_what_cannot_be_read_is_stored_by_offset_and_blocks_nobody(desk: Desk) -> None:
    await desk.open(100_00)
    unreadable: dict[str, bytes | None] = {
        "CH21": None,
        "CH21 ": b"",
        "CH16": b"\x00" * 2_000_000,
        "FF01": b"\x00\x00\x00\x27\x0fbody",
        "FF01 ": b"\xff\xfe\x00",
        "FF01  ": b'{"\\u0000": 1}',
    }
    found = [
        desk.record(value, headers=JSON if (value or b"")[:1] == b"{" else ())
        for value in unreadable.values()
    ]
    (accepted,) = await desk.poll({LANE: [*found, desk.record(instruction().encode())]})
    assert isinstance(accepted, types.PaymentAccepted)
    rows = await desk.connection.fetch("SELECT * FROM refused_records ORDER BY source_offset")
    assert [(row["source_offset"], row["lane"], row["reason_code"]) for row in rows] == [
        (each.offset, LANE, code.strip()) for each, code in zip(found, unreadable, strict=True)
    ]
    for row, value in zip(rows, unreadable.values(), strict=True):
        assert (row["size"], row["excerpt"]) == (len(value or b""), (value or b"")[:200])


@pytest.mark.parametrize("amount", ["true", "1e3", '"10"', "10.5", "NaN", "1" * 5_000])
async def test_json_with_what_is_no_amount_is_told_to_the_client_that_can_be_read(
    desk: Desk, amount: str
) -> None:
    await desk.open(100_00)
    text = json_of(instruction(amount_minor=0)).replace('"amount_minor": 0', f'"amount_minor": {amount}')
    (refused,) = await desk.ask(text.encode(), headers=JSON)
    assert isinstance(refused, types.InstructionRefused)
    assert (refused.client, refused.idempotency_key, refused.reason_code) == ("shop", "key", "FF01")
    assert refused.reason.startswith("amount_minor: ")
    assert await desk.count("refused_records") == 1
    (accepted,) = await desk.ask(json_of(instruction()).encode(), headers=JSON)
    assert isinstance(accepted, types.PaymentAccepted)


async def test_malformed_headers_spoil_no_answer(desk: Desk) -> None:
    await desk.open(1_000_000)
    malformed: list[Headers] = [
        [("traceparent", b"x" * 300)],
        [("traceparent", None)],
        [("ce_type", None)],
    ]
    for place, headers in enumerate(malformed):
        asked = instruction(idempotency_key=f"key-{place}")
        told = await desk.ask(asked, headers=headers)
        told += await desk.ask(replace(asked, amount_minor=1), headers=headers)
        told += await desk.ask(replace(asked, debtor_account="house:x"), headers=headers)
        assert [type(each) for each in told] == [
            types.PaymentAccepted,
            types.InstructionRefused,
            types.InstructionRefused,
        ]
        assert (told[1].client, told[1].idempotency_key, told[1].reason_code) == (
            "shop",
            f"key-{place}",
            "AM05",
        )


async def test_a_key_that_holds_a_nul_is_stored_and_told_to_nobody(desk: Desk) -> None:
    assert await desk.ask(instruction(idempotency_key="a\0b"), instruction(client="a\0b")) == []
    assert await desk.count("refused_records") == 2


async def test_two_lanes_that_take_the_same_key_at_once_conflict_and_the_later_reading_sees_who_won(
    desk: Desk, database: str
) -> None:
    other = elsewhere()
    first, second = instruction(), instruction(debtor_account=other)
    async with desk_on(database) as rival:
        # The first lane has decided and not yet committed when the second decides.
        transaction = desk.connection.transaction()
        await transaction.start()
        await desk.handler.handle(
            desk.connection, Poll(NOW, PARTITIONS, desk.numbers, {LANE: [desk.record(first.encode())]})
        )
        deciding = asyncio.create_task(rival.ask(second))
        waits = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        # Postgres makes the second wait for the first within milliseconds; 10 s is for a busy machine.
        async with asyncio.timeout(10):
            while True:
                if await desk.connection.fetchval(waits):
                    break
                await asyncio.sleep(0.01)
        await transaction.commit()
        with pytest.raises(Conflict):
            await deciding
        (refused,) = await rival.ask(second)
        assert (type(refused), refused.reason_code) == (types.InstructionRefused, "AM05")


async def test_money_that_the_bank_rejects_is_the_customers_again_once(desk: Desk, database: str) -> None:
    await desk.open(1_000)
    (accepted,) = await desk.ask(instruction(amount_minor=400))
    notice = rejected_by_bank(accepted.payment_id, 400)
    (refunded,) = await desk.tell(notice, seq=7)
    assert (refunded.payment_id, refunded.cause, refunded.credited_account) == (
        accepted.payment_id,
        "rejected",
        ACCOUNT,
    )
    assert await desk.tell(notice, seq=8) == []
    assert (await desk.balance(ACCOUNT), await desk.balance(TRANSIT)) == (1_000, 0)
    row = await desk.connection.fetchrow("SELECT source_seq, event_seq FROM refunds")
    assert (row["source_seq"], row["event_seq"]) == (7, 4)


async def test_a_refund_for_an_account_closed_since_is_unapplied(desk: Desk) -> None:
    await desk.open(1_000)
    (accepted,) = await desk.ask(instruction(amount_minor=400))
    await desk.connection.execute("UPDATE accounts SET state = 'closed'")
    (refunded,) = await desk.tell(rejected_by_bank(accepted.payment_id, 400))
    assert refunded.credited_account == "unapplied:closed-account"
    assert await desk.balance("unapplied:closed-account") == 400


async def test_money_back_for_a_payment_that_is_not_known_writes_nothing(desk: Desk) -> None:
    await desk.open(1_000)
    (rejected,) = await desk.ask(instruction(amount_minor=0))
    for identifier in (b"x" * 16, rejected.payment_id):
        with pytest.raises(InvariantBroken):
            await desk.tell(rejected_by_bank(identifier, 400))
    assert await desk.count("refunds") == 0


async def test_a_source_that_would_give_more_than_18_digits_is_refused_before_its_balance_overflows(
    desk: Desk,
) -> None:
    await desk.ask(opening())
    (funded,) = await desk.ask(funding(MAX_MINOR))
    assert isinstance(funded, types.AccountFunded)
    others = [name for n in range(99) if lane_of(name := f"other-{n}", PARTITIONS) == LANE][:9]
    for name in others:
        await desk.ask(opening(name, f"open-{name}"))
        (refused,) = await desk.ask(funding(MAX_MINOR, name, f"fund-{name}"))
        assert (type(refused), refused.reason_code) == (types.InstructionRefused, "AM12")


async def test_money_that_waits_is_shown_by_state_and_what_was_accepted_is_not_for_ever(
    desk: Desk, database: str
) -> None:
    await desk.open(1_000)
    await desk.ask(instruction(amount_minor=400))
    pool = await create_pool(database)
    file = "INSERT INTO payment_files VALUES ($1, 'shop', $2, '', 'pain.001', 3, $3, '', $4, $5, $6)"
    try:
        assert await read_money(pool, SQL["money_by_state"]) == []
        await pool.execute(file, uuid4().bytes, "M1", '{"EUR": 700, "KWD": 5}', 2, NOW, None)
        await pool.execute(file, uuid4().bytes, "M2", '{"EUR": 9}', 3, NOW, NOW)
        money = {(each.state, each.currency): (each.amount_minor, each.count, each.oldest)
                 for each in await read_money(pool, SQL["money_by_state"])}  # fmt: skip
    finally:
        await pool.close()
    assert money == {("filed", "EUR"): (700, 1, NOW), ("filed", "KWD"): (5, 1, NOW)}
