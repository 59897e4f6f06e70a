"""What the three services' lanes have read from a real broker, handed to them again: no row and no event."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from goodfunds.clock import FixedClock
from goodfunds.events import topics, types
from goodfunds.events.cluster import create_topics
from goodfunds.ids import NO_ID
from goodfunds.lanes import Handler, LaneLoop, LaneSettings, lane_of
from goodfunds.lanes.records import Connection, Record
from goodfunds.postgres import connect
from goodfunds.rails import RAILS
from goodfunds.service import migrations_of, services
from services.ingestion.handlers import IngestionHandler
from services.reconciliation.handlers import ReconciliationHandler
from services.settlement.handlers import SettlementHandler
from tests.conftest import Kafka, Postgres, folder_of_servers
from tests.integration.handled_again import owner_of, read_back
from tests.integration.reconciliation.scene import closed, line, opened
from tests.integration.settlement.desk import EVENING, MORNING, NOSTRO, booked
from tests.unit.ingestion.requests import funding, instruction, opening

PARTITIONS = 3
NOSTRO_LANE = lane_of(NOSTRO, PARTITIONS)
HANDLERS: dict[str, Handler] = {
    "ingestion": IngestionHandler(),
    "settlement": SettlementHandler(NOSTRO, "EUR", RAILS),
    "reconciliation": ReconciliationHandler(),
}


@pytest.fixture
async def house(postgres: Postgres) -> AsyncIterator["House"]:
    """A broker of its own: the topics' names are the services', and other tests have some of them."""
    with folder_of_servers("goodfunds-tests-") as folder:
        broker = Kafka(folder / "kafka")
        try:
            async with AsyncExitStack() as stack:
                found = House(broker.bootstrap)
                await create_topics(broker.bootstrap, PARTITIONS)
                for name, service in services().items():
                    dsn = await stack.enter_async_context(postgres.database(migrations_of(service)))
                    found.dsns[name] = dsn
                    found.connections[name] = await connect(dsn, "goodfunds test")
                    stack.push_async_callback(found.connections[name].close)
                yield found
        finally:
            broker.stop()


@dataclass
class House:
    """The lanes of three services, and whoever else writes their topics."""

    bootstrap: str
    dsns: dict[str, str] = field(default_factory=dict)
    connections: dict[str, Connection] = field(default_factory=dict)
    clock: FixedClock = field(default_factory=lambda: FixedClock(MORNING))
    seqs: Counter[tuple[str, int]] = field(default_factory=Counter)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        loops = [
            LaneLoop(
                handler,
                LaneSettings(
                    self.dsns[name], self.bootstrap, PARTITIONS, "test", due_every=0.1, prove_every=0.2
                ),
                self.clock,
            )
            for name, handler in HANDLERS.items()
        ]
        running = [asyncio.create_task(loop.run(stop)) for loop in loops]
        try:
            yield
        finally:
            stop.set()
            # A loop leaves its group within moments; the rest is for a machine that others use too.
            await asyncio.wait_for(asyncio.gather(*running), 30)

    async def send(self, topic: str, events: Iterable[tuple[int, Any]], producer: str = "") -> None:
        """Publish (lane, event), as clients do or, numbered, as a feed of ours."""
        client = AIOKafkaProducer(bootstrap_servers=self.bootstrap)
        await client.start()
        try:
            for lane, event in events:
                headers: list[tuple[str, bytes]] = []
                if producer:
                    self.seqs[topic, lane] += 1
                    seq = self.seqs[topic, lane]
                    headers = [("producer", producer.encode()), ("lane", b"-1"), ("seq", b"%d" % seq)]
                value = event if isinstance(event, bytes) else event.encode()
                await client.send_and_wait(topic, value, key=b"key", partition=lane, headers=headers)
        finally:
            await client.stop()

    async def until(self, service: str, question: str) -> None:
        """Bounded by a minute: groups are joined, and a few records are read."""
        async with asyncio.timeout(60):
            while True:
                if await self.connections[service].fetchval(question):
                    return
                await asyncio.sleep(0.05)

    async def until_read(self, service: str) -> list[Record]:
        """Wait until a service's lanes have handled its inputs, and told what follows; these records."""
        async with asyncio.timeout(60):
            while True:
                records = await read_back(
                    self.bootstrap, [each.topic for each in HANDLERS[service].inputs], PARTITIONS
                )
                ends = Counter((each.topic, each.partition) for each in records)
                rows = await self.connections[service].fetch(
                    "SELECT lane, offsets, published_seq = outbox_seq AS published, stopped_reason FROM lanes"
                )
                assert [row["stopped_reason"] for row in rows if row["stopped_reason"]] == []
                handled = {
                    (topic, row["lane"]): offset
                    for row in rows
                    for topic, offset in json.loads(row["offsets"]).items()
                    if offset
                }
                if handled == ends and all(row["published"] for row in rows):
                    return records

    async def fetch(self, service: str, question: str) -> list[Any]:
        return list(await self.connections[service].fetch(question))


def home(event: Any) -> tuple[int, Any]:
    """A request with its account's lane."""
    return lane_of(getattr(event, "debtor_account", None) or event.account, PARTITIONS), event


async def a_day(house: House) -> None:
    """From instructions to a statement; the test is the bank and the gateway."""
    accounts = [f"customer-{n}" for n in range(4)]
    asked = [
        instruction(
            idempotency_key=f"p{n}", end_to_end_id=f"E{n}", debtor_account=accounts[n % 4], amount_minor=100
        )
        for n in range(16)
    ]
    await house.send(topics.PAYMENT_INSTRUCTIONS, [
        *(home(opening(each, f"open-{each}")) for each in accounts),
        *(home(funding(1_000, each, f"fund-{each}")) for each in accounts),
        *map(home, asked), *map(home, asked[:3]), home(replace(asked[0], amount_minor=7)),
        home(instruction(idempotency_key="too-much", debtor_account=accounts[0], amount_minor=9_000)),
        (0, b"?"), (1, b""), home(funding(5, "nobody", "nobody")),
        *((home(each)[0] + 1, each) if home(each)[0] == 0 else (0, each) for each in (
            replace(asked[0], idempotency_key="wrong"), funding(5, "nobody", "wrong"), asked[1],
        )),
    ])  # fmt: skip
    await house.until_read("ingestion")
    await house.until_read("settlement")
    house.clock.at = EVENING
    await house.until("settlement", "SELECT count(*) > 0 AND bool_and(sealed_at IS NOT NULL) FROM batches")
    batches = await house.fetch("settlement", "SELECT lane, batch_id FROM batches ORDER BY lane")
    rows = await house.fetch(
        "settlement", "SELECT lane, payment_id, batch_id, end_to_end_id FROM payments ORDER BY 2"
    )
    payments = {row["end_to_end_id"]: row for row in rows}
    debits = [
        (row["lane"], booked(100, payment_id=row["payment_id"], end_to_end_id=key, bank_reference=key))
        for key, row in payments.items() if key not in ("E0", "E1", "E2")
    ]  # fmt: skip
    back: dict[str, Any] = {"credit_debit": "CRDT", "is_return": True, "reason_code": "AC04"}
    first, second = payments["E4"], payments["E5"]
    whole = booked(100, payment_id=second["payment_id"], end_to_end_id="E5", bank_reference="R5", **back)
    refused = payments["E0"]
    rejection = types.PaymentStatusReported(
        refused["payment_id"], refused["batch_id"], 0, "RJCT", "AC04", "closed", "GF", "E0"
    )
    nameless = [
        booked(100, end_to_end_id="E2", bank_reference="E2"),
        booked(3, end_to_end_id="", source="camt.053", bank_reference="fee"),
        types.PaymentStatusReported(NO_ID, NO_ID, 0, "RJCT", "AC04", "", "GF", "nobody"),
    ]
    await house.send(topics.BANK_NOTIFICATIONS, [
        *((lane, types.BatchSubmitted(batch_id, 0, f"GF{lane}", "f", NOSTRO)) for lane, batch_id in batches),
        (refused["lane"], rejection),
        *debits, debits[0], (debits[0][0], replace(debits[0][1], bank_reference="second")),
        ((debits[1][0] + 1) % PARTITIONS, debits[1][1]),
        (first["lane"], booked(100, payment_id=first["payment_id"], bank_reference="R4", **back)),
        (second["lane"], replace(whole, amount_minor=95, charges_minor=5)), (second["lane"], whole),
        *((NOSTRO_LANE, each) for each in nameless),
    ], "settlement.gateway")  # fmt: skip
    await house.until_read("settlement")
    await house.until_read("ingestion")

    lines: dict[int, list[types.StatementLine]] = {}
    for number, (lane, debit) in enumerate(debits[1:], 1):
        shown = replace(line(None, -debit.amount_minor, number), payment_id=debit.payment_id)
        lines.setdefault(lane, []).append(shown)
    lines.setdefault(NOSTRO_LANE, []).extend([
        line(None, -100, 90, end_to_end_id="E2"), line(None, -3, 91, bank_reference="fee"), line(None, 9, 92),
    ])  # fmt: skip
    every = [each for of_lane in lines.values() for each in of_lane]
    total = types.ControlTotal(
        100, 1, "reconciliation", "payments", 0, "ingestion.x", 0, 1, 1, "EUR", "PaymentAccepted", 1
    )
    await house.send(topics.BANK_STATEMENTS, [
        (NOSTRO_LANE, opened(1, 0, sum(each.amount_minor for each in every), every)),
        *((lane, each) for lane, of_lane in lines.items() for each in of_lane),
        *((lane, closed(lines.get(lane, ()))) for lane in range(PARTITIONS)),
    ], "reconciliation.reader")  # fmt: skip
    await house.send(topics.CONTROL_TOTALS, [(0, total), (0, b"?")])


async def test_all_that_a_day_brought_to_the_lanes_is_handled_again_without_a_trace(house: House) -> None:
    read: dict[str, list[Record]] = {}
    async with house.at_work():
        await a_day(house)
        for service in ("ingestion", "settlement", "reconciliation"):
            read[service] = await house.until_read(service)
    reasons = {row[0] for row in await house.fetch("reconciliation", "SELECT reason FROM breaks")}
    assert reasons >= {"second_settlement", "unknown_entry", "unknown_line", "missing_line"}
    assert len(await house.fetch("ingestion", "SELECT FROM refunds")) == 3
    assert len(await house.fetch("ingestion", "SELECT FROM forwarded_records")) == 3
    assert len(await house.fetch("settlement", "SELECT FROM settlements")) == 14
    for service, records in read.items():
        assert len(records) > 25
        async with owner_of(house.dsns[service], HANDLERS[service], PARTITIONS) as owner:
            await owner.assert_nothing_follows(records, EVENING)
