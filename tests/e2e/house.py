"""The three services' lanes in one process, on a broker of their own: what goes in, what they say of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from goodfunds.events import types
from goodfunds.events.cluster import create_topics
from goodfunds.events.topics import PAYMENTS
from goodfunds.lanes import Handler, LaneLoop, LaneSettings, lane_of
from goodfunds.postgres import connect
from goodfunds.rails import RAILS
from goodfunds.service import migrations_of, services
from services.ingestion.handlers import IngestionHandler
from services.reconciliation.handlers import ReconciliationHandler
from services.settlement.handlers import SettlementHandler
from tests.conftest import Postgres

PARTITIONS = 16
NOSTRO = "DE89370400440532013000"
LONGEST_WAIT = 20.0
"""Seconds: everything here takes about one; the rest is for a machine that others use too."""

Headers = Sequence[tuple[str, Any]]


@dataclass
class House:
    """Services by name: their databases and their loops."""

    bootstrap: str
    databases: dict[str, str]
    producer: Any
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    running: list["asyncio.Task[None]"] = field(default_factory=list)
    seqs: dict[tuple[str, int], int] = field(default_factory=dict)

    def start(self) -> None:
        """Start every service's lanes."""
        self.stop = asyncio.Event()
        handlers: dict[str, Handler] = {
            "ingestion": IngestionHandler(),
            "settlement": SettlementHandler(NOSTRO, "EUR", RAILS),
            "reconciliation": ReconciliationHandler(),
        }
        for name, handler in handlers.items():
            settings = LaneSettings(self.databases[name], self.bootstrap, PARTITIONS, "test")
            self.running.append(asyncio.create_task(LaneLoop(handler, settings).run(self.stop)))

    async def end(self) -> None:
        """Stop every service's lanes in good order."""
        self.stop.set()
        await asyncio.wait_for(asyncio.gather(*self.running), LONGEST_WAIT)
        self.running.clear()

    async def send(self, topic: str, lane: int, value: bytes | None, headers: Headers = ()) -> int:
        """Put a record on a partition; its offset."""
        placed = await self.producer.send_and_wait(topic, value, b"key", lane, headers=list(headers))
        return int(placed.offset)

    def ours(self, topic: str, lane: int, producer: bytes = b"neighbour.1") -> Headers:
        """The headers of one of our own producers, numbered."""
        self.seqs[topic, lane] = seq = self.seqs.get((topic, lane), 0) + 1
        return (("producer", producer), ("lane", b"%d" % lane), ("seq", b"%d" % seq))

    async def fetch(self, service: str, statement: str, *arguments: Any) -> list[Any]:
        connection = await connect(self.databases[service])
        try:
            return list(await connection.fetch(statement, *arguments))
        finally:
            await connection.close()

    async def until(self, what: str, service: str, statement: str, *arguments: Any) -> list[Any]:
        """Wait until a statement finds rows; fails with `what`."""
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                while True:
                    for each in self.running:
                        assert not each.done(), each
                    rows = await self.fetch(service, statement, *arguments)
                    if rows:
                        return rows
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"not within {LONGEST_WAIT:.0f} s: {what}") from None

    async def stopped(self, service: str) -> dict[int, str]:
        """The lanes that are stopped durably, with the reason."""
        rows = await self.fetch(
            service, "SELECT lane, stopped_reason FROM lanes WHERE stopped_reason IS NOT NULL"
        )
        return {row[0]: row[1] for row in rows}

    async def told(self, lane: int, kind: type[Any], count: int = 1) -> list[Any]:
        """The first `count` events of a kind on a lane of `payments`."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        found: list[Any] = []
        try:
            place = TopicPartition(PAYMENTS, lane)
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            async with asyncio.timeout(LONGEST_WAIT):
                while len(found) < count:
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        events = [types.decode(each.value) for each in records]
                        found += [each for each in events if isinstance(each, kind)]
        finally:
            await consumer.stop()
        return found


@asynccontextmanager
async def house(bootstrap: str, postgres: Postgres) -> AsyncIterator[House]:
    """Topics, databases and running services; all ended afterwards."""
    await create_topics(bootstrap, PARTITIONS)
    suffix = uuid4().hex[:8]
    databases = {}
    for service in services().values():
        name = f"e2e_{service.name}_{suffix}"
        like = await postgres.template(migrations_of(service))
        databases[service.name] = await postgres.create(name, like)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_request_size=4 * 1024 * 1024)
    await producer.start()
    found = House(bootstrap, databases, producer)
    found.start()
    try:
        yield found
    finally:
        await found.end()
        await producer.stop()


def account_of(lane: int) -> str:
    """A customer's account that belongs to a lane."""
    return next(name for n in range(9_999) if lane_of(name := f"customer-{n}", PARTITIONS) == lane)
