"""Replays as the owner of lanes works them: between its polls, a slice a turn, one share a lane at a time."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import structlog

from goodfunds.errors import OutOfTurn, is_retriable
from goodfunds.lanes.beside import Owner
from goodfunds.replay.again import Again
from goodfunds.replay.ending import end_plans
from goodfunds.replay.releasing import Discarding, Releasing
from goodfunds.replay.republishing import Republishing
from goodfunds.replay.shares import SQL, Share, Withdrawn, give_up, share_of
from goodfunds.replay.watching import Watch

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 0.5
_AT_ONCE = 4
"""Shares that read topics and that one instance works side by side: each reads ahead, with a consumer."""
_READING: Final = frozenset({"replay", "selfcheck"})
_STRIKES = 5
_SESSIONS = 10
"""More than instances come and go in one slice; few enough for one that kills its process each time."""
_STOP_SECONDS = 5.0

Place = tuple[bytes, int]
"""(plan, lane)."""


class Work(Protocol):
    """A share that is being worked in this session."""

    share: Share

    async def step(self, owner: Owner) -> int | None:
        """One piece: how many records were handled; None where nothing could be done now.

        Raises Withdrawn where the share is no longer to be worked, and retriable faults.
        """

    @property
    def starved(self) -> bool:
        """Whether to ask again soon is no use."""

    @property
    def faulted(self) -> bool:
        """Whether what it left under way has failed: that ends a session before its next step."""

    async def stop(self) -> None:
        """Hold nothing open any more."""


class Replays:
    """Of one instance, over all of its sessions. It remembers the session; the tables have the rest.

    `code_version`: of this instance; a plan that was made with other code fails.
    """

    def __init__(self, code_version: str) -> None:
        self._code_version = code_version
        self._working: dict[Place, Work] = {}
        self._not_before: dict[Place, datetime] = {}
        self._turns: list[Place] = []
        self._leaving: set[asyncio.Task[None]] = set()
        self._next_look = 0.0
        self._stuck: set[bytes] = set()
        self._watch: Watch | None = None
        self._struck: dict[tuple[bytes, int, int], int] = {}
        self._begun: set[Place] = set()

    async def turn(self, owner: Owner) -> bool:
        """Work one slice of one share; whether there is more at once."""
        now = asyncio.get_running_loop().time()
        if now >= self._next_look and owner.states:
            self._next_look = now + _LOOK_SECONDS
            await self._look(owner)
        work = self._whose_turn(owner)
        if work is None:
            return False
        place = (work.share.plan_id, work.share.lane)
        try:
            handled = await self._step(owner, work)
        except Withdrawn as withdrawn:
            log.info("share of a replay left", lane=work.share.lane, why=str(withdrawn))
            self._drop(place)
            return bool(self._working)
        if work.share.state != "running":
            log.info("share of a replay ended", lane=work.share.lane, state=work.share.state)
            self._drop(place)
            self._next_look = 0.0
        if handled is None:
            return not all(each.starved for each in self._working.values())
        if handled and work.share.rate is not None:
            since = max(self._not_before.get(place, owner.clock.now()), owner.clock.now())
            self._not_before[place] = since + timedelta(seconds=handled / work.share.rate)
        return True

    async def end(self) -> None:
        """The session is over: whoever has the lanes next goes on from the tables."""
        for place, work in list(self._working.items()):
            if work.faulted:
                self._strike(work.share)
            self._drop(place)
        self._not_before.clear()
        self._stuck.clear()
        self._begun.clear()
        self._watch = None
        self._next_look = 0.0
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=_STOP_SECONDS)

    async def _look(self, owner: Owner) -> None:
        """Bring what is worked in line with the plans that run and the lanes that are held."""
        running = {row["plan_id"] for row in await owner.connection.fetch(SQL["running_plans"])}
        plans = sorted(running - self._stuck)
        shares: Mapping[Place, Share] = {}
        if plans:
            self._stuck |= await end_plans(owner, plans)
            shares = await self._shares(owner, plans)
        for place in self._working.keys() - shares.keys():
            self._drop(place)
        reading = sum(work.share.kind in _READING for work in self._working.values())
        for place, share in shares.items():
            reads = share.kind in _READING
            if place not in self._working and (not reads or reading < _AT_ONCE):
                self._working[place] = await self._begin(owner, place, share)
                self._turns.append(place)
                reading += reads

    async def _shares(self, owner: Owner, plans: list[bytes]) -> dict[Place, Share]:
        """Of each held lane the share whose turn it is. Those that must not be worked any more fail here."""
        # A lane that catches up has something else to do again first.
        lanes = [lane for lane, state in owner.states.items() if not state.catch_up]
        found = {}
        for row in await owner.connection.fetch(SQL["shares_at_work"], plans, lanes):
            share = share_of(row)
            place = share.plan_id, share.lane
            fault = self._forbids(place, row) if place not in self._working else None
            if fault is None:
                found[place] = share
            else:
                try:
                    await give_up(owner, share, "failed", fault)
                except Withdrawn:
                    continue
        return found

    def _forbids(self, place: Place, row: Mapping[str, Any]) -> str | None:
        if row["from_before_restore"]:
            return "this database was brought back from a backup since this was planned: plan again"
        if row["code_version"] != self._code_version:
            return "this instance runs other code than the plan was made with: plan again"
        if row["begun"] >= _SESSIONS and place not in self._begun:
            return f"slice {row['slice']} was begun in {row['begun']} sessions and ended in none"
        return None

    async def _begin(self, owner: Owner, place: Place, share: Share) -> Work:
        log.info("share of a replay begins", lane=share.lane, kind=share.kind, slice=share.slice)
        if place not in self._begun:
            self._begun.add(place)
            await owner.connection.execute(SQL["begin_share"], *place)
        if share.kind == "republish":
            return Republishing(share)
        if share.kind == "discard":
            return Discarding(share)
        if self._watch is None:
            self._watch = await Watch.on(owner.connection)
        if share.kind == "release":
            return Releasing(share, self._watch)
        return Again(owner, share, self._watch)

    def _whose_turn(self, owner: Owner) -> Work | None:
        """The next share in turn that its rate and its lane let be worked."""
        now = owner.clock.now()
        for _ in range(len(self._turns)):
            place = self._turns.pop(0)
            self._turns.append(place)
            if place[1] in owner.states and self._not_before.get(place, now) <= now:
                return self._working[place]
        return None

    async def _step(self, owner: Owner, work: Work) -> int | None:
        """A slice that ends session after session is given up: live records must not pay for it.

        Nor for one with a fault that time will not mend.
        """
        share = work.share
        at = share.plan_id, share.lane, share.slice
        if self._struck.get(at, 0) >= _STRIKES:
            await give_up(owner, share, "failed", f"slice {share.slice} has ended {_STRIKES} sessions")
            return 0
        try:
            handled = await work.step(owner)
        except Withdrawn:
            raise
        except OutOfTurn as early:
            raise Withdrawn(f"later: {early}") from early
        except Exception as fault:
            if is_retriable(fault):
                self._strike(share)
                raise
            await give_up(owner, share, "failed", f"{type(fault).__name__}: {fault}")
            return 0
        if share.slice != at[2]:
            self._struck.pop(at, None)
        return handled

    def _strike(self, share: Share) -> None:
        at = share.plan_id, share.lane, share.slice
        self._struck[at] = self._struck.get(at, 0) + 1

    def _drop(self, place: Place) -> None:
        work = self._working.pop(place)
        self._turns.remove(place)
        self._not_before.pop(place, None)
        leaving = asyncio.create_task(work.stop())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)
