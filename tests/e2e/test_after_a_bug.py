"""After a bug a thousand payments are parked; mended, a replay repairs exactly those, and the proof holds."""

import asyncio
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from goodfunds.cli.asking import Wish, ask
from goodfunds.events.topics import PAYMENTS
from goodfunds.events.types import AccountFundRequested, AccountOpenRequested
from goodfunds.lanes.headers import replay_of
from goodfunds.local.demo_file import demo_file, iban
from goodfunds.local.stack import Stack, find
from tests.e2e.stacks import House, person, stack_of_a_demo, until

pytestmark = pytest.mark.long
"""A stack of its own, and a thousand payments through all of it twice: some two minutes."""

PARKED = 1_000
DEBTORS = 40
BEFORE, STRAY, AFTER = 60, 20, 70
"""Payments settled before the bug, spared by it, and new when it is mended: else they are the first."""
BUG = """
CREATE FUNCTION bug() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'nobody thought of this' USING ERRCODE = 'data_exception'; END $$;
CREATE TRIGGER bug BEFORE INSERT ON payments FOR EACH ROW
WHEN (NEW.idempotency_key LIKE 'BUGS-%') EXECUTE FUNCTION bug();
"""
MEND = "DROP TRIGGER bug ON payments; DROP FUNCTION bug;"


@pytest.fixture(scope="module")
def house(servers: Path) -> Iterator[House]:
    with stack_of_a_demo(servers / "after-a-bug", BEFORE) as found:
        yield found


async def test_a_replay_after_the_mend_repairs_exactly_the_parked_payments_and_the_proof_holds(
    house: House, tmp_path: Path
) -> None:
    stack = find(house.folder)
    ada, bob = person(house, "ada"), person(house, "bob")
    ingestion = await asyncpg.connect(house.database("ingestion"))
    try:
        await _fund(stack)
        known = await ingestion.fetch("SELECT * FROM payments ORDER BY payment_id")
        await ingestion.execute(BUG)
        await asyncio.to_thread(_publish, house, tmp_path, "BUGS", PARKED)
        await asyncio.to_thread(_publish, house, tmp_path, "SPARED", STRAY)
        await until("parked", partial(_count, ingestion, "SELECT count(*) FROM parked"), PARKED + STRAY)
        await ingestion.execute(MEND)

        plan = ada.asked(
            "replay", "plan", "--service", "ingestion", "--parked", "--reason", "a bug is mended", "--json"
        )
        forecast = plan["forecast"]
        assert plan["state"] == "rehearsed"
        assert forecast["records"] == PARKED + STRAY
        assert forecast["rows"]["payments"]["insert"] == PARKED + STRAY
        assert forecast["exact"]
        assert await _count(ingestion, "SELECT count(*) FROM parked") == PARKED + STRAY

        alone = ada.run("replay", "approve", plan["plan_id"])
        assert alone.returncode == 1
        assert "ada" in alone.stderr
        bob.asked("replay", "approve", plan["plan_id"], "--json")
        done = ada.asked("replay", "run", plan["plan_id"], "--json")
        assert done["state"] == "done"
        assert await _count(ingestion, "SELECT count(*) FROM parked") == 0

        payments = await ingestion.fetch("SELECT * FROM payments ORDER BY payment_id")
        assert [row for row in payments if row in known] == known
        assert len(payments) == len(known) + PARKED + STRAY
        caused = await _caused(house, plan["plan_id"])
        assert caused == PARKED + STRAY

        outcome = house.asked("demo", "--keep", "--json", "--payments", str(AFTER))
        assert outcome["holds"]
        assert outcome["unaccounted_minor"] == {"EUR": 0}
        settled = "SELECT count(*) FROM settlements"
        settlement = await asyncpg.connect(house.database("settlement"))
        try:
            assert await _count(settlement, settled) == BEFORE + PARKED + STRAY + AFTER
        finally:
            await settlement.close()
        audit = house.asked("audit", "--verify", "--service", "ingestion", "--json")
        assert audit["verified"]
    finally:
        await ingestion.close()


def _publish(house: House, folder: Path, name: str, payments: int) -> None:
    file = folder / f"{name}.xml"
    file.write_bytes(demo_file(payments, min(DEBTORS, payments), date.today(), name=name))  # noqa: DTZ011 - a local day
    house.asked("publish", str(file), "--json")


async def _fund(stack: Stack) -> None:
    wishes: list[Wish] = []
    for place in range(DEBTORS):
        account = iban("DE", f"50010517{place + 1:010d}")
        wishes += [
            AccountOpenRequested("story", f"open/{account}", account, "EUR", "a debtor"),
            AccountFundRequested(10**9, "story", f"fund/{account}", account, "EUR", "story"),
        ]
    await ask(stack, wishes)


async def _count(connection: Any, statement: str) -> int:
    found: int = await connection.fetchval(statement)
    return found


async def _caused(house: House, plan_id: str) -> int:
    """Events on `payments` that name the replay."""
    stack = find(house.folder)
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka)
    await consumer.start()
    try:
        places = [TopicPartition(PAYMENTS, lane) for lane in range(stack.partitions)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        found = 0
        while any([await consumer.position(place) < ends[place] for place in places]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                of = (replay_of(record) for record in records)
                found += sum(each is not None and each.hex() == plan_id.replace("-", "") for each in of)
        return found
    finally:
        await consumer.stop()
