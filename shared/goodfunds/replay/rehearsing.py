"""Rehearsing a plan: its records are handled and rolled back, beside live lanes, to say what a run does."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from goodfunds.audit.chain import append
from goodfunds.lanes import LaneSettings
from goodfunds.lanes.records import Connection, Record
from goodfunds.replay.again import to_handle
from goodfunds.replay.forecast import Forecast
from goodfunds.replay.parked_events import of_one_poll, parked_events
from goodfunds.replay.planning import SQL, Desk
from goodfunds.replay.ranges import PlannedShare
from goodfunds.replay.reading import RangeReader
from goodfunds.replay.slices import SLICE_BYTES, SLICE_RECORDS, Cutter, Position, Slice, Wanted
from goodfunds.replay.trial import NOTHING_TRIED, Trial
from goodfunds.replay.watching import Watch

_TOLD_EVERY = 1.0
_LANES_READ = 4
"""At once, of which one is rehearsed."""
_LOOK_SECONDS = 0.1
"""Between two looks at who waits, while the broker lets us wait."""

Live = Callable[[], int]
"""How many transactions the live lanes of this process have committed."""


class Aborted(Exception):
    """Somebody has ended the plan meanwhile."""


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
        shares: list[PlannedShare],
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

    async def run(self, wanted: Wanted | None) -> None:
        """Rehearse all lanes, one after the other, and store what is foreseen. Raises Aborted.

        `wanted`: of records of ranges; None: it is of parked events.
        """
        if wanted is None:
            for share in self._shares:
                await self._parked(share.lane)
        else:
            await self._ranges(wanted)
        await self._store()

    @asynccontextmanager
    async def _trial(self, lane: int, in_line: bool = False) -> AsyncIterator[Trial]:
        desk, partitions = self._desk, self._settings.partitions
        trial = Trial(self._connection, self._watch, desk.handler, desk.clock, partitions, lane, in_line)
        try:
            yield trial
        finally:
            await trial.end()
        self._forecast.exact = self._forecast.exact and trial.exact

    async def _ranges(self, wanted: Wanted) -> None:
        """The next lanes' first records are fetched meanwhile: that takes longer than to handle a few."""
        waiting, reading = deque(self._shares), deque[tuple[int, RangeReader]]()
        try:
            while waiting or reading:
                while waiting and len(reading) < _LANES_READ:
                    share = waiting.popleft()
                    reading.append((share.lane, self._reader(share, wanted)))
                lane, reader = reading[0]
                async with self._trial(lane) as trial:
                    await self._lane(lane, reader, trial)
                reading.popleft()
                await reader.stop()
        finally:
            await asyncio.gather(*(reader.stop() for _, reader in reading))

    def _reader(self, share: PlannedShare, wanted: Wanted) -> RangeReader:
        handler = self._desk.handler
        writable = frozenset(each.topic for each in handler.inputs if each.client_writable)
        cutter = Cutter(share.ranges, Position(), 0, wanted.by(handler), writable)
        return RangeReader(self._settings.bootstrap, share.lane, cutter)

    async def _lane(self, lane: int, reader: RangeReader, trial: Trial) -> None:
        last = False
        while not last:
            piece = await self._next(reader, trial)
            records = await to_handle(self._connection, piece.records)
            skipped = piece.skipped + len(piece.records) - len(records)
            await self._slice(lane, piece.number, records, skipped, trial)
            last = piece.last

    async def _next(self, reader: RangeReader, trial: Trial) -> Slice:
        while (piece := reader.take()) is None:
            await reader.wait(_LOOK_SECONDS)
            await trial.make_way()
            await self._tell()
        return piece

    async def _parked(self, lane: int) -> None:
        """As they would be released: in their order, all of the accounts that are picked."""
        topics = [each.topic for each in self._desk.handler.inputs]
        after, number = -1, 0
        async with self._trial(lane, in_line=True) as trial:
            while rows := await self._desk.pool.fetch(
                SQL["parked_to_try"], self._plan_id, lane, after, SLICE_RECORDS, SLICE_BYTES
            ):
                events = of_one_poll(parked_events(rows), topics)
                await self._slice(lane, number, events, 0, trial)
                after, number = rows[len(events) - 1]["parked_seq"], number + 1

    async def _slice(
        self, lane: int, number: int, records: Sequence[Record], skipped: int, trial: Trial
    ) -> None:
        before, started = self._live(), self._now()
        tried = await trial.handle(records) if records else NOTHING_TRIED
        self._forecast.add(lane, number, len(records), skipped, tried)
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
