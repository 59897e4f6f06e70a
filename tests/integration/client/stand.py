"""A topic and a database of one test, what goodfunds writes on the one and a team keeps in the other."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from goodfunds import Publisher, Subscription, schema
from goodfunds.events.types import PaymentSettled, decode
from goodfunds.lanes import lane_of
from tests.unit.client.events import settled

PARTITIONS = 3
SESSION_TIMEOUT = 2.5
"""Seconds; the broker of the tests takes it (see conftest), and a busy machine still beats in time."""
EFFECTS = "CREATE TABLE effects (number integer NOT NULL, seq integer NOT NULL)"


@dataclass
class Stand:
    """What a test of the client library works with. `seqs`: the last number of each partition's producer."""

    bootstrap: str
    dsn: str
    topic: str
    seqs: dict[int, int] = field(default_factory=dict)
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def publisher(self, **settings: Any) -> Publisher:
        """A publisher of the client `shop`."""
        return Publisher(self.bootstrap, client="shop", topic=self.topic, **settings)

    def subscription(self, **settings: Any) -> Subscription:
        """A member of the group `books`."""
        settings = {"group": f"books-{self.topic}", "session_timeout": SESSION_TIMEOUT, **settings}
        return Subscription(self.topic, bootstrap=self.bootstrap, **settings)

    @asynccontextmanager
    async def pool(self) -> AsyncIterator["asyncpg.Pool[Any]"]:
        """A team's own pool on a database that has the library's tables and one of effects."""
        async with asyncpg.create_pool(self.dsn, min_size=0, max_size=6) as pool:
            async with pool.acquire() as connection:
                await connection.execute(schema())
                if await connection.fetchval("SELECT to_regclass('effects')") is None:
                    await connection.execute(EFFECTS)
            yield pool

    async def tell(self, numbers: Sequence[int], account: str = "customer-1", skip: int = 0) -> None:
        """Publish that these payments were settled; `skip` numbers are left out before."""
        lane = lane_of(account, PARTITIONS)
        self.seqs[lane] = self.seqs.get(lane, 0) + skip
        async with self._producer() as producer:
            for number in numbers:
                self.seqs[lane] += 1
                await self._tell(producer, settled(number, account), lane, self.seqs[lane])

    async def repeat(self, number: int, seq: int, account: str = "customer-1") -> None:
        """Publish an event again under the number that it had."""
        async with self._producer() as producer:
            await self._tell(producer, settled(number, account), lane_of(account, PARTITIONS), seq)

    async def novelty(self, account: str = "customer-1") -> None:
        """Publish the next event of an account's lane, of a type that nobody has heard of."""
        lane = lane_of(account, PARTITIONS)
        self.seqs[lane] += 1
        headers = numbers(lane, self.seqs[lane], "Novelty")
        async with self._producer() as producer:
            value = b"\x00" + (9999).to_bytes(4, "big")
            await producer.send_and_wait(self.topic, value, account.encode(), lane, headers=headers)

    async def _tell(self, producer: Any, event: PaymentSettled, lane: int, seq: int) -> None:
        headers = numbers(lane, seq, "PaymentSettled")
        await producer.send_and_wait(
            self.topic, event.encode(), event.account.encode(), lane, headers=headers
        )

    @asynccontextmanager
    async def _producer(self) -> AsyncIterator[Any]:
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all")
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()

    async def records(self) -> list[Any]:
        """All that lies on the topic, partition by partition, in order."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        found: list[Any] = []
        try:
            places = [TopicPartition(self.topic, number) for number in range(PARTITIONS)]
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            await consumer.seek_to_beginning(*places)
            while any([await consumer.position(place) < ends[place] for place in places]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += records
        finally:
            await consumer.stop()
        return sorted(found, key=lambda record: (record.partition, record.offset))

    async def keys(self) -> list[str]:
        """The idempotency keys on the topic, partition by partition, in order, repeats included."""
        return [decode(record.value).idempotency_key for record in await self.records()]  # type: ignore[union-attr]

    async def effects(self) -> list[int]:
        """The numbers of the payments that had an effect, in order."""
        rows = await self.fetch("SELECT number FROM effects ORDER BY number")
        return [row["number"] for row in rows]

    async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
        """Rows of the team's database."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return list(await connection.fetch(statement, *arguments))
        finally:
            await connection.close()

    def start(self, module: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """A process of its own."""
        process = subprocess.Popen([sys.executable, "-m", f"tests.integration.client.{module}", *arguments])
        self.processes.append(process)
        return process

    async def until(self, what: str, holds: Callable[[], Awaitable[Any]], seconds: float = 30.0) -> None:
        """Wait until something holds; fails with its name."""
        deadline = monotonic() + seconds
        while not await holds():
            assert monotonic() < deadline, f"not within {seconds} s: {what}"
            await asyncio.sleep(0.05)

    def end(self) -> None:
        """End every process that still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait(10)


def numbers(lane: int, seq: int, event_type: str) -> list[tuple[str, bytes]]:
    """The headers of settlement's `seq`th event of a lane."""
    return [
        ("producer", b"settlement.test"), ("lane", b"%d" % lane), ("seq", b"%d" % seq),
        ("ce_id", b"settlement/%d/%d" % (lane, seq)), ("ce_type", event_type.encode()),
    ]  # fmt: skip
