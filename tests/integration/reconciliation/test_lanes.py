"""Reconciliation on its real lanes: from records on a real Kafka to matches in Postgres and on the topic."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from goodfunds import lanes
from goodfunds.events import types
from goodfunds.lanes import LaneLoop, LaneSettings
from goodfunds.postgres import connect, migrate
from services.reconciliation import SERVICE
from services.reconciliation.handlers import ReconciliationHandler
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


async def test_a_stray_line_finds_its_payment_in_another_lane_through_kafka(
    kafka: Any, database: str, make_topics: Callable[[list[str], int], Awaitable[None]]
) -> None:
    await make_topics(sorted({*SERVICE.inputs, *SERVICE.outputs}), PARTITIONS)
    await migrate(
        database,
        [
            ("lanes", Path(lanes.__file__).parent / "migrations"),
            *((SERVICE.name, folder) for folder in SERVICE.migrations),
        ],
    )
    loop = LaneLoop(
        ReconciliationHandler(), LaneSettings(database, kafka.bootstrap, PARTITIONS, "test", due_every=0.1)
    )
    stop = asyncio.Event()
    running = asyncio.create_task(loop.run(stop))
    stray = line(None, -100, 1, end_to_end_id="E1")
    fed = from_settlement(OTHER_LANE, submitted(1, 100, end_to_end_id="E1"), submitted(2, 7))
    fed += whole_statement({NOSTRO_LANE: [stray], OTHER_LANE: [line(2, -7, 2)]})
    connection = await connect(database)
    try:
        await send(kafka.bootstrap, fed)
        async with asyncio.timeout(60):
            while await connection.fetchval("SELECT count(*) FROM expected_items WHERE state = 1") < 2:
                assert not running.done(), running
                await asyncio.sleep(0.05)
        kinds = await _read(kafka.bootstrap, OTHER_LANE, 2)
        assert sorted(kinds) == ["end_to_end", "reference"]
    finally:
        stop.set()
        await asyncio.wait_for(running, 30)
        await connection.close()


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
