"""The floor of the machine: the system's hops, bytes and rows with bare aiokafka and COPY, and no logic.

Made of what the last run of the system has left: the records that it put on its topics go to topics of the
floor's own, and its rows go by COPY into empty tables with the same keys, by a process for each of the
system's, all at the same time. Nothing is decided, decoded, looked up or updated; no file is written or
parsed, and there is no bank. What is bare is never less than the system's: a table that a run fills and the
floor does not is an error.
"""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from queue import Empty
from time import monotonic
from typing import Any

import click
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from goodfunds.cli.reading import readers
from goodfunds.events import topics
from goodfunds.events.cluster import config_of
from goodfunds.local import stack as local
from goodfunds.postgres import connect
from goodfunds.service import migrate_service, services
from tests.bench.floor_hops import FILES, PROCESSES, TOPICS, source, tables_of
from tests.bench.floor_worker import PREFIX, Places, Worker, load, records_of, work
from tests.bench.load import SLICE
from tests.bench.spent import cpu_seconds, own_cpu_seconds

_MOST = 100_000
"""Payments of one run: their rows and records lie in the processes' memory, some 25 kB each in all."""
_SERVERS = ("postgres", "kafka")
_PATIENCE_SECONDS = 600.0
_FEW = 20
"""A table that has a row for every so many payments, or fewer, is of no weight."""
_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"""


@dataclass(frozen=True, slots=True)
class Run:
    """`seconds` from the first instruction to the last row; CPU µs a payment by process."""

    payments: int
    seconds: float
    cpu_us: Mapping[str, float]

    @property
    def rate(self) -> float:
        """Payments a second."""
        return self.payments / self.seconds


@dataclass(frozen=True, slots=True)
class Mark:
    """How much there was at a moment: `ends` of partitions by topic, and `rows` by service and source."""

    ends: Mapping[str, Mapping[int, int]]
    rows: Mapping[str, Mapping[str, int]]


async def mark(stack: local.Stack) -> Mark:
    """What there is now; the floor is made of what the next run adds to it."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka)
    await consumer.start()
    try:
        places = [TopicPartition(topic, n) for topic in TOPICS for n in range(stack.partitions)]
        found = await consumer.end_offsets(places)
    finally:
        await consumer.stop()
    ends: dict[str, dict[int, int]] = {topic: {} for topic in TOPICS}
    for place, end in found.items():
        ends[place.topic][place.partition] = end
    rows: dict[str, dict[str, int]] = {}
    async with readers(stack) as connections:
        for service, connection in connections.items():
            names = [row["relname"] for row in await connection.fetch(_TABLES)]
            sources = [*names, source("outbox", feed=True), source("outbox", feed=False)]
            rows[service] = {
                each: await connection.fetchval(f"SELECT count(*) FROM {each}") for each in sources
            }
    return Mark(ends, rows)


async def measure(stack: local.Stack, payments: int, before: Mark) -> Run:
    """A run of what a run of the system with `payments` has added since `before`; at most 100,000 of them."""
    now, share = await mark(stack), min(1.0, _MOST / payments)
    _check_complete(before, now, payments)
    payments = round(payments * share)
    click.echo(f"the floor of {payments:,} payments, its material is read", err=True)
    await _remove(stack)
    await _prepare(stack)
    try:
        seconds, spent = await _run(stack, _workers(stack, before, now, share))
    finally:
        await _remove(stack)
    found = Run(payments, seconds, {name: round(s / payments * 1e6, 1) for name, s in spent.items()})
    click.echo(f"the floor: {payments:,} payments in {seconds:.1f} s, {found.rate:,.0f} a second", err=True)
    return found


def _check_complete(before: Mark, now: Mark, payments: int) -> None:
    left_out = [
        f"{service}.{table}"
        for service, rows in now.rows.items()
        for table, count in rows.items()
        if table.partition(" ")[0] not in tables_of(service)
        and count - before.rows[service][table] > payments // _FEW
    ]
    if left_out:
        raise RuntimeError(f"the floor does not fill {', '.join(left_out)}, and the system does")


@asynccontextmanager
async def _server(stack: local.Stack) -> AsyncIterator[Any]:
    server = await connect(f"{stack.postgres.rstrip('/')}/postgres", "floor")
    try:
        yield server
    finally:
        await server.close()


@asynccontextmanager
async def _broker(stack: local.Stack) -> AsyncIterator[Any]:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def _remove(stack: local.Stack) -> None:
    async with _server(stack) as server:
        for name in services():
            await server.execute(f"DROP DATABASE IF EXISTS floor_{name} WITH (FORCE)")
    wanted = {PREFIX + topic for topic in TOPICS}
    async with _broker(stack) as admin:
        if there := wanted & set(await admin.list_topics()):
            await admin.delete_topics(sorted(there))
        deadline = monotonic() + _PATIENCE_SECONDS
        while wanted & set(await admin.list_topics()):
            if monotonic() > deadline:
                raise RuntimeError("the broker does not remove the floor's topics")
            await asyncio.sleep(0.1)


async def _prepare(stack: local.Stack) -> None:
    """Empty databases of the floor's own, and its empty topics, which are kept as the system's are."""
    async with _server(stack) as server:
        for name in services():
            await server.execute(f"CREATE DATABASE floor_{name}")
    for name, service in services().items():
        await migrate_service(replace(service, database=f"floor_{name}"), stack.postgres)
    async with _server(stack) as server:
        # What the system's run has left to be written is no work of the floor's. Its own goes with its end.
        await server.execute("CHECKPOINT")
    async with _broker(stack) as admin:
        answer = await admin.create_topics(
            [
                NewTopic(PREFIX + each.name, stack.partitions, 1, topic_configs=config_of(each, 1))
                for each in topics.TOPICS
                if each.name in TOPICS
            ]
        )
        if any(error[1] for error in answer.topic_errors):
            raise RuntimeError(f"the floor's topics were not created: {answer.topic_errors}")


def _workers(stack: local.Stack, before: Mark, now: Mark, share: float) -> list[Worker]:
    records: dict[str, Places] = {
        topic: {
            partition: (before.ends[topic][partition], int((end - before.ends[topic][partition]) * share))
            for partition, end in ends.items()
        }
        for topic, ends in now.ends.items()
    }
    url, found = stack.postgres.rstrip("/"), []
    for name, process in PROCESSES.items():
        was, has = before.rows[process.service], now.rows[process.service]
        rows = {
            # Files are few: each is taken, and of its bytes the share.
            each: (was[each], int((has[each] - was[each]) * (1 if each in FILES else share)))
            for each in has
        }
        database = services()[process.service].database
        found.append(
            Worker(
                name, process.hops, process.feed, stack.kafka, f"{url}/{database}",
                f"{url}/floor_{process.service}", records, rows, share,
            )
        )  # fmt: skip
    return found


async def _run(stack: local.Stack, workers: Sequence[Worker]) -> tuple[float, dict[str, float]]:
    """Seconds, and CPU seconds of the workers, the load and the servers."""
    spawning = multiprocessing.get_context("spawn")
    ready, done, go = spawning.Queue(), spawning.Queue(), spawning.Event()
    processes = [spawning.Process(target=work, args=(each, ready, go, done)) for each in workers]
    for process in processes:
        process.start()
    try:
        wanted = workers[0].records[topics.PAYMENT_INSTRUCTIONS]
        instructions = await records_of(stack.kafka, topics.PAYMENT_INSTRUCTIONS, wanted)
        for _ in workers:
            await _told(ready, processes)
        before, own = cpu_seconds(stack), own_cpu_seconds()
        go.set()
        started = monotonic()
        await load(stack.kafka, instructions, SLICE)
        own = own_cpu_seconds() - own
        ended = [await _told(done, processes) for _ in workers]
        seconds, after = monotonic() - started, cpu_seconds(stack)
    finally:
        for process in processes:
            process.join(10)
            if process.is_alive():
                process.terminate()
    servers = {name: after[name] - before[name] for name in _SERVERS if name in after}
    return seconds, {**dict(ended), **servers, "load": own}


async def _told(queue: Any, processes: Sequence[Any]) -> Any:
    """The next that a worker tells. Raises RuntimeError where one has failed, or all are silent."""
    deadline = monotonic() + _PATIENCE_SECONDS
    while monotonic() < deadline:
        with suppress(Empty):
            return await asyncio.to_thread(queue.get, True, 0.5)
        if any(process.exitcode for process in processes):
            raise RuntimeError("a process of the floor has failed; what it said stands above")
    raise RuntimeError(f"the floor's processes say nothing for {_PATIENCE_SECONDS:.0f} s")
