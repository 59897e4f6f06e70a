"""Reconciliation on its real lanes: from records on a real Kafka to matches, and silent after a restore.

One story, for the topics' names are the service's and the broker is every test's.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from goodfunds.events import types
from goodfunds.lanes import LaneLoop, LaneSettings
from goodfunds.lanes.announce import announce_restore
from goodfunds.postgres import connect
from services.reconciliation import SERVICE
from services.reconciliation.adoption import adopt
from services.reconciliation.handlers import ReconciliationHandler
from tests.integration.reconciliation.lives import copied
from tests.integration.reconciliation.scene import (
    NOSTRO_LANE,
    OTHER_LANE,
    PARTITIONS,
    Fed,
    from_settlement,
    line,
    submitted,
    whole_statement,
)

OWN_NAME = "goodfunds test"


@contextlib.asynccontextmanager
async def running(dsn: str, bootstrap: str) -> AsyncIterator[LaneLoop]:
    """The lanes at work on a database, stopped in good order."""
    loop = LaneLoop(
        ReconciliationHandler(),
        LaneSettings(dsn, bootstrap, PARTITIONS, "test", due_every=0.1),
        adopt=adopt,
    )
    stop = asyncio.Event()
    task = asyncio.create_task(loop.run(stop))
    try:
        yield loop
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)


async def until(dsn: str, question: str) -> None:
    """Bounded by a minute: a group is joined, and a few records are read."""
    connection = await connect(dsn, OWN_NAME)
    try:
        async with asyncio.timeout(60):
            while True:
                if await connection.fetchval(question):
                    return
                await asyncio.sleep(0.05)
    finally:
        await connection.close()


async def ends(bootstrap: str) -> dict[TopicPartition, int]:
    reader = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await reader.start()
    try:
        places = [TopicPartition(topic, lane) for topic in SERVICE.outputs for lane in range(PARTITIONS)]
        return dict(await reader.end_offsets(places))
    finally:
        await reader.stop()


async def test_a_stray_line_finds_its_payment_in_another_lane_and_a_database_set_back_tells_nothing_twice(
    kafka: Any,
    postgres: Any,
    database: str,
    make_topics: Callable[[list[str], int], Awaitable[None]],
) -> None:
    bootstrap = kafka.bootstrap
    await make_topics(sorted({*SERVICE.inputs, *SERVICE.outputs}), PARTITIONS)
    name = f"backup_{uuid4().hex[:12]}"
    first = from_settlement(OTHER_LANE, submitted(1, 100, end_to_end_id="E1"))
    lost = from_settlement(OTHER_LANE, submitted(2, 7))
    lost += whole_statement({
        NOSTRO_LANE: [line(None, -100, 1, end_to_end_id="E1"), line(None, 5, 3)],
        OTHER_LANE: [line(2, -7, 2), line(2, -7, 4)],
    })  # fmt: skip
    all_told = (
        "SELECT (SELECT count(*) FROM expected_items WHERE state = 1) = 2 "
        "AND (SELECT count(*) FROM breaks WHERE resolved_at IS NULL) = 2"
    )
    try:
        seqs = await send(bootstrap, first)
        async with running(database, bootstrap):
            await until(database, "SELECT count(*) = 1 FROM expected_items")
        older = await copied(postgres, database, name)
        await send(bootstrap, lost, seqs)
        async with running(database, bootstrap):
            await until(database, all_told)
        assert sorted(await _read(bootstrap, OTHER_LANE, 2)) == ["end_to_end", "reference"]
        told = await ends(bootstrap)
        assert sum(told.values()) == 2 + 2 + 1 + 4 + PARTITIONS
        connection = await connect(older, OWN_NAME)
        announced = await announce_restore(connection, OWN_NAME)
        await connection.close()
        assert announced.stopped == {}
        async with running(older, bootstrap) as loop:
            await until(
                older,
                all_told + " AND NOT EXISTS (SELECT FROM told) "
                "AND NOT EXISTS (SELECT FROM lanes WHERE restored_at IS NOT NULL OR stopped_reason <> '')",
            )
            assert loop.unready() == []
        assert await ends(bootstrap) == told
    finally:
        await postgres.drop(name)


async def send(
    bootstrap: str, fed: list[Fed], after: Mapping[tuple[str, int], int] = MappingProxyType({})
) -> dict[tuple[str, int], int]:
    """Publish events as their producers do; the last seq of each (topic, lane), which `after` says so far."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    seqs = dict(after)
    for each in fed:
        seqs[each.topic, each.lane] = seq = seqs.get((each.topic, each.lane), 0) + 1
        headers = [
            ("producer", each.topic.encode() + b".a"),
            ("lane", b"%d" % each.sender),
            ("seq", b"%d" % seq),
        ]
        await producer.send_and_wait(
            each.topic, each.event.encode(), key=b"key", partition=each.lane, headers=headers
        )
    await producer.stop()
    return seqs


async def _read(bootstrap: str, lane: int, count: int) -> list[str]:
    """The kinds of the first matches published on a lane."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    kinds: list[str] = []
    try:
        consumer.assign([TopicPartition("reconciliation", lane)])
        async with asyncio.timeout(30):
            while len(kinds) < count:
                event = types.decode((await consumer.getone()).value)
                if isinstance(event, types.PaymentMatched):
                    kinds.append(event.kind)
    finally:
        await consumer.stop()
    return kinds
