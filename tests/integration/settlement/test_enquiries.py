"""Payments that the bank said nothing of: asked for in bounded rounds, and ended by a rejection alone."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from goodfunds.events import types
from goodfunds.events.types import PaymentStatusReported
from goodfunds.ids import reference
from services.settlement.gateway import enquiries
from tests.integration.settlement.desk import DAY, booked, instruction, kinds
from tests.integration.settlement.stage import Stage
from tests.integration.settlement.test_gateway import claimed, house
from tests.integration.tampering import unguarded

__all__ = ["claimed", "house"]

SILENCE = timedelta(minutes=10)
PAUSE = timedelta(seconds=1)


@dataclass
class Silent:
    """A file that was submitted, and about which the bank said nothing."""

    house: Stage
    message_id: str
    lanes: dict[bytes, int]
    delivered_to_lanes: int = 0

    def reference(self, payment: bytes) -> str:
        return reference(self.lanes[payment], payment)

    def stands(self, payment: bytes, status: str, **told: str) -> None:
        """What the bank's books say of a payment."""
        own = self.reference(payment)
        fields = {"status": status, "instruction_id": own, "message_id": self.message_id}
        self.house.bank.payments[own] = {**fields, **told}

    async def in_order(self) -> list[bytes]:
        """The payments as a round goes through them."""
        found = await self.house.desk.connection.fetch(
            "SELECT payment_id FROM payments ORDER BY batch_id, accepted_offset"
        )
        return [row[0] for row in found]

    async def ask(self, steps: int = 20) -> list[bytes]:
        """Let the gateway ask, with its pauses; the payments that it told the lanes about."""
        before = len(self.house.emitted)
        for _ in range(steps):
            await self.house.run()
            self.house.wait(PAUSE)
        return [
            found.payment_id
            for each in self.house.emitted[before:]
            if isinstance(found := types.decode(each.body), PaymentStatusReported)
        ]

    async def tell(self) -> list[Any]:
        """Hand the lanes what was told; the events that follow."""
        told: list[Any] = []
        for each in self.house.emitted[self.delivered_to_lanes :]:
            told += await self.house.desk.tell(
                each.partition, types.decode(each.body), now=self.house.clock.now()
            )
        self.delivered_to_lanes = len(self.house.emitted)
        return told


@pytest.fixture
async def silent(house: Stage, claimed: list[bytes]) -> Silent:
    await house.run()
    rows = await house.desk.connection.fetch("SELECT payment_id, lane FROM payments")
    message_id = await house.desk.connection.fetchval("SELECT message_id FROM bank_files")
    found = Silent(house, message_id, {row[0]: row[1] for row in rows})
    await found.tell()
    return found


async def test_a_rejection_whose_answer_was_lost_is_told_by_asking_and_once(
    silent: Silent, claimed: list[bytes]
) -> None:
    for payment in claimed[:3]:
        silent.stands(payment, "rejected", reason_code="AC04", reason="closed")
    silent.house.wait(SILENCE - timedelta(seconds=30))
    assert await silent.ask(1) == []
    assert silent.house.bank.asked == []
    silent.house.wait(timedelta(minutes=1))
    assert sorted(await silent.ask()) == sorted(claimed[:3])
    events = await silent.tell()
    assert kinds(events) == ["PaymentRejectedByBank"] * 3
    assert {(each.reason_code, each.reason) for each in events} == {("AC04", "closed")}
    assert set((await silent.house.desk.states()).values()) == {
        "rejected",
        "submitted",
    }
    late = PaymentStatusReported(
        payment_id=claimed[0], batch_id=events[0].batch_id, reported_at=0, status="RJCT", reason_code="AC04",
        reason="closed", message_id=silent.message_id, end_to_end_id="E2E-0",
    )  # fmt: skip
    assert await silent.house.desk.tell(silent.lanes[claimed[0]], late) == []


@pytest.mark.parametrize("status", ["pending", "booked", "returned", "", "not found"])
async def test_any_other_answer_settles_and_rejects_nothing(
    silent: Silent, claimed: list[bytes], status: str
) -> None:
    if status != "not found":
        for payment in claimed:
            silent.stands(payment, status)
    silent.house.bank.known.add(silent.message_id)
    silent.house.wait(SILENCE)
    assert await silent.ask() == []
    assert len(silent.house.bank.asked) == len(claimed)
    assert set((await silent.house.desk.states()).values()) == {"submitted"}


@pytest.mark.parametrize("other", ["message_id", "instruction_id"])
async def test_a_rejection_in_another_file_or_of_another_payment_says_nothing_of_this_one(
    silent: Silent, claimed: list[bytes], other: str
) -> None:
    for payment in claimed:
        silent.stands(payment, "rejected", reason_code="AC04", **{other: "another"})
    silent.house.wait(SILENCE)
    assert await silent.ask() == []


@pytest.mark.parametrize(("sent", "told"), [(1, True), (2, False)])
async def test_a_rejection_as_a_duplicate_of_bytes_sent_again_refunds_nobody(
    silent: Silent, claimed: list[bytes], sent: int, told: bool
) -> None:
    if sent == 2:
        async with unguarded(silent.house.desk.connection) as connection:
            await connection.execute(
                "INSERT INTO attempts SELECT file_id, 2, 'unknown', started_at, delivering_at FROM attempts"
            )
    silent.stands(claimed[0], "rejected", reason_code="AM05")
    silent.house.wait(SILENCE)
    assert await silent.ask() == ([claimed[0]] if told else [])


async def test_rounds_go_on_where_they_were_also_past_a_payment_the_bank_ails_at_and_after_a_death(
    silent: Silent, claimed: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enquiries, "PAYMENTS_PER_STEP", 3)
    order = [silent.reference(payment) for payment in await silent.in_order()]
    silent.house.bank.ails_at = order[1]
    silent.house.wait(SILENCE)
    await silent.house.run()
    assert silent.house.bank.asked == order[:2]
    silent.house.wait(PAUSE)
    await silent.house.run()
    assert silent.house.bank.asked == order[:2], "the pause after a fault is longer"
    await silent.house.die()
    await silent.house.run()
    assert silent.house.bank.asked == order[:5]
    await silent.ask()
    assert silent.house.bank.asked == order


async def test_the_next_round_waits_until_the_age_of_the_file_has_doubled(
    silent: Silent, claimed: list[bytes]
) -> None:
    rounds = []
    silent.house.wait(PAUSE)
    for minute in range(1, 90):
        silent.house.wait(timedelta(minutes=1) - PAUSE)
        before = len(silent.house.bank.asked)
        await silent.ask(1)
        if len(silent.house.bank.asked) > before:
            rounds.append(minute)
    assert rounds == [10, 20, 40, 80]


async def test_a_round_that_ended_by_a_clock_that_ran_ahead_does_not_hold_the_next_one_up(
    silent: Silent, claimed: list[bytes]
) -> None:
    ahead = timedelta(minutes=15)
    for payment in claimed:
        silent.stands(payment, "pending")
    silent.house.wait(SILENCE + ahead)
    assert await silent.ask() == []
    silent.house.wait(-ahead)
    for payment in claimed[:2]:
        silent.stands(payment, "rejected", reason_code="AC04")
    assert sorted(await silent.ask()) == sorted(claimed[:2])


async def test_what_the_bank_has_answered_for_is_asked_for_only_after_a_statement(
    silent: Silent, claimed: list[bytes]
) -> None:
    connection = silent.house.desk.connection
    await connection.execute(
        "INSERT INTO batch_statuses SELECT batch_id, 'ACCP', lane, '', '', $1 FROM batches",
        silent.house.clock.now(),
    )
    silent.house.wait(3 * SILENCE)
    await silent.ask()
    assert (silent.house.bank.asked, silent.house.bank.enquiries) == ([], 0)
    await connection.execute(
        "INSERT INTO bank_messages VALUES ('camt053-1', '', 'camt.053', $1, 1, $1)", silent.house.clock.now()
    )
    silent.house.wait(SILENCE - PAUSE)
    await silent.ask(1)
    assert silent.house.bank.asked == []
    silent.house.wait(PAUSE)
    await silent.ask()
    assert len(silent.house.bank.asked) == len(claimed)


async def test_a_file_none_of_whose_payments_is_open_is_asked_for_once_more_and_then_no_longer(
    silent: Silent, claimed: list[bytes]
) -> None:
    for payment in claimed:
        await silent.house.desk.tell(silent.lanes[payment], booked(payment_id=payment))
    silent.house.wait(SILENCE)
    await silent.ask()
    assert silent.house.bank.asked == []
    assert await silent.house.desk.connection.fetchval("SELECT answered_at IS NOT NULL FROM bank_files")


async def test_a_file_is_asked_for_until_none_of_its_batches_has_anything_open(
    silent: Silent, claimed: list[bytes]
) -> None:
    desk, order = silent.house.desk, await silent.in_order()
    lane = silent.lanes[order[0]]
    first = [payment for payment in order if silent.lanes[payment] == lane]
    others = [payment for payment in order if payment not in first]
    assert others
    answered = "SELECT answered_at IS NOT NULL FROM bank_files"
    for payment in first:
        await desk.tell(lane, booked(payment_id=payment))
    silent.house.wait(SILENCE)
    await silent.ask()
    assert silent.house.bank.asked == [silent.reference(payment) for payment in others]
    assert not await desk.connection.fetchval(answered)
    for payment in others:
        await desk.tell(silent.lanes[payment], booked(payment_id=payment))
    silent.house.wait(2 * SILENCE)
    await silent.ask()
    assert len(silent.house.bank.asked) == len(others)
    assert await desk.connection.fetchval(answered)


async def test_a_new_file_goes_out_at_once_in_the_midst_of_a_round(
    silent: Silent, claimed: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enquiries, "PAYMENTS_PER_STEP", 1)
    house, tomorrow = silent.house, DAY + timedelta(days=1)
    house.wait(timedelta(days=1))
    await house.run()
    await house.desk.accept(instruction(idempotency_key="next", requested_execution_date=tomorrow))
    await house.desk.close(house.clock.now())
    await house.run()
    assert (len(house.bank.delivered), len(house.bank.asked)) == (2, 1)
