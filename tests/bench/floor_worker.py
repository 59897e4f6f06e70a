"""A process of the floor: reads, copies rows in and sends on, in the system's proportions, with no logic."""

import asyncio
import gc
import resource
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from goodfunds.events.topics import PAYMENT_INSTRUCTIONS
from goodfunds.postgres import connect
from tests.bench.floor_hops import FILES, Hop, source

PREFIX = "floor."
_POLL = 2_000
_BATCH_BYTES = 900_000
_AS_WRITTEN = """
SET synchronize_seqscans = off; SET max_parallel_workers_per_gather = 0; SET enable_indexscan = off;
SET enable_bitmapscan = off"""
"""A scan from the first page to the last: no other's place in the table, no second worker, no index."""
_IN_FLIGHT = 64
"""Batches of records on their way to the broker at once."""

Records = Sequence[tuple[bytes | None, bytes, Sequence[tuple[str, bytes]]]]
"""(key, value, headers)."""
Places = Mapping[int, tuple[int, int]]
"""partition → first offset, and how many records."""


@dataclass(frozen=True, slots=True)
class Worker:
    """What one process of the floor is told: its hops, and which of the system's records and rows are its.

    `records`: by topic. `rows`: by source, how many come before and how many are taken. `share`: of the
    bytes of files.
    """

    name: str
    hops: tuple[Hop, ...]
    feed: bool
    bootstrap: str
    rows_from: str
    rows_into: str
    records: Mapping[str, Places]
    rows: Mapping[str, tuple[int, int]]
    share: float


@dataclass(slots=True)
class Material:
    """A hop's rows and records, and how far they were written."""

    hop: Hop
    total: int
    read: int = 0
    rows: dict[str, tuple[list[str], list[Any]]] = field(default_factory=dict)
    records: dict[tuple[str, int], Records] = field(default_factory=dict)
    _done: dict[Any, int] = field(default_factory=dict)

    def rows_due(self) -> Iterator[tuple[str, list[str], list[Any]]]:
        """(table, columns, rows) up to the share that was read."""
        for table, (columns, rows) in self.rows.items():
            first, until = self._next(table, len(rows))
            if until > first:
                yield table, columns, rows[first:until]

    def records_due(self) -> Iterator[tuple[str, int, Records]]:
        """(topic, partition, records) up to the share that was read."""
        for place, records in self.records.items():
            first, until = self._next(place, len(records))
            if until > first:
                yield *place, records[first:until]

    def _next(self, what: Any, count: int) -> tuple[int, int]:
        first, until = self._done.get(what, 0), count * self.read // max(self.total, 1)
        self._done[what] = until
        return first, until


def work(worker: Worker, ready: Any, go: Any, done: Any) -> None:
    """The process: says when it is `ready`, waits to `go`, and tells its CPU seconds when it is `done`."""
    # The loop of the services' processes.
    uvloop.run(_work(worker, ready, go, done))


async def _work(worker: Worker, ready: Any, go: Any, done: Any) -> None:
    materials = await _materials(worker)
    connection = await connect(worker.rows_into, "floor")
    # Keys and checks hold; triggers are the system's own.
    await connection.execute("SET session_replication_role = replica")
    # As the lanes read.
    consumer = AIOKafkaConsumer(
        bootstrap_servers=worker.bootstrap,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        fetch_max_bytes=16 * 1024 * 1024,
        max_partition_fetch_bytes=4 * 1024 * 1024,
        fetch_max_wait_ms=250,
    )
    producer = _producer(worker.bootstrap)
    await consumer.start()
    await producer.start()
    try:
        places = [
            TopicPartition(PREFIX + hop.reads, partition)
            for hop in worker.hops
            if hop.reads
            for partition in worker.records[hop.reads]
        ]
        if places:
            consumer.assign(places)
        # As in the services: what lies here to be sent need not be walked by the collector.
        gc.collect()
        gc.freeze()
        ready.put(worker.name)
        await asyncio.to_thread(go.wait)
        before = resource.getrusage(resource.RUSAGE_SELF)
        await _run(materials, connection, consumer if places else None, producer)
        after = resource.getrusage(resource.RUSAGE_SELF)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        done.put((worker.name, spent))
    finally:
        await producer.stop()
        await consumer.stop()
        await connection.close()


async def _run(materials: Sequence[Material], connection: Any, consumer: Any, producer: Any) -> None:
    """A transaction a poll, then its records; a feed reads nothing and goes on as fast as it can."""
    by_topic = {PREFIX + each.hop.reads: each for each in materials if each.hop.reads}
    flying: list[Any] = []
    while any(each.read < each.total for each in materials):
        if consumer is not None:
            for place, found in (await consumer.getmany(timeout_ms=200, max_records=_POLL)).items():
                by_topic[place.topic].read += len(found)
        for each in materials:
            if not each.hop.reads:
                each.read = min(each.read + _POLL, each.total)
        rows = [due for each in materials for due in each.rows_due()]
        if rows:
            async with connection.transaction():
                for table, columns, due in rows:
                    await connection.copy_records_to_table(table, records=due, columns=columns)
        for each in materials:
            for topic, partition, records in each.records_due():
                flying += await _send(producer, PREFIX + topic, partition, records)
        if len(flying) > _IN_FLIGHT:
            await asyncio.gather(*flying[:-_IN_FLIGHT])
            flying = flying[-_IN_FLIGHT:]
    await asyncio.gather(*flying)


def _producer(bootstrap: str) -> Any:
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=_BATCH_BYTES,
        max_request_size=4 * 1024 * 1024,
    )  # fmt: skip


async def _send(producer: Any, topic: str, partition: int, records: Records) -> list[Any]:
    """What will tell of each batch's acknowledgement."""
    sent = []
    batch = producer.create_batch()
    for key, value, headers in records:
        if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
            sent.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None, headers=headers)
    sent.append(await producer.send_batch(batch, topic, partition=partition))
    return sent


async def load(bootstrap: str, instructions: Mapping[int, Records], slice_: int) -> None:
    """Send the instructions as the system's load does: so many of all partitions, then the next."""
    share = max(slice_ // max(len(instructions), 1), 1)
    longest = max(map(len, instructions.values()), default=0)
    producer = _producer(bootstrap)
    await producer.start()
    try:
        for first in range(0, longest, share):
            sending = []
            for partition, records in instructions.items():
                if due := records[first : first + share]:
                    sending += await _send(producer, PREFIX + PAYMENT_INSTRUCTIONS, partition, due)
            await asyncio.gather(*sending)
    finally:
        await producer.stop()


async def _materials(worker: Worker) -> list[Material]:
    """What the system had of each hop."""
    found = []
    connection = await connect(worker.rows_from, "floor")
    await connection.execute(_AS_WRITTEN)
    try:
        for hop in worker.hops:
            material = Material(hop, _count(worker.records[hop.reads or hop.writes[0]]))
            for table in hop.tables:
                material.rows[table] = await _rows(connection, worker, table)
            for topic in hop.writes:
                records = await records_of(worker.bootstrap, topic, worker.records[topic])
                material.records.update({(topic, partition): each for partition, each in records.items()})
            found.append(material)
    finally:
        await connection.close()
    return found


def _count(places: Places) -> int:
    return sum(count for _, count in places.values())


async def _rows(connection: Any, worker: Worker, table: str) -> tuple[list[str], list[Any]]:
    """(columns, rows) in the order they were written."""
    columns = [
        row[0]
        for row in await connection.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
            table,
        )
    ]
    listed = ", ".join(
        f"substring(content FROM 1 FOR (length(content) * {worker.share})::integer)"
        if table in FILES and name == "content"
        else name
        for name in columns
    )
    which = source(table, worker.feed)
    skipped, taken = worker.rows[which]
    rows = await connection.fetch(f"SELECT {listed} FROM {which} OFFSET $1 LIMIT $2", skipped, taken)
    return columns, rows


async def records_of(bootstrap: str, topic: str, wanted: Places) -> dict[int, Records]:
    """By partition."""
    found: dict[int, list[Any]] = {partition: [] for partition, (_, count) in wanted.items() if count}
    if not found:
        return {}
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, partition) for partition in found])
        for partition in found:
            consumer.seek(TopicPartition(topic, partition), wanted[partition][0])
        while any(len(records) < wanted[partition][1] for partition, records in found.items()):
            for place, polled in (await consumer.getmany(timeout_ms=500)).items():
                room = wanted[place.partition][1] - len(found[place.partition])
                found[place.partition] += [
                    (record.key, record.value, list(record.headers)) for record in polled[: max(room, 0)]
                ]
    finally:
        await consumer.stop()
    return {**found}
