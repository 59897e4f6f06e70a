"""A feed on real parts: one owner, handed over when it stops, taken when its heart has stopped."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from goodfunds.errors import InvariantBroken
from goodfunds.lanes import Emission, Feed, LaneSettings, Sequences
from goodfunds.lanes import feed as of_feed
from goodfunds.lanes.records import Connection
from goodfunds.lanes.transact import transact
from tests.integration.lanes.stage import Stage


class Numbers:
    """Source: the numbers that a test puts in; `broken` is an invariant."""

    producer = "numbers"

    def __init__(self, target: str) -> None:
        self.outputs = (target,)
        self.found: list[str] = []
        self.looks = 0
        self.before_look: Callable[[], Any] | None = None

    async def look(self) -> str | None:
        self.looks += 1
        if self.before_look is not None:
            await self.before_look()
        return self.found[0] if self.found else None

    async def record(
        self, connection: Connection, work: str, now: datetime, sequences: Sequences
    ) -> Sequence[Emission]:
        self.found.pop(0)
        if work == "broken":
            raise InvariantBroken("broken on purpose")
        return [Emission(self.outputs[0], int(work) % 2, b"k", "Number", work.encode(), b"")]


class Broken(Numbers):
    """Source: changes what is for life."""

    async def record(
        self, connection: Connection, work: str, now: datetime, sequences: Sequences
    ) -> Sequence[Emission]:
        await connection.execute("UPDATE cluster SET partitions = 9")
        return []


class Running:
    """Feeds of one database, ended with the test."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._running: list[tuple[asyncio.Event, asyncio.Task[None]]] = []

    def start(self, name: str, source: Numbers) -> tuple[Feed, asyncio.Event, "asyncio.Task[None]"]:
        stage = self._stage
        settings = LaneSettings(stage.dsn, stage.bootstrap, stage.partitions, name)
        feed, stop = Feed(source, settings, idle=0.05), asyncio.Event()
        task = asyncio.create_task(feed.run(stop))
        self._running.append((stop, task))
        return feed, stop, task

    async def end(self) -> None:
        for stop, task in self._running:
            stop.set()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


@pytest.fixture
async def stage(kafka: Any, database: str, make_topics: Callable[..., Any]) -> Stage:
    name = uuid4().hex[:8]
    stage = Stage(kafka.bootstrap, database, f"in-{name}", f"out-{name}", 2)
    await make_topics([stage.target], 2)
    return stage


@pytest.fixture
async def running(stage: Stage) -> AsyncIterator[Running]:
    running = Running(stage)
    yield running
    await running.end()


async def numbers(stage: Stage) -> list[int]:
    return sorted(number for _, _, number, _ in await stage.events())


async def test_a_feed_publishes_what_it_found_and_hands_over_at_once_when_it_stops(
    stage: Stage, running: Running
) -> None:
    first, second = Numbers(stage.target), Numbers(stage.target)
    first.found = ["1", "2", "3"]
    one, stop, task = running.start("one", first)
    await stage.until("all taken in", lambda: not first.found)
    two, _, _ = running.start("two", second)
    second.found = ["4"]
    stop.set()
    await asyncio.wait_for(task, 20)
    # A dead owner would be waited for at least as long as its heartbeat is good, which is 10 s.
    await stage.until("handed over", lambda: two.working, 8)
    await stage.until("the second takes in", lambda: not second.found)
    await stage.until_published()
    assert await numbers(stage) == [1, 2, 3, 4]
    assert one.unready() == two.unready() == []


async def test_a_feed_stands_by_while_the_owners_heart_beats_and_takes_over_when_it_does_not(
    stage: Stage, running: Running
) -> None:
    first, second = Numbers(stage.target), Numbers(stage.target)
    one, _, task = running.start("one", first)
    await stage.until("the first works", lambda: one.working)
    two, _, _ = running.start("two", second)
    looks = first.looks
    await stage.until("the first looks on", lambda: first.looks > looks + 20)
    assert not two.working
    assert second.looks == 0
    task.cancel()
    await asyncio.wait({task})
    await stage.fetch("UPDATE lanes SET heartbeat = heartbeat - interval '11 s' WHERE lane = -1")
    await stage.until("the second works", lambda: two.working)
    assert await stage.fetchval("SELECT owner FROM lanes WHERE lane = -1") == "two"


async def test_the_heart_beats_through_a_long_look(
    stage: Stage, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload of minutes must not look like a death: another would begin the same file."""
    monkeypatch.setattr(of_feed, "_HEARTBEAT_SECONDS", 0.1)
    source = Numbers(stage.target)
    looking = asyncio.Event()

    async def long_look() -> None:
        looking.set()
        await asyncio.Event().wait()

    source.before_look = long_look
    running.start("one", source)
    await asyncio.wait_for(looking.wait(), 20)
    heartbeat = "SELECT heartbeat FROM lanes WHERE lane = -1"
    before = await stage.fetchval(heartbeat)

    async def beaten() -> bool:
        return bool(await stage.fetchval(heartbeat) > before)

    await stage.until("the heart beats", beaten, 20)


async def test_a_feed_that_stops_does_not_release_what_another_has_taken_meanwhile(
    stage: Stage, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Numbers(stage.target)
    feed, stop, task = running.start("one", source)
    await stage.until("works", lambda: feed.working)

    async def taken_after(*of: Any) -> Any:
        rows = await transact(*of)
        if stop.is_set():
            await stage.fetch(
                "UPDATE lanes SET epoch = epoch + 1, owner = 'other', heartbeat = clock_timestamp() "
                "WHERE lane = -1"
            )
        return rows

    monkeypatch.setattr(of_feed, "transact", taken_after)
    stop.set()
    await asyncio.wait_for(task, 20)
    row = (await stage.fetch("SELECT owner, heartbeat FROM lanes WHERE lane = -1"))[0]
    assert row["owner"] == "other"
    assert row["heartbeat"] is not None


async def test_a_feed_that_was_frozen_while_another_took_over_records_nothing(
    stage: Stage, running: Running
) -> None:
    first, second = Numbers(stage.target), Numbers(stage.target)
    looking, thaw = asyncio.Event(), asyncio.Event()

    async def freeze() -> None:
        looking.set()
        await thaw.wait()

    first.before_look = freeze
    first.found = ["1"]
    one, _, _ = running.start("one", first)
    await asyncio.wait_for(looking.wait(), 20)
    await stage.fetch("UPDATE lanes SET epoch = epoch + 1, owner = 'other' WHERE lane = -1")
    thaw.set()
    first.before_look = None
    await stage.until("the first stands by", lambda: not one.working)
    assert first.found == ["1"], "the fence comes before what the source writes"
    two, _, _ = running.start("other", second)
    second.found = ["2"]
    await stage.until("the second works", lambda: two.working and not second.found)
    await stage.until_published()
    assert await numbers(stage) == [2]
    assert not one.working


async def test_a_broken_invariant_stops_a_feed_until_a_person_has_looked(
    stage: Stage, running: Running
) -> None:
    source = Numbers(stage.target)
    source.found = ["broken", "1"]
    feed, _, task = running.start("one", source)
    await stage.until("stopped", feed.unready)
    assert "broken on purpose" in await stage.fetchval("SELECT stopped_reason FROM lanes WHERE lane = -1")
    epoch = await stage.fetchval("SELECT epoch FROM lanes WHERE lane = -1")
    other, _, _ = running.start("other", Numbers(stage.target))
    await stage.until("the other sees it", other.unready)
    assert await stage.fetchval("SELECT epoch FROM lanes WHERE lane = -1") == epoch
    assert not task.done()
    await stage.fetch("UPDATE lanes SET stopped_reason = NULL WHERE lane = -1")
    await stage.until("works again", lambda: feed.working or other.working)


async def test_what_a_feed_committed_and_did_not_publish_is_published_by_its_next_owner(
    stage: Stage, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies between the two."""
    committed = asyncio.Event()

    async def dying(*of: Any) -> Any:
        rows = await transact(*of)
        if rows:
            committed.set()
            await asyncio.Event().wait()
        return rows

    first, second = Numbers(stage.target), Numbers(stage.target)
    first.found, second.found = ["1"], ["2"]
    with monkeypatch.context() as patched:
        patched.setattr(of_feed, "transact", dying)
        _, _, task = running.start("one", first)
        await asyncio.wait_for(committed.wait(), 20)
        task.cancel()
        await asyncio.wait({task})
    assert await stage.events() == []
    await stage.fetch("UPDATE lanes SET heartbeat = heartbeat - interval '11 s' WHERE lane = -1")
    two, _, _ = running.start("two", second)
    await stage.until("the second works", lambda: two.working and not second.found)
    await stage.until_published()
    assert await numbers(stage) == [1, 2]


async def test_a_feed_whose_database_was_set_back_stops_and_sends_nothing(
    stage: Stage, running: Running
) -> None:
    source = Numbers(stage.target)
    source.found = ["1", "2"]
    _, stop, task = running.start("one", source)
    await stage.until("taken in", lambda: not source.found)
    await stage.until_published()
    stop.set()
    await asyncio.wait_for(task, 20)
    events = await stage.events()
    await stage.tamper(
        "UPDATE lanes SET destinations = '{}', outbox_seq = 0, published_seq = 0, "
        "acknowledged = jsonb_build_object($1::text, -1, $2::text, -1) WHERE lane = -1",
        f"{stage.target}/0", f"{stage.target}/1",
    )  # fmt: skip
    source.found = ["3"]
    feed, _, _ = running.start("two", source)
    await stage.until("stopped", feed.unready)
    assert "older state" in feed.unready()[0]
    assert await stage.events() == events
    assert source.found == ["3"]


async def test_a_row_that_must_never_be_stops_the_feed_with_its_evidence_and_ends_no_process(
    stage: Stage, running: Running
) -> None:
    """Tried again it would break again: a process that ended for it would be started for ever."""
    source = Broken(stage.target)
    source.found = ["1"]
    feed, _, task = running.start("one", source)
    await stage.until("stopped", feed.unready)
    assert not task.done()
    assert "lane_stops" in feed.unready()[0]
    (stop,) = await stage.fetch("SELECT * FROM lane_stops")
    assert (stop["lane"], stop["reason"]) == (-1, await stage.fetchval("SELECT stopped_reason FROM lanes"))
    assert json.loads(stop["work"]) == ["'1'"]
    assert json.loads(stop["database_fault"])["constraint"] == "partitions_for_life"
    assert json.loads(stop["memory"])["outbox_seq"] == 0
    assert await stage.events() == []
