"""The bank's answers out of a real SFTP outbox: each once by name and by content, whole, in chunks."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from goodfunds.events import types
from goodfunds.files import pain002_writing
from goodfunds.files.records import GroupStatus, PaymentInformationStatus, StatusReport, TransactionStatus
from goodfunds.ids import reference
from goodfunds.lanes.frame import LARGEST_BODY
from services.settlement.gateway import answers
from tests.integration.settlement.desk import DAY, PARTITIONS, instruction
from tests.integration.settlement.stage import Stage
from tests.integration.settlement.test_gateway import SQL, claimed, house

__all__ = ["claimed", "house"]

NEXT_DAY = DAY + timedelta(days=1)


@pytest.fixture
async def submitted(house: Stage, claimed: list[bytes]) -> str:
    """The message id of a file that the bank has."""
    await house.run()
    house.emitted.clear()
    return str(await house.desk.connection.fetchval("SELECT message_id FROM bank_files"))


def _rejections(message_id: str, count: int, report: str = "P1") -> bytes:
    batch = reference(1, b"\1" * 16)
    return pain002_writing.write(
        StatusReport(
            GroupStatus(report, "2026-03-03T19:00:00", message_id, "pain.001.001.09", "PART"),
            [PaymentInformationStatus(batch, "PART")],
            [
                TransactionStatus(
                    batch, reference(1, number.to_bytes(16, "big")), f"E{number}", "RJCT", "AC04"
                )
                for number in range(count)
            ],
        )
    )


def _payments(house: Stage) -> list[bytes]:
    return [each.payment_id for each in house.events(types.PaymentStatusReported)]


async def test_an_answer_is_told_once_though_it_stays_in_the_outbox(house: Stage, submitted: str) -> None:
    house.bank.put("pain002-1.xml", _rejections(submitted, 3))
    await house.run()
    await house.die()
    await house.run()
    assert len(_payments(house)) == 3
    assert {each.partition for each in house.emitted} <= set(range(PARTITIONS))


async def test_the_same_content_under_another_name_is_told_once(house: Stage, submitted: str) -> None:
    for name in ("pain002-1.xml", "pain002-2.xml"):
        house.bank.put(name, _rejections(submitted, 3))
    await house.run()
    assert len(_payments(house)) == 3
    outcomes = await house.desk.connection.fetch("SELECT outcome FROM bank_messages ORDER BY name")
    assert [row[0] for row in outcomes] == ["taken", "the same as pain002-1.xml"]


@pytest.mark.parametrize("recorded", [True, False])
async def test_a_death_between_two_chunks_loses_and_repeats_nothing(
    house: Stage, submitted: str, recorded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "EVENTS_PER_STEP", 4)
    house.bank.put("pain002-1.xml", _rejections(submitted, 10))
    await house.step()
    await house.step(record=recorded)
    await house.die()
    await house.run()
    assert _payments(house) == [number.to_bytes(16, "big") for number in range(10)]


async def test_an_answer_that_breaks_off_is_told_not_even_in_part(house: Stage, submitted: str) -> None:
    house.bank.put("pain002-1.xml", _rejections(submitted, 10)[:-200])
    await house.run()
    assert house.emitted == []
    outcome = await house.desk.connection.fetchval("SELECT outcome FROM bank_messages")
    assert outcome.startswith("unreadable: line ")


async def test_an_answer_that_could_not_be_read_is_read_once_the_bank_has_put_it_right(
    house: Stage, submitted: str
) -> None:
    house.bank.put("pain002-1.xml", _rejections(submitted, 10)[:-200])
    house.bank.put("pain002-2.xml", _rejections(submitted, 2, "P2"))
    await house.run()
    assert len(_payments(house)) == 2, "it does not hold up the others"
    house.wait(timedelta(minutes=2))
    await house.run()
    waits = "SELECT name FROM bank_messages WHERE finished_at IS NULL"
    assert await house.desk.connection.fetchval(waits) == "pain002-1.xml"
    house.bank.put("pain002-1.xml", _rejections(submitted, 10))
    house.wait(timedelta(minutes=2))
    await house.run()
    await house.die()
    await house.run()
    assert len(_payments(house)) == 12
    assert await house.desk.connection.fetchval(waits) is None


async def test_an_answer_that_holds_too_much_is_cut_or_not_readable_and_ends_no_session(
    house: Stage, submitted: str
) -> None:
    content = _rejections(submitted, 1)
    reason = b"<AddtlInf>" + b"x" * 1_100_000 + b"</AddtlInf></StsRsnInf>"
    house.bank.put("pain002-1.xml", content.replace(b"</StsRsnInf>", reason))
    house.bank.put("pain002-2.xml", content.replace(b">E0<", b">" + b"E" * 1_100_000 + b"<"))
    await house.run()
    assert [len(each.reason) for each in house.events(types.PaymentStatusReported)] == [500]
    outcome = await house.desk.connection.fetchval(
        "SELECT outcome FROM bank_messages ORDER BY name DESC LIMIT 1"
    )
    assert outcome == "unreadable: a reference of 1100000 characters"
    assert max(len(each.body) for each in house.emitted) < LARGEST_BODY


async def test_an_answer_that_cannot_be_downloaded_does_not_hold_up_the_others(
    house: Stage, submitted: str
) -> None:
    (house.bank.root / "outbox" / "pain002-0.xml").mkdir()
    house.bank.put("pain002-1.xml", _rejections(submitted, 1))
    await house.run()
    house.wait(timedelta(seconds=10))
    await house.run()
    assert len(_payments(house)) == 1


async def test_an_answer_about_a_file_whose_end_is_unknown_proves_that_the_bank_has_it(
    house: Stage, claimed: list[bytes]
) -> None:
    house.bank.fault = "drop before rename"
    await house.run()
    assert await house.attempts() == ["unknown"]
    message_id = await house.desk.connection.fetchval("SELECT message_id FROM bank_files")
    house.bank.put("pain002-1.xml", _rejections(message_id, 1))
    await house.run()
    assert await house.attempts() == ["submitted"]
    kinds = [type(types.decode(each.body)) for each in house.emitted]
    assert kinds.index(types.BatchSubmitted) < kinds.index(types.PaymentStatusReported)


async def test_a_duplicate_refunds_nobody_though_a_person_said_that_the_bank_never_had_the_first_copy(
    house: Stage, claimed: list[bytes]
) -> None:
    house.bank.fault = "drop before rename"
    await house.run()
    message_id = await house.desk.connection.fetchval("SELECT message_id FROM bank_files")
    await house.desk.connection.fetch(
        SQL["request_resolve_unknown"], "a person", f'{{"message_id": "{message_id}", "found": false}}'
    )
    house.wait(timedelta(minutes=2))
    await house.run()
    assert await house.attempts() == ["not_sent", "submitted"]
    duplicate = GroupStatus("P1", "2026-03-03T19:00:00", message_id, "pain.001.001.09", "RJCT", "AM05")
    house.bank.put("pain002-1.xml", pain002_writing.write(StatusReport(duplicate, [], [])))
    await house.run()
    assert house.events(types.BatchStatusReported) == []


async def test_a_file_that_is_being_written_is_left_alone(house: Stage, submitted: str) -> None:
    house.bank.put("pain002-1.xml.tmp", b"<")
    await house.run()
    assert await house.desk.connection.fetchval("SELECT count(*) FROM bank_messages") == 0


async def test_the_file_for_the_bank_holds_every_payment_once_under_its_own_reference(
    house: Stage, submitted: str, tmp_path: Path
) -> None:
    content: Any = house.bank.delivered[0][1]
    rows = await house.desk.connection.fetch("SELECT lane, payment_id FROM payments")
    for row in rows:
        assert content.count(reference(row["lane"], row["payment_id"]).encode()) == 1


async def test_while_nothing_moves_the_outbox_is_listed_once_a_second_and_after_a_file_at_once(
    house: Stage, submitted: str
) -> None:
    house.wait(timedelta(minutes=1))
    house.bank.listings = 0
    for _ in range(40):
        assert await house.step() is None
        house.wait(timedelta(seconds=0.25))
    assert house.bank.listings == 10
    await house.desk.accept(instruction(idempotency_key="next", requested_execution_date=NEXT_DAY))
    house.wait(timedelta(days=1))
    await house.desk.close(house.clock.now())
    await house.run()
    assert len(house.bank.delivered) == 2
    house.bank.put("pain002-1.xml", _rejections(submitted, 1))
    house.wait(timedelta(seconds=0.3))
    assert await house.step() is not None


async def test_a_clock_that_ran_ahead_and_is_set_back_makes_the_gateway_deaf_for_no_moment(
    house: Stage, submitted: str
) -> None:
    house.wait(timedelta(minutes=8))
    assert await house.step() is None
    house.wait(-timedelta(minutes=8))
    house.bank.put("pain002-1.xml", _rejections(submitted, 1))
    assert await house.step() is not None
