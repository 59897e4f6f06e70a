"""Troubles of database and broker that no client library ends by itself: the lanes must."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from goodfunds.errors import Misconfigured, Unavailable, is_broken_invariant, is_retriable
from goodfunds.lanes import LaneLoop, LaneSettings, create_lanes, metrics
from goodfunds.lanes import takeover as of_takeover
from goodfunds.lanes.fence import SQL
from goodfunds.lanes.takeover import raise_epoch
from goodfunds.postgres import connect
from tests.integration.lanes.copier import Copier
from tests.integration.lanes.stage import Stage


@pytest.fixture
async def stage(kafka: Any, database: str, make_topics: Callable[..., Any]) -> AsyncIterator[Stage]:
    name = uuid4().hex[:8]
    stage = Stage(kafka.bootstrap, database, f"in-{name}", f"out-{name}", 2)
    await make_topics([stage.source, stage.target], 2)
    yield stage
    stage.end()


class Wire:
    """A way to the database that can swallow everything, as a host that lost its power does."""

    def __init__(self, dsn: str) -> None:
        self._to = urlsplit(dsn)
        self._dark: asyncio.Event = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._commits, self._applied = 0, False

    async def open(self) -> str:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        return self._to._replace(netloc=f"{self._to.username}@127.0.0.1:{port}").geturl()

    def swallow(self) -> None:
        """Lose what the connections of now send and get, without a word; later ones work."""
        self._dark.set()
        self._dark = asyncio.Event()

    def lose_answers(self, commits: int, applied: bool) -> None:
        """Cut the connection of that many commits with events: before the server gets it, or its answer."""
        self._commits, self._applied = commits, applied

    async def _asks(
        self, reader: asyncio.StreamReader, down: Any, writer: Any, cut: asyncio.Event, dark: asyncio.Event
    ) -> None:
        writing = False
        with contextlib.suppress(OSError):
            while found := await reader.read(65_536):
                if dark.is_set():
                    await asyncio.Event().wait()
                writing = writing or b'"outbox"' in found
                if self._commits and writing and b"COMMIT" in found:
                    self._commits -= 1
                    cut.set()
                    if self._applied:
                        down.write(found)
                    # What was written still reaches the server.
                    down.close()
                    writer.transport.abort()
                    return
                down.write(found)
                await down.drain()
            down.close()

    async def _answers(
        self, upstream: asyncio.StreamReader, writer: Any, cut: asyncio.Event, dark: asyncio.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while (found := await upstream.read(65_536)) and not cut.is_set():
                if dark.is_set():
                    await asyncio.Event().wait()
                writer.write(found)
                await writer.drain()
            if not dark.is_set():
                writer.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, down = await asyncio.open_connection(self._to.hostname, self._to.port)
        cut = asyncio.Event()
        for passing in (
            self._asks(reader, down, writer, cut, self._dark),
            self._answers(upstream, writer, cut, self._dark),
        ):
            task = asyncio.create_task(passing)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def test_a_database_that_answers_no_more_without_a_word_is_left_and_reached_anew(stage: Stage) -> None:
    wire = Wire(stage.dsn)
    dsn = await wire.open()
    stop = asyncio.Event()
    settings = LaneSettings(
        dsn, stage.bootstrap, stage.partitions, "one", prove_every=0.2, statement_timeout=1.0
    )
    working = asyncio.create_task(LaneLoop(Copier(stage.source, stage.target), settings).run(stop))
    try:
        await stage.publish(keys=6, each=20)
        await stage.until_handled()
        wire.swallow()
        await stage.publish(keys=6, each=20)
        await stage.until_handled()
        await stage.until_published()
        await stage.assert_nothing_lost_doubled_or_reordered()
    finally:
        stop.set()
        await asyncio.wait({working}, timeout=20)
        assert working.done()
        await wire.close()
    await working


@pytest.mark.parametrize("applied", [True, False], ids=["applied", "not applied"])
async def test_a_commit_whose_answer_is_lost_is_looked_up_and_never_guessed(
    stage: Stage, applied: bool
) -> None:
    wire = Wire(stage.dsn)
    dsn = await wire.open()
    stop = asyncio.Event()
    settings = LaneSettings(dsn, stage.bootstrap, stage.partitions, "one", batch=20, prove_every=0.2)
    ended = metrics.SESSIONS.labels("OutcomeUnknown")
    before = ended._value.get()
    working = asyncio.create_task(LaneLoop(Copier(stage.source, stage.target), settings).run(stop))
    try:
        await stage.publish(keys=6, each=20)
        await stage.until_handled(20)
        wire.lose_answers(3, applied)
        await stage.publish(keys=6, each=20)
        await stage.until_handled()
        await stage.until_published()
        assert ended._value.get() - before == 3
        await stage.assert_nothing_lost_doubled_or_reordered()
    finally:
        stop.set()
        await asyncio.wait({working}, timeout=20)
        await wire.close()
    await working


@pytest.mark.long  # A broker is away for longer than a stop waits.
async def test_a_stop_does_not_wait_for_ever_for_a_broker_that_acknowledges_nothing(
    stage: Stage, kafka: Any
) -> None:
    """A topic that is gone is tried again for ever by the client; what was committed is in the outbox."""
    await stage.publish(keys=4, each=5)
    first = stage.start("a", answer_timeout=2.0)
    await stage.until_handled()
    await stage.until_published()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.delete_topics([stage.target])
    await admin.close()
    await stage.publish(keys=4, each=5)
    await stage.until_handled()
    first.send_signal(signal.SIGTERM)
    # 2 s for an answer, 5 s for the producer to end, and a busy machine.
    await stage.until("ended", lambda: first.poll() is not None, 30)
    assert first.returncode == 0
    assert await stage.fetchval("SELECT bool_or(published_seq < outbox_seq) FROM lanes")


async def test_dropping_old_days_of_the_outbox_makes_no_lane_wait(stage: Stage) -> None:
    """A frozen owner's transaction, or a long report, holds the outbox; the keeper gives way to the rest."""
    today = datetime.now(UTC).date()
    await create_lanes(
        stage.dsn, stage.bootstrap, stage.partitions, (stage.source,), (stage.target,), range(2)
    )
    await stage.fetch("SELECT keep_outbox($1::date, 100)", today - timedelta(days=30))
    holding, keeper = await connect(stage.dsn), await connect(stage.dsn)
    try:
        async with holding.transaction():
            await holding.fetch("SELECT count(*) FROM outbox")
            await keeper.execute(SQL["wait_briefly"])
            keeping = asyncio.create_task(keeper.execute(SQL["keep_outbox"], today, 14))
            async with asyncio.timeout(10):
                await asyncio.wait({keeping})
                await stage.fetch("INSERT INTO outbox VALUES (0, 1, clock_timestamp(), '{}', 1, '\\x00')")
            assert keeping.exception() is not None
        await keeper.execute(SQL["keep_outbox"], today, 14)
        old = today - timedelta(days=30)
        assert await stage.fetchval("SELECT to_regclass($1)", f"outbox_{old:%Y%m%d}") is None
    finally:
        await holding.close()
        await keeper.close()


async def test_a_row_whose_day_gets_a_partition_meanwhile_is_tried_again_and_stops_nobody(
    stage: Stage,
) -> None:
    now = datetime.now(UTC)
    writing, keeper = await connect(stage.dsn), await connect(stage.dsn)
    blocked = "SELECT count(*) FROM pg_locks WHERE pid = $1 AND NOT granted"

    async def write() -> None:
        await writing.copy_records_to_table("outbox", records=[(0, 1, now, ["topic"], 1, b"frame", None)])

    try:
        async with keeper.transaction():
            await keeper.execute(SQL["keep_outbox"], now.date(), 14)
            write_first = asyncio.create_task(write())
            await stage.until("blocked", lambda: stage.fetchval(blocked, writing.get_server_pid()))
        with pytest.raises(asyncpg.CheckViolationError) as raised:
            await write_first
        assert is_retriable(raised.value)
        assert not is_broken_invariant(raised.value)
        await write()
        assert await stage.fetchval(f"SELECT count(*) FROM outbox_{now:%Y%m%d}") == 1
    finally:
        await writing.close()
        await keeper.close()


async def test_a_process_whose_clock_runs_ahead_drops_no_day_too_early(stage: Stage) -> None:
    today = datetime.now(UTC).date()
    await stage.fetch("SELECT keep_outbox($1::date, 100)", today - timedelta(days=5))
    await stage.fetch(SQL["keep_outbox"], today + timedelta(days=60), 14)
    kept = today - timedelta(days=5)
    assert await stage.fetchval("SELECT to_regclass($1)::text", f"outbox_{kept:%Y%m%d}")


async def test_a_lane_that_a_stranger_has_locked_is_left_and_no_query_stays_behind(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_takeover, "_PATIENCE_SECONDS", 0.3)
    await create_lanes(
        stage.dsn, stage.bootstrap, stage.partitions, (stage.source,), (stage.target,), range(2)
    )
    stranger, taker = await connect(stage.dsn), await connect(stage.dsn)
    try:
        # The row names the taker's own backend: it took the lane before and must not end itself.
        assert await raise_epoch(taker, stage.dsn, 0, "take_over", 0, "one") == 1
        async with stranger.transaction():
            await stranger.execute("SELECT FROM lanes WHERE lane = 0 FOR UPDATE")
            with pytest.raises(Unavailable):
                await raise_epoch(taker, stage.dsn, 0, "take_over", 0, "one")
            assert await raise_epoch(taker, stage.dsn, 1, "take_over", 1, "one") == 1
        assert await raise_epoch(taker, stage.dsn, 0, "take_over", 0, "one") == 2
    finally:
        await stranger.close()
        await taker.close()


async def test_topics_that_one_broker_alone_keeps_are_refused_where_replication_is_asked_for(
    stage: Stage,
) -> None:
    settings = LaneSettings(stage.dsn, stage.bootstrap, stage.partitions, "one", replicated=True)
    with pytest.raises(Misconfigured, match="money needs 3"):
        await LaneLoop(Copier(stage.source, stage.target), settings).run(asyncio.Event())


async def test_a_partition_count_that_changes_under_a_working_loop_ends_it(stage: Stage) -> None:
    """Every account's lane would be another one from here on: it says so and writes nothing more."""
    loop = LaneLoop(
        Copier(stage.source, stage.target),
        LaneSettings(stage.dsn, stage.bootstrap, stage.partitions, "one", prove_every=0.2),
    )
    working = asyncio.create_task(loop.run(asyncio.Event()))
    try:
        await stage.publish(keys=4, each=5)
        await stage.until_handled()
        admin = AIOKafkaAdminClient(bootstrap_servers=stage.bootstrap)
        await admin.start()
        await admin.create_partitions({stage.source: NewPartitions(stage.partitions + 1)})
        await admin.close()
        # The client looks by itself every 30 s.
        assert loop.session is not None
        await loop.session._consumer._consumer._client.force_metadata_update()
        with pytest.raises(Misconfigured, match="the count is for life"):
            await asyncio.wait_for(asyncio.shield(working), 30)
    finally:
        working.cancel()
        await asyncio.wait({working})
    assert await stage.fetchval("SELECT count(*) FROM lanes WHERE stopped_reason IS NOT NULL") == 0


async def test_an_owner_that_is_fenced_takes_its_lanes_again_while_the_group_gives_them_to_it(
    stage: Stage,
) -> None:
    """Whoever took them may have been a member no longer: merely dropped, they would have no owner."""
    stage.start("a")
    await stage.publish(keys=6, each=5)
    await stage.until_handled()
    await stage.fetch("UPDATE lanes SET epoch = epoch + 100, owner = 'a member no longer'")
    await stage.publish(keys=6, each=5)
    await stage.until_handled(seconds=20)
    await stage.until_published()
    assert await stage.fetchval("SELECT min(epoch) FROM lanes") > 100
    await stage.assert_nothing_lost_doubled_or_reordered()


async def test_a_process_id_that_was_given_out_again_is_not_ended(stage: Stage) -> None:
    await create_lanes(
        stage.dsn, stage.bootstrap, stage.partitions, (stage.source,), (stage.target,), range(2)
    )
    innocent = await connect(stage.dsn)
    try:
        pid = innocent.get_server_pid()
        await stage.fetch(
            "UPDATE lanes SET backend_pid = $1, backend_start = clock_timestamp() - interval '1 day'", pid
        )
        await stage.fetch(SQL["terminate_owner"], 0, 0)
        assert await innocent.fetchval("SELECT 1") == 1
        start = await innocent.fetchval("SELECT backend_start FROM pg_stat_activity WHERE pid = $1", pid)
        await stage.fetch("UPDATE lanes SET backend_start = $1", start)
        await stage.fetch(SQL["terminate_owner"], 0, 0)
        await stage.until("ended", lambda: _is_gone(stage, pid))
    finally:
        innocent.terminate()


async def _is_gone(stage: Stage, pid: int) -> bool:
    return not await stage.fetch("SELECT FROM pg_stat_activity WHERE pid = $1", pid)


async def test_many_lanes_behind_one_frozen_transaction_are_freed_together(stage: Stage) -> None:
    """The patience is spent once, not once a lane: 48 lanes at 2 s each would be as long as an outage."""
    await stage.fetch("INSERT INTO cluster (partitions) VALUES (48)")
    await stage.fetch(
        "INSERT INTO lanes (lane, incarnation, offsets) "
        "SELECT lane, incarnation, '{}' FROM cluster, generate_series(0, 47) AS lane"
    )
    frozen, taker = await connect(stage.dsn), await connect(stage.dsn)
    try:
        for lane in range(48):
            await raise_epoch(frozen, stage.dsn, lane, "take_over", lane, "frozen")
        transaction = frozen.transaction()
        await transaction.start()
        await frozen.execute("UPDATE lanes SET version = version + 1")
        async with asyncio.timeout(10):
            epochs = [
                await raise_epoch(taker, stage.dsn, lane, "take_over", lane, "taker") for lane in range(48)
            ]
        assert set(epochs) == {2}
        assert frozen.is_closed()
        assert await stage.fetchval("SELECT count(*) FROM lanes WHERE version = 0 AND owner = 'taker'") == 48
    finally:
        frozen.terminate()
        await taker.close()
