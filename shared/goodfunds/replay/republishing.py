"""Publishing again: events of the outbox to where they went, with the names and numbers that they had."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from goodfunds.lanes.beside import Owner
from goodfunds.lanes.frame import NumberedEvent, OutboxRow, unpack
from goodfunds.replay.shares import SQL, Advance, Share, Withdrawn, advance_alone, give_up
from goodfunds.replay.slices import Position, ranges_of

_EVENTS = 1_000
"""Of one piece, about: a row is sent whole."""
_PATIENCE_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which events of the rows are meant; None asks for nothing. `to_…` is exclusive, offsets are seqs."""

    topic: str | None
    partitions: frozenset[int] | None
    from_offset: int
    to_offset: int | None
    from_time: datetime | None
    to_time: datetime | None

    @classmethod
    def of(cls, selection: Mapping[str, Any]) -> "Chosen":
        """From a plan's selection."""
        partitions = selection.get("partitions")
        times = {name: selection.get(name) for name in ("from_time", "to_time")}
        return cls(
            selection.get("topic"),
            None if partitions is None else frozenset(partitions),
            selection.get("from_offset") or 0,
            selection.get("to_offset"),
            **{name: at and datetime.fromisoformat(at) for name, at in times.items()},
        )

    def from_row(self, row: OutboxRow) -> list[NumberedEvent]:
        """The events of a row that are meant."""
        early = self.from_time is not None and row.decided_at < self.from_time
        if early or (self.to_time is not None and row.decided_at >= self.to_time):
            return []
        return [event for event in unpack(row) if self._means(event)]

    def _means(self, event: NumberedEvent) -> bool:
        return (
            self.topic in (None, event.topic)
            and (self.partitions is None or event.partition in self.partitions)
            and event.seq >= self.from_offset
            and (self.to_offset is None or event.seq < self.to_offset)
        )


class Republishing:
    """A share of the kind `republish`. A piece that was sent is noted after it was acknowledged.

    Killed between the two it goes out again, which consumers know by its numbers.
    """

    starved = False

    def __init__(self, share: Share) -> None:
        self.share = share
        self._chosen = Chosen.of(share.selection)
        self._ranges = ranges_of(share.ranges)
        self._sending: asyncio.Task[None] | None = None
        self._sent = Advance(share.position, share.slice, 0, 0)

    async def step(self, owner: Owner) -> int | None:
        """Send the next piece, or note that it was acknowledged: how many events.

        Raises Withdrawn, and retriable faults.
        """
        if self._sending is None:
            await self._begin(owner)
            return 0
        await asyncio.wait({self._sending}, timeout=_PATIENCE_SECONDS)
        if not self._sending.done():
            return None
        sent, self._sending = self._sending, None
        sent.result()
        await self._note(owner, self._sent)
        return self._sent.handled

    @property
    def faulted(self) -> bool:
        """Whether what was sent was not acknowledged: its producer has failed, and so the session."""
        sending = self._sending
        return (
            sending is not None
            and sending.done()
            and not sending.cancelled()
            and sending.exception() is not None
        )

    async def stop(self) -> None:
        """Send no further."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.wait({self._sending})

    async def _begin(self, owner: Owner) -> None:
        share = self.share
        position = Position.read(share.position)
        if position.range >= len(self._ranges):
            await self._note(owner, Advance(share.position, share.slice, 0, 0, state="done"))
            return
        now = self._ranges[position.range]
        first = max(position.offset, now.first)
        found = await owner.connection.fetch(SQL["outbox_to_republish"], share.lane, first, now.end, _EVENTS)
        rows = [_row(each, share.plan_id) for each in found]
        gone = _first_gone(rows, first, now.end)
        if gone is not None:
            await give_up(owner, share, "failed", f"outbox row {share.lane}/{gone} is not there any more")
            return
        pieces = [(row, self._chosen.from_row(row)) for row in rows]
        after = rows[-1].outbox_seq + 1 if rows else now.end
        place = Position(position.range, after) if after < now.end else Position(position.range + 1)
        handled = sum(len(events) for _, events in pieces)
        skipped = sum(row.events for row in rows) - handled
        self._sent = Advance(place.text(), share.slice + 1, handled, skipped)
        self._sending = asyncio.create_task(owner.publisher.publish_again(owner.states[share.lane], pieces))

    async def _note(self, owner: Owner, done: Advance) -> None:
        if not await advance_alone(owner, self.share, done):
            raise Withdrawn(f"lane {self.share.lane} has another owner")


def _row(row: Any, replay_id: bytes) -> OutboxRow:
    return OutboxRow(
        row["lane"], row["outbox_seq"], row["decided_at"], tuple(row["topics"]), row["events"], row["frame"],
        replay_id,
    )  # fmt: skip


def _first_gone(rows: Iterable[OutboxRow], first: int, end: int) -> int | None:
    """The first row that is missing before or between those found; where none was, the one looked for."""
    expected = first
    for row in rows:
        if row.outbox_seq != expected:
            return expected
        expected += 1
    return first if expected == first and first < end else None
