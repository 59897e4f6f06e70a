"""A session: one connection, one producer and the lanes held between two faults. Any fault ends it."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from aiokafka.errors import OffsetOutOfRangeError

from goodfunds.clock import Clock
from goodfunds.errors import Fenced, InvariantBroken, Misconfigured, Unavailable
from goodfunds.lanes import metrics
from goodfunds.lanes.beside import Beside, Owner
from goodfunds.lanes.consumer import LaneConsumer, UnreadablePartition, check_partitions, out_of_range
from goodfunds.lanes.destinations import unknown_events
from goodfunds.lanes.due import find_due
from goodfunds.lanes.evidence import storable
from goodfunds.lanes.fence import SQL
from goodfunds.lanes.handling import Handling
from goodfunds.lanes.held import HeldLanes
from goodfunds.lanes.publisher import Publisher
from goodfunds.lanes.records import Adopt, Connection, Handler, Record
from goodfunds.lanes.restore import adopt_own
from goodfunds.lanes.takeover import Taken, raise_epoch, read_taken, set_back, stop_lane
from goodfunds.lanes.tuning import LaneSettings

log = structlog.get_logger(__name__)

_STUCK_SECONDS = 30.0


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
        adopting: Adopt | None = None,
        beside: Beside | None = None,
    ) -> None:
        self.held = HeldLanes(consumer)
        self.handling = Handling(
            handler, self.held, connection, publisher, incarnation, settings.partitions, clock
        )
        self._owner = Owner(
            handler,
            self.held,
            connection,
            publisher,
            incarnation,
            settings.partitions,
            settings.bootstrap,
            clock,
        )
        self._beside = beside
        self._busy_beside = False
        self._handler = handler
        self._adopting = adopting
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
            # Before the poll: what a broker that takes no writes was not given is a takeover's tail, and
            # a lane that consumed a poll more with each of them would have an outbox without bounds.
            await self._publisher.wait_below(self._settings.in_flight)
            records = await self._gather()
            due = await self._due()
            if records or due:
                started = self._now()
                await self.handling.handle(records, due)
                self._last_seconds = self._now() - started
            if not self._consumer.changed.is_set():
                # Else what was read last was perhaps dropped, and is read again.
                await self.held.read_on(self.handling.pass_over)
            if self._beside is not None:
                self._busy_beside = await self._beside.turn(self._owner)
            if self._now() >= self._next_housekeeping:
                await self._keep_house()
        await self._publisher.wait_below(1)
        await self.handling.prove(list(self.held.states.values()))

    async def _follow(self) -> None:
        """Bring what we hold in line with what the group assigns."""
        held, wanted = self.held, self._consumer.lanes()
        if self._consumer.changed.is_set():
            self._consumer.changed.clear()
            # Before a lane is taken that there must not be.
            check_partitions(self._consumer.partition_counts(), self._settings.partitions)
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
            try:
                epoch = await raise_epoch(
                    self._connection, settings.dsn, lane, "take_over", lane, settings.owner
                )
            except Unavailable as fault:
                log.warning("lane not taken over", lane=lane, fault=str(fault))
                held.leave(lane)
                continue
            if epoch is None:
                raise Misconfigured(f"lane {lane} has no row: were the lanes created?")
            epochs[lane] = epoch
        taken = await read_taken(self._connection, epochs)
        await self._adopt(taken)
        unknown = await unknown_events(
            self._connection, settings.bootstrap, self._producer, self._handler.outputs, taken.states
        )
        for lane in unknown.keys() - taken.states.keys():
            # Another instance may own it, or will: it honours this.
            reason = set_back(unknown[lane].found)
            if await stop_lane(self._connection, lane, unknown[lane].epoch, reason):
                log.error("lane of another owner stopped", lane=lane, reason=reason)
        for lane, reason in taken.stopped.items():
            held.note_stopped(lane, reason)
        for lane, state in taken.states.items():
            if lane in unknown:
                await held.stop(self._connection, lane, state.epoch, set_back(unknown[lane].found))
            elif held.hold(state):
                try:
                    self._publisher.publish(state, taken.tails[lane])
                except InvariantBroken as broken:
                    await held.stop(self._connection, lane, state.epoch, str(broken), broken)
        log.info("lanes taken over", held=sorted(held.states), stopped=sorted(held.stopped))

    async def _adopt(self, taken: Taken) -> None:
        """Lanes of a database that came back from a backup learn first what they did since."""
        restored = {lane: state for lane, state in taken.states.items() if state.restored_from is not None}
        if not restored:
            return
        ends = await self._consumer.ends(restored)
        adopted = await adopt_own(
            self._connection, self._settings.bootstrap, self._producer, self._handler.outputs, restored,
            taken.tails, self._adopting, self._clock, ends,
        )  # fmt: skip
        taken.tails.update(adopted.rows)
        for lane, fault in adopted.faults.items():
            del taken.states[lane]
            if isinstance(fault, Fenced):
                self.held.fenced([lane])
            else:
                await self.held.stop(
                    self._connection, lane, restored[lane].epoch, storable(f"{type(fault).__name__}: {fault}")
                )

    async def _gather(self) -> dict[int, list[Record]]:
        """One poll; under light load a second one after a linger, which follows the load.

        Measured: without a linger 1,000 payments/s cost 2,000 µs each in small transactions, with it 210.
        """
        batch = self._settings.batch
        try:
            records = await self._consumer.poll(
                0.0 if self._last_seconds or self._busy_beside else 0.2, batch
            )
            count = sum(map(len, records.values()))
            if count == 0:
                self._last_seconds = 0.0
            elif self._last_seconds and count < batch // 4:
                await asyncio.sleep(min(self._last_seconds, self._settings.longest_linger))
                for lane, more in (await self._consumer.poll(0.0, batch - count)).items():
                    both = records.setdefault(lane, [])
                    both.extend(more)
                    # Stable: a topic's records stay in the order of their offsets.
                    both.sort(key=lambda record: self._consumer.topics.index(record.topic))
        except OffsetOutOfRangeError as fault:
            for place, offset in out_of_range(fault).items():
                state = self.held.states.get(place.partition)
                # Other offsets are of a fetch from before the lane's seek.
                if state is not None and state.offsets.get(place.topic) == offset:
                    await self.held.stop(
                        self._connection,
                        place.partition,
                        state.epoch,
                        f"{place.topic}/{place.partition} does not have offset {offset}: records that were "
                        "not handled are gone, or the topic was made anew",
                        fault,
                    )
        except UnreadablePartition as fault:
            lane = fault.place.partition
            if lane in self.held.states:
                epoch = self.held.states[lane].epoch
                await self.held.stop(self._connection, lane, epoch, str(fault), fault)
        else:
            return records
        # What was read before the fault stays unhandled, so every lane reads again from its offsets.
        self._consumer.changed.set()
        return {}

    async def _due(self) -> Mapping[int, list[Any]]:
        if self._now() < self._next_due or not self.held.states:
            return {}
        self._next_due = self._now() + self._settings.due_every
        return await find_due(self._handler, self._connection, self.held, self._clock.now())

    async def _keep_house(self) -> None:
        """Every few seconds: prove our lanes ours, look for lanes set free, and for those that stand."""
        self._next_housekeeping = self._now() + self._settings.prove_every
        held = self.held
        check_partitions(self._consumer.partition_counts(), self._settings.partitions)
        if held.states:
            await self.handling.prove(list(held.states.values()))
        if held.stopped:
            resumed = await self._connection.fetch(SQL["resumed_lanes"], list(held.stopped))
            held.resume([row["lane"] for row in resumed])
        every = {lane: await self._consumer.lags(lane, state.offsets) for lane, state in held.states.items()}
        metrics.tell_lags(every)
        moved = {}
        for lane, state in held.states.items():
            offsets, since = self._moved.get(lane, ({}, 0.0))
            behind = offsets == state.offsets and any(every[lane].values())
            moved[lane] = (offsets, since) if behind else (state.offsets, self._now())
        self._moved = moved
        metrics.STUCK.set(sum(self._now() - since > _STUCK_SECONDS for _, since in moved.values()))
