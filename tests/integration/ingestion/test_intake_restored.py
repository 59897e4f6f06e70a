"""The file intake of a database that came back from a backup: it numbers on, and names files it lost."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import structlog

from goodfunds.lanes import Feed, LaneSettings
from goodfunds.lanes.announce import announce_restore
from goodfunds.postgres import connect, create_pool
from services.ingestion import adoption, intake
from services.ingestion.intake import FileIntake
from tests.conftest import Kafka, MakeTopics
from tests.integration.ingestion.desk import PARTITIONS
from tests.integration.ingestion.test_intake import FILE, ITEMS, Stage
from tests.integration.tampering import unguarded


async def run_until(stage: Stage, holds: Callable[[Feed], Awaitable[bool]]) -> None:
    """Have a feed that adopts run until something holds, then stop in good order."""
    settings = replace(stage.settings, owner="adopting")
    feed = Feed(FileIntake(stage.pool, PARTITIONS), settings, idle=0.02, adopt=adoption.look_for_files)
    stop = asyncio.Event()
    running = asyncio.create_task(feed.run(stop))
    try:
        await stage.until(lambda: holds(feed), running)
    finally:
        stop.set()
        await asyncio.wait_for(running, 30)


async def test_a_file_that_the_backup_does_not_know_is_named_and_one_that_it_knows_is_published_again(
    kafka: Kafka, database: str, make_topics: MakeTopics, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = f"instructions-{uuid4().hex[:8]}"
    monkeypatch.setattr(intake, "PAYMENT_INSTRUCTIONS", topic)
    monkeypatch.setattr(FileIntake, "outputs", (topic,))
    await make_topics([topic], PARTITIONS)
    pool = await create_pool(database)
    stage = Stage(pool, LaneSettings(database, kafka.bootstrap, PARTITIONS, "test"), topic)
    try:
        # The backup: of two files the first is known, and nothing is published.
        async def standing_by(feed: Feed) -> bool:
            return feed.working

        await run_until(stage, standing_by)
        (before,) = await pool.fetch("SELECT * FROM lanes WHERE lane = -1")
        await stage.take(FILE)
        await stage.take(FILE, client="another")
        await stage.run_until_finished()
        assert len(await stage.published()) == 2 * ITEMS
        async with pool.acquire() as connection, unguarded(connection):
            await connection.execute("DELETE FROM payment_files WHERE client = 'another'")
            await connection.execute("UPDATE payment_files SET position = 0, finished_at = NULL")
            await connection.execute("DELETE FROM outbox")
            await connection.execute(
                "UPDATE lanes SET destinations = $1, acknowledged = $2, outbox_seq = 0, published_seq = 0, "
                "heartbeat = NULL WHERE lane = -1",
                before["destinations"], before["acknowledged"],
            )  # fmt: skip

        async def stopped(feed: Feed) -> bool:
            return feed.stopped is not None and "older state" in feed.stopped

        await run_until(stage, stopped)
        await pool.expire_connections()
        await pool.close()
        await announced(database)
        stage.pool = pool = await create_pool(database)

        async def finished(_feed: Feed) -> bool:
            return bool(await pool.fetchval("SELECT bool_and(finished_at IS NOT NULL) FROM payment_files"))

        with structlog.testing.capture_logs() as told:
            await run_until(stage, finished)
    finally:
        await pool.close()
    named = [entry for entry in told if entry["event"].startswith("file taken in after the backup")]
    assert {(entry["client"], entry["log_level"]) for entry in named} == {("another", "error")}
    assert sum(entry["payments_published"] for entry in named) == ITEMS
    found = await stage.published()
    assert len(found) == 3 * ITEMS
    for lane in range(PARTITIONS):
        seqs = [seq for partition, seq, _ in found if partition == lane]
        assert seqs == list(range(1, len(seqs) + 1))


async def announced(dsn: str) -> Any:
    connection = await connect(dsn, "goodfunds test")
    try:
        return await announce_restore(connection, "goodfunds test")
    finally:
        await connection.close()
