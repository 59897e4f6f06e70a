"""What ingestion has read, handled a second time: no row, no event, whatever came since."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from goodfunds.events import types
from goodfunds.lanes import lane_of
from tests.integration.handled_again import owner_of
from tests.integration.ingestion.desk import (
    LANE,
    NOW,
    PARTITIONS,
    Desk,
    desk_on,
    rejected_by_bank,
    returned_by_bank,
)
from tests.unit.ingestion.requests import ACCOUNT, funding, instruction, opening

WRONG = (LANE + 1) % PARTITIONS
JSON = (("content-type", b"application/json"),)


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    async with desk_on(database) as desk:
        yield desk
        await desk.assert_books_balance()


def elsewhere() -> str:
    """An account of another lane than ACCOUNT's."""
    return next(name for n in range(99) if lane_of(name := f"customer-{n}", PARTITIONS) != LANE)


async def assert_nothing_follows(desk: Desk, database: str) -> None:
    async with owner_of(database, desk.handler, PARTITIONS) as owner:
        await owner.assert_nothing_follows(desk.log, NOW)


async def a_day(desk: Desk) -> list[types.PaymentAccepted]:
    """Every kind of record, decided in every way; the payments that were accepted."""
    other = elsewhere()
    await desk.ask(funding(5_00, key="too-early"))
    await desk.open(1_000_00)
    await desk.ask(opening(key="again"), opening(), opening(key="renamed", name="Two"), opening(name="Two"))
    await desk.ask(funding(0, key="nothing"), funding(1, key="yen", currency="JPY"), funding(2), funding(2))
    asked = [instruction(idempotency_key=f"pay-{n}", amount_minor=10_00 + n) for n in range(6)]
    accepted = await desk.ask(*asked)
    await desk.ask(asked[0], instruction(idempotency_key="pay-1", amount_minor=1))
    await desk.ask(
        instruction(idempotency_key="too-much", amount_minor=9_000_00), instruction(currency="USD")
    )
    await desk.ask(instruction(idempotency_key="unknown", debtor_account="nobody"))
    await desk.ask(b"", b"\xff\xfe\x00", b"\x00\x00\x00\x27\x0fbody", b"\x00" * 2_000_000)
    await desk.ask(json.dumps({"client": "shop", "idempotency_key": "j"}).encode(), headers=JSON)
    await desk.ask(instruction(idempotency_key="", client="shop"), instruction(idempotency_key="a\0b"))
    # On a partition that is not their account's: granted, known there, refused there.
    await desk.ask(
        instruction(idempotency_key="wrong", amount_minor=3), asked[2], opening(key="sent-on"),
        instruction(idempotency_key="pay-3", amount_minor=4), funding(7, other, "before-its-account"),
        lane=WRONG if lane_of(other, PARTITIONS) != WRONG else (WRONG + 1) % PARTITIONS,
    )  # fmt: skip
    await desk.ask(opening(other, "open-other"), funding(50_00, other, "fund-other"))
    (elsewhere_too,) = await desk.ask(instruction(idempotency_key="pay-4", debtor_account=other))
    assert isinstance(elsewhere_too, types.InstructionRefused)
    for place, notice in enumerate(
        (
            rejected_by_bank(accepted[0].payment_id, 10_00),
            returned_by_bank(accepted[1].payment_id, 10_01),
            rejected_by_bank(accepted[0].payment_id, 10_00),
            returned_by_bank(accepted[0].payment_id, 10_00),
        )
    ):
        await desk.tell(notice, seq=place + 1)
    await desk.connection.execute("UPDATE accounts SET state = 'closed' WHERE account = $1", ACCOUNT)
    (unapplied,) = await desk.tell(returned_by_bank(accepted[2].payment_id, 10_02), seq=5)
    assert unapplied.credited_account == "unapplied:closed-account"
    await desk.ask(funding(1, key="closed"), instruction(idempotency_key="closed", amount_minor=1))
    return accepted


async def test_no_record_of_a_day_that_is_handled_again_writes_or_tells_anything(
    desk: Desk, database: str
) -> None:
    await a_day(desk)
    assert len(desk.log) > 40
    assert desk.forwarded == 5
    for table in ("payments", "refunds", "refused_records", "forwarded_records", "account_requests"):
        assert await desk.count(table) > 2, table
    await assert_nothing_follows(desk, database)


async def test_what_was_refused_or_sent_on_stays_so_where_it_would_be_granted_now(
    desk: Desk, database: str
) -> None:
    """A wish for money before its account is there, on its lane and on another; a second opening."""
    await desk.ask(funding(5_00, key="early"))
    await desk.ask(funding(6_00, key="early-elsewhere"), lane=WRONG)
    await desk.ask(opening(), opening(key="again"))
    assert len(await desk.ask(funding(5_00, key="early"))) == 1, "asked anew it is granted"
    await assert_nothing_follows(desk, database)
    await desk.connection.execute("UPDATE accounts SET state = 'blocked'")
    await assert_nothing_follows(desk, database)
    assert await desk.balance(ACCOUNT) == 5_00


async def test_a_first_a_second_and_the_first_again_count_once_each(desk: Desk, database: str) -> None:
    await desk.open(1_000)
    first = desk.record(instruction(idempotency_key="a", amount_minor=600).encode())
    second = desk.record(instruction(idempotency_key="b", amount_minor=600).encode())
    (accepted,) = await desk.poll({LANE: [first]})
    (rejected,) = await desk.poll({LANE: [second]})
    await desk.tell(rejected_by_bank(accepted.payment_id, 600))
    async with owner_of(database, desk.handler, PARTITIONS) as owner:
        for each in (first, second, first):
            assert await owner.hand_in([each], NOW) == []
    assert isinstance(rejected, types.PaymentRejected)
    assert await desk.balance(ACCOUNT) == 1_000, "what was too much for it then is not taken now"


async def test_what_is_handled_again_among_new_records_leaves_their_decisions_as_they_are(
    desk: Desk, database: str
) -> None:
    await a_day(desk)
    other = elsewhere()
    old, new = list(desk.log), 0

    async def live() -> Any:
        nonlocal new
        new += 1
        (told,) = await desk.ask(
            instruction(idempotency_key=f"new-{new}", debtor_account=other, amount_minor=1)
        )
        assert isinstance(told, types.PaymentAccepted)

    async with owner_of(database, desk.handler, PARTITIONS) as owner:
        for first in range(0, len(old), 5):
            await live()
            assert await owner.hand_in(old[first : first + 5], NOW) == []
    assert await desk.balance(other) == 50_00 - new
    await assert_nothing_follows(desk, database)
