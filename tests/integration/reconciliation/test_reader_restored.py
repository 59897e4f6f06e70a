"""The statement reader of a database that came back from a backup knows what it sent, or sends it again."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any, BinaryIO

import asyncpg
import pytest
import structlog

from goodfunds.events import types
from goodfunds.lanes import Emission
from goodfunds.lanes.guard import FEED
from goodfunds.lanes.records import OwnEvent
from goodfunds.postgres import create_pool
from services.reconciliation.adoption import know_statements
from services.reconciliation.outbox_folder import Listed
from services.reconciliation.statement_reader import StatementReader
from tests.integration.reconciliation.scene import PARTITIONS, scene_in
from tests.integration.reconciliation.test_statement_reader import (
    BOOKED,
    ENTRIES,
    decoded,
    report,
    work_until_idle,
)

WHOLE = 1 + len(BOOKED) + PARTITIONS
"""Events of one statement."""


class Folder:
    """The bank's outbox."""

    def __init__(self, **files: bytes) -> None:
        self.files = files

    async def statements(self) -> list[Listed]:
        return [Listed(name, "as it is") for name in sorted(self.files)]

    async def fetch(self, name: str, into: BinaryIO) -> None:
        into.write(self.files[name])


@pytest.fixture
async def pool(database: str) -> AsyncIterator["asyncpg.Pool[Any]"]:
    scene = await scene_in(database)
    await scene.connection.execute("INSERT INTO cluster (partitions) VALUES ($1)", PARTITIONS)
    await scene.connection.close()
    found = await create_pool(database)
    yield found
    await found.close()


async def sent(pool: "asyncpg.Pool[Any]", **files: bytes) -> list[Emission]:
    """What a reader sends of files, one after another, in a life that is forgotten then."""
    found = []
    for name in files:
        folder = Folder(**{each: files[each] for each in files if each <= name})
        found += await work_until_idle(pool, StatementReader(pool, folder, PARTITIONS))
    await pool.execute("TRUNCATE taken_statements, statement_files")
    return found


async def adopted(pool: "asyncpg.Pool[Any]", emissions: Sequence[Emission], most: int = 4) -> None:
    """The events are adopted, partition by partition and in pieces, and again after a crash."""
    numbers: Counter[int] = Counter()
    events = []
    for each in emissions:
        numbers[each.partition] += 1
        events.append(
            OwnEvent(
                each.topic, each.partition, numbers[each.partition], each.key, each.event_type, each.body
            )
        )
    events.sort(key=lambda event: -event.partition)
    for _ in range(2):
        for place in range(0, len(events), most):
            async with pool.acquire() as borrowed, borrowed.transaction():
                connection: Any = borrowed
                await know_statements(connection, FEED, events[place : place + most])


async def test_a_statement_of_which_all_was_told_is_not_sent_again(pool: "asyncpg.Pool[Any]") -> None:
    await adopted(pool, await sent(pool, first=report()))
    folder = Folder(first=report())
    assert await work_until_idle(pool, StatementReader(pool, folder, PARTITIONS)) == []
    assert await pool.fetchval("SELECT count(*) FROM statement_files") == 1
    assert await pool.fetch("SELECT * FROM told") == []


async def test_a_correction_stays_one_though_its_file_is_read_first_now(pool: "asyncpg.Pool[Any]") -> None:
    files = {"b_original": report(), "c_correction": report(ENTRIES[:2])}
    told = await sent(pool, **files)
    assert len(told) == WHOLE + 1
    await adopted(pool, told)
    folder = Folder(a_correction=files["c_correction"], b_original=files["b_original"])
    assert await work_until_idle(pool, StatementReader(pool, folder, PARTITIONS)) == []
    # One that came only now is a correction too.
    folder.files["a_newest"] = report(ENTRIES[:1])
    (header,) = decoded(await work_until_idle(pool, StatementReader(pool, folder, PARTITIONS)))
    assert isinstance(header[1], types.StatementOpened)


@pytest.mark.parametrize("missing", [1, WHOLE - 1], ids=["one lane was not told the end", "only the header"])
async def test_a_statement_of_which_not_all_was_told_is_sent_again_whole(
    pool: "asyncpg.Pool[Any]", missing: int
) -> None:
    told = (await sent(pool, first=report()))[:-missing]
    await adopted(pool, told)
    again = await work_until_idle(pool, StatementReader(pool, Folder(first=report()), PARTITIONS))
    assert len(again) == WHOLE
    assert {each.body for each in again if each.event_type == "StatementLine"} >= {
        each.body for each in told if each.event_type == "StatementLine"
    }
    assert await work_until_idle(pool, StatementReader(pool, Folder(first=report()), PARTITIONS)) == []


async def test_a_statement_that_was_begun_and_is_in_no_file_any_more_is_named(
    pool: "asyncpg.Pool[Any]",
) -> None:
    await adopted(pool, (await sent(pool, first=report()))[:-1])
    reader = StatementReader(pool, Folder(), PARTITIONS)
    with structlog.testing.capture_logs() as logged:
        assert await reader.look() is None
        assert await reader.look() is None
    (entry,) = logged
    assert re.match("statement begun before a restore is in no file", entry["event"])
    assert (entry["log_level"], entry["bank_statement_id"]) == ("error", "S1")


async def test_a_statement_that_the_backup_has_half_sent_goes_on_there_or_is_done(
    pool: "asyncpg.Pool[Any]",
) -> None:
    folder = Folder(first=report())
    begun = await work_until_idle(pool, StatementReader(pool, folder, PARTITIONS, chunk=2), turns=2)
    (row,) = await pool.fetch("SELECT * FROM taken_statements")
    rest = await work_until_idle(pool, StatementReader(pool, folder, PARTITIONS, chunk=2))
    assert len(begun + rest) == WHOLE
    await pool.execute("TRUNCATE taken_statements")
    async with pool.acquire() as connection:
        await connection.copy_records_to_table("taken_statements", records=[tuple(row)])
    await adopted(pool, [*begun, *rest][:-1])
    assert await pool.fetchval("SELECT done_at FROM taken_statements") is None
    await adopted(pool, [*begun, *rest])
    assert await pool.fetchval("SELECT done_at IS NOT NULL AND position = lines FROM taken_statements")
    assert await work_until_idle(pool, StatementReader(pool, folder, PARTITIONS)) == []
