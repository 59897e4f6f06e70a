"""A lane's outbox as operators see it: the events that it decided to publish, and which are published."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from goodfunds import ids
from goodfunds.events.readable import decoded
from goodfunds.lanes.frame import NumberedEvent, OutboxRow, unpack
from goodfunds.operating.lanes import SQL
from goodfunds.operating.shapes import OutboxEvent

LARGEST: Final = 2**63 - 1
EXAMINED_EVENTS: Final = 5_000
"""Events that are looked at for a page; a row more than they fill is not read."""
_EXAMINED_ROWS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Destination:
    """Where events went: of these alone, with a seq from `first`, inclusive, to `end`, exclusive."""

    topic: str
    partition: int
    first: int = 1
    end: int = LARGEST


@dataclass(frozen=True, slots=True)
class Source:
    """A lane as its events name it. `life`: from when on its incarnation has decided; None in the first."""

    lane: int
    producer: str
    published_seq: int
    life: datetime | None


async def rows_between(pool: "asyncpg.Pool[Any]", lane: int, first: int, last: int) -> list[OutboxRow]:
    """Rows by outbox_seq, both inclusive: as many as a page looks at."""
    found = await pool.fetch(SQL["outbox_rows"], lane, first, last, _EXAMINED_ROWS, EXAMINED_EVENTS)
    return [OutboxRow(**row) for row in found]


async def row_of_seq(pool: "asyncpg.Pool[Any]", lane: int, wanted: Destination) -> int:
    """An outbox_seq from which on the events of `wanted` follow, with few before them.

    Numbers of a destination rise with outbox_seq, so that it is found by halves.
    """
    bounds = await pool.fetchrow(SQL["outbox_bounds"], lane)
    if bounds is None or bounds["first"] is None:
        return 0
    low, high = bounds["first"], bounds["last"]
    while low < high:
        middle = (low + high) // 2
        if await _last_seq(pool, lane, middle, wanted) < wanted.first:
            low = middle + 1
        else:
            high = middle
    return int(low)


async def _last_seq(pool: "asyncpg.Pool[Any]", lane: int, outbox_seq: int, wanted: Destination) -> int:
    """The last seq of a row to the destination; beyond all where it has none, so that nothing is missed."""
    seqs = [
        event.seq
        for row in await pool.fetch(SQL["outbox_rows"], lane, outbox_seq, outbox_seq, 1, 1)
        for event in unpack(OutboxRow(**row))
        if (event.topic, event.partition) == (wanted.topic, wanted.partition)
    ]
    return max(seqs, default=LARGEST)


def events_of(
    rows: list[OutboxRow], after: tuple[int, int]
) -> Iterator[tuple[OutboxRow, int, NumberedEvent]]:
    """(row, place in it from 1, event) beyond (outbox_seq, place)."""
    for row in rows:
        for place, event in enumerate(unpack(row), 1):
            if (row.outbox_seq, place) > after:
                yield row, place, event


def is_wanted(event: NumberedEvent, wanted: Destination | None) -> bool:
    """Whether an event is of a destination, and of those numbers."""
    return wanted is None or (
        (event.topic, event.partition) == (wanted.topic, wanted.partition)
        and wanted.first <= event.seq < wanted.end
    )


def is_beyond(event: NumberedEvent, wanted: Destination) -> bool:
    """Whether an event went to the destination after all that are wanted."""
    return (event.topic, event.partition) == (wanted.topic, wanted.partition) and event.seq >= wanted.end


def event_view(source: Source, row: OutboxRow, place: int, event: NumberedEvent) -> OutboxEvent:
    """An event as JSON. Its name is not known where a former life of the database has told it."""
    event_type, told = decoded(event.body, event.event_type.decode("utf-8", "replace"))
    own = source.life is None or row.decided_at >= source.life
    name = f"{source.producer}/{source.lane}/{event.topic}/{event.partition}/{event.seq}"
    return OutboxEvent(
        lane=source.lane,
        outbox_seq=row.outbox_seq,
        place=place,
        topic=event.topic,
        partition=event.partition,
        seq=event.seq,
        decided_at=row.decided_at,
        ce_id=name if own else None,
        key=event.key.decode("utf-8", "replace"),
        event_type=event_type,
        event=told,
        replay_id=None if row.replay_id is None else ids.text(row.replay_id),
        published=row.outbox_seq <= source.published_seq,
    )


def source_of(producer: str, lane: int, row: Mapping[str, Any], cluster: Mapping[str, Any]) -> Source:
    """From the rows of `lane_published` and `cluster_seen`."""
    name = f"{producer}.{cluster['incarnation']}"
    return Source(lane, name, row["published_seq"], cluster["restored_at"])
