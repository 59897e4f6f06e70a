"""A session that has nothing to do leaves the loop to others; one that is in trouble stops what it must."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError
from prometheus_client import REGISTRY

from goodfunds.clock import SystemClock
from goodfunds.errors import DeliveryFailed
from goodfunds.lanes import Emission, Input, LaneSettings
from goodfunds.lanes import session as of_session
from goodfunds.lanes.consumer import LaneConsumer, UnreadablePartition
from goodfunds.lanes.frame import OutboxRow, number, pack, unpack
from goodfunds.lanes.session import Session
from goodfunds.lanes.state import LaneState
from goodfunds.lanes.takeover import Taken


class Handler:
    producer = "copier"
    inputs = (Input("in"),)
    outputs = ("out",)

    async def due(self, connection: Any, lanes: Sequence[int], now: Any) -> dict[int, list[Any]]:
        if 2 in lanes:
            raise ValueError("a due row that cannot be read")
        return {lane: ["due"] for lane in lanes}


class Publisher:
    """Counts the turns of a session; too many at once are a fault, since the loop never got a turn."""

    def __init__(self) -> None:
        self.checks = 0

    def check(self) -> None:
        self.checks += 1
        if self.checks > 1000:
            raise AssertionError("the session spins")

    async def wait_below(self, events: int) -> None:
        pass


class Connection:
    """Stops the lanes that it is told to, unless they belong to another owner by now."""

    def __init__(self, ours: bool = True) -> None:
        self.executed: list[tuple[Any, ...]] = []
        self._ours = ours

    async def fetchval(self, *arguments: Any) -> int | None:
        self.executed.append(arguments)
        return arguments[1] if self._ours else None

    async def fetch(self, *arguments: Any) -> list[Any]:
        return []


@pytest.fixture
async def consumer() -> AsyncIterator[LaneConsumer]:
    consumer = LaneConsumer("127.0.0.1:1", "group", ("in",))
    yield consumer
    await consumer.stop()


def session(consumer: LaneConsumer, publisher: Publisher, connection: Connection) -> Session:
    settings = LaneSettings("", "127.0.0.1:1", 4, "me")
    handler: Any = Handler()
    database: Any = connection
    publishing: Any = publisher
    return Session(handler, settings, SystemClock(), consumer, database, publishing, "i")


@pytest.mark.parametrize("answers", [True, False], ids=["nothing", "never"])
async def test_a_session_without_lanes_leaves_the_loop_to_others(
    consumer: LaneConsumer, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    """More instances than lanes, a rebalance under way, every lane stopped: heartbeats must go on."""

    async def getmany(
        *partitions: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[Any]]:
        assert partitions, "no partitions would be all of them"
        await asyncio.sleep(timeout_ms / 1000 if answers else 3600)
        return {}

    monkeypatch.setattr(consumer._consumer, "getmany", getmany)
    stop, publisher = asyncio.Event(), Publisher()
    running = asyncio.ensure_future(session(consumer, publisher, Connection()).run(stop))
    for _ in range(5):
        await asyncio.sleep(0.02)
    stop.set()
    # A poll's own patience, many times over.
    await asyncio.wait_for(running, 5)
    assert publisher.checks < 50


async def test_nothing_is_polled_while_too_much_of_a_takeovers_tail_is_not_published(
    consumer: LaneConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that takes no writes for hours: each session would add a poll to the outbox."""

    class Full(Publisher):
        async def wait_below(self, events: int) -> None:
            assert events == 20_000
            raise DeliveryFailed("not acknowledged in time")

    async def poll(wait_seconds: float, most: int) -> dict[int, list[Any]]:
        raise AssertionError("polled")

    monkeypatch.setattr(consumer, "poll", poll)
    with pytest.raises(DeliveryFailed):
        await asyncio.wait_for(session(consumer, Full(), Connection()).run(asyncio.Event()), 5)


async def test_an_offset_that_the_lane_has_left_behind_does_not_stop_it(
    consumer: LaneConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client tells of a fetch from before the seek as well."""
    connection = Connection()
    working = session(consumer, Publisher(), connection)
    working.held.states[1] = LaneState(1, 1, 1, {"in": 10})

    async def out_of_range(wait_seconds: float, most: int) -> dict[int, list[Any]]:
        raise OffsetOutOfRangeError({TopicPartition("in", 1): offset})

    monkeypatch.setattr(consumer, "poll", out_of_range)
    offset = 3
    assert await working._gather() == {}
    assert working.held.stopped == {}
    offset = 10
    assert await working._gather() == {}
    assert "does not have offset 10" in working.held.stopped[1]


async def test_a_lane_stops_whatever_characters_its_reason_holds(consumer: LaneConsumer) -> None:
    """Postgres takes neither a NUL nor half a surrogate pair; a stop that fails would stop the process."""
    connection = Connection()
    working = session(consumer, Publisher(), connection)
    of_held: Any = connection
    await working.held.stop(of_held, 1, 1, "ValueError: \0 and \ud800")
    (_, lane, epoch, reason, *_evidence) = connection.executed[0]
    assert (lane, epoch) == (1, 1)
    assert "\0" not in reason
    reason.encode()


async def test_a_lane_that_another_owner_has_taken_is_not_said_to_be_stopped(
    consumer: LaneConsumer,
) -> None:
    """Events that its new owner has published look like those of a database that was set back."""
    working, connection = session(consumer, Publisher(), Connection()), Connection(ours=False)
    working.held.states[1] = LaneState(1, 1, 1, {"in": 0})
    of_held: Any = connection
    await working.held.stop(of_held, 1, 1, "its database does not know them")
    assert working.held.stopped == {}
    assert working.held.states == {}
    assert working.held.missing({1}) == set(), "it is taken again only after a pause"


async def test_a_lane_that_is_left_alone_is_not_read_either(
    consumer: LaneConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session before may have read from it, and its positions are still the client's."""
    paused: list[int] = []
    monkeypatch.setattr(consumer, "pause", paused.append)
    working = session(consumer, Publisher(), Connection())
    working.held.leave(1)
    assert paused == [1]
    assert working.held.missing({1, 2}) == {2}


async def test_what_is_due_and_cannot_be_read_stops_its_lane_and_no_other(consumer: LaneConsumer) -> None:
    connection = Connection()
    working = session(consumer, Publisher(), connection)
    working.held.states.update({lane: LaneState(lane, 1, 1, {"in": 0}) for lane in range(4)})
    assert await working._due() == {0: ["due"], 1: ["due"], 3: ["due"]}
    assert "a due row" in working.held.stopped[2]
    assert len(connection.executed) == 1


async def test_a_partition_that_cannot_be_read_stops_its_lane_and_the_others_read_again(
    consumer: LaneConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    working = session(consumer, Publisher(), Connection())
    working.held.states.update({lane: LaneState(lane, 1, 1, {"in": 0}) for lane in range(2)})

    async def unreadable(wait_seconds: float, most: int) -> dict[int, list[Any]]:
        raise UnreadablePartition(TopicPartition("in", 1), ValueError("damaged"))

    monkeypatch.setattr(consumer, "poll", unreadable)
    consumer.changed.clear()
    assert await working._gather() == {}
    assert "in/1" in working.held.stopped[1]
    assert working.held.states.keys() == {0}
    assert consumer.changed.is_set()


async def test_two_polls_of_one_transaction_keep_the_order_of_topics_and_offsets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    consumer = LaneConsumer("127.0.0.1:1", "group", ("first", "second"))
    working = session(consumer, Publisher(), Connection())
    working._last_seconds = 0.001
    polls = [["first 0", "first 1", "second 7"], ["first 2", "second 8"]]

    async def poll(wait_seconds: float, most: int) -> dict[int, list[Any]]:
        return {0: [SimpleNamespace(topic=each.split()[0], name=each) for each in polls.pop(0)]}

    monkeypatch.setattr(consumer, "poll", poll)
    found: Any = await working._gather()
    assert [each.name for each in found[0]] == ["first 0", "first 1", "first 2", "second 7", "second 8"]
    await consumer.stop()


async def test_a_lane_counts_as_stuck_once_it_was_behind_for_long_without_moving(
    consumer: LaneConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    working = session(consumer, Publisher(), Connection())
    state = working.held.states[1] = LaneState(1, 1, 1, {"in": 10})
    clock, behind = 1_000.0, 0

    async def prove(states: Any) -> None:
        pass

    async def lags(lane: int, offsets: Any) -> dict[str, int]:
        return {"in": behind}

    monkeypatch.setattr(working.handling, "prove", prove)
    monkeypatch.setattr(consumer, "lags", lags)
    monkeypatch.setattr(consumer, "partition_counts", dict)
    monkeypatch.setattr(working, "_now", lambda: clock)

    async def stuck_after(seconds: float, records_behind: int) -> float | None:
        nonlocal clock, behind
        clock, behind = clock + seconds, records_behind
        await working._keep_house()
        return REGISTRY.get_sample_value("goodfunds_lanes_not_moving")

    assert await stuck_after(0, 0) == 0
    # Idle for an hour, and then something has just come.
    assert await stuck_after(3_600, 0) == 0
    assert await stuck_after(3, 5) == 0
    assert await stuck_after(29, 5) == 1
    state.offsets = {"in": 11}
    assert await stuck_after(3, 4) == 0
    assert await stuck_after(40, 4) == 1
    # Another instance had it meanwhile.
    del working.held.states[1]
    assert await stuck_after(3, 4) == 0
    working.held.states[1] = state
    assert await stuck_after(40, 4) == 0


async def test_a_tail_that_cannot_be_unpacked_stops_its_lane_and_no_other(
    consumer: LaneConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics, count, frame = pack(number([Emission("out", 0, b"k", "Copied", b"1", b"")], {}))
    tails = {lane: [OutboxRow(lane, 1, SystemClock().now(), topics, count, frame)] for lane in range(3)}
    tails[1] = [replace(tails[1][0], frame=frame[:-3])]
    tails[2] = [replace(tails[2][0], topics=())]
    states = {lane: LaneState(lane, 1, 1, {"in": 0}) for lane in range(3)}
    published = []

    class Unpacking(Publisher):
        def publish(self, state: LaneState, rows: Sequence[OutboxRow]) -> None:
            published.extend([event for row in rows for event in unpack(row)])

    async def raised(*of: Any) -> int:
        return 1

    async def taken(*of: Any) -> Taken:
        return Taken(states, tails, {})

    async def known(*of: Any) -> dict[int, Any]:
        return {}

    monkeypatch.setattr(of_session, "raise_epoch", raised)
    monkeypatch.setattr(of_session, "read_taken", taken)
    monkeypatch.setattr(of_session, "unknown_events", known)
    monkeypatch.setattr(consumer, "seek", lambda *of: True)
    working = session(consumer, Unpacking(), Connection())
    await working._take({0, 1, 2})
    assert working.held.states.keys() == {0}
    assert working.held.stopped.keys() == {1, 2}
    assert "does not hold its events" in working.held.stopped[1]
    assert [event.body for event in published] == [b"1"]


async def test_no_input_counts_as_caught_up_by_records_that_were_read_and_dropped(
    consumer: LaneConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another lane's fault makes all read again from their offsets; the client stands further already."""
    working, stop = session(consumer, Publisher(), Connection()), asyncio.Event()
    asked: list[bool] = []

    async def gather() -> dict[int, list[Any]]:
        consumer.changed.set() if not asked else consumer.changed.clear()
        asked.append(consumer.changed.is_set())
        if len(asked) == 2:
            stop.set()
        return {}

    read_on: list[int] = []

    async def reading_on(_pass_over: Any) -> None:
        read_on.append(len(asked))

    monkeypatch.setattr(working, "_gather", gather)
    monkeypatch.setattr(working.held, "read_on", reading_on)
    await asyncio.wait_for(working.run(stop), 5)
    assert (asked, read_on) == ([True, False], [2])
