"""Rehearsing: a plan's records are handled and rolled back, beside live lanes, to say what a run would do."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import structlog

from goodfunds import ids
from goodfunds.audit.chain import append
from goodfunds.lanes import LaneSettings
from goodfunds.lanes.evidence import storable
from goodfunds.lanes.loop import close
from goodfunds.lanes.records import Connection
from goodfunds.postgres import connect
from goodfunds.replay.forecast import Forecast
from goodfunds.replay.planning import SQL, Desk
from goodfunds.replay.ranges import Share
from goodfunds.replay.reading import RangeReader
from goodfunds.replay.slices import Cutter, Position, Slice, Wanted
from goodfunds.replay.steps import shares_of
from goodfunds.replay.trial import Trial
from goodfunds.replay.watching import Watch

log = structlog.get_logger(__name__)

MOST_WAITING: Final = 20
_BEAT_SECONDS = 5.0
_TOLD_EVERY = 1.0
_LOOK_SECONDS = 0.1
"""Between two looks at who waits, while the broker lets us wait."""

Live = Callable[[], int]
"""How many transactions the live lanes of this process have committed."""


class Aborted(Exception):
    """Somebody has ended the plan meanwhile."""


class Rehearsals:
    """Rehearses one plan after the other, in the process of a service, until told to stop."""

    def __init__(self, desk: Desk, settings: LaneSettings, live: Live = lambda: 0) -> None:
        self._desk = desk
        self._settings = settings
        self._live = live
        self._waiting: deque[bytes] = deque()
        self._asked = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether as many wait as may."""
        return len(self._waiting) >= MOST_WAITING

    def begin(self, plan_id: bytes) -> None:
        """Rehearse a plan when its turn comes."""
        self._waiting.append(plan_id)
        self._asked.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Rehearse what is asked for. What is under way when `stop` is set is given up."""
        working = asyncio.create_task(self._work())
        beating = asyncio.create_task(self._beat())
        try:
            await stop.wait()
        finally:
            working.cancel()
            beating.cancel()
            await asyncio.gather(working, beating, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            while self._waiting:
                # It waits on until it is done: that keeps its heart beating.
                plan_id = self._waiting[0]
                try:
                    await self._rehearse(plan_id)
                except Exception as fault:
                    log.error("rehearsal failed", plan=ids.text(plan_id), exc_info=fault)
                    with suppress(Exception):
                        await self._fail(plan_id, fault)
                self._waiting.popleft()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            try:
                if self._waiting:
                    await self._desk.pool.execute(SQL["beat_rehearsal"], list(self._waiting))
            except Exception as fault:
                log.warning("rehearsals could not say that they go on", fault=repr(fault))

    async def _rehearse(self, plan_id: bytes) -> None:
        desk, settings = self._desk, self._settings
        row = await desk.pool.fetchrow(SQL["plan_to_rehearse"], plan_id)
        if row is None:
            return
        shares = shares_of(await desk.pool.fetch(SQL["shares_of_plan"], plan_id))
        name = f"goodfunds {desk.handler.producer} rehearsal"
        connection = await connect(settings.dsn, name, settings.statement_timeout)
        try:
            watch = await Watch.on(connection)
            rehearsal = Rehearsal(desk, settings, connection, watch, self._live, plan_id, shares)
            await rehearsal.run(Wanted.of(json.loads(row["selection"])))
        except Aborted:
            log.info("rehearsal aborted", plan=ids.text(plan_id))
        finally:
            await close(connection)

    async def _fail(self, plan_id: bytes, fault: Exception) -> None:
        words, now = storable(f"{type(fault).__name__}: {fault}"), self._desk.clock.now()
        async with self._desk.pool.acquire() as connection, connection.transaction():
            ended = await connection.fetchval(
                SQL["end_rehearsal"], plan_id, "failed", "{}", None, None, None, words, now
            )
            if ended:
                actor = f"service:{self._desk.handler.producer}"
                await append(connection, now, actor, "failed", plan_id, {"rehearsal": words})


class Rehearsal:
    """Of one plan, on a connection of its own."""

    def __init__(
        self,
        desk: Desk,
        settings: LaneSettings,
        connection: Connection,
        watch: Watch,
        live: Live,
        plan_id: bytes,
        shares: list[Share],
    ) -> None:
        self._desk = desk
        self._settings = settings
        self._connection = connection
        self._watch = watch
        self._live = live
        self._plan_id = plan_id
        self._shares = shares
        self._forecast = Forecast(watch.tables)
        self._now = asyncio.get_running_loop().time
        self._began = self._told = self._now()

    async def run(self, wanted: Wanted) -> None:
        """Rehearse all lanes, one after the other, and store what is foreseen. Raises Aborted."""
        for share in self._shares:
            await self._lane(share, wanted)
        await self._store()

    async def _lane(self, share: Share, wanted: Wanted) -> None:
        desk, handler = self._desk, self._desk.handler
        writable = frozenset(each.topic for each in handler.inputs if each.client_writable)
        parked = {
            (row["topic"], row["source_offset"])
            for row in await desk.pool.fetch(SQL["parked_places"], share.lane)
        }
        cutter = Cutter(share.ranges, Position(), 0, wanted.by(handler), writable)
        reader = RangeReader(self._settings.bootstrap, share.lane, cutter)
        trial = Trial(
            self._connection, self._watch, handler, desk.clock, self._settings.partitions, share.lane
        )
        try:
            last = False
            while not last:
                piece = await self._next(reader, trial)
                await self._slice(share.lane, piece, parked, trial)
                last = piece.last
        finally:
            await reader.stop()
            await trial.end()
        self._forecast.exact = self._forecast.exact and trial.exact

    async def _next(self, reader: RangeReader, trial: Trial) -> Slice:
        while (piece := reader.take()) is None:
            await reader.wait(_LOOK_SECONDS)
            await trial.make_way()
            await self._tell()
        return piece

    async def _slice(self, lane: int, piece: Slice, parked: set[tuple[str, int]], trial: Trial) -> None:
        records = [each for each in piece.records if (each.topic, each.offset) not in parked]
        before, started = self._live(), self._now()
        tried = await trial.handle(records)
        skipped = piece.skipped + len(piece.records) - len(records)
        self._forecast.add(lane, piece.number, len(records), skipped, tried)
        await trial.make_way()
        await self._tell()
        # While live lanes have work, half of the time is theirs.
        await asyncio.sleep(self._now() - started if self._live() != before else 0)

    async def _tell(self) -> None:
        """Every second how far it is. Raises Aborted."""
        if self._now() - self._told < _TOLD_EVERY:
            return
        self._told = self._now()
        told = json.dumps(self._progress())
        if not await self._desk.pool.fetchval(SQL["note_progress"], self._plan_id, told):
            raise Aborted

    def _progress(self) -> dict[str, Any]:
        forecast = self._forecast
        records, milliseconds = forecast.records + forecast.skipped, round(1000 * (self._now() - self._began))
        return {
            "records": records,
            "total": sum(each.total for each in self._shares),
            "milliseconds": milliseconds,
            "per_second": round(records * 1000 / max(milliseconds, 1)),
        }

    async def _store(self) -> None:
        desk, forecast, now = self._desk, self._forecast, self._desk.clock.now()
        told = forecast.as_json(desk.handler.producer)
        detail = {
            "records": forecast.records,
            "skipped": forecast.skipped,
            "faults": told["faults"]["count"],
            "rows": told["rows"],
            "events": told["events"],
            "exact": forecast.exact,
            "digest": forecast.digest.hex(),
        }
        async with desk.pool.acquire() as connection, connection.transaction():
            ended = await connection.fetchval(
                SQL["end_rehearsal"], self._plan_id, "rehearsed", json.dumps(self._progress()),
                json.dumps(told, default=str), forecast.digest, forecast.exact, None, now,
            )  # fmt: skip
            if not ended:
                raise Aborted
            await connection.copy_records_to_table(
                "replay_slices",
                records=[(self._plan_id, *each) for each in forecast.slices],
                columns=("plan_id", "lane", "slice", "rows_changed", "events_emitted", "digest"),
            )
            actor = f"service:{desk.handler.producer}"
            await append(connection, now, actor, "rehearsed", self._plan_id, detail)
