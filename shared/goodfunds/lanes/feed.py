"""A feed: an input that is no topic, with one owner, a position and a heartbeat, fenced like a lane."""

import asyncio
import contextlib
import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import structlog

from goodfunds.clock import Clock, SystemClock
from goodfunds.errors import is_broken_invariant, is_retriable
from goodfunds.lanes import metrics
from goodfunds.lanes.destinations import follow_ends, unknown_events
from goodfunds.lanes.evidence import NO_EVIDENCE, Evidence, storable
from goodfunds.lanes.fence import SQL, unchanged
from goodfunds.lanes.guard import FEED, check_replication, create_lanes
from goodfunds.lanes.loop import close
from goodfunds.lanes.publisher import Publisher
from goodfunds.lanes.records import Adopt, Connection, Emission, Sequences
from goodfunds.lanes.restore import adopt_own
from goodfunds.lanes.state import LaneState
from goodfunds.lanes.takeover import raise_epoch, read_taken, set_back, stop_lane
from goodfunds.lanes.transact import Numbering, transact
from goodfunds.lanes.tuning import LaneSettings
from goodfunds.postgres import connect

log = structlog.get_logger(__name__)

_STALE_SECONDS = 10.0
_HEARTBEAT_SECONDS = 3.0
_LONGEST_PAUSE = 5.0
_STANDBY_SECONDS = 1.0
_SHORTEST_REST = 0.02


class Source(Protocol):
    """What a feed takes in. It writes only its own rows; what it learns reaches the lanes as events."""

    @property
    def producer(self) -> str:
        """Its name, such as `settlement-gateway`."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """The topics it writes."""

    async def look(self) -> Any | None:
        """Look at the outside world, outside any transaction; what to record, or None. May be slow.

        Retriable faults end the turn and are tried again; what was done outside is asked for, not assumed.
        """

    async def record(
        self, connection: Connection, work: Any, now: datetime, sequences: Sequences
    ) -> Sequence[Emission]:
        """Write what `look` found, inside the fenced transaction; the events to publish."""


class Feed:
    """Runs a source while no other instance does."""

    def __init__(
        self,
        source: Source,
        settings: LaneSettings,
        clock: Clock | None = None,
        idle: float = 0.3,
        adopt: Adopt | None = None,
    ) -> None:
        self.working = False
        self.stopped: str | None = None
        self._source = source
        self._settings = settings
        self._clock = clock or SystemClock()
        self._idle = idle
        self._adopt = adopt
        self._created = False
        self._at_work: tuple[Any, ...] = ()

    def unready(self) -> list[str]:
        """Why this instance cannot work; standing by for another owner is ready."""
        if self.stopped is None:
            return []
        return [f"the feed is stopped: {self.stopped} (evidence: lane_stops in its database)"]

    async def run(self, stop: asyncio.Event) -> None:
        """Work or stand by until `stop` is set. Raises faults that are not retriable."""
        pause = self._idle
        while not stop.is_set():
            try:
                await self._one_session(stop)
                pause = _STANDBY_SECONDS
            except Exception as fault:
                if not is_retriable(fault):
                    raise
                metrics.SESSIONS.labels(type(fault).__name__).inc()
                log.warning("feed session ended by a fault", feed=self._source.producer, fault=repr(fault))
                pause = min(pause * 2, _LONGEST_PAUSE)
            finally:
                self.working = False
                # A feed is a process' only lane.
                metrics.STOPPED.set(1 if self.stopped else 0)
            await self._rest(stop, pause)

    async def _rest(self, stop: asyncio.Event, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            jittered = seconds * random.uniform(0.8, 1.2)  # noqa: S311 - not a secret
            await asyncio.wait_for(stop.wait(), jittered)

    async def _one_session(self, stop: asyncio.Event) -> None:
        settings, source = self._settings, self._source
        self._at_work = ()
        if not self._created:
            if settings.replicated:
                await check_replication(settings.bootstrap, source.outputs)
            await create_lanes(
                settings.dsn, settings.bootstrap, settings.partitions, (), source.outputs, (FEED,)
            )
            self._created = True
        connection = await connect(settings.dsn, f"goodfunds {source.producer}", settings.statement_timeout)
        try:
            if await self._is_stopped(connection):
                return
            epoch = await raise_epoch(
                connection, settings.dsn, FEED, "take_over_feed", FEED, settings.owner, _STALE_SECONDS
            )
            if epoch is None:
                return
            cluster = await connection.fetchrow(SQL["read_cluster"])
            assert cluster is not None
            producer = f"{source.producer}.{cluster['incarnation']}"
            taken = await read_taken(connection, {FEED: epoch})
            self.stopped = taken.stopped.get(FEED)
            if FEED not in taken.states:
                return
            state, tail = taken.states[FEED], taken.tails[FEED]
            if state.restored_from is not None:
                adopted = await adopt_own(
                    connection, settings.bootstrap, producer, source.outputs, taken.states, taken.tails,
                    self._adopt, self._clock, {},
                )  # fmt: skip
                if FEED in adopted.faults:
                    await self._stop(connection, epoch, storable(str(adopted.faults[FEED])))
                    return
                tail = adopted.rows[FEED]
            unknown = await unknown_events(
                connection, settings.bootstrap, producer, source.outputs, taken.states
            )
            if unknown:
                evidence = Evidence(state=state)
                await self._stop(connection, epoch, set_back(unknown[FEED].found), evidence)
                return
            publisher = Publisher(settings.bootstrap, producer, settings.answer_timeout)
            try:
                await publisher.start()
                publisher.publish(state, tail)
                self.working = True
                following = asyncio.create_task(
                    follow_ends(settings.bootstrap, source.outputs, lambda: [state])
                )
                try:
                    await self._work(stop, connection, cluster["incarnation"], state, publisher)
                finally:
                    following.cancel()
                    await asyncio.gather(following, return_exceptions=True)
            except Exception as fault:
                if not is_broken_invariant(fault):
                    raise
                await self._stop(connection, epoch, str(fault), Evidence(fault, (), self._at_work, state))
            finally:
                await publisher.stop()
        finally:
            await close(connection)

    async def _stop(
        self, connection: Connection, epoch: int, reason: str, evidence: Evidence = NO_EVIDENCE
    ) -> None:
        if await stop_lane(connection, FEED, epoch, reason, evidence):
            self.stopped = reason
            log.error("feed stopped", feed=self._source.producer, reason=reason)

    async def _is_stopped(self, connection: Connection) -> bool:
        """Whether a person has to look first; read first, so that standing still writes nothing."""
        rows = await connection.fetch(SQL["read_lanes"], [FEED])
        self.stopped = rows[0]["stopped_reason"] if rows else None
        metrics.STOPPED.set(1 if self.stopped else 0)
        return self.stopped is not None

    async def _work(
        self,
        stop: asyncio.Event,
        connection: Connection,
        incarnation: str,
        state: LaneState,
        publisher: Publisher,
    ) -> None:
        now = asyncio.get_running_loop().time
        beat, moved = 0.0, now()
        while not stop.is_set():
            await publisher.wait_below(self._settings.in_flight)
            work = await self._look(connection, incarnation, state)
            if work is None:
                if now() - beat >= _HEARTBEAT_SECONDS:
                    await transact(connection, incarnation, [unchanged(state)], self._clock.now(), None)
                    beat = now()
                await self._rest(stop, rest_after(now() - moved, self._idle))
                continue
            self._at_work = (work,)
            await self._record(connection, incarnation, state, publisher, work)
            self._at_work = ()
            moved = now()
        await publisher.wait_below(1)
        await transact(connection, incarnation, [unchanged(state)], self._clock.now(), None)
        await connection.execute(SQL["release_feed"], FEED, state.epoch)

    async def _look(self, connection: Connection, incarnation: str, state: LaneState) -> Any | None:
        """Look outside while the heart goes on beating: a long upload must not look like a death."""
        looking = asyncio.ensure_future(self._source.look())
        try:
            while True:
                done, _ = await asyncio.wait({looking}, timeout=_HEARTBEAT_SECONDS)
                if done:
                    return looking.result()
                await transact(connection, incarnation, [unchanged(state)], self._clock.now(), None)
        finally:
            if not looking.done():
                looking.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await looking

    async def _record(
        self, connection: Connection, incarnation: str, state: LaneState, publisher: Publisher, work: Any
    ) -> None:
        now = self._clock.now()
        share = unchanged(state)

        async def write(connection: Connection) -> Mapping[int, Sequence[Emission]]:
            return {FEED: await self._source.record(connection, work, now, Numbering([share]))}

        publisher.publish(state, await transact(connection, incarnation, [share], now, write))


def rest_after(still: float, idle: float) -> float:
    """Seconds until the next look: the longer nothing has moved the more, for what follows comes soon."""
    return min(max(still / 4, _SHORTEST_REST), idle)
