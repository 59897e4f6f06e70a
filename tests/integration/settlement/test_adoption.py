"""After a restore: what had gone out is found at the bank, nothing goes out or is told twice."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from goodfunds import ids
from goodfunds.clock import FixedClock
from goodfunds.errors import InvariantBroken, OutOfTurn, Unavailable
from goodfunds.events import types
from goodfunds.events.topics import BANK_NOTIFICATIONS, PAYMENTS
from goodfunds.ids import NO_ID, reference
from goodfunds.lanes import Poll
from goodfunds.lanes.records import OwnEvent
from goodfunds.postgres import create_pool
from services.settlement.adoption import adopt, adopt_submissions
from services.settlement.gateway.work import FileAdopted, FileFound, FoldersRead, Released
from services.settlement.store import SQL
from tests.integration.settlement.desk import (
    DAY,
    EVENING,
    MORNING,
    NOSTRO_LANE,
    PARTITIONS,
    Desk,
    booked,
    instruction,
    kinds,
    opened,
)
from tests.integration.settlement.paper_bank import PaperBank
from tests.integration.settlement.stage import Stage, gateway_of

WAIT = timedelta(minutes=30)
"""Nothing of the former life reaches the bank after this."""


@dataclass
class Lives:
    """A house, its backup, and the second life that begins with it; one bank for both."""

    server: Any
    dsn: str
    backup: str
    bank: PaperBank
    clock: FixedClock
    house: Stage
    logged: int = 0
    told: int = 0
    ended: int = 0

    async def back_up(self) -> None:
        """Copy the database as it is."""
        await self.leave()
        await self.server.create(self.backup, like=self.dsn.rpartition("/")[2])
        desk = self.house.desk
        self.logged, self.told = len(desk.log), len(desk.own)
        await self._enter(self.dsn, desk)

    async def restore(self) -> None:
        """The first life ends; the second knows the backup, and that it is one."""
        await self.leave()
        first = self.house.desk
        desk = Desk(None, numbers=first.numbers, offsets=first.offsets, log=first.log, own=first.own)
        await self._enter(str(self.server.dsn(self.backup)), desk)
        await self._announce()

    async def adopt(self) -> None:
        """Lanes and gateway adopt what they told since the backup."""
        desk = self.house.desk
        async with desk.connection.transaction():
            for lane in range(PARTITIONS):
                own = [event for of, event in desk.own[self.told :] if of == lane]
                await adopt(desk.connection, lane, own)
                # What was adopted may come again, after a crash.
                await adopt(desk.connection, lane, own)
            told = [
                OwnEvent(BANK_NOTIFICATIONS, each.partition, seq, each.key, each.event_type, each.body)
                for seq, each in enumerate(self.house.emitted, 1)
            ]
            await adopt_submissions(desk.connection, -1, told)
        self.told = len(desk.own)

    async def handle_again(self, topic: str, *lanes: int) -> list[Any]:
        """Handle what a topic (of all lanes, or of these) has had since the backup, one record a poll.

        A lane whose turn has not come is handled last. What is told of it.
        """
        told: list[Any] = []
        waiting: list[Any] = []
        lanes = lanes or tuple(range(PARTITIONS))
        for record in [each for each in self._since() if each.topic == topic and each.partition in lanes]:
            if record.partition in {each.partition for each in waiting}:
                waiting.append(record)
                continue
            try:
                told += await self._handle(record)
            except OutOfTurn:
                waiting.append(record)
        for record in waiting:
            told += await self._handle(record)
        return told

    async def leave(self) -> None:
        await self.house.link.close()
        await self.house.pool.close()
        await self.house.desk.connection.close()

    def _since(self) -> list[Any]:
        return self.house.desk.log[self.logged : self.ended]

    async def _enter(self, dsn: str, desk: Desk) -> None:
        pool = await create_pool(dsn)
        desk.connection = await opened(dsn)
        emitted, delivered = self.house.emitted, self.house.delivered
        self.house = Stage(
            desk, pool, self.bank, self.clock, *gateway_of(pool, self.bank, self.clock), emitted, delivered
        )

    async def _announce(self) -> None:
        connection, desk = self.house.desk.connection, self.house.desk
        self.ended = len(desk.log)
        await connection.execute(
            "INSERT INTO cluster (partitions, restored_at) VALUES ($1, $2)", PARTITIONS, self.clock.now()
        )
        for lane in range(PARTITIONS):
            offsets, ends = (
                json.dumps({
                    topic: sum((each.topic, each.partition) == (topic, lane) for each in log)
                    for topic in (PAYMENTS, BANK_NOTIFICATIONS)
                })
                for log in (desk.log[: self.logged], desk.log)
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO lanes (lane, incarnation, offsets, catch_up)"
                " SELECT $1, incarnation, $2::jsonb, $3::jsonb FROM cluster",
                lane, offsets, ends,
            )  # fmt: skip

    async def _handle(self, record: Any) -> list[Any]:
        told = await self.house.desk.poll({record.partition: [record]}, self.clock.now(), due=True)
        await self.move(record)
        return told

    async def move(self, record: Any) -> None:
        """The lane's row, as its fence moves it on."""
        await self.house.desk.connection.execute(
            "UPDATE lanes SET offsets = jsonb_set(offsets, ARRAY[$2], to_jsonb($3::bigint)) WHERE lane = $1",
            record.partition, record.topic, record.offset + 1,
        )  # fmt: skip

    async def come_back(self) -> list[Any]:
        """From the restore to the release; what was told of it."""
        await self.restore()
        await self.adopt()
        # Too early for anything.
        await self.house.run()
        self.clock.at += WAIT
        await self.house.run()
        told = await self.handle_again(PAYMENTS)
        told += await self.handle_again(BANK_NOTIFICATIONS)
        await self.house.run()
        return told

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.house.desk.connection.fetch(statement)]

    def sent(self) -> list[str]:
        """Names of what was delivered to the bank, ever."""
        return [name for name, _ in self.bank.delivered]


@pytest.fixture
async def lives(postgres: Any, database: str, tmp_path: Path) -> AsyncIterator[Lives]:
    bank = PaperBank(tmp_path / "bank")
    await bank.open()
    clock, backup = FixedClock(EVENING), f"backup_{uuid4().hex[:12]}"
    connection, pool = await opened(database), await create_pool(database)
    house = Stage(Desk(connection), pool, bank, clock, *gateway_of(pool, bank, clock))
    lives = Lives(postgres, database, backup, bank, clock, house)
    yield lives
    assert await lives.rows(SQL["proof_open_disagree"]) == [], "whatever a test did"
    await lives.leave()
    await bank.close()
    await postgres.drop(backup)


def payments(*keys: str, account: str = "customer-1") -> list[types.PaymentInstruction]:
    return [instruction(idempotency_key=key, end_to_end_id=key, debtor_account=account) for key in keys]


async def send_out(lives: Lives) -> None:
    """Seal what is open and send it; the lanes hear of it."""
    await lives.house.desk.close(lives.clock.now())
    await lives.house.run()
    await lives.house.deliver()


_BATCHES = """
SELECT b.batch_id, m.payment_id, b.payments_count, b.amount_minor, b.first_offset, b.last_offset, b.message_id
FROM batches b JOIN batch_members m USING (batch_id) ORDER BY 1, 2"""
_FILES = """
SELECT f.file_id, f.rail, f.nostro, f.currency, f.requested_date, f.message_id, f.file_name, f.created_at,
       f.sha256, f.payments_count, f.amount_minor, c.batch_id
FROM bank_files f JOIN bank_file_batches c USING (file_id) ORDER BY 1, 12"""
_SETTLED = "SELECT payment_id, source, bank_reference, booking_date, event_seq FROM settlements ORDER BY 1"
_REJECTED = "SELECT payment_id, reason_code, event_seq FROM rejections ORDER BY 1"
_STATES = "SELECT payment_id, state FROM payment_states ORDER BY 1"
_BALANCES = "SELECT lane, account, currency, balance_minor FROM balances ORDER BY 1, 2, 3"
_NOTED = "SELECT booking_key, source, identity, lane, effect, payment_id FROM noted_reports ORDER BY 1, 2, 3"
_OPEN = "SELECT batch_id, open_payments, open_minor FROM batches WHERE has_open ORDER BY 1"
_ALL = (_BATCHES, _FILES, _SETTLED, _REJECTED, _STATES, _BALANCES, _NOTED, _OPEN)


async def test_what_was_sent_settled_and_rejected_since_the_backup_is_so_again_and_is_not_sent_or_told_twice(
    lives: Lives,
) -> None:
    house = lives.house
    await house.desk.accept(*payments("known", "known-too"))
    await lives.back_up()
    first, second, third = await lives.house.desk.accept(*payments("a", "b", "c"))
    await lives.house.desk.accept(*payments("d", account="customer-2"))
    await send_out(lives)
    lane = (await lives.house.desk.batch_of(first))["lane"]
    await lives.house.desk.tell(lane, booked(payment_id=first, end_to_end_id="a"))
    (batch,) = {(await lives.house.desk.batch_of(each))["batch_id"] for each in (second, third)}
    rejected = types.PaymentStatusReported(
        payment_id=second, batch_id=batch, reported_at=0, status="RJCT", reason_code="AC01", reason="closed",
        message_id="M", end_to_end_id="b",
    )  # fmt: skip
    await lives.house.desk.tell(lane, rejected)
    before, sent = [await lives.rows(of) for of in _ALL], lives.sent()
    assert len(sent) == 1
    told = await lives.come_back()
    assert told == []
    assert [await lives.rows(of) for of in _ALL] == before
    assert await lives.rows("SELECT * FROM told") == []
    assert lives.house.gateway.unready() == []
    assert lives.sent() == sent


@pytest.mark.parametrize("known", [(), ("known",)], ids=["not in the backup", "open in the backup"])
async def test_a_batch_that_went_out_is_sealed_as_it_was_and_what_is_new_goes_another_way(
    lives: Lives, known: tuple[str, ...]
) -> None:
    await lives.house.desk.accept(*payments(*known))
    await lives.back_up()
    (early,) = await lives.house.desk.accept(*payments("early"))
    await send_out(lives)
    gone = (await lives.house.desk.batch_of(early))["batch_id"]
    await lives.restore()
    await lives.adopt()
    lives.clock.at += WAIT
    await lives.house.run()
    # Before the payment that completes the batch has come again.
    (late,) = await lives.house.desk.accept(*payments("late"), now=MORNING)
    assert (await lives.house.desk.batch_of(late))["batch_id"] != gone
    await lives.handle_again(PAYMENTS)
    await lives.handle_again(BANK_NOTIFICATIONS)
    await send_out(lives)
    assert [row[1] for row in await lives.rows(_BATCHES) if row[0] == gone].count(early) == 1
    assert len(lives.sent()) == 2
    assert b">late<" in lives.bank.delivered[1][1]
    assert b">early<" not in lives.bank.delivered[1][1]


async def test_a_file_that_went_out_and_was_told_to_nobody_is_found_by_its_name(lives: Lives) -> None:
    await lives.back_up()
    (payment,) = await lives.house.desk.accept(*payments("a"))
    await lives.house.desk.close()
    await lives.house.run()
    # The gateway died before anybody heard of it.
    lives.house.lose_told()
    await lives.come_back()
    assert len(lives.sent()) == 1
    await lives.house.deliver()
    assert await lives.house.desk.states() == {payment: "submitted"}


async def test_lanes_handle_nothing_before_the_folders_are_read_and_those_not_before_the_former_life_is_over(
    lives: Lives,
) -> None:
    await lives.back_up()
    await lives.house.desk.accept(*payments("a"))
    await send_out(lives)
    await lives.restore()
    await lives.adopt()
    lives.clock.at += WAIT - timedelta(seconds=1)
    assert await lives.house.step() is None
    assert "may still arrive" in lives.house.gateway.unready()[0]
    with pytest.raises(Unavailable, match="folders"):
        await lives.handle_again(PAYMENTS)
    lives.clock.at += timedelta(seconds=1)
    steps = [type(await lives.house.step()) for _ in range(2)]
    assert steps == [FileFound, FoldersRead]
    assert await lives.house.step() is None
    assert "lane" in lives.house.gateway.unready()[0]
    await lives.handle_again(PAYMENTS)
    await lives.handle_again(BANK_NOTIFICATIONS)
    assert [type(await lives.house.step()) for _ in range(2)] == [FileAdopted, Released]


@pytest.mark.parametrize("dies_after", range(6))
async def test_a_gateway_that_dies_after_any_step_towards_the_release_goes_on_with_it(
    lives: Lives, dies_after: int
) -> None:
    await lives.back_up()
    await lives.house.desk.accept(*payments("a"))
    await send_out(lives)
    await lives.house.desk.accept(*payments("b", account="customer-2"))
    await lives.restore()
    await lives.adopt()
    lives.clock.at += WAIT
    for _ in range(dies_after):
        await lives.house.step()
    await lives.house.die()
    await lives.house.run()
    await lives.handle_again(PAYMENTS)
    await lives.handle_again(BANK_NOTIFICATIONS)
    await lives.house.run()
    await lives.house.die()
    lives.clock.at += timedelta(days=1)
    await send_out(lives)
    assert lives.house.gateway.unready() == []
    assert [content.count(b"<InstrId>") for _, content in lives.bank.delivered] == [1, 1]


async def sent_and_refused(lives: Lives) -> tuple[bytes, Any]:
    """A payment whose file the bank has taken and refused for its time, and its batch; the lanes know."""
    (payment,) = await lives.house.desk.accept(*payments("a"))
    await send_out(lives)
    batch = await lives.house.desk.batch_of(payment)
    refusal = types.BatchRefused(
        batch_id=batch["batch_id"], refused_at=0, message_id=batch["message_id"], reason_code="TM01",
        reason="too late",
    )  # fmt: skip
    await lives.house.desk.tell(batch["lane"], refusal)
    lives.bank.take()
    return payment, batch


async def test_a_payment_of_a_refused_file_that_went_out_again_stands_in_the_second(lives: Lives) -> None:
    await lives.back_up()
    await sent_and_refused(lives)
    lives.clock.at += timedelta(days=1)
    await send_out(lives)
    assert len(lives.sent()) == 2
    states = await lives.house.desk.states()
    told = await lives.come_back()
    assert told == []
    assert await lives.house.desk.states() == states
    assert len(lives.sent()) == 2
    assert lives.house.gateway.unready() == []


async def test_a_payment_that_the_bank_knows_from_no_file_in_its_folders_keeps_the_hold(lives: Lives) -> None:
    await lives.back_up()
    (payment,) = await lives.house.desk.accept(*payments("a"))
    lane = (await lives.house.desk.batch_of(payment))["lane"]
    await lives.house.desk.close()
    await lives.house.run()
    lives.house.lose_told()
    (name, content) = lives.bank.delivered[0]
    lives.bank.lose()
    lives.bank.payments[reference(lane, payment)] = {"message_id": name.removesuffix(".xml")}
    await lives.come_back()
    await send_out(lives)
    assert f"knows payment {ids.text(payment)}" in lives.house.gateway.unready()[0]
    assert len(lives.sent()) == 1
    # Put back now it comes too late for the lanes: what they have made of its payment stays where it is.
    (lives.bank.root / "archive" / name).write_bytes(content)
    lives.clock.at += timedelta(minutes=1)
    await lives.house.run()
    assert "of 1 payments" in lives.house.gateway.unready()[0]
    assert len(lives.sent()) == 1


async def test_a_file_that_the_lanes_were_told_of_and_no_folder_has_keeps_the_hold_until_it_is_put_back(
    lives: Lives,
) -> None:
    await lives.back_up()
    (payment,) = await lives.house.desk.accept(*payments("a"))
    await send_out(lives)
    ((name, content),) = lives.bank.delivered
    lives.bank.lose()
    await lives.restore()
    await lives.adopt()
    lives.clock.at += WAIT
    await lives.house.run()
    assert name.removesuffix(".xml") in lives.house.gateway.unready()[0]
    with pytest.raises(Unavailable, match="folders"):
        await lives.handle_again(PAYMENTS)
    (lives.bank.root / "archive" / name).write_bytes(content)
    lives.clock.at += timedelta(minutes=1)
    await lives.house.run()
    await lives.handle_again(PAYMENTS)
    await lives.handle_again(BANK_NOTIFICATIONS)
    await lives.house.run()
    assert lives.house.gateway.unready() == []
    assert await lives.house.desk.states() == {payment: "submitted"}
    assert len(lives.sent()) == 1


async def claimed_in_the_backup(lives: Lives) -> None:
    """The backup knows of a file that it has yet to send."""
    await lives.house.desk.accept(*payments("a"))
    await lives.house.desk.close()
    await lives.house.step()


async def uploading_in_the_backup(lives: Lives) -> None:
    """The backup had begun to send a file."""
    await claimed_in_the_backup(lives)
    await lives.house.step()


@pytest.mark.parametrize("prepare", [claimed_in_the_backup, uploading_in_the_backup])
@pytest.mark.parametrize("heard", [True, False])
async def test_a_file_that_the_backup_was_about_to_send_is_not_sent_again(
    lives: Lives, prepare: Callable[[Lives], Awaitable[None]], heard: bool
) -> None:
    await prepare(lives)
    await lives.back_up()
    await lives.house.run()
    if heard:
        await lives.house.deliver()
    else:
        lives.house.lose_told()
    await lives.come_back()
    lives.clock.at += timedelta(days=1)
    await lives.house.run()
    await lives.house.deliver()
    assert len(lives.sent()) == 1
    assert lives.house.gateway.unready() == []
    assert set((await lives.house.desk.states()).values()) == {"submitted"}


async def test_a_file_that_the_backup_was_about_to_send_and_that_never_went_out_is_sent_after_the_release(
    lives: Lives,
) -> None:
    await claimed_in_the_backup(lives)
    await lives.back_up()
    await lives.come_back()
    await lives.house.run()
    assert len(lives.sent()) == 1


async def test_an_answer_that_was_taken_since_the_backup_is_taken_again_and_changes_nothing(
    lives: Lives,
) -> None:
    await lives.back_up()
    (payment,) = await lives.house.desk.accept(*payments("a"))
    await send_out(lives)
    message_id = lives.sent()[0].removesuffix(".xml")
    lives.bank.put("pain002-1.xml", pain002(message_id))
    await lives.house.run()
    await lives.house.deliver()
    assert await lives.house.desk.states() == {payment: "rejected"}
    before = [await lives.rows(of) for of in _ALL]
    assert await lives.come_back() == []
    assert await lives.house.deliver() == []
    assert [await lives.rows(of) for of in _ALL] == before
    assert await lives.rows("SELECT name FROM bank_messages") == [("pain002-1.xml",)]


def pain002(message_id: str, code: str = "AC01") -> bytes:
    """A rejection of a whole file."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<GrpHdr><MsgId>B-1</MsgId><CreDtTm>2026-03-03T18:30:00Z</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>{message_id}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts>
</CstmrPmtStsRpt></Document>""".encode()


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize(("code", "state"), [("AM05", "submitted"), ("TM01", "submitted")])
async def test_what_a_bank_says_of_a_second_copy_is_not_believed_of_a_file_that_the_backup_was_about_to_send(
    lives: Lives, heard: bool, code: str, state: str
) -> None:
    await claimed_in_the_backup(lives)
    await lives.back_up()
    await lives.house.run()
    if heard:
        await lives.house.deliver()
    else:
        lives.house.lose_told()
    # How often the former life had sent it the backup does not know.
    lives.bank.put("pain002-1.xml", pain002(lives.sent()[0].removesuffix(".xml"), code))
    await lives.come_back()
    await lives.house.deliver()
    assert set((await lives.house.desk.states()).values()) == {state}


async def test_a_payment_that_left_the_open_batch_of_the_backup_does_not_keep_its_file_from_being_adopted(
    lives: Lives,
) -> None:
    gone, _ = await lives.house.desk.accept(*payments("gone", "stays"))
    lane = (await lives.house.desk.batch_of(gone))["lane"]
    await lives.back_up()
    await lives.house.desk.tell(lane, booked(payment_id=gone, end_to_end_id="gone"))
    await send_out(lives)
    before = [await lives.rows(of) for of in _ALL]
    assert await lives.come_back() == []
    assert [await lives.rows(of) for of in _ALL] == before
    assert lives.house.gateway.unready() == []


async def test_a_file_of_a_lane_that_has_nothing_to_handle_again_is_adopted(lives: Lives) -> None:
    (payment,) = await lives.house.desk.accept(*payments("known"))
    await lives.back_up()
    await lives.house.desk.close()
    await lives.house.run()
    lives.house.lose_told()
    await lives.come_back()
    await lives.house.desk.close(lives.clock.now())
    await lives.house.run()
    await lives.house.deliver()
    assert lives.house.gateway.unready() == []
    assert await lives.house.desk.states() == {payment: "submitted"}


async def test_a_batch_that_is_found_at_the_bank_while_it_falls_due_stops_no_lane(lives: Lives) -> None:
    (payment,) = await lives.house.desk.accept(*payments("known"))
    await lives.back_up()
    await lives.house.desk.close()
    await lives.house.run()
    await lives.restore()
    await lives.adopt()
    lives.clock.at += WAIT
    desk, lanes = lives.house.desk, range(PARTITIONS)
    due = await desk.handler.due(desk.connection, list(lanes), lives.clock.now())
    await lives.house.run()
    async with desk.connection.transaction():
        await desk.handler.handle(
            desk.connection, Poll(lives.clock.now(), PARTITIONS, desk.numbers, {}, dict(due))
        )
    await lives.house.run()
    await lives.house.deliver()
    assert await desk.states() == {payment: "submitted"}


@pytest.mark.parametrize("source", ["camt.053", "camt.054"])
async def test_an_entry_without_our_reference_is_not_decided_again_before_other_lanes_have_its_payment(
    lives: Lives, source: str
) -> None:
    await lives.back_up()
    (payment,) = await lives.house.desk.accept(*payments("a"))
    await send_out(lives)
    await lives.house.desk.tell(NOSTRO_LANE, booked(end_to_end_id="a", source=source))
    assert (await lives.house.desk.batch_of(payment))["lane"] != NOSTRO_LANE
    before = [await lives.rows(of) for of in _ALL]
    assert before[2] != []
    await lives.restore()
    await lives.adopt()
    lives.clock.at += WAIT
    await lives.house.run()
    with pytest.raises(OutOfTurn):
        await lives.handle_again(BANK_NOTIFICATIONS, NOSTRO_LANE)
    told = await lives.handle_again(PAYMENTS)
    told += await lives.handle_again(BANK_NOTIFICATIONS)
    await lives.house.run()
    assert told == []
    assert [await lives.rows(of) for of in _ALL] == before


async def test_an_entry_that_was_sent_on_stays_with_its_payment_though_another_like_it_came_since(
    lives: Lives,
) -> None:
    await lives.back_up()
    await lives.house.desk.accept(*payments("rent"))
    await send_out(lives)
    await lives.house.desk.tell(NOSTRO_LANE, booked(end_to_end_id="rent", source="camt.053"))
    lives.clock.at += timedelta(days=1)
    again = instruction(idempotency_key="next", end_to_end_id="rent", debtor_account="customer-1")
    await lives.house.desk.accept(again, now=lives.clock.now() - timedelta(hours=10))
    await send_out(lives)
    before = [await lives.rows(of) for of in _ALL]
    assert len(before[2]) == 1
    assert await lives.come_back() == []
    assert [await lives.rows(of) for of in _ALL] == before


async def test_a_gateway_that_stood_by_while_another_released_the_hold_takes_the_answers_again(
    lives: Lives,
) -> None:
    await lives.back_up()
    (payment,) = await lives.house.desk.accept(*payments("a"))
    await send_out(lives)
    lives.bank.put("pain002-1.xml", pain002(lives.sent()[0].removesuffix(".xml")))
    await lives.house.run()
    lives.house.lose_told()
    before, link = lives.house.gateway, lives.house.link
    await lives.restore()
    await lives.adopt()
    lives.clock.at += WAIT
    before._pool = before._answers._pool = before._enquirer._pool = lives.house.pool
    await lives.house.run()
    await lives.handle_again(PAYMENTS)
    await lives.handle_again(BANK_NOTIFICATIONS)
    while not isinstance(await lives.house.step(), Released):
        pass
    lives.house.gateway, lives.house.link, link = before, link, lives.house.link
    await link.close()
    await lives.house.run()
    await lives.house.deliver()
    assert await lives.house.desk.states() == {payment: "rejected"}


async def test_a_payment_of_a_file_that_was_refused_before_the_restore_goes_out_again_after_it(
    lives: Lives,
) -> None:
    await lives.back_up()
    payment, batch = await sent_and_refused(lives)
    lives.bank.payments[reference(batch["lane"], payment)] = {"message_id": batch["message_id"]}
    await lives.come_back()
    assert lives.house.gateway.unready() == []
    lives.clock.at += timedelta(days=1)
    await send_out(lives)
    assert len(lives.sent()) == 2


async def test_a_file_of_our_name_that_cannot_be_read_is_a_broken_invariant_that_names_it(
    lives: Lives,
) -> None:
    await lives.back_up()
    await lives.house.desk.accept(*payments("a"))
    await send_out(lives)
    (name,) = lives.sent()
    (lives.bank.root / "inbox" / name).write_bytes(b"<Document/>")
    await lives.restore()
    lives.clock.at += WAIT
    with pytest.raises(InvariantBroken, match=name.removesuffix(".xml")):
        await lives.house.run()


def status(**changes: Any) -> types.PaymentStatusReported:
    """A rejection that names nothing of ours but the EndToEndId."""
    fields: dict[str, Any] = {
        "payment_id": NO_ID, "batch_id": NO_ID, "reported_at": 0, "status": "RJCT", "reason_code": "AC01",
        "reason": "", "message_id": "M-1", "end_to_end_id": "a",
    }  # fmt: skip
    return types.PaymentStatusReported(**{**fields, **changes})


@pytest.mark.parametrize(
    "repeat",
    [booked(end_to_end_id="a", source="camt.053", notification_id="S-1#0"), status()],
    ids=["a line of a statement", "a rejection"],
)
async def test_an_answer_that_names_nothing_is_decided_after_all_that_other_lanes_had(
    lives: Lives, repeat: Any
) -> None:
    """It repeats what another lane was told of by name: read first, it would be explained by nothing."""
    await lives.back_up()
    (payment,) = await lives.house.desk.accept(*payments("a"))
    await send_out(lives)
    lane = (await lives.house.desk.batch_of(payment))["lane"]
    assert lane != NOSTRO_LANE
    if isinstance(repeat, types.PaymentStatusReported):
        file = lives.house.events(types.BatchSubmitted)[0].message_id
        repeat = status(message_id=file)
        await lives.house.desk.tell(lane, status(payment_id=payment))
    else:
        await lives.house.desk.tell(lane, booked(payment_id=payment, end_to_end_id="a"))
    assert await lives.house.desk.tell(NOSTRO_LANE, repeat) == []
    before = [await lives.rows(of) for of in _ALL]
    await lives.restore()
    await lives.adopt()
    lives.clock.at += WAIT
    await lives.house.run()
    with pytest.raises(OutOfTurn, match=f"lanes .*{lane}"):
        await lives.handle_again(BANK_NOTIFICATIONS, NOSTRO_LANE)
    told = await lives.handle_again(PAYMENTS)
    with pytest.raises(OutOfTurn, match=f"lanes .*{lane}"):
        await lives.handle_again(BANK_NOTIFICATIONS, NOSTRO_LANE)
    told += await lives.handle_again(BANK_NOTIFICATIONS)
    await lives.house.run()
    assert told == []
    assert [await lives.rows(of) for of in _ALL] == before


async def test_an_answer_that_names_nothing_is_not_decided_with_what_other_lanes_handle_at_the_same_time(
    lives: Lives,
) -> None:
    """One transaction reads before it decides anything, and has moved its lanes' offsets on by then."""
    await lives.back_up()
    (payment,) = await lives.house.desk.accept(*payments("a"))
    await send_out(lives)
    lane = (await lives.house.desk.batch_of(payment))["lane"]
    await lives.house.desk.tell(lane, booked(payment_id=payment, end_to_end_id="a"))
    line = booked(end_to_end_id="a", source="camt.053", notification_id="S-1#0")
    await lives.house.desk.tell(NOSTRO_LANE, line)
    named, unnamed = lives.house.desk.log[-2:]
    await lives.restore()
    await lives.adopt()
    lives.clock.at += WAIT
    await lives.house.run()
    await lives.handle_again(PAYMENTS)
    desk = lives.house.desk
    for record in (named, unnamed):
        await lives.move(record)
    with pytest.raises(OutOfTurn, match=f"{lane}"):
        await desk.poll({lane: [named], NOSTRO_LANE: [unnamed]}, lives.clock.now())
    await desk.poll({lane: [named]}, lives.clock.now())
    assert await desk.poll({NOSTRO_LANE: [unnamed]}, lives.clock.now()) == []
    assert list((await desk.states()).values()) == ["settled"]


async def test_a_booking_that_was_in_suspense_stays_there_though_a_payment_like_it_came_since(
    lives: Lives,
) -> None:
    """When it was told, nothing explained it; all that other lanes have had since is there now."""
    await lives.back_up()
    line = booked(end_to_end_id="rent", source="camt.053", bank_reference="R-1", notification_id="S-1#0")
    assert kinds(await lives.house.desk.tell(NOSTRO_LANE, line)) == ["unknown_entry"]
    await lives.house.desk.accept(*payments("rent"))
    await send_out(lives)
    before = [await lives.rows(of) for of in _ALL]
    assert await lives.come_back() == []
    assert [await lives.rows(of) for of in _ALL] == before
    again = booked(end_to_end_id="rent", bank_reference="R-1")
    assert await lives.house.desk.tell(NOSTRO_LANE, again) == [], "its notification comes late: told once"


async def test_a_rejection_that_fitted_two_payments_stays_one_though_one_of_them_has_been_settled_since(
    lives: Lives,
) -> None:
    await lives.back_up()
    first, _ = await lives.house.desk.accept(
        *(instruction(idempotency_key=key, end_to_end_id="rent") for key in ("one", "other"))
    )
    await send_out(lives)
    file = lives.house.events(types.BatchSubmitted)[0].message_id
    rejection = status(message_id=file, end_to_end_id="rent")
    assert kinds(await lives.house.desk.tell(NOSTRO_LANE, rejection)) == ["ambiguous_entry"]
    lane = (await lives.house.desk.batch_of(first))["lane"]
    await lives.house.desk.tell(lane, booked(payment_id=first, end_to_end_id="rent"))
    before = [await lives.rows(of) for of in _ALL]
    assert await lives.come_back() == []
    assert [await lives.rows(of) for of in _ALL] == before


async def test_a_booking_in_the_nostros_suspense_is_not_told_a_second_time_by_its_payments_lane(
    lives: Lives,
) -> None:
    """The statement names it the second time; the payment's lane is handled again before the nostro's."""
    await lives.back_up()
    (payment,) = await lives.house.desk.accept(*payments("a"))
    await send_out(lives)
    lane = (await lives.house.desk.batch_of(payment))["lane"]
    first = booked(payment_id=payment, end_to_end_id="a", bank_reference="R-1", source="camt.053")
    await lives.house.desk.tell(lane, first)
    next_day = DAY + timedelta(days=1)
    later: dict[str, Any] = {"end_to_end_id": "a", "bank_reference": "R-2", "booking_date": next_day}
    nameless = booked(**later, source="camt.053", notification_id="S-2#0")
    assert kinds(await lives.house.desk.tell(NOSTRO_LANE, nameless)) == ["unknown_entry"]
    named = booked(**later, payment_id=payment, source="camt.053", notification_id="S-3#0")
    assert await lives.house.desk.tell(lane, named) == []
    before = [await lives.rows(of) for of in _ALL]
    assert await lives.come_back() == []
    assert [await lives.rows(of) for of in _ALL] == before


async def test_a_payment_that_was_settled_in_a_batch_that_never_went_out_explains_a_line_as_before(
    lives: Lives,
) -> None:
    """It joins a batch of today, which is open: only its settlement says that the bank knows it."""
    await lives.back_up()
    (payment,) = await lives.house.desk.accept(*payments("a"))
    lane = (await lives.house.desk.batch_of(payment))["lane"]
    await lives.house.desk.tell(lane, booked(payment_id=payment, end_to_end_id="a"), now=MORNING)
    await lives.house.desk.close(lives.clock.now())
    repeat = booked(end_to_end_id="a", source="camt.053", notification_id="S-1#0")
    assert await lives.house.desk.tell(NOSTRO_LANE, repeat) == []
    before = [await lives.rows(of) for of in (_SETTLED, _STATES, _BALANCES, _NOTED)]
    await lives.restore()
    await lives.adopt()
    lives.clock.at += WAIT
    await lives.house.run()
    told = await lives.handle_again(PAYMENTS)
    told += await lives.handle_again(BANK_NOTIFICATIONS)
    assert told == []
    assert [await lives.rows(of) for of in (_SETTLED, _STATES, _BALANCES, _NOTED)] == before


async def test_an_answer_that_no_other_lane_can_explain_does_not_wait_for_them(lives: Lives) -> None:
    """Interest and fees name nobody, and a pending entry moves nothing: one stopped lane holds up neither."""
    await lives.back_up()
    await lives.house.desk.accept(*payments("a"))
    await lives.house.desk.tell(
        NOSTRO_LANE,
        booked(end_to_end_id="", source="camt.053", notification_id="S-1#0"),
        booked(end_to_end_id="a", source="camt.053", notification_id="S-1#1", status="PDNG"),
    )
    await lives.restore()
    await lives.adopt()
    lives.clock.at += WAIT
    await lives.house.run()
    assert await lives.handle_again(BANK_NOTIFICATIONS, NOSTRO_LANE) == []
