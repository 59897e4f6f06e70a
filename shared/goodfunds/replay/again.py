"""Handling a lane's records once more: a slice in one fenced transaction, held against its rehearsal."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from goodfunds.errors import GoodfundsError, is_retriable
from goodfunds.lanes.beside import Owner
from goodfunds.lanes.blame import is_of_an_event
from goodfunds.lanes.records import Connection, Emission, Poll, Record, Sequences
from goodfunds.replay.effects import NO_EFFECTS, Effects
from goodfunds.replay.reading import RangeReader
from goodfunds.replay.shares import (
    SQL,
    Advance,
    Share,
    Withdrawn,
    advance,
    advance_alone,
    give_up,
    remember,
)
from goodfunds.replay.slices import Cutter, Position, Slice, Wanted, ranges_of
from goodfunds.replay.watching import Watch

_PATIENCE_SECONDS = 0.005
"""So long a turn waits for records that are nearly there."""
_STARVED_SECONDS = 1.0


class Drifted(GoodfundsError):
    """A slice does not come out as it was rehearsed: the message says how."""


class _RolledBack(GoodfundsError):
    """A look at what would be, and nothing more."""

    def __init__(self, effects: Effects, handled: int) -> None:
        super().__init__("rolled back on purpose")
        self.effects = effects
        self.handled = handled


class Again:
    """A share of the kinds `replay` and `selfcheck`.

    Where handling a slice faults, nothing of it is written: which of its records it was is found in
    transactions that are rolled back, one a turn, and the share fails with that one's place.
    """

    faulted = False

    def __init__(self, owner: Owner, share: Share, watch: Watch) -> None:
        handler = owner.handler
        cutter = Cutter(
            ranges_of(share.ranges),
            Position.read(share.position),
            share.slice,
            Wanted.of(share.selection).by(handler),
            frozenset(each.topic for each in handler.inputs if each.client_writable),
        )
        self.share = share
        self._watch = watch
        self._reader = RangeReader(owner.bootstrap, share.lane, cutter)
        self._slice: Slice | None = None
        self._suspected: tuple[int, int] | None = None
        self._fault: Exception | None = None
        self._now = asyncio.get_running_loop().time
        self._fed = self._now()

    async def step(self, owner: Owner) -> int | None:
        """Handle the next slice: how many records were handled; None where they are not there yet.

        Raises Withdrawn, and retriable faults.
        """
        if self._slice is None:
            try:
                self._slice = await self._next()
            except Exception as fault:
                await give_up(owner, self.share, "failed", f"{type(fault).__name__}: {fault}")
                return 0
            if self._slice is None:
                return None
        if self._suspected is not None:
            await self._narrow(owner, self._slice, *self._suspected)
            return 0
        try:
            return await self._handle(owner, self._slice)
        except Withdrawn:
            raise
        except Drifted as drifted:
            await give_up(owner, self.share, "drifted", str(drifted))
        except Exception as fault:
            if is_retriable(fault):
                raise
            if self._slice.records and is_of_an_event(fault):
                self._fault, self._suspected = fault, (0, len(self._slice.records))
            else:
                await self._fail(owner, self._slice.words(), fault)
        return 0

    @property
    def starved(self) -> bool:
        """Whether its records have not come for a while: nobody need hurry to ask again."""
        return self._now() - self._fed > _STARVED_SECONDS

    async def stop(self) -> None:
        """Read no further."""
        await self._reader.stop()

    async def _next(self) -> Slice | None:
        found = self._reader.take()
        if found is None:
            await self._reader.wait(_PATIENCE_SECONDS)
            found = self._reader.take()
        if found is not None:
            self._fed = self._now()
        return found

    async def _handle(self, owner: Owner, cut: Slice) -> int:
        share, done = self.share, [_advance(cut, NO_EFFECTS, 0)]

        async def write(
            connection: Connection, sequences: Sequences, now: datetime
        ) -> Mapping[int, Sequence[Emission]]:
            records = await to_handle(connection, cut.records)
            emissions, effects = await self._effects(owner, connection, sequences, now, records)
            if share.kind == "selfcheck" and (effects.digest or effects.rewritten):
                raise _RolledBack(effects, len(records))
            await self._compare(connection, cut, effects)
            done[0] = _advance(cut, effects, len(records))
            await advance(connection, share, done[0], now)
            return emissions

        try:
            written = await owner.write([share.lane], write, share.plan_id)
        except _RolledBack as found:
            effects = found.effects
            # Writing a row as it was is writing, and an event that changes nothing writes nothing.
            rows = effects.rows_changed + effects.rewritten
            if share.fault is None:
                share.fault = f"first in {cut.words()}: {rows} rows, {effects.events_emitted} events"
            done[0] = replace(_advance(cut, effects, found.handled), rows_changed=rows)
            written = await advance_alone(owner, share, done[0])
        else:
            if written:
                remember(share, done[0])
        if not written:
            raise Withdrawn(f"lane {share.lane} has another owner")
        self._slice = None
        return done[0].handled

    async def _effects(
        self,
        owner: Owner,
        connection: Connection,
        sequences: Sequences,
        now: datetime,
        records: Sequence[Record],
    ) -> tuple[Mapping[int, Sequence[Emission]], Effects]:
        if not records:
            return {}, NO_EFFECTS
        await self._watch.begin()
        poll = Poll(now, owner.partitions, sequences, {self.share.lane: list(records)})
        emissions = await owner.handler.handle(connection, poll)
        return emissions, await self._watch.collect(emissions)

    async def _compare(self, connection: Connection, cut: Slice, effects: Effects) -> None:
        """Raises Drifted where a slice, or where that is not known all of them, does more than rehearsed."""
        share = self.share
        if share.exact and cut.records:
            row = await connection.fetchrow(SQL["rehearsed_slice"], share.plan_id, share.lane, cut.number)
            if effects.digest != (b"" if row is None else row["digest"]):
                rows, events = (0, 0) if row is None else (row["rows_changed"], row["events_emitted"])
                raise Drifted(
                    f"{cut.words()}: rehearsed {rows} rows and {events} events, now {effects.rows_changed} "
                    f"rows and {effects.events_emitted} events, or others than those"
                )
        elif share.rows_rehearsed is not None and share.events_rehearsed is not None and not share.exact:
            rows = share.rows_changed + effects.rows_changed
            events = share.events_emitted + effects.events_emitted
            if rows > share.rows_rehearsed or events > share.events_rehearsed:
                raise Drifted(
                    f"{cut.words()}: with it {rows} rows and {events} events, and rehearsed were "
                    f"{share.rows_rehearsed} rows and {share.events_rehearsed} events in all"
                )

    async def _narrow(self, owner: Owner, cut: Slice, good: int, bad: int) -> None:
        """One look nearer to the record that faults: the first `good` do not, the first `bad` do."""
        if bad - good == 1:
            record = cut.records[good]
            assert self._fault is not None
            place = f"{record.topic}/{record.partition} offset {record.offset}"
            await self._fail(owner, place, self._fault)
            return
        middle = (good + bad) // 2

        async def write(
            connection: Connection, sequences: Sequences, now: datetime
        ) -> Mapping[int, Sequence[Emission]]:
            records = await to_handle(connection, cut.records[:middle])
            _, effects = await self._effects(owner, connection, sequences, now, records)
            raise _RolledBack(effects, len(records))

        try:
            await owner.write([self.share.lane], write)
        except _RolledBack:
            self._suspected = middle, bad
        except Exception as fault:
            if is_retriable(fault):
                raise
            self._fault, self._suspected = fault, (good, middle)
        else:
            raise Withdrawn(f"lane {self.share.lane} has another owner")

    async def _fail(self, owner: Owner, place: str, fault: Exception) -> None:
        await give_up(owner, self.share, "failed", f"{place}: {type(fault).__name__}: {fault}")


async def to_handle(connection: Connection, records: Sequence[Record]) -> Sequence[Record]:
    """Without those that are parked, or discarded: what was not handled is not handled again."""
    if not records:
        return records
    first, last = records[0], records[-1]
    rows = await connection.fetch(SQL["set_aside"], first.topic, first.partition, first.offset, last.offset)
    aside = {row["source_offset"] for row in rows}
    return [record for record in records if record.offset not in aside] if aside else records


def _advance(cut: Slice, effects: Effects, handled: int) -> Advance:
    return Advance(
        cut.position.text(),
        cut.number + 1,
        handled,
        cut.skipped + len(cut.records) - handled,
        effects.rows_changed,
        effects.events_emitted,
        effects.digest,
        "done" if cut.last else "running",
    )
