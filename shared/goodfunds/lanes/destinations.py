"""Where a lane's events go: whether its own stand there unknown, and how far it has looked."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from goodfunds.errors import Unavailable, Unreadable
from goodfunds.lanes.consumer import LaneConsumer
from goodfunds.lanes.fence import SQL, destinations
from goodfunds.lanes.guard import FEED
from goodfunds.lanes.headers import origin
from goodfunds.lanes.lenient import read_leniently
from goodfunds.lanes.records import Connection, Record
from goodfunds.lanes.state import LaneState

log = structlog.get_logger(__name__)

LastEvents = dict[int, dict[tuple[str, int], tuple[int, int]]]
"""lane → (topic, partition) → (seq, offset)"""

_READ_SECONDS = 30.0
_FOLLOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event that its lane's database does not know: the lane's epoch, and where the event stands."""

    epoch: int
    found: str


async def unknown_events(
    connection: Connection,
    bootstrap: str,
    producer: str,
    outputs: Sequence[str],
    states: Mapping[int, LaneState],
) -> dict[int, Unknown]:
    """Lanes whose own events stand on a topic without their database knowing them.

    Such a database was set back to an older state: it would give old numbers to new events. Every
    destination of this database is read to its end from the last broker offset that a lane has acknowledged
    or seen, and all lanes' events are looked at: one that was set back to before its first event for some
    partition knows nothing of that partition, but its neighbours do. The rows are read after the topics,
    so that what an owner publishes meanwhile is known. What was seen is remembered in `states`. Raises
    Unavailable where reading does not get on, KafkaError.
    """
    if not states:
        return {}
    of_feed = FEED in states
    starts = _starts(outputs, await connection.fetch(SQL["read_destinations"], of_feed))
    if not starts:
        return {}
    ends, last = await _own_events(bootstrap, producer.encode(), starts)
    unknown = {}
    rows = await connection.fetch(SQL["read_destinations"], of_feed) if last else []
    for row in rows:
        known = destinations(row["destinations"])
        for (topic, partition), (seq, offset) in last.get(row["lane"], {}).items():
            if seq >= known.get((topic, partition), 1):
                unknown[row["lane"]] = Unknown(row["epoch"], f"{topic}/{partition} offset {offset}")
    _remember(ends, outputs, states.values())
    return unknown


async def _own_events(
    bootstrap: str, producer: bytes, starts: Mapping[TopicPartition, int]
) -> tuple[dict[TopicPartition, int], LastEvents]:
    """Where each partition ends, and the last of a producer's events between there and its start."""
    last: LastEvents = {}
    read_leniently()
    reader = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    try:
        await reader.start()
        ends: dict[TopicPartition, int] = await reader.end_offsets(list(starts))
        beginnings = await reader.beginning_offsets(list(starts))
        first = {place: max(start, beginnings[place]) for place, start in starts.items()}
        unread = {place for place, start in first.items() if start < ends[place]}
        if unread:
            reader.assign(list(unread))
        for place in unread:
            reader.seek(place, first[place])
        loop = asyncio.get_running_loop()
        moved = loop.time()
        while unread:
            for records in (await reader.getmany(*unread, timeout_ms=500)).values():
                moved = loop.time()
                for record in records:
                    _note(record, producer, last)
            unread = {place for place in unread if await reader.position(place) < ends[place]}
            if loop.time() - moved > _READ_SECONDS:
                raise Unavailable(f"the ends of {sorted(unread)} cannot be read")
    finally:
        await reader.stop()
    return ends, last


async def follow_ends(
    bootstrap: str,
    outputs: Sequence[str],
    held: Callable[[], Collection[LaneState]],
    consumer: LaneConsumer | None = None,
) -> None:
    """Once a minute note how far the destinations of the held lanes have grown, until cancelled.

    Whoever takes them over reads from there, not from an event of its own that may be months old. It is
    safe since a later transaction proves the lane ours: what it does not know by then is not sent yet.
    The `consumer` is told where its inputs end.
    """
    while True:
        await asyncio.sleep(_FOLLOW_SECONDS)
        try:
            await note_ends(bootstrap, outputs, held, consumer)
        except Exception as fault:
            log.warning("ends of topics not noted", fault=repr(fault))


async def note_ends(
    bootstrap: str,
    outputs: Sequence[str],
    held: Callable[[], Collection[LaneState]],
    consumer: LaneConsumer | None = None,
) -> None:
    """Note once how far the topics of the held lanes have grown. Raises KafkaError, OSError."""
    places = {*_places(outputs, held()), *(consumer.reading() if consumer else ())}
    if not places:
        return
    reader = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    try:
        await reader.start()
        ends = await reader.end_offsets(list(places))
    finally:
        await reader.stop()
    _remember(ends, outputs, held())
    if consumer is not None:
        consumer.hear(ends)


def _starts(outputs: Sequence[str], rows: Iterable[Any]) -> dict[TopicPartition, int]:
    starts: dict[TopicPartition, int] = {}
    for row in rows:
        seen = destinations(row["acknowledged"])
        for topic, partition in {*seen, *destinations(row["destinations"])}:
            if topic in outputs:
                place = TopicPartition(topic, partition)
                starts[place] = max(starts.get(place, 0), seen.get((topic, partition), -1) + 1)
    return starts


def _places(outputs: Sequence[str], states: Iterable[LaneState]) -> set[TopicPartition]:
    return {
        TopicPartition(topic, partition)
        for state in states
        for topic, partition in {*state.acknowledged, *state.next_seq}
        if topic in outputs
    }


def _remember(ends: dict[TopicPartition, int], outputs: Sequence[str], states: Iterable[LaneState]) -> None:
    for state in states:
        for place in _places(outputs, [state]):
            if place in ends:
                known = state.acknowledged.get((place.topic, place.partition), -1)
                state.acknowledged[place.topic, place.partition] = max(known, ends[place] - 1)


def _note(record: Record, producer: bytes, last: LastEvents) -> None:
    try:
        name, lane_text, seq = origin(record)
        lane = int(lane_text)
    except (Unreadable, ValueError):
        return
    if name == producer:
        of_lane = last.setdefault(lane, {})
        known = of_lane.get((record.topic, record.partition), (0, 0))
        of_lane[record.topic, record.partition] = max(known, (seq, record.offset))
