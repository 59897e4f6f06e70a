"""HTTP: plans of replays are looked at, approved by somebody else, run, paused, gone on with and ended."""

from typing import Annotated, Any, Final

import asyncpg
from fastapi import FastAPI, Path

from goodfunds import ids
from goodfunds.access.principals import Principal
from goodfunds.http.documented import problems
from goodfunds.http.door import allowed
from goodfunds.http.paging import Cursor, Limit, Page, id_in, page, place_of
from goodfunds.observability.http import Problem
from goodfunds.operating.operated import Operated
from goodfunds.operating.replay_shapes import PlanSummary, PlanView, plan_view, summary
from goodfunds.operating.scopes import LANES_APPROVE, LANES_OPERATE, LANES_READ
from goodfunds.replay.planning import SQL
from goodfunds.replay.plans import Refusal, Step
from goodfunds.replay.steps import take

Reader = Annotated[Principal, allowed(LANES_READ)]
Operator = Annotated[Principal, allowed(LANES_OPERATE)]
Approver = Annotated[Principal, allowed(LANES_APPROVE)]
PlanId = Annotated[str, Path(description="The plan's UUID.")]
_LAST_ID: Final = b"\xff" * 16


def add_routes(app: FastAPI, operated: Operated) -> None:
    """Add /v1/replays and what is below it, but what begins a plan."""
    pool = operated.pool

    @app.get("/v1/replays", responses=problems())
    async def replays(_: Reader, limit: Limit = 100, cursor: Cursor = None) -> Page[PlanSummary]:
        """Plans of all kinds, the newest first."""
        place = place_of(cursor, 1)
        before = _LAST_ID if place is None else id_in(place[0])
        rows = await pool.fetch(SQL["plans_before"], before, limit + 1)
        kept, more = page(rows, limit, limit + 1, lambda row: (ids.text(row["plan_id"]),))
        return Page(items=[summary(row) for row in kept], next_cursor=more)

    @app.get("/v1/replays/{plan_id}", responses=problems(404))
    async def replay(_: Reader, plan_id: PlanId) -> PlanView:
        """A plan with its lanes, what its rehearsal foresees, how far it is and what came of it."""
        return await plan_of(pool, _id(plan_id))

    @app.post("/v1/replays/{plan_id}/approve", responses=problems(404, 409))
    async def approve(approver: Approver, plan_id: PlanId) -> PlanView:
        """Approve what somebody else has planned, as it was rehearsed."""
        return await stepped(plan_id, "approve", approver)

    @app.post("/v1/replays/{plan_id}/run", responses=problems(404, 409))
    async def run(operator: Operator, plan_id: PlanId) -> PlanView:
        """Let the lanes' owners begin with it."""
        return await stepped(plan_id, "run", operator)

    @app.post("/v1/replays/{plan_id}/pause", responses=problems(404, 409))
    async def pause(operator: Operator, plan_id: PlanId) -> PlanView:
        """Let it stand after the slices under way."""
        return await stepped(plan_id, "pause", operator)

    @app.post("/v1/replays/{plan_id}/resume", responses=problems(404, 409))
    async def resume(operator: Operator, plan_id: PlanId) -> PlanView:
        """Go on with what was paused."""
        return await stepped(plan_id, "resume", operator)

    @app.post("/v1/replays/{plan_id}/abort", responses=problems(404, 409))
    async def abort(operator: Operator, plan_id: PlanId) -> PlanView:
        """End it; what was done stays done."""
        return await stepped(plan_id, "abort", operator)

    async def stepped(plan_id: str, step: Step, by: Principal) -> PlanView:
        identifier = _id(plan_id)
        try:
            why = await take(operated.desk, identifier, step, by.client)
        except LookupError:
            raise _no_plan() from None
        if why is not None:
            raise refused(why)
        return await plan_of(pool, identifier)


async def plan_of(pool: "asyncpg.Pool[Any]", plan_id: bytes) -> PlanView:
    """A plan with its lanes. Raises Problem 404."""
    row = await pool.fetchrow(SQL["plan"], plan_id)
    if row is None:
        raise _no_plan()
    return plan_view(row, await pool.fetch(SQL["shares_of_plan"], plan_id))


def refused(why: Refusal) -> Problem:
    """Why a plan is not made or a step not taken, as an answer: its code is the type's last part."""
    kind = f"urn:goodfunds:replay:{why.code.replace('_', '-')}"
    return Problem(409, why.text, kind=kind, code=why.code)


def _id(text: str) -> bytes:
    try:
        return ids.parse(text)
    except ValueError:
        raise _no_plan() from None


def _no_plan() -> Problem:
    return Problem(404, "no plan has that id")
