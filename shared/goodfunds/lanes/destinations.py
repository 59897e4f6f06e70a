"""Where a lane's events go: whether its own stand there unknown, and how far it has looked."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from goodfunds.errors import Unavailable, Unreadable
from goodfunds.lanes.consumer import LaneConsumer
from goodfunds.lanes.headers import origin
from goodfunds.lanes.lenient import read_leniently
from goodfunds.lanes.records import Record
from goodfunds.lanes.state import LaneState

log = structlog.get_logger(__name__)

_READ_SECONDS = 30.0
_FOLLOW_SECONDS = 60.0


async def unknown_events(
    bootstrap: str, producer: str, outputs: Sequence[str], states: dict[int, LaneState]
) -> dict[int, str]:
    """Lanes whose own events stand on a topic without their database knowing them → what was found.

    Such a database was set back to an older state: it would give old numbers to new events. Each
    destination is read to its end from the last broker offset that the lane has acknowledged or seen, and
    what was seen is remembered. Raises Unavailable where reading does not get on, KafkaError.
    """
    wanted = _starts(outputs, states.values())
    if not wanted:
        return {}
    found: dict[int, str] = {}
    read_leniently()
    reader = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    try:
        await reader.start()
        ends = await reader.end_offsets(list(wanted))
        beginnings = await reader.beginning_offsets(list(wanted))
        starts = {place: max(start, beginnings[place]) for place, start in wanted.items()}
        unread = {place for place, start in starts.items() if start < ends[place]}
        if unread:
            reader.assign(list(unread))
        for place in unread:
            reader.seek(place, starts[place])
        loop = asyncio.get_running_loop()
        moved = loop.time()
        while unread:
            for place, records in (await reader.getmany(*unread, timeout_ms=500)).items():
                moved = loop.time()
                for record in records:
                    lane = _unknown(record, producer.encode(), states)
                    if lane is not None:
                        found.setdefault(lane, f"{place.topic}/{place.partition} offset {record.offset}")
            unread = {place for place in unread if await reader.position(place) < ends[place]}
            if loop.time() - moved > _READ_SECONDS:
                raise Unavailable(f"the ends of {sorted(unread)} cannot be read")
    finally:
        await reader.stop()
    _remember(ends, outputs, states.values())
    return found


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
    places = {*_starts(outputs, held()), *(consumer.reading() if consumer else ())}
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


def _starts(outputs: Sequence[str], states: Iterable[LaneState]) -> dict[TopicPartition, int]:
    wanted: dict[TopicPartition, int] = {}
    for state in states:
        for topic, partition in {*state.acknowledged, *state.next_seq}:
            if topic in outputs:
                place = TopicPartition(topic, partition)
                start = state.acknowledged.get((topic, partition), -1) + 1
                wanted[place] = min(start, wanted.get(place, start))
    return wanted


def _remember(ends: dict[TopicPartition, int], outputs: Sequence[str], states: Iterable[LaneState]) -> None:
    for state in states:
        for topic, partition in {*state.acknowledged, *state.next_seq}:
            end = ends.get(TopicPartition(topic, partition))
            if topic in outputs and end is not None:
                known = state.acknowledged.get((topic, partition), -1)
                state.acknowledged[topic, partition] = max(known, end - 1)


def _unknown(record: Record, producer: bytes, states: dict[int, LaneState]) -> int | None:
    try:
        name, lane_text, seq = origin(record)
        lane = int(lane_text)
    except (Unreadable, ValueError):
        return None
    state = states.get(lane)
    if name != producer or state is None:
        return None
    next_seq = state.next_seq.get((record.topic, record.partition), 1)
    return lane if seq >= next_seq else None
