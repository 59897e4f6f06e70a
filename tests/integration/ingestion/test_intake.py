"""The file intake on a real broker: item by item, in order; a crash anywhere loses and doubles nothing."""

import asyncio
import io
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from goodfunds.clock import FixedClock
from goodfunds.errors import InvariantBroken
from goodfunds.events import types
from goodfunds.lanes import Feed, LaneSettings, lane_of
from goodfunds.lanes.publisher import Publisher
from goodfunds.local.demo_file import demo_file
from goodfunds.postgres import connect, create_pool
from services.ingestion import PAYMENTS_WRITE, http_files, intake
from services.ingestion.intake import FileIntake
from tests.conftest import Kafka, MakeTopics
from tests.integration.ingestion.desk import NOW, PARTITIONS, Numbers
from tests.tokens import app_behind_a_door, bearer, token_of

CHUNK = 20
ITEMS = 2 * CHUNK + 7
FILE = demo_file(ITEMS, 5, date(2026, 3, 3))


@dataclass
class Stage:
    """A database, a topic of this test alone, and an HTTP door for files."""

    pool: Any
    settings: LaneSettings
    topic: str

    def feed(self, source: FileIntake | None = None, owner: str = "test") -> Feed:
        settings = replace(self.settings, owner=owner)
        return Feed(source or FileIntake(self.pool, PARTITIONS), settings, idle=0.02)

    async def take(self, content: bytes, client: str = "shop") -> None:
        app = app_behind_a_door(self.pool, FixedClock(NOW))
        http_files.add_routes(app, self.pool, FixedClock(NOW), 10**7)
        token = await token_of(self.settings.dsn, client, PAYMENTS_WRITE, made=NOW)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as door:
            answer = await door.post("/v1/payment-files", content=content, headers=bearer(token))
            assert answer.status_code == 202

    async def position(self) -> int:
        return int(await self.pool.fetchval("SELECT sum(position) FROM payment_files"))

    async def until(self, what: Callable[[], Awaitable[bool]], running: "asyncio.Task[None]") -> None:
        """Wait until something holds: a feed needs well under a second, 30 s are for a busy machine."""
        async with asyncio.timeout(30):
            while not await what():
                assert not running.done(), running
                await asyncio.sleep(0.02)

    async def run_until_finished(self) -> None:
        """Have a feed take in what waits, then stop in good order. A dead owner's heart is long still."""
        await self.pool.execute("UPDATE lanes SET heartbeat = heartbeat - interval '1 minute'")
        stop = asyncio.Event()
        running = asyncio.create_task(self.feed().run(stop))

        async def finished() -> bool:
            waiting = "SELECT count(*) = 0 FROM payment_files WHERE finished_at IS NULL"
            return bool(await self.pool.fetchval(waiting))

        await self.until(finished, running)
        stop.set()
        await asyncio.wait_for(running, 30)

    async def published(self) -> list[tuple[int, int, types.PaymentInstruction]]:
        """What stands on the topic in order, repeats included: (partition, seq, instruction)."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.settings.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        found = []
        try:
            places = [TopicPartition(self.topic, lane) for lane in range(PARTITIONS)]
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            await consumer.seek_to_beginning(*places)
            while any([await consumer.position(place) < ends[place] for place in places]):
                for place, records in (await consumer.getmany(timeout_ms=200)).items():
                    for each in records:
                        event = types.decode(each.value)
                        assert isinstance(event, types.PaymentInstruction)
                        assert each.key == event.debtor_account.encode()
                        found.append((place.partition, int(dict(each.headers)["seq"]), event))
        finally:
            await consumer.stop()
        return found

    async def assert_whole(self, clients: int = 1) -> None:
        """Every item once, on its lane, its account's in the order of the file, numbers without a gap."""
        seen: dict[int, list[types.PaymentInstruction]] = {lane: [] for lane in range(PARTITIONS)}
        for partition, seq, event in await self.published():
            if seq <= len(seen[partition]):
                continue
            assert seq == len(seen[partition]) + 1
            assert lane_of(event.debtor_account, PARTITIONS) == partition
            seen[partition].append(event)
        events = [event for of_lane in seen.values() for event in of_lane]
        keys = Counter((event.client, event.idempotency_key) for event in events)
        assert (len(keys), set(keys.values())) == (ITEMS * clients, {1})
        for account in {event.debtor_account for event in events}:
            for client in {event.client for event in events}:
                order = [
                    tuple(map(int, event.idempotency_key.split("/")[1:]))
                    for event in events
                    if (event.debtor_account, event.client) == (account, client)
                ]
                assert order == sorted(order)


@pytest.fixture
async def stage(
    kafka: Kafka, database: str, make_topics: MakeTopics, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    topic = f"instructions-{uuid4().hex[:8]}"
    monkeypatch.setattr(intake, "PAYMENT_INSTRUCTIONS", topic)
    monkeypatch.setattr(FileIntake, "outputs", (topic,))
    monkeypatch.setattr(intake, "CHUNK", CHUNK)
    await make_topics([topic], PARTITIONS)
    pool = await create_pool(database)
    yield Stage(pool, LaneSettings(database, kafka.bootstrap, PARTITIONS, "test"), topic)
    await pool.close()


async def test_files_are_published_item_by_item_each_on_its_lane(stage: Stage) -> None:
    await stage.take(FILE)
    await stage.take(FILE, client="another")
    await stage.run_until_finished()
    assert await stage.position() == 2 * ITEMS
    await stage.assert_whole(clients=2)


async def test_a_stop_in_the_middle_is_gone_on_from_without_losing_or_doubling(stage: Stage) -> None:
    await stage.take(FILE)
    stop = asyncio.Event()

    class Stopping(FileIntake):
        async def record(self, *given: Any, **named: Any) -> Any:
            stop.set()
            return await super().record(*given, **named)

    await asyncio.wait_for(stage.feed(Stopping(stage.pool, PARTITIONS)).run(stop), 30)
    assert await stage.position() == CHUNK
    await stage.run_until_finished()
    await stage.assert_whole()
    assert len(await stage.published()) == ITEMS


class Crash(Exception):
    """The process dies here."""


@pytest.mark.parametrize("nth", [1, 2, 3])
async def test_a_crash_between_commit_and_publish_is_made_up_for_by_the_next_owner(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    await stage.take(FILE)
    publish, calls = Publisher.publish, 0

    def dying(publisher: Publisher, state: Any, rows: Any) -> None:
        nonlocal calls
        calls += bool(rows)
        if calls == nth:
            raise Crash
        publish(publisher, state, rows)

    monkeypatch.setattr(Publisher, "publish", dying)
    with pytest.raises(Crash):
        await asyncio.wait_for(stage.feed().run(asyncio.Event()), 30)
    monkeypatch.setattr(Publisher, "publish", publish)
    assert await stage.position() == min(nth * CHUNK, ITEMS)
    await stage.run_until_finished()
    await stage.assert_whole()


async def test_a_crash_before_the_commit_has_moved_nothing(stage: Stage) -> None:
    await stage.take(FILE)

    class Dying(FileIntake):
        async def record(self, *given: Any, **named: Any) -> Any:
            await super().record(*given, **named)
            raise Crash

    with pytest.raises(Crash):
        await asyncio.wait_for(stage.feed(Dying(stage.pool, PARTITIONS)).run(asyncio.Event()), 30)
    assert (await stage.position(), await stage.published()) == (0, [])
    await stage.run_until_finished()
    await stage.assert_whole()


async def test_a_source_whose_transaction_failed_reads_the_same_payments_again(stage: Stage) -> None:
    await stage.take(FILE)
    source = FileIntake(stage.pool, PARTITIONS)
    first, again = await source.look(), await source.look()
    assert first is not None
    assert again is not None
    assert (first.position, len(first.instructions)) == (0, CHUNK)
    assert again == first


async def test_what_of_a_file_was_recorded_is_not_recorded_again(stage: Stage) -> None:
    """A feed is fenced; this holds where the fence did not."""
    await stage.take(FILE)
    source, numbers = FileIntake(stage.pool, PARTITIONS), Numbers()
    first, again = await source.look(), await source.look()
    assert first is not None
    assert again is not None
    async with stage.pool.acquire() as connection:
        assert len(await source.record(connection, first, NOW, numbers)) == CHUNK
        with pytest.raises(InvariantBroken):
            await source.record(connection, again, NOW, numbers)
    assert await stage.position() == CHUNK


async def test_while_a_file_is_read_everything_else_goes_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.take(FILE)
    read, other_work = intake.instructions, threading.Event()

    def slow(client: str, content: Any) -> Any:
        # The loop's other work takes no time; a loop that waits for this does none at all.
        assert other_work.wait(10)
        yield from read(client, content)

    monkeypatch.setattr(intake, "instructions", slow)
    looking = asyncio.create_task(FileIntake(stage.pool, PARTITIONS).look())
    asyncio.get_running_loop().call_later(0.1, other_work.set)
    chunk = await looking
    assert chunk is not None
    assert len(chunk.instructions) == CHUNK


async def test_a_look_that_was_cancelled_has_taken_nothing_from_the_next(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.take(FILE)
    read, begun, go_on = intake.instructions, threading.Event(), threading.Event()

    def slow(client: str, content: Any) -> Any:
        begun.set()
        assert go_on.wait(10)
        yield from read(client, content)

    monkeypatch.setattr(intake, "instructions", slow)
    source = FileIntake(stage.pool, PARTITIONS)
    looking = asyncio.create_task(source.look())
    assert await asyncio.to_thread(begun.wait, 10)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    again = asyncio.create_task(source.look())
    go_on.set()
    chunk = await again
    assert chunk is not None
    assert [each.idempotency_key for each in chunk.instructions] == [
        each.idempotency_key for each in islice(read("shop", io.BytesIO(FILE)), CHUNK)
    ]


async def test_a_file_that_can_no_longer_be_read_stops_the_feed_durably(stage: Stage) -> None:
    await stage.take(FILE)
    await stage.pool.execute("UPDATE payment_files SET content = substr(content, 1, 3000)")
    feed, stop = stage.feed(), asyncio.Event()
    running = asyncio.create_task(feed.run(stop))

    async def stopped() -> bool:
        reason = await stage.pool.fetchval("SELECT stopped_reason FROM lanes WHERE lane = -1")
        return bool(reason) and "taken in" in reason

    await stage.until(stopped, running)
    stop.set()
    await asyncio.wait_for(running, 30)
    assert (await stage.position(), await stage.published()) == (0, [])


async def test_while_another_owner_lives_a_feed_stands_by(stage: Stage) -> None:
    await stage.take(FILE)
    stop, ends = asyncio.Event(), asyncio.Event()
    owner, rival = stage.feed(owner="one"), stage.feed(owner="two")
    owning = asyncio.create_task(owner.run(stop))

    async def works() -> bool:
        return owner.working and await stage.position() == ITEMS

    await stage.until(works, owning)
    standing_by = asyncio.create_task(rival.run(ends))
    connection = await connect(stage.settings.dsn)
    epoch = await connection.fetchval("SELECT epoch FROM lanes WHERE lane = -1")
    await stage.take(FILE, client="another")

    async def all_in() -> bool:
        return await stage.position() == 2 * ITEMS

    await stage.until(all_in, owning)
    assert (rival.working, rival.unready()) == (False, [])
    assert await connection.fetchval("SELECT epoch FROM lanes WHERE lane = -1") == epoch
    await connection.close()
    for event, running in ((ends, standing_by), (stop, owning)):
        event.set()
        await asyncio.wait_for(running, 30)
    await stage.assert_whole(clients=2)
