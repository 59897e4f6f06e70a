"""After a restore ingestion's own events are facts: rows again at once, and told once for all."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import ConsumerRecord

from goodfunds import ids
from goodfunds.errors import InvariantBroken
from goodfunds.events import types
from goodfunds.events.topics import PAYMENT_INSTRUCTIONS, PAYMENTS, SETTLEMENT_NOTIFICATIONS
from goodfunds.lanes import Emission, Poll
from goodfunds.lanes.records import OwnEvent
from goodfunds.postgres import connect
from services.ingestion.adoption import adopt
from tests.integration.ingestion.desk import LANE, NOW, PARTITIONS, Desk, desk_on, rejected_by_bank
from tests.unit.ingestion.requests import ACCOUNT, funding, instruction, opening

OTHER = "customer-4"
"""An account of the same lane."""


@pytest.fixture
async def backup(postgres: Any) -> AsyncIterator[str]:
    name = f"backup_{uuid4().hex[:12]}"
    yield name
    await postgres.drop(name)


async def copied(postgres: Any, dsn: str, name: str) -> str:
    """A copy of a database that nobody works on."""
    return str(await postgres.create(name, like=dsn.rpartition("/")[2]))


async def handled(desk: Desk, *records: ConsumerRecord) -> list[tuple[int, Emission]]:
    """One transaction; (seq, emission) of what the lane told on payments."""
    poll = Poll(NOW, PARTITIONS, desk.numbers, {LANE: list(records)})
    async with desk.connection.transaction():
        emissions = (await desk.handler.handle(desk.connection, poll))[LANE]
    told = []
    for each in emissions:
        if each.topic == PAYMENTS:
            desk.numbers.next[LANE, PAYMENTS, LANE] += 1
            told.append((desk.numbers.next[LANE, PAYMENTS, LANE], each))
    return told


def own(told: list[tuple[int, Emission]]) -> list[OwnEvent]:
    return [OwnEvent(PAYMENTS, LANE, seq, each.key, each.event_type, each.body) for seq, each in told]


_COMPARED = {
    "payments": "payment_id, lane, client, idempotency_key, digest, debtor_account, amount_minor, currency, "
    "rail, state, reason_code, reason, end_to_end_id, uetr, event_seq, decided_at",
    "refunds": "*",
    "refused_records": "*",
    "forwarded_records": "*",
    "accounts": "*",
    "account_requests": "*",
    "postings": "*",
    "balances": "*",
}


async def books(connection: Any) -> dict[str, list[str]]:
    """All that ingestion's database says, but for where an adopted payment's instruction stands."""
    return {
        table: sorted(str(tuple(row)) for row in await connection.fetch(f"SELECT {columns} FROM {table}"))
        for table, columns in _COMPARED.items()
    }


async def test_a_database_set_back_says_the_same_in_the_end_and_tells_nothing_twice(
    database: str, postgres: Any, backup: str
) -> None:
    async with desk_on(database) as desk:
        await desk.open(500_00)
        paid = desk.record(instruction(idempotency_key="before").encode())
        (accepted,) = await desk.poll({LANE: [paid]})
        numbers, offsets = dict(desk.numbers.next), dict(desk.offsets)
    older = await copied(postgres, database, backup)

    connection = await connect(database)
    desk = Desk(connection)
    desk.numbers.next.update(numbers)
    desk.offsets.update(offsets)
    requests: list[Any] = [
        instruction(idempotency_key="a", amount_minor=300_00),
        instruction(idempotency_key="too-much", amount_minor=900_00),
        instruction(idempotency_key="a", amount_minor=1_00),
        opening(OTHER, "open-other"),
        funding(1_000_00, ACCOUNT, "gift"),
        instruction(idempotency_key="b", amount_minor=700_00),
        instruction(idempotency_key="", client="shop"),
    ]
    records = [desk.record(each.encode()) for each in requests]
    records.append(
        desk.record(
            b'{"client": "shop", "idempotency_key": "j"}', LANE, [("content-type", b"application/json")]
        )
    )
    headers = [("producer", b"settlement.1"), ("lane", b"%d" % LANE), ("seq", b"1")]
    back = rejected_by_bank(accepted.payment_id, accepted.instruction.amount_minor).encode()
    notice = desk.record(back, LANE, headers, SETTLEMENT_NOTIFICATIONS)
    told = await handled(desk, *records)
    told += await handled(desk, notice)
    kinds = {each.event_type for _, each in told}
    assert kinds == {
        "PaymentAccepted", "PaymentRejected", "InstructionRefused", "AccountOpened", "AccountFunded",
        "PaymentRefunded",
    }  # fmt: skip
    wanted = await books(connection)
    await connection.close()

    connection = await connect(older)
    desk = Desk(connection)
    for _ in range(2):
        async with connection.transaction():
            await adopt(connection, LANE, own(told))
    assert {row["state"] for row in await connection.fetch("SELECT state FROM payments")} == {
        "accepted",
        "rejected",
    }
    # Everything comes again, in another order and cut otherwise: what was decided stands.
    assert await handled(desk, notice) == []
    for record in [records[4], *records[:4], *records[5:]]:
        assert await handled(desk, record) == []
    assert await books(connection) == wanted
    assert await desk.count("told") == 0
    await desk.assert_books_balance()
    await connection.close()


async def test_what_was_not_told_before_the_restore_is_decided_and_told(
    database: str, postgres: Any, backup: str
) -> None:
    async with desk_on(database) as desk:
        await desk.open(500_00)
        first, second = (desk.record(instruction(idempotency_key=key).encode()) for key in "ab")
        payment = ids.payment_id(first.timestamp, "shop", "a")
        event = types.PaymentAccepted(payment, instruction(idempotency_key="a"), 1_772_524_800_000_000)
        fact = OwnEvent(PAYMENTS, LANE, 3, ACCOUNT.encode(), "PaymentAccepted", event.encode())
        async with desk.connection.transaction():
            await adopt(desk.connection, LANE, [fact])
        desk.numbers.next[LANE, PAYMENTS, LANE] = 3
        told = await handled(desk, first, second)
        assert [(seq, each.event_type) for seq, each in told] == [(4, "PaymentAccepted")]
        assert await desk.balance(ACCOUNT) == 300_00
        await desk.assert_books_balance()


async def test_what_was_sent_on_is_not_sent_on_again_to_be_granted_where_it_was_refused(
    database: str,
) -> None:
    """A wish on another lane's partition: its account did not exist when it came, and was opened since."""
    async with desk_on(database) as desk:
        elsewhere = (LANE + 1) % PARTITIONS
        gift = funding(100_00, ACCOUNT, "gift")
        first, second, third = (desk.record(gift.encode(), elsewhere) for _ in range(3))
        sent_on = [
            OwnEvent(PAYMENT_INSTRUCTIONS, LANE, seq, ACCOUNT.encode(), "AccountFundRequested", gift.encode())
            for seq in (1, 2)
        ]
        for _ in range(2):
            async with desk.connection.transaction():
                await adopt(desk.connection, elsewhere, sent_on)
        assert await desk.ask(opening()) != []
        assert await desk.poll({elsewhere: [first]}) == []
        assert (desk.forwarded, await desk.balance(ACCOUNT)) == (0, 0)
        assert await desk.poll({elsewhere: [second]}) == []
        assert await desk.poll({elsewhere: [first, second]}) == []
        assert (desk.forwarded, await desk.count("told")) == (0, 0)
        assert len(await desk.poll({elsewhere: [third]})) == 1, "sent again by its client, it is sent on"


async def test_a_rejection_is_of_the_same_request_whatever_way_its_client_writes_avro(database: str) -> None:
    """A list may be written in blocks that say their size; its event has the list as we write it."""
    async with desk_on(database) as desk:
        asked = instruction(amount_minor=900_00, creditor_address_lines=("x",))
        ours = asked.encode()
        assert ours.endswith(b"\x02\x02x\x00")
        theirs = ours[:-4] + b"\x01\x04\x02x\x00"
        assert types.decode(theirs) == asked
        await desk.open(500_00)
        record = desk.record(theirs)
        payment = ids.payment_id(record.timestamp, "shop", asked.idempotency_key)
        event = types.PaymentRejected(payment, asked, "AM04", "the account does not hold the amount", 0)
        fact = OwnEvent(PAYMENTS, LANE, 3, ACCOUNT.encode(), "PaymentRejected", event.encode())
        async with desk.connection.transaction():
            await adopt(desk.connection, LANE, [fact])
        assert await desk.poll({LANE: [record]}) == []
        assert await desk.count("refused_records") == 0
        other = instruction(amount_minor=901_00, creditor_address_lines=("x",))
        assert [type(each).__name__ for each in await desk.ask(other)] == ["InstructionRefused"]


async def test_a_payment_whose_key_another_lane_has_given_away_since_is_a_broken_invariant(
    database: str,
) -> None:
    """Which of the two stands, nobody can decide: the lane stops, and no other with it."""
    async with desk_on(database) as desk:
        await desk.open(500_00)
        (taken,) = await desk.ask(instruction())
        asked = instruction(debtor_account=OTHER)
        event = types.PaymentAccepted(ids.payment_id(1, "shop", "key"), asked, 1_772_524_800_000_000)
        fact = OwnEvent(PAYMENTS, LANE, 9, OTHER.encode(), "PaymentAccepted", event.encode())
        with pytest.raises(InvariantBroken, match=ids.text(taken.payment_id)):
            await adopt(desk.connection, LANE, [fact])
