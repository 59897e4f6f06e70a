"""Handling a poll: one transaction, and on a fault that time will not mend, the way down to its event."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import structlog

from goodfunds.clock import Clock
from goodfunds.errors import Fenced, InvariantBroken, OutOfTurn, is_broken_invariant
from goodfunds.lanes import metrics
from goodfunds.lanes.blame import is_of_an_event
from goodfunds.lanes.causes import Records, by_cause
from goodfunds.lanes.evidence import storable
from goodfunds.lanes.fence import unchanged
from goodfunds.lanes.headers import header
from goodfunds.lanes.held import HeldLanes, publish
from goodfunds.lanes.publisher import Publisher
from goodfunds.lanes.records import Connection, Emission, Handler, Poll
from goodfunds.lanes.state import Admitted, LaneState, Place, admit
from goodfunds.lanes.transact import Numbering, ParkedRecord, transact
from goodfunds.observability.log import bound

log = structlog.get_logger(__name__)

Due = Mapping[int, list[Any]]
T = TypeVar("T")


class Handling:
    """Carries polls of held lanes through a handler, and hands what they publish to the publisher."""

    def __init__(
        self,
        handler: Handler,
        held: HeldLanes,
        connection: Connection,
        publisher: Publisher,
        incarnation: str,
        partitions: int,
        clock: Clock,
    ) -> None:
        self.transactions = 0
        self._handler = handler
        self._held = held
        self._connection = connection
        self._publisher = publisher
        self._incarnation = incarnation
        self._partitions = partitions
        self._clock = clock
        self._client_writable = frozenset(each.topic for each in handler.inputs if each.client_writable)

    async def handle(self, records: Records, due: Due, poison: Place | None = None, fault: str = "") -> None:
        """Handle what is held of a poll; `poison` is parked for its `fault`.

        Raises retriable faults, and those of a house that is not in order.
        """
        parts = by_cause(records, self._client_writable)
        cause = parts[0][0] if parts else None
        if len(parts) > 1 or (cause is not None and due):
            # What fell due is of no replay, and what a record causes is of that record's replay alone.
            await self.handle({}, due)
            for _, part in parts:
                await self.handle(part, {}, poison, fault)
            return
        shares = await self._admit(records, due, poison)
        if not shares:
            return
        poll = Poll(
            self._clock.now(),
            self._partitions,
            Numbering(shares),
            {share.state.lane: share.records for share in shares if share.records},
            {share.state.lane: due[share.state.lane] for share in shares if share.state.lane in due},
        )
        try:
            await self._commit(shares, poll, self._parked(shares, fault), cause)
        except Fenced as fenced:
            self._held.fenced(fenced.lanes)
            await self.handle(records, due, poison, fault)
        except OutOfTurn as early:
            await self._put_off(records, due, early)
        except Exception as raised:
            if not is_of_an_event(raised):
                raise
            await self._narrow(records, due, [share.state.lane for share in shares], poison, raised)

    async def pass_over(self, lane: int, topic: str, offset: int) -> None:
        """Write that an input was read up to here, where nobody's record stands before it."""
        state = self._held.states[lane]
        if state.offsets[topic] < offset:
            offsets = {**state.offsets, topic: offset}
            await self._prove([Admitted(state, offsets, dict(state.watermarks), [], [])])

    async def prove(self, states: Sequence[LaneState]) -> None:
        """An empty transaction: proves that the lanes are ours, and writes what was acknowledged.

        Lanes that are not are forgotten, and the rest is proved without them. A lane whose row cannot be
        what it would become stops.
        """
        await self._prove([unchanged(state) for state in states])

    async def _prove(self, shares: Sequence[Admitted]) -> None:
        while shares:
            try:
                await transact(self._connection, self._incarnation, shares, self._clock.now(), None)
            except Fenced as fenced:
                self._held.fenced(fenced.lanes)
                shares = [share for share in shares if share.state.lane not in fenced.lanes]
            except Exception as fault:
                if not is_broken_invariant(fault):
                    raise
                await self._prove_alone(shares, fault)
                return
            else:
                return

    async def _prove_alone(self, shares: Sequence[Admitted], fault: Exception) -> None:
        """Lane by lane, so that the one whose own row broke an invariant stops, and no other."""
        if len(shares) == 1:
            state = shares[0].state
            reason = storable(f"{type(fault).__name__}: {fault}")
            await self._held.stop(self._connection, state.lane, state.epoch, reason, fault)
            return
        for share in shares:
            await self.prove([share.state])

    async def _admit(self, records: Records, due: Due, poison: Place | None) -> list[Admitted]:
        shares = []
        for lane in sorted({*records, *due} & self._held.states.keys()):
            state = self._held.states[lane]
            try:
                share = admit(
                    state, records.get(lane, ()), self._client_writable, self._handler.key_of, poison
                )
            except InvariantBroken as broken:
                await self._held.stop(
                    self._connection, lane, state.epoch, str(broken), broken, records.get(lane, ())
                )
            else:
                shares.append(share)
        return shares

    async def _commit(
        self, shares: list[Admitted], poll: Poll, parked: list[ParkedRecord], cause: bytes | None
    ) -> None:
        async def write(connection: Connection) -> Mapping[int, Sequence[Emission]]:
            return await self._handler.handle(connection, poll)

        work = write if poll.records or poll.due else None
        with metrics.TRANSACTION_SECONDS.time():
            rows = await transact(self._connection, self._incarnation, shares, poll.now, work, parked, cause)
        self.transactions += 1
        await publish(self._held, self._publisher, self._connection, rows)
        handled = sum(len(share.records) for share in shares)
        if handled:
            metrics.TRANSACTION_RECORDS.observe(handled)
        metrics.RECORDS.inc(handled)
        for share in shares:
            metrics.REPEATS.inc(share.repeats)
        for each in parked:
            metrics.PARKED.labels(str(each.poison).lower()).inc()
            payment_id = self._handler.payment_of(each.record)
            with bound(payment_id, each.lane, header(each.record, "traceparent") or b""):
                log.error(
                    "event parked",
                    topic=each.record.topic,
                    offset=each.record.offset,
                    poison=each.poison,
                    amount_minor=each.amount and each.amount[0],
                    fault=each.fault,
                )

    def _parked(self, shares: Sequence[Admitted], fault: str) -> list[ParkedRecord]:
        handler = self._handler
        return [
            ParkedRecord(
                share.state.lane,
                record,
                handler.key_of(record),
                handler.amount_of(record),
                poison,
                fault if poison else "an earlier event of this account is parked",
            )
            for share in shares
            for record, poison in share.parked
        ]

    async def _put_off(self, records: Records, due: Due, early: OutOfTurn) -> None:
        """First the other lanes and what is due; the lane itself comes last, and waits if it still must."""
        lane = early.lane
        if {*records, *due} - {lane} or lane in due:
            await self.handle(_without(records, lane), due)
            await self.handle(_only(records, lane), {})
            return
        log.info("lane waits for others", lane=lane, why=str(early))
        if not self._publisher.pending(lane):
            # What was acknowledged is written, so that it is not published again when the lane is taken.
            await self.prove([self._held.states[lane]])
        self._held.wait(lane)

    async def _narrow(
        self, records: Records, due: Due, lanes: Sequence[int], poison: Place | None, fault: Exception
    ) -> None:
        """Lane by lane, half by half, until the event that faults stands alone: that one is parked.

        A broken invariant is not narrowed down within its lane: the lane stops with all that was handled.
        """
        broken = is_broken_invariant(fault)
        if len(lanes) > 1:
            stopped = len(self._held.stopped)
            for lane in lanes:
                await self.handle(_only(records, lane), _only(due, lane))
            if broken and len(self._held.stopped) == stopped:
                log.error("invariant broken by lanes together, by none alone", lanes=lanes, fault=repr(fault))
            return
        (lane,) = lanes
        found = records.get(lane, ())
        reason = storable(f"{type(fault).__name__}: {fault}")
        if broken or poison is not None or not found:
            epoch = self._held.states[lane].epoch
            await self._held.stop(self._connection, lane, epoch, reason, fault, found, due.get(lane, ()))
        elif lane in due:
            await self.handle({}, {lane: due[lane]})
            await self.handle({lane: found}, {})
        elif len(found) > 1:
            middle = len(found) // 2
            await self.handle({lane: found[:middle]}, {})
            await self.handle({lane: found[middle:]}, {})
        else:
            place = (found[0].topic, found[0].partition, found[0].offset)
            await self.handle({lane: found}, {}, place, reason)


def _without(by_lane: Mapping[int, T], lane: int) -> Mapping[int, T]:
    return {of: each for of, each in by_lane.items() if of != lane}


def _only(by_lane: Mapping[int, T], lane: int) -> Mapping[int, T]:
    return {lane: by_lane[lane]} if lane in by_lane else {}
