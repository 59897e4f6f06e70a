"""Where a lane's events go: whether its own stand there unknown, and how far it has looked."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
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

    Such a database was set back to an older state: it would give old numbers to new events. So was one that
    finds events of another incarnation behind what it has seen. Every destination of this database is read
    to its end from the last broker offset that a lane has acknowledged or seen, and all lanes' events are
    looked at: one that was set back to before its first event for some partition knows nothing of that
    partition, but its neighbours do. The rows are read after the topics,
    so that what an owner publishes meanwhile is known. What was seen is remembered in `states`. Raises
    Unavailable where reading does not get on, KafkaError.
    """
    if not states:
        return {}
    of_feed = FEED in states
    before = await connection.fetch(SQL["read_destinations"], of_feed)
    # Their owners adopt those, and may be done with it by the time that the topics are read.
    restored = {row["lane"] for row in before if row["restored_at"] is not None}
    starts = first_unseen(outputs, before)
    if not starts:
        return {}
    last: LastEvents = {}
    strange: dict[int, str] = {}
    async with reading(bootstrap, starts) as found:
        async for records in found.records():
            for record in records:
                event = own_event(record, producer)
                if event is not None:
                    lane, seq, name = event
                    if name != producer.encode():
                        strange[lane] = f"{record.topic}/{record.partition} offset {record.offset}"
                    known = last.setdefault(lane, {}).get((record.topic, record.partition), (0, 0))
                    last[lane][record.topic, record.partition] = max(known, (seq, record.offset))
    unknown = {}
    rows = await connection.fetch(SQL["read_destinations"], of_feed) if last else []
    for row in rows:
        if row["restored_at"] is not None or row["lane"] in restored:
            continue
        if row["lane"] in strange:
            unknown[row["lane"]] = Unknown(row["epoch"], strange[row["lane"]])
        numbers = destinations(row["destinations"])
        for (topic, partition), (seq, offset) in last.get(row["lane"], {}).items():
            if seq >= numbers.get((topic, partition), 1):
                unknown[row["lane"]] = Unknown(row["epoch"], f"{topic}/{partition} offset {offset}")
    remember(found.ends, outputs, states.values())
    return unknown


@asynccontextmanager
async def reading(
    bootstrap: str, starts: Mapping[TopicPartition, int], since_ms: int | None = None
) -> AsyncIterator["Reading"]:
    """Partitions from `starts`, or from what the broker has since a time (ms) where that is earlier."""
    read_leniently()
    reader = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    try:
        await reader.start()
        places = list(starts)
        ends: dict[TopicPartition, int] = await reader.end_offsets(places)
        beginnings = await reader.beginning_offsets(places)
        first = {place: max(start, beginnings[place]) for place, start in starts.items()}
        gone = [place for place, start in starts.items() if start < beginnings[place]]
        if since_ms is not None:
            for place, found in (await reader.offsets_for_times(dict.fromkeys(places, since_ms))).items():
                if found is not None:
                    first[place] = min(first[place], found.offset)
        unread = {place for place, start in first.items() if start < ends[place]}
        if unread:
            reader.assign(list(unread))
        for place in unread:
            reader.seek(place, first[place])
        yield Reading(reader, ends, gone, unread)
    finally:
        await reader.stop()


@dataclass(slots=True)
class Reading:
    """Partitions that are read to their `ends` as reading began; of some the start is `gone` already."""

    reader: Any
    ends: dict[TopicPartition, int]
    gone: list[TopicPartition]
    _unread: set[TopicPartition]

    async def records(self) -> AsyncIterator[list[Record]]:
        """Records as they come, those of a partition in order. Raises Unavailable where none come."""
        loop = asyncio.get_running_loop()
        moved = loop.time()
        unread = self._unread
        while unread:
            found = await self.reader.getmany(*unread, timeout_ms=500)
            if found:
                yield [record for of_place in found.values() for record in of_place]
                moved = loop.time()
            unread = {place for place in unread if await self.reader.position(place) < self.ends[place]}
            if loop.time() - moved > _READ_SECONDS:
                raise Unavailable(f"the ends of {sorted(unread)} cannot be read")


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
    remember(ends, outputs, held())
    if consumer is not None:
        consumer.hear(ends)


def first_unseen(outputs: Collection[str] | None, rows: Iterable[Any]) -> dict[TopicPartition, int]:
    """Every destination of a database (of these topics), and the offset up to which its lanes have looked."""
    starts: dict[TopicPartition, int] = {}
    for row in rows:
        seen = destinations(row["acknowledged"])
        for topic, partition in {*seen, *destinations(row["destinations"])}:
            if outputs is None or topic in outputs:
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


def remember(ends: dict[TopicPartition, int], outputs: Sequence[str], states: Iterable[LaneState]) -> None:
    """Note that all up to the ends was looked at."""
    for state in states:
        for place in _places(outputs, [state]):
            if place in ends:
                known = state.acknowledged.get((place.topic, place.partition), -1)
                state.acknowledged[place.topic, place.partition] = max(known, ends[place] - 1)


def own_event(record: Record, producer: str) -> tuple[int, int, bytes] | None:
    """(lane, seq, name) of an event of that service, of any life of its database; None of others."""
    try:
        name, lane, seq = origin(record)
        if name.partition(b".")[0] == producer.partition(".")[0].encode():
            return int(lane), seq, name
    except (Unreadable, ValueError, TypeError, AttributeError):
        # A client may write any header, a null one too.
        return None
    return None
