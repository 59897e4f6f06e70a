"""Reconciliation's lanes on a real Kafka: set back to a backup, announced, and silent on what was told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition

from goodfunds import lanes
from goodfunds.lanes import LaneLoop, LaneSettings
from goodfunds.lanes.announce import announce_restore
from goodfunds.local import postgres as embedded_postgres
from goodfunds.postgres import connect, migrate
from services.reconciliation import SERVICE
from services.reconciliation.adoption import adopt
from services.reconciliation.handlers import ReconciliationHandler
from tests.integration.reconciliation.lives import copied
from tests.integration.reconciliation.scene import (
    NOSTRO_LANE,
    OTHER_LANE,
    PARTITIONS,
    from_settlement,
    line,
    submitted,
    whole_statement,
)
from tests.integration.reconciliation.test_lanes import send

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


async def test_a_database_set_back_and_announced_tells_nothing_twice_on_its_topics(
    kafka: Any,
    postgres: Any,
    database: str,
    make_topics: Callable[[list[str], int], Awaitable[None]],
) -> None:
    bootstrap = kafka.bootstrap
    await make_topics(sorted({*SERVICE.inputs, *SERVICE.outputs}), PARTITIONS)
    folders = [("lanes", Path(lanes.__file__).parent / "migrations")]
    await migrate(database, [*folders, *((SERVICE.name, folder) for folder in SERVICE.migrations)])
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
        server = await embedded_postgres.connect(postgres.server)
        await server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await server.close()
