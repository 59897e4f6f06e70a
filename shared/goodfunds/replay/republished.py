"""Which rows of the outbox hold the events to be published again, or the exact bound that is in the way."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import asyncpg

from goodfunds.postgres import statements
from goodfunds.replay import STATEMENTS
from goodfunds.replay.plans import LARGEST_REPUBLISH, Refusal
from goodfunds.replay.ranges import Lane, PlannedShare, standing_in_the_way
from goodfunds.replay.selection import Selection
from goodfunds.replay.slices import Range

SQL = statements(STATEMENTS)


async def rows_to_publish(
    pool: "asyncpg.Pool[Any]", selection: Selection, outputs: Collection[str], lanes: Mapping[int, Lane]
) -> list[PlannedShare] | Refusal:
    """Of each lane the rows from the first selected event to the last, none that is not known as published.

    `from_offset` and `to_offset` are numbers of events to one partition, of that lane, or of the named one.
    """
    if selection.topic is not None and selection.topic not in outputs:
        told = f"it is none of this service's outputs, which are {', '.join(outputs)}"
        return Refusal("no_such_topic", told)
    numbered = selection.from_offset is not None or selection.to_offset is not None
    named = selection.lanes or (selection.partitions if numbered else None) or tuple(lanes)
    unknown = sorted({*named, *(selection.partitions or ())} - lanes.keys())
    if unknown:
        return Refusal("no_such_lane", f"there is no lane {unknown[0]}")
    blocked = standing_in_the_way([lanes[lane] for lane in sorted(set(named))])
    if blocked is not None:
        return blocked
    shares = []
    for kept in await pool.fetch(SQL["outbox_kept"], sorted(set(named))):
        found = await (_numbered if numbered else _of_a_time)(pool, selection, kept)
        if isinstance(found, Refusal):
            return found
        if found is not None:
            shares.append(found)
    total = sum(each.total for each in shares)
    if not total:
        return Refusal("nothing_selected", "no event that was published is selected")
    if total > LARGEST_REPUBLISH:
        told = f"{total} events are selected, {LARGEST_REPUBLISH} is the most: name a time, lanes, or numbers"
        return Refusal("too_many", told)
    return shares


async def _of_a_time(
    pool: "asyncpg.Pool[Any]", selection: Selection, kept: Mapping[str, Any]
) -> PlannedShare | Refusal | None:
    lane, since = kept["lane"], selection.from_time
    gone = _gone(kept)
    if gone is not None and (since is None or kept["kept_from"] is None or since < kept["kept_from"]):
        return gone
    row = await pool.fetchrow(
        SQL["outbox_between"], lane, kept["published_seq"], since, selection.to_time, selection.topic
    )
    assert row is not None
    return await _share(pool, selection, kept, row["first"] or 1, row["last"] or 0)


async def _numbered(
    pool: "asyncpg.Pool[Any]", selection: Selection, kept: Mapping[str, Any]
) -> PlannedShare | Refusal | None:
    """By halves: numbers of a destination rise with the rows."""
    (partition,) = selection.partitions or ()
    lane, oldest, last_row = kept["lane"], kept["oldest_seq"], kept["published_seq"]
    to, told = (selection.topic, partition), f"lane {kept['lane']} to {selection.topic}/{partition}"

    async def row_of(seq: int) -> int:
        """The row that has this number: the last one from which on the first number is not above it."""
        low, high = oldest, last_row + 1
        while low < high:
            middle = (low + high) // 2
            found = await pool.fetchval(SQL["first_seq_from_row"], lane, middle, last_row, *to)
            low, high = (middle + 1, high) if found is not None and found <= seq else (low, middle)
        return int(low) - 1

    last = await pool.fetchval(SQL["last_seq_up_to_row"], lane, last_row, *to)
    if last is None:
        return _gone(kept)
    first = await pool.fetchval(SQL["first_seq_from_row"], lane, oldest, last_row, *to)
    wanted = selection.from_offset or 1
    end = last + 1 if selection.to_offset is None else selection.to_offset
    if wanted < first:
        why = f"the first event of {told} that the outbox still has is number {first}: ask from there on"
        return Refusal("outbox_dropped", why)
    if max(wanted, end - 1) > last:
        return Refusal("not_published_yet", f"the last event of {told} that is published is number {last}")
    return await _share(pool, selection, kept, await row_of(wanted), await row_of(end - 1))


async def _share(
    pool: "asyncpg.Pool[Any]", selection: Selection, kept: Mapping[str, Any], first: int, last: int
) -> PlannedShare | Refusal | None:
    """The rows from `first` to `last`, both inclusive, as a share."""
    row = await pool.fetchrow(SQL["outbox_rows_between"], kept["lane"], first, last)
    assert row is not None
    if not row["events"]:
        return None
    foreign = _of_another_life(kept, row["decided_at"])
    if foreign is not None:
        return foreign
    return PlannedShare(kept["lane"], (Range(selection.topic or "", first, last + 1),), row["events"])


def _gone(kept: Mapping[str, Any]) -> Refusal | None:
    """Where rows were dropped: from when on all are kept."""
    oldest, lane = kept["oldest_seq"], kept["lane"]
    if oldest == 1 or (oldest is None and not kept["published_seq"]):
        return None
    since = kept["oldest_at"] if kept["kept_from"] is None else kept["kept_from"]
    told = "nothing any more" if since is None else f"all that was decided from {_text(since)} on"
    return Refusal("outbox_dropped", f"the outbox of lane {lane} holds {told}, and nothing from before")


def _of_another_life(kept: Mapping[str, Any], first: datetime) -> Refusal | None:
    """Events of the database's life before are of another producer: they would be taken for new ones."""
    restored = kept["restored_at"]
    if restored is None or first >= restored:
        return None
    told = f"this database's life began at {_text(restored)}: what it told before was another producer's"
    return Refusal("before_restore", f"{told}. Ask from there on")


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()
