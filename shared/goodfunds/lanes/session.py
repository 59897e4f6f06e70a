"""A session: one connection, one producer and the lanes held between two faults. Any fault ends it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka.errors import OffsetOutOfRangeError

from goodfunds.clock import Clock
from goodfunds.errors import Misconfigured
from goodfunds.lanes import metrics
from goodfunds.lanes.consumer import LaneConsumer, check_partitions, out_of_range
from goodfunds.lanes.fence import SQL
from goodfunds.lanes.handling import Handling
from goodfunds.lanes.held import HeldLanes
from goodfunds.lanes.publisher import Publisher
from goodfunds.lanes.records import Connection, Handler, Record
from goodfunds.lanes.takeover import raise_epoch, read_taken, set_back, unknown_events

log = structlog.get_logger(__name__)

_HOUSEKEEPING_SECONDS = 3.0
_STUCK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class LaneSettings:
    """How a loop works. Times in seconds; `batch`: records of one transaction; `in_flight`: events."""

    dsn: str
    bootstrap: str
    partitions: int
    owner: str
    batch: int = 2_000
    longest_linger: float = 0.05
    due_every: float = 0.5
    in_flight: int = 20_000
    keep_days: int = 14
    session_timeout: float = 10.0


class Session:
    """Works the lanes that the group assigns, until `stop` or a fault."""

    def __init__(
        self,
        handler: Handler,
        settings: LaneSettings,
        clock: Clock,
        consumer: LaneConsumer,
        connection: Connection,
        publisher: Publisher,
        incarnation: str,
    ) -> None:
        self.held = HeldLanes(consumer)
        self.handling = Handling(
            handler, self.held, connection, publisher, incarnation, settings.partitions, clock
        )
        self._handler = handler
        self._settings = settings
        self._clock = clock
        self._consumer = consumer
        self._connection = connection
        self._publisher = publisher
        self._producer = f"{handler.producer}.{incarnation}"
        self._now = asyncio.get_running_loop().time
        self._moved: dict[int, tuple[dict[str, int], float]] = {}
        self._next_due = 0.0
        self._next_housekeeping = 0.0
        self._last_seconds = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the assignment, poll, handle, publish. Raises whatever ends the session."""
        self._consumer.changed.set()
        while not stop.is_set():
            self._publisher.check()
            await self._follow()
            records = await self._gather()
            due = await self._due()
            if records or due:
                started = self._now()
                await self.handling.handle(records, due)
                self._last_seconds = self._now() - started
                await self._publisher.wait_below(self._settings.in_flight)
            if self._now() >= self._next_housekeeping:
                await self._keep_house()
        await self._publisher.wait_below(1)
        await self.handling.prove(list(self.held.states.values()))

    async def _follow(self) -> None:
        """Bring what we hold in line with what the group assigns."""
        held, wanted = self.held, self._consumer.lanes()
        if self._consumer.changed.is_set():
            self._consumer.changed.clear()
            for lane in held.states.keys() - wanted:
                # What was acknowledged is written, so that the next owner need not publish it again.
                if not self._publisher.pending(lane):
                    await self.handling.prove([held.states[lane]])
                held.forget(lane)
            for state in list(held.states.values()):
                held.hold(state)
            for lane in held.stopped.keys() & wanted:
                self._consumer.pause(lane)
        missing = held.missing(wanted)
        if missing:
            await self._take(missing)

    async def _take(self, lanes: set[int]) -> None:
        settings, held = self._settings, self.held
        epochs = {}
        for lane in sorted(lanes):
            epoch = await raise_epoch(self._connection, settings.dsn, lane, "take_over", lane, settings.owner)
            if epoch is None:
                raise Misconfigured(f"lane {lane} has no row: were the lanes created?")
            epochs[lane] = epoch
        taken = await read_taken(self._connection, epochs)
        unknown = await unknown_events(
            settings.bootstrap, self._producer, self._handler.outputs, taken.states
        )
        for lane, reason in taken.stopped.items():
            held.note_stopped(lane, reason)
        for lane, state in taken.states.items():
            if lane in unknown:
                await held.stop(self._connection, lane, state.epoch, set_back(unknown[lane]))
            elif held.hold(state):
                self._publisher.publish(state, taken.tails[lane])
        log.info("lanes taken over", held=sorted(held.states), stopped=sorted(held.stopped))

    async def _gather(self) -> dict[int, list[Record]]:
        """One poll; under light load a second one after a linger, which follows the load.

        Measured: without a linger 1,000 payments/s cost 2,000 µs each in small transactions, with it 210.
        """
        batch = self._settings.batch
        try:
            records = await self._consumer.poll(0.0 if self._last_seconds else 0.2, batch)
            count = sum(map(len, records.values()))
            if count == 0:
                self._last_seconds = 0.0
            elif self._last_seconds and count < batch // 4:
                await asyncio.sleep(min(self._last_seconds, self._settings.longest_linger))
                for lane, more in (await self._consumer.poll(0.0, batch - count)).items():
                    records.setdefault(lane, []).extend(more)
        except OffsetOutOfRangeError as fault:
            for place, offset in out_of_range(fault).items():
                state = self.held.states.get(place.partition)
                if state is not None:
                    await self.held.stop(
                        self._connection,
                        place.partition,
                        state.epoch,
                        f"{place.topic}/{place.partition} does not have offset {offset}: records that were "
                        "not handled are gone, or the topic was made anew",
                    )
            # What was read before the fault stays unhandled, so every lane reads again from its offsets.
            self._consumer.changed.set()
            return {}
        return records

    async def _due(self) -> Mapping[int, list[Any]]:
        if self._now() < self._next_due or not self.held.states:
            return {}
        self._next_due = self._now() + self._settings.due_every
        return await self._handler.due(self._connection, sorted(self.held.states), self._clock.now())

    async def _keep_house(self) -> None:
        """Every few seconds: prove our lanes ours, look for lanes set free, and for those that stand."""
        self._next_housekeeping = self._now() + _HOUSEKEEPING_SECONDS
        held = self.held
        check_partitions(self._consumer.partition_counts(), self._settings.partitions)
        if held.states:
            await self.handling.prove(list(held.states.values()))
        if held.stopped:
            resumed = await self._connection.fetch(SQL["resumed_lanes"], list(held.stopped))
            held.resume([row["lane"] for row in resumed])
        stuck = 0
        for lane, state in held.states.items():
            offsets, since = self._moved.get(lane, ({}, 0.0))
            if offsets != state.offsets:
                self._moved[lane] = (state.offsets, self._now())
            elif self._consumer.lag(lane, state.offsets) and self._now() - since > _STUCK_SECONDS:
                stuck += 1
        metrics.STUCK.set(stuck)
