"""HTTP: replays are planned, looked at, approved by somebody else, run, paused, gone on with and ended."""

import io
from typing import Annotated, Any, Final

from fastapi import FastAPI, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from goodfunds import ids
from goodfunds.access.principals import Principal
from goodfunds.http import bodies
from goodfunds.http.documented import BODY, headers, problems, taking
from goodfunds.http.door import allowed
from goodfunds.http.paging import Cursor, Limit, Page, id_in, page, place_of
from goodfunds.observability.http import Problem
from goodfunds.operating.http_parked import Offset, Partition, Topic
from goodfunds.operating.operated import Operated
from goodfunds.operating.replay_requests import ReplayRequest, SelfcheckRequest
from goodfunds.operating.replay_shapes import PlanSummary, PlanView, plan_view, summary
from goodfunds.operating.scopes import LANES_APPROVE, LANES_OPERATE, LANES_READ
from goodfunds.replay.planning import SQL, Asked, first_state, plan
from goodfunds.replay.plans import LIFE, Refusal, Step
from goodfunds.replay.selection import Parked, Selection
from goodfunds.replay.steps import take

Reader = Annotated[Principal, allowed(LANES_READ)]
Operator = Annotated[Principal, allowed(LANES_OPERATE)]
Approver = Annotated[Principal, allowed(LANES_APPROVE)]
PlanId = Annotated[str, Path(description="The plan's UUID.")]
_LAST_ID: Final = b"\xff" * 16
_LARGEST_BODY: Final = 1024 * 1024
_BODY_SECONDS: Final = 15.0
_PLANNED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": PlanView, "headers": headers(Location="The plan.")},
    **problems(409),
}


def add_routes(app: FastAPI, operated: Operated) -> None:
    """Add /v1/replays and what is below it, and /v1/selfchecks."""
    pool = operated.pool

    async def view(plan_id: bytes) -> PlanView:
        row = await pool.fetchrow(SQL["plan"], plan_id)
        if row is None:
            raise _no_plan()
        return plan_view(row, await pool.fetch(SQL["shares_of_plan"], plan_id))

    async def planned(asked: Asked) -> Response:
        if first_state(asked) == "rehearsing" and operated.rehearsals.full:
            raise _refused(Refusal("too_many", "too many plans wait to be rehearsed: end some, or try later"))
        found = await plan(operated.desk, asked)
        if isinstance(found, Refusal):
            raise _refused(found)
        answer = await view(found)
        if answer.state == "rehearsing":
            operated.rehearsals.begin(found)
        return JSONResponse(
            answer.model_dump(mode="json"),
            status_code=202,
            headers={"Location": f"/v1/replays/{answer.plan_id}"},
        )

    @app.post("/v1/replays", status_code=202, **_planning(ReplayRequest))
    async def plan_replay(request: Request, operator: Operator) -> Response:
        """Plan what is to be done again. What changes lanes is rehearsed, and runs once it is approved.

        Of parked events a `release`, and a `republish`, need nobody else, and run at once.
        """
        return await planned((await _body(request, ReplayRequest)).asked(operator.client))

    @app.post("/v1/selfchecks", status_code=202, **_planning(SelfcheckRequest))
    async def selfcheck(request: Request, operator: Operator) -> Response:
        """Handle records once more and roll each effect back: it shows that there would be none."""
        return await planned((await _body(request, SelfcheckRequest)).asked(operator.client))

    @app.post("/v1/parked/{topic}/{partition}/{offset}/diff", status_code=202, responses=_PLANNED)
    async def diff(operator: Operator, topic: Topic, partition: Partition, offset: Offset) -> Response:
        """Rehearse the release of a parked event's account, to see what it would change.

        It is a plan like others: approve and run it, or end it.
        """
        selection = Selection(parked=Parked(places=((topic, partition, offset),)))
        reason = "to see what it would change"
        return await planned(Asked(operator.client, "release", selection, reason, None, LIFE, directly=False))

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
        return await view(_id(plan_id))

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
            refused = await take(operated.desk, identifier, step, by.client)
        except LookupError:
            raise _no_plan() from None
        if refused is not None:
            raise _refused(refused)
        return await view(identifier)


def _planning(body: type[BaseModel]) -> dict[str, Any]:
    """How a route is documented that takes this body and plans."""
    return {
        "responses": {**_PLANNED, **problems(*BODY)},
        "openapi_extra": taking("application/json", schema=body.model_json_schema()),
    }


async def _body(request: Request, model: type[bodies.Body]) -> bodies.Body:
    received = io.BytesIO()
    await bodies.receive(request, received, _LARGEST_BODY, _BODY_SECONDS, ("application/json",))
    return bodies.parse(received.getvalue(), model)


def _id(text: str) -> bytes:
    try:
        return ids.parse(text)
    except ValueError:
        raise _no_plan() from None


def _no_plan() -> Problem:
    return Problem(404, "no plan has that id")


def _refused(why: Refusal) -> Problem:
    kind = f"urn:goodfunds:replay:{why.code.replace('_', '-')}"
    return Problem(409, why.text, kind=kind, code=why.code)
