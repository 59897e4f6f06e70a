"""The gateway against a real SFTP server: claim, call, record, with a fault or a death between any two."""

from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from goodfunds import sftp as sftp_module
from goodfunds.clock import FixedClock
from goodfunds.errors import InvariantBroken, Unavailable
from goodfunds.events import types
from goodfunds.postgres import create_pool, statements
from goodfunds.rails import RAILS
from services.settlement import SERVICE
from services.settlement.gateway.bank import Bank
from tests.integration.settlement.desk import (
    DAY,
    EVENING,
    Desk,
    instruction,
    opened,
)
from tests.integration.settlement.paper_bank import PaperBank
from tests.integration.settlement.stage import Stage, gateway_of
from tests.integration.tampering import unguarded

SQL = statements(SERVICE.sql)
UNKNOWN_AFTER = RAILS["sepa-credit"].unknown_after


@pytest.fixture
async def house(database: str, tmp_path: Path) -> AsyncIterator[Stage]:
    connection, pool = await opened(database), await create_pool(database)
    bank = PaperBank(tmp_path / "bank")
    await bank.open()
    clock = FixedClock(EVENING)
    house = Stage(Desk(connection), pool, bank, clock, *gateway_of(pool, bank, clock))
    yield house
    await house.link.close()
    await bank.close()
    await pool.close()
    await connection.close()


@pytest.fixture
async def claimed(house: Stage) -> list[bytes]:
    """Payments of several lanes in sealed batches."""
    payments = await house.desk.accept(
        *(
            instruction(idempotency_key=str(n), debtor_account=f"customer-{n}", end_to_end_id=f"E2E-{n}")
            for n in range(8)
        )
    )
    await house.desk.close()
    return payments


async def test_lanes_that_closed_go_out_in_one_file_and_each_batch_hears_of_it(
    house: Stage, claimed: list[bytes]
) -> None:
    await house.run()
    batches = await house.desk.connection.fetch("SELECT batch_id, lane FROM batches")
    assert len(batches) > 1
    assert [name for name, _ in house.bank.delivered] == [
        path.name for path in (house.bank.root / "inbox").iterdir()
    ]
    told = {(each.partition, types.decode(each.body).batch_id) for each in house.emitted}  # type: ignore[union-attr]
    assert told == {(row["lane"], row["batch_id"]) for row in batches}
    assert await house.attempts() == ["submitted"]


async def test_a_lane_that_is_late_is_waited_for_and_then_gets_its_own_file(house: Stage) -> None:
    await house.desk.accept(instruction(), instruction(idempotency_key="2", debtor_account="customer-2"))
    lanes = [row[0] for row in await house.desk.connection.fetch("SELECT lane FROM batches ORDER BY lane")]
    assert len(lanes) == 2, "the two accounts are in two lanes"
    due = await house.desk.handler.due(house.desk.connection, lanes[:1], EVENING)
    assert due
    await house.desk.connection.execute(
        "UPDATE batches SET sealed_at = $1, payments_count = 1, amount_minor = 10000, first_offset = 0,"
        " last_offset = 0 WHERE lane = $2",
        EVENING, lanes[0],
    )  # fmt: skip
    await house.run()
    assert house.bank.delivered == []
    house.wait(timedelta(seconds=31))
    await house.run()
    assert len(house.bank.delivered) == 1
    await house.desk.close(house.clock.now())
    await house.run()
    assert len(house.bank.delivered) == 2


async def test_batches_whose_date_passed_before_they_were_claimed_go_out_for_the_next_one(
    house: Stage, claimed: list[bytes]
) -> None:
    house.wait(timedelta(hours=5, seconds=-1))
    assert (await house.step(record=False)).too_late is False, "it is the day still in the rail's zone"
    house.wait(timedelta(seconds=1))
    await house.step()
    await house.die()
    await house.run()
    assert house.bank.delivered == []
    refused = house.events(types.BatchRefused)
    assert {each.reason_code for each in refused} == {"TM01"}
    told = []
    for each, notice in zip(house.emitted, refused, strict=True):
        told += await house.desk.tell(each.partition, notice, now=house.clock.now())
    assert {each.payment_id for each in told} == set(claimed)
    assert {(each.from_date, each.to_date) for each in told} == {(DAY, DAY + timedelta(days=1))}
    house.wait(timedelta(hours=15))
    await house.desk.close(house.clock.now())
    await house.run()
    ((_, content),) = house.bank.delivered
    assert content.count(b"<InstrId>") == len(claimed)
    assert f"<Dt>{DAY + timedelta(days=1)}</Dt>".encode() in content


async def test_an_upload_that_breaks_off_never_delivered_and_goes_again_at_once_with_the_same_bytes(
    house: Stage, claimed: list[bytes]
) -> None:
    house.bank.fault = "drop upload"
    await house.run()
    assert await house.attempts() == ["not_sent", "submitted"]
    assert len(house.bank.delivered) == 1
    assert house.bank.enquiries == 1, "it asked before it sent again"


async def test_a_large_file_on_a_slow_line_is_given_the_time_that_its_bytes_take(
    house: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sftp_module, "_SLOWEST", 1_000)
    house.bank.seconds_a_write = 0.6
    link = Bank(house.bank.address(timeout=0.5), house.bank.http)
    with pytest.raises(Unavailable):
        await link.upload("SMALL", 1, b"x")
    await link.upload("LARGE", 1, b"x" * 4_000)
    await link.close()


async def test_an_upload_that_arrived_garbled_is_not_delivered(house: Stage, claimed: list[bytes]) -> None:
    house.bank.fault = "garble upload"
    await house.run()
    assert await house.attempts() == ["not_sent", "submitted"]
    assert len(house.bank.delivered) == 1


async def test_an_answer_lost_after_the_rename_is_unknown_and_found_by_asking(
    house: Stage, claimed: list[bytes]
) -> None:
    house.bank.fault = "drop after rename"
    await house.run()
    assert await house.attempts() == ["submitted"]
    assert len(house.bank.delivered) == 1
    assert len(house.events(types.BatchSubmitted)) > 1


async def test_a_file_that_the_bank_took_already_is_found_in_its_archive_or_by_enquiry(
    house: Stage, claimed: list[bytes]
) -> None:
    house.bank.fault = "drop after rename"
    while not house.bank.delivered:
        await house.step()
    house.bank.lose()
    house.bank.known.add(house.bank.delivered[0][0].removesuffix(".xml"))
    await house.run()
    assert await house.attempts() == ["submitted"]


@pytest.mark.parametrize(
    ("code", "told"), [("AC01", types.BatchStatusReported), ("TM01", types.BatchRefused)]
)
@pytest.mark.parametrize("lost_at", ["delivery", "answer"])
async def test_a_rejection_that_only_the_enquiry_tells_is_an_answer(
    house: Stage, claimed: list[bytes], code: str, told: type[Any], lost_at: str
) -> None:
    if lost_at == "delivery":
        house.bank.fault, house.bank.rejects_for = "drop after rename", code
        await house.run()
    else:
        await house.run()
        assert await house.attempts() == ["submitted"]
        house.bank.rejects_for = code
        house.wait(timedelta(minutes=9))
        await house.run()
        assert house.events(told) == []
        house.wait(timedelta(minutes=2))
        await house.run()
    assert {each.reason_code for each in house.events(told)} == {code}
    assert len(house.events(told)) == await house.desk.connection.fetchval("SELECT count(*) FROM batches")
    assert await house.desk.connection.fetchval("SELECT count(*) FROM bank_messages") == 1
    assert len(house.bank.delivered) == 1


async def test_not_found_counts_only_after_the_rails_time_then_the_same_bytes_go_again(
    house: Stage, claimed: list[bytes]
) -> None:
    house.bank.fault = "drop before rename"
    await house.run()
    assert await house.attempts() == ["unknown"]
    house.wait(UNKNOWN_AFTER - timedelta(seconds=1))
    await house.run()
    assert (await house.attempts(), house.bank.delivered) == (["unknown"], [])
    house.wait(timedelta(minutes=2))
    await house.run()
    assert await house.attempts() == ["unknown", "submitted"]
    row = await house.desk.connection.fetchrow("SELECT sha256, file_name FROM bank_files")
    assert [(n, sha256(c).digest()) for n, c in house.bank.delivered] == [
        (row["file_name"] + ".xml", row["sha256"])
    ]


async def test_a_person_who_asked_the_bank_ends_the_wait(house: Stage, claimed: list[bytes]) -> None:
    house.bank.fault = "drop before rename"
    await house.run()
    message_id = await house.desk.connection.fetchval("SELECT message_id FROM bank_files")
    await house.desk.connection.fetch(
        SQL["request_resolve_unknown"], "a person", f'{{"message_id": "{message_id}", "found": false}}'
    )
    house.wait(timedelta(minutes=2))
    await house.run()
    assert await house.attempts() == ["not_sent", "submitted"]


@pytest.mark.parametrize("deaths", range(1, 8))
@pytest.mark.parametrize("recorded", [True, False])
async def test_a_death_after_any_step_delivers_once_and_tells_once(
    house: Stage, claimed: list[bytes], deaths: int, recorded: bool
) -> None:
    for _ in range(deaths - 1):
        await house.step()
    await house.step(record=recorded)
    await house.die()
    await house.run()
    house.wait(UNKNOWN_AFTER + timedelta(minutes=1))
    await house.run()
    assert len(house.bank.delivered) == 1
    told = [each.batch_id for each in house.events(types.BatchSubmitted)]
    assert len(told) == len(set(told)) > 1
    files = await house.desk.connection.fetch("SELECT submitted_at FROM bank_files")
    assert len(files) == 1
    assert files[0][0] is not None


async def test_a_death_in_the_delivery_sends_nothing_again_until_not_found_counts(
    house: Stage, claimed: list[bytes]
) -> None:
    """The bank may have taken the file, and know of it only in a while."""
    for _ in range(3):
        await house.step()
    await house.step(record=False)
    house.bank.lose()
    await house.die()
    await house.run()
    assert (await house.attempts(), len(house.bank.delivered)) == (["unknown"], 1)
    house.wait(UNKNOWN_AFTER + timedelta(minutes=1))
    await house.run()
    assert await house.attempts() == ["unknown", "submitted"]
    first, second = house.bank.delivered
    assert first == second


async def test_an_owner_that_wakes_in_its_upload_cannot_spoil_that_of_its_successor(
    house: Stage, claimed: list[bytes]
) -> None:
    for recorded in (True, True, False):
        await house.step(record=recorded)
    (frozen,) = (house.bank.root / "inbox").iterdir()
    await house.die()
    with frozen.open("r+b") as waking:
        while await house.step() is not None:
            waking.truncate(10)
            if frozen.exists():
                frozen.write_bytes(b"half")
    row = await house.desk.connection.fetchrow("SELECT sha256, file_name FROM bank_files")
    assert [(n, sha256(c).digest()) for n, c in house.bank.delivered] == [
        (row["file_name"] + ".xml", row["sha256"])
    ]
    assert [path.name for path in (house.bank.root / "inbox").iterdir()] == [row["file_name"] + ".xml"]


async def test_bytes_that_cannot_be_built_again_stop_the_feed(house: Stage, claimed: list[bytes]) -> None:
    await house.step()
    await house.step()
    async with unguarded(house.desk.connection) as connection:
        await connection.execute("UPDATE bank_files SET sha256 = '\\x00'")
    with pytest.raises(InvariantBroken):
        await house.step()
