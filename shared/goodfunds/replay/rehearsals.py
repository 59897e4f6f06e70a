"""Rehearsals: plans wait their turn in the process of a service, and are rehearsed one after the other."""

import asyncio
import json
from collections import deque
from contextlib import suppress
from typing import Final

import structlog

from goodfunds import ids
from goodfunds.audit.chain import append
from goodfunds.lanes import LaneSettings
from goodfunds.lanes.evidence import storable
from goodfunds.lanes.loop import close
from goodfunds.postgres import connect
from goodfunds.replay.planning import SQL, Desk
from goodfunds.replay.rehearsing import Aborted, Live, Rehearsal
from goodfunds.replay.slices import Wanted
from goodfunds.replay.steps import shares_of
from goodfunds.replay.watching import Watch

log = structlog.get_logger(__name__)

MOST_WAITING: Final = 20
_BEAT_SECONDS = 5.0


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
            of_ranges = row["kind"] == "replay"
            await rehearsal.run(Wanted.of(json.loads(row["selection"])) if of_ranges else None)
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
