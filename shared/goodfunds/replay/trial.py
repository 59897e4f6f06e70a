"""A trial: records handled in a transaction that never commits, and makes way for those who wait for it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from goodfunds.clock import Clock
from goodfunds.errors import InvariantBroken, OutOfTurn, Unavailable, is_retriable
from goodfunds.lanes import Emission, Handler, Poll
from goodfunds.lanes.blame import is_of_an_event
from goodfunds.lanes.evidence import storable
from goodfunds.lanes.fence import destinations
from goodfunds.lanes.frame import number, pack
from goodfunds.lanes.records import Connection, Record
from goodfunds.replay.effects import NO_EFFECTS, Effects
from goodfunds.replay.planning import SQL
from goodfunds.replay.watching import Watch

HELD_SECONDS: Final = 0.5
"""So long it may keep others waiting before it makes way, and a slice longer."""
LONGEST_SECONDS: Final = 60.0
"""Of one transaction, whoever waits."""
_ATTEMPTS = 50
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class WouldBeFault:
    """A record that could not be handled, and what its handler said."""

    topic: str
    partition: int
    offset: int
    fault: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What handling some records came to. `left`: those that were not handled, behind one that faults."""

    effects: Effects
    faults: tuple[WouldBeFault, ...]
    left: int = 0


NOTHING_TRIED: Final = Tried(NO_EFFECTS, ())


class _MadeWay(Exception):
    """Others wait for what is locked, and the search for the records that fault goes on without it."""


class Trial:
    """Of one lane. `exact`: what is tried sees all that was tried before, as it would in a run.

    `in_line`: where a record faults, those of the same key behind it are left; else others go on.
    """

    def __init__(
        self,
        connection: Connection,
        watch: Watch,
        handler: Handler,
        clock: Clock,
        partitions: int,
        lane: int,
        in_line: bool = False,
    ) -> None:
        self.exact = True
        self._connection = connection
        self._watch = watch
        self._handler = handler
        self._clock = clock
        self._partitions = partitions
        self._lane = lane
        self._in_line = in_line
        self._left: set[bytes | None] = set()
        self._ahead = _Ahead({})
        self._transaction: Any = None
        self._changed = False
        self._now = asyncio.get_running_loop().time
        self._began = 0.0

    async def handle(self, records: Sequence[Record]) -> Tried:
        """Handle records as the lane's owner would. Raises retriable faults, and those of the house.

        What another transaction holds is waited for, and all that was tried so far begins anew. Where
        others wait, records that were found to fault are not tried again, so that it comes to an end.
        """
        known: list[WouldBeFault] = []
        attempts = 0
        while attempts < _ATTEMPTS:
            left_before = set(self._left)
            faults: list[WouldBeFault] = []
            try:
                await self._begin()
                emissions: list[Emission] = []
                handled = await self._try(_without(records, known), emissions, faults)
                effects = await self._watch.collect({self._lane: emissions})
            except _MadeWay:
                known += faults
                self._changed = True
                await self._end_early()
                await asyncio.sleep(_PAUSE_SECONDS)
            except OutOfTurn:
                # What it waits for takes longer than anybody holds a row.
                raise
            except Exception as fault:
                if not is_retriable(fault) or self._connection.is_closed():
                    raise
                attempts += 1
                self._left = left_before
                await self._end_early()
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                self._changed = self._changed or bool(effects.rows_changed)
                known += faults
                return Tried(effects, tuple(known), len(records) - len(known) - handled)
        raise Unavailable(f"lane {self._lane}: what it would change is held by others all the time")

    async def make_way(self) -> None:
        """Let those go on who wait for what is locked here; to be called every now and then."""
        if self._transaction is None:
            return
        if self._now() - self._began > LONGEST_SECONDS or await self._is_in_the_way():
            await self._end_early()

    async def _is_in_the_way(self) -> bool:
        """Whether it has kept others waiting for as long as it may."""
        held = self._now() - self._began
        return held >= HELD_SECONDS and bool(await self._connection.fetchval(SQL["others_wait"]))

    async def end(self) -> None:
        """Undo all of it."""
        if self._transaction is not None and not self._connection.is_closed():
            await self._transaction.rollback()
        self._transaction, self._changed = None, False

    async def _begin(self) -> None:
        if self._transaction is not None:
            return
        transaction = self._connection.transaction()
        await transaction.start()
        self._transaction, self._began = transaction, self._now()
        await self._connection.execute(SQL["bound_trial"])
        await self._watch.begin()
        told = await self._connection.fetchval(SQL["destinations_of_lane"], self._lane)
        self._ahead = _Ahead(destinations(told or "{}"))

    async def _end_early(self) -> None:
        self.exact = self.exact and not self._changed
        await self.end()

    async def _try(
        self, records: Sequence[Record], emissions: list[Emission], faults: list[WouldBeFault]
    ) -> int:
        """How many are handled: all together, else half by half but for the record that faults.

        Raises _MadeWay, once it has found one.
        """
        if faults and await self._is_in_the_way():
            raise _MadeWay
        records = [each for each in records if each.key not in self._left] if self._left else records
        if not records:
            return 0
        savepoint = self._connection.transaction()
        await savepoint.start()
        try:
            poll = Poll(self._clock.now(), self._partitions, self._ahead, {self._lane: list(records)})
            found = await self._handler.handle(self._connection, poll)
            self._ahead.count(self._lane, found)
        except Exception as fault:
            if not is_of_an_event(fault):
                raise
            await savepoint.rollback()
            if len(records) == 1:
                faults.append(_would_be(records[0], fault))
                if self._in_line:
                    self._left.add(records[0].key)
                return 0
            middle = len(records) // 2
            return await self._try(records[:middle], emissions, faults) + await self._try(
                records[middle:], emissions, faults
            )
        await savepoint.commit()
        emissions += found.get(self._lane, ())
        return len(records)


class _Ahead:
    """The numbers that events would get."""

    def __init__(self, next_seq: dict[tuple[str, int], int]) -> None:
        self._next = next_seq

    def of(self, lane: int, topic: str, partition: int) -> int:  # noqa: ARG002 - of one lane
        return self._next.get((topic, partition), 1)

    def count(self, lane: int, found: Mapping[int, Sequence[Emission]]) -> None:
        """Number what was emitted, and frame it: what cannot be framed could not be published."""
        strangers = {of for of, emissions in found.items() if emissions} - {lane}
        if strangers:
            raise InvariantBroken(f"events of lanes that are not in this transaction: {sorted(strangers)}")
        after = dict(self._next)
        pack(number(found.get(lane, ()), after))
        self._next = after


def _without(records: Sequence[Record], faults: Sequence[WouldBeFault]) -> Sequence[Record]:
    if not faults:
        return records
    places = {(each.topic, each.partition, each.offset) for each in faults}
    return [each for each in records if (each.topic, each.partition, each.offset) not in places]


def _would_be(record: Record, fault: Exception) -> WouldBeFault:
    told = storable(f"{type(fault).__name__}: {fault}", 500)
    return WouldBeFault(record.topic, record.partition, record.offset, told)
