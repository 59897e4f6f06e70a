"""HTTP: what is to be done again is planned, rehearsed where it changes lanes, and refused with its bound."""

import io
from typing import Annotated, Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from goodfunds.access.principals import Principal
from goodfunds.http import bodies
from goodfunds.http.documented import BODY, headers, problems, taking
from goodfunds.http.door import allowed
from goodfunds.operating.http_parameters import Offset, Partition, Topic
from goodfunds.operating.http_replays import plan_of, refused
from goodfunds.operating.operated import Operated
from goodfunds.operating.replay_requests import ReplayRequest, SelfcheckRequest
from goodfunds.operating.replay_shapes import PlanView
from goodfunds.operating.scopes import LANES_OPERATE
from goodfunds.replay.planning import Asked, first_state, plan
from goodfunds.replay.plans import LIFE, Refusal
from goodfunds.replay.selection import Parked, Selection

Operator = Annotated[Principal, allowed(LANES_OPERATE)]
_LARGEST_BODY: Final = 1024 * 1024
_BODY_SECONDS: Final = 15.0
_PLANNED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": PlanView, "headers": headers(Location="The plan.")},
    **problems(409),
}


def add_routes(app: FastAPI, operated: Operated) -> None:
    """Add what begins a plan: a POST to /v1/replays, to /v1/selfchecks, or to a parked event's diff."""

    async def planned(asked: Asked) -> Response:
        if first_state(asked) == "rehearsing" and operated.rehearsals.full:
            raise refused(Refusal("too_many", "too many plans wait to be rehearsed: end some, or try later"))
        found = await plan(operated.desk, asked)
        if isinstance(found, Refusal):
            raise refused(found)
        answer = await plan_of(operated.pool, found)
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
