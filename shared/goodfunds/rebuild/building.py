"""Handles the topics' records in the shadow, as the lanes handled them, and publishes nothing."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from goodfunds.errors import Fenced, GoodfundsError, is_retriable
from goodfunds.lanes.fence import unchanged
from goodfunds.lanes.records import Connection, Emission, Handler, Poll, Record
from goodfunds.lanes.state import Admitted, LaneState, Place, admit
from goodfunds.lanes.transact import Numbering, transact
from goodfunds.rebuild.reading import MergedTopics, Places
from goodfunds.rebuild.refusals import CannotRebuild

BATCH = 2_000
"""Records of one transaction, as a lanes' poll has them."""
_FIRST_LOOK = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Moved = Callable[[int], None]
"""Told after each transaction how many records were handled so far."""


class Builder:
    """The one owner of the shadow's lanes. `handled`: records; `unpublished`: events that nobody was told."""

    def __init__(
        self,
        handler: Handler,
        connection: Connection,
        topics: MergedTopics,
        partitions: int,
        states: Mapping[int, LaneState],
        incarnation: str,
        discarded: Collection[Place],
        tables: Sequence[str],
    ) -> None:
        self.handled = 0
        self.unpublished = 0
        self.states = states
        self._handler = handler
        self._connection = connection
        self._topics = topics
        self._partitions = partitions
        self._incarnation = incarnation
        self._discarded = frozenset(discarded)
        self._tables = tables
        self._order = {each.topic: place for place, each in enumerate(handler.inputs)}
        self._client_writable = frozenset(each.topic for each in handler.inputs if each.client_writable)
        self._now = _EPOCH
        self._next_look = _FIRST_LOOK

    async def build(self, ends: Places, moved: Moved) -> None:
        """Handle all records below `ends`, and what falls due of them. Raises CannotRebuild, Unavailable.

        Cut short, it must not be used again: records that were read may not have been handled.
        """
        while records := await self._topics.next(ends, BATCH):
            # Time is an input: rows say when their records came, not when they were handled anew.
            latest = datetime.fromtimestamp(max(each.timestamp for each in records) / 1000, UTC)
            self._now = max(self._now, latest)
            by_lane: dict[int, list[Record]] = {}
            for record in records:
                by_lane.setdefault(record.partition, []).append(record)
            for mine in by_lane.values():
                mine.sort(key=lambda record: self._order[record.topic])
            await self._handle(self._admit(by_lane), {})
            await self._handle_due()
            self.handled += len(records)
            if self.handled >= self._next_look:
                # Tables that grow from nothing have no statistics yet, and plans follow these.
                self._next_look *= 2
                await self.look()
            moved(self.handled)
        await self._handle_due()

    async def look(self) -> None:
        """Have Postgres take the statistics of the shadow's tables."""
        await self._connection.execute(f"ANALYZE {', '.join(self._tables)}")

    async def _handle_due(self) -> None:
        lanes, last = sorted(self.states), None
        while (due := await self._handler.due(self._connection, lanes, self._now)) and due != last:
            await self._handle([unchanged(self.states[lane]) for lane in due], due)
            last = due

    def _admit(self, by_lane: Mapping[int, Sequence[Record]]) -> list[Admitted]:
        shares = []
        for lane, records in sorted(by_lane.items()):
            try:
                share = admit(self.states[lane], records, self._client_writable, self._handler.key_of)
            except GoodfundsError as broken:
                raise CannotRebuild([f"lane {lane}: {broken}"]) from broken
            if self._discarded:
                # Two people have decided that these are never handled.
                share.records = [
                    each
                    for each in share.records
                    if (each.topic, each.partition, each.offset) not in self._discarded
                ]
            shares.append(share)
        return shares

    async def _handle(self, shares: Sequence[Admitted], due: Mapping[int, list[Any]]) -> None:
        poll = Poll(
            self._now,
            self._partitions,
            Numbering(shares),
            {share.state.lane: share.records for share in shares if share.records},
            dict(due),
        )
        emitted: Mapping[int, Sequence[Emission]] = {}

        async def write(connection: Connection) -> Mapping[int, Sequence[Emission]]:
            nonlocal emitted
            emitted = await self._handler.handle(connection, poll)
            return {}

        work = write if poll.records or poll.due else None
        try:
            await transact(self._connection, self._incarnation, shares, self._now, work)
        except Exception as fault:
            if isinstance(fault, Fenced) or is_retriable(fault):
                raise
            raise CannotRebuild([f"{_places(poll)} cannot be handled anew: {fault!r}"]) from fault
        for lane, events in emitted.items():
            self.unpublished += len(events)
            numbers = self.states[lane].next_seq
            for event in events:
                place = event.topic, event.partition
                numbers[place] = numbers.get(place, 1) + 1


def _places(poll: Poll) -> str:
    """The ranges of a poll's records, in words."""
    ranges: dict[str, list[int]] = {}
    for records in poll.records.values():
        for each in records:
            ranges.setdefault(f"{each.topic}/{each.partition}", []).append(each.offset)
    found = [f"{place} offsets {min(offsets)} to {max(offsets)}" for place, offsets in sorted(ranges.items())]
    return ", ".join(found) or f"what is due in lanes {sorted(poll.due)}"
