"""Releasing: the parked events of accounts through the handler, in order, until none of an account waits."""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime

from goodfunds.errors import is_retriable
from goodfunds.lanes.beside import Owner
from goodfunds.lanes.blame import is_of_an_event
from goodfunds.lanes.evidence import storable
from goodfunds.lanes.records import Connection, Emission, Poll, Sequences
from goodfunds.postgres import all_written
from goodfunds.replay.parked_events import ParkedEvent, discarded_digest, of_one_poll, parked_events
from goodfunds.replay.shares import SQL, Advance, Share, Withdrawn, advance, give_up, remember
from goodfunds.replay.slices import SLICE_BYTES, SLICE_RECORDS
from goodfunds.replay.watching import Watch


class Releasing:
    """A share of the kind `release`.

    An event that faults again stays, and its account with it; the others go on. Where a slice faults, the
    next one is half as long, until the event stands alone; where one comes out well, twice as long.
    """

    starved = faulted = False

    def __init__(self, share: Share, watch: Watch) -> None:
        self.share = share
        self._watch = watch
        self._most = SLICE_RECORDS

    async def step(self, owner: Owner) -> int | None:
        """Release the next events: how many. Raises Withdrawn, and retriable faults."""
        share = self.share
        events: list[ParkedEvent] = []
        freed: set[bytes] = set()
        done = [Advance(share.position, share.slice, 0, 0, state="done")]

        async def write(
            connection: Connection, sequences: Sequences, now: datetime
        ) -> Mapping[int, Sequence[Emission]]:
            events[:] = await self._next(owner, connection)
            if not events:
                done[0] = await self._end(connection)
                await advance(connection, share, done[0], now)
                return {}
            await self._watch.begin()
            poll = Poll(now, owner.partitions, sequences, {share.lane: list(events)})
            emissions = await owner.handler.handle(connection, poll)
            effects = await self._watch.collect(emissions)
            freed.update(await _delete(connection, share.lane, events))
            done[0] = Advance(
                share.position, share.slice + 1, len(events), 0,
                effects.rows_changed, effects.events_emitted, effects.digest,
            )  # fmt: skip
            await advance(connection, share, done[0], now)
            return emissions

        try:
            written = await owner.write([share.lane], write, share.plan_id)
        except Withdrawn:
            raise
        except Exception as fault:
            if is_retriable(fault):
                raise
            await self._faulted(owner, events, fault)
            return 0
        _settle(owner, share, written, done[0], freed)
        self._most = min(2 * self._most, SLICE_RECORDS)
        return len(events)

    async def stop(self) -> None:
        """Nothing is held open."""

    async def _next(self, owner: Owner, connection: Connection) -> list[ParkedEvent]:
        rows = await connection.fetch(
            SQL["parked_to_release"], self.share.plan_id, self.share.lane, self._most, SLICE_BYTES
        )
        return of_one_poll(parked_events(rows), [each.topic for each in owner.handler.inputs])

    async def _end(self, connection: Connection) -> Advance:
        share = self.share
        left = await connection.fetchrow(SQL["left_keys"], share.plan_id, share.lane)
        assert left is not None
        if left["keys"]:
            share.fault = storable(f"{left['keys']} accounts are left as they were; of one: {left['fault']}")
        return Advance(share.position, share.slice, 0, 0, state="failed" if left["keys"] else "done")

    async def _faulted(self, owner: Owner, events: Sequence[ParkedEvent], fault: Exception) -> None:
        reason = storable(f"{type(fault).__name__}: {fault}")
        if not events or not is_of_an_event(fault):
            await give_up(owner, self.share, "failed", reason)
        elif len(events) > 1:
            self._most = len(events) // 2
        else:
            await self._leave(owner, events[0], reason)
            # Where one faults the next may as well: slices grow again as they come out well.
            self._most = 2

    async def _leave(self, owner: Owner, event: ParkedEvent, reason: str) -> None:
        share = self.share
        done = Advance(share.position, share.slice + 1, 0, 1)
        place = f"{event.topic}/{event.partition} offset {event.offset}: {reason}"

        async def write(
            connection: Connection,
            sequences: Sequences,  # noqa: ARG001 - the owner's contract
            now: datetime,
        ) -> Mapping[int, list[Emission]]:
            await connection.execute(SQL["leave_parked"], *event.place, reason)
            await connection.execute(SQL["leave_key"], share.plan_id, share.lane, event.key, storable(place))
            await advance(connection, share, done, now)
            return {}

        _settle(owner, share, await owner.write([share.lane], write), done, frozenset())


class Discarding:
    """A share of the kind `discard`: picked events move to where nobody handles them; the others wait on."""

    starved = faulted = False

    def __init__(self, share: Share) -> None:
        self.share = share

    async def step(self, owner: Owner) -> int | None:
        """Discard the next events: how many. Raises Withdrawn, and retriable faults."""
        share = self.share
        freed: set[bytes] = set()
        done = [Advance(share.position, share.slice, 0, 0, state="done")]

        async def write(
            connection: Connection,
            sequences: Sequences,  # noqa: ARG001 - the owner's contract
            now: datetime,
        ) -> Mapping[int, list[Emission]]:
            gone = await connection.fetch(
                SQL["discard_parked"], share.plan_id, share.lane, SLICE_RECORDS, now
            )
            if gone:
                keys = {row["key"] for row in gone}
                freed.update(keys - await _still_parked(connection, share.lane, keys))
                digest = discarded_digest(gone)
                done[0] = Advance(share.position, share.slice + 1, len(gone), 0, digest=digest)
            await advance(connection, share, done[0], now)
            return {}

        _settle(owner, share, await owner.write([share.lane], write), done[0], freed)
        return done[0].handled

    async def stop(self) -> None:
        """Nothing is held open."""


async def _delete(connection: Connection, lane: int, events: Sequence[ParkedEvent]) -> set[bytes]:
    """Take events out of `parked`; the accounts of which none is left there."""
    deleted = await connection.execute(
        SQL["delete_parked"],
        [event.topic for event in events],
        [event.partition for event in events],
        [event.offset for event in events],
    )
    all_written(deleted, len(events), "parked events that were released")
    keys = {event.key for event in events}
    return keys - await _still_parked(connection, lane, keys)


async def _still_parked(connection: Connection, lane: int, keys: set[bytes]) -> set[bytes]:
    return {row["key"] for row in await connection.fetch(SQL["keys_still_parked"], lane, list(keys))}


def _settle(owner: Owner, share: Share, written: bool, done: Advance, freed: Set[bytes]) -> None:
    """After the commit, before the next poll: events of accounts that are free are handled at once again."""
    if not written:
        raise Withdrawn(f"lane {share.lane} has another owner")
    remember(share, done)
    state = owner.states.get(share.lane)
    if state is not None:
        state.parked_keys -= freed
