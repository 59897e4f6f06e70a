"""The operators' real routes without a database: whether they take what is asked, and could answer so."""

from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, get_args

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError

from goodfunds.access.principals import Principal, Principals
from goodfunds.access.rate import Buckets
from goodfunds.clock import SystemClock
from goodfunds.http.door import close_door
from goodfunds.lanes import LaneSettings
from goodfunds.observability.http import create_app
from goodfunds.operating import http as operating
from goodfunds.operating.operated import operated_by
from goodfunds.operating.replay_requests import ReplayRequest, SelfcheckRequest
from goodfunds.operating.scopes import LANES_APPROVE, LANES_OPERATE, LANES_READ
from goodfunds.replay.planning import first_state
from goodfunds.replay.plans import TO, Code
from tests import stand_ins
from tests.tokens import NEVER_TOO_MANY

_TAKEN: Final = 503
_REFUSAL: Final = "urn:goodfunds:replay:"
_PLANNING: Final[dict[str, type[SelfcheckRequest]]] = {
    "/v1/replays": ReplayRequest,
    "/v1/selfchecks": SelfcheckRequest,
}


class _Away:
    """A pool of connections to a database that is away."""

    def __getattr__(self, name: str) -> Any:
        def call(*_given: Any) -> Any:
            raise ConnectionError(name)

        return call


async def _taken(_request: Request, _fault: Exception) -> Response:
    """Of a route that has understood the request, and comes to the database."""
    return Response(status_code=_TAKEN)


class _Everybody(Principals):
    """Whoever asks may do anything."""

    async def find(self, secret: str) -> Principal | None:
        scopes = frozenset({LANES_READ, LANES_OPERATE, LANES_APPROVE})
        return Principal(secret.encode(), "ada", scopes, datetime.max.replace(tzinfo=UTC))


@cache
def _app() -> FastAPI:
    pool: Any = _Away()
    clock, settings = SystemClock(), LaneSettings("postgresql://127.0.0.1:1", "127.0.0.1:1", 4, "tests")
    app = create_app("a service", list)
    # More than the application's own, which logs it where a test reads what the command prints.
    app.add_exception_handler(ConnectionError, _taken)
    close_door(app, _Everybody(pool, clock), Buckets(NEVER_TOO_MANY))
    operating.add_routes(app, operated_by(pool, clock, stand_ins.Service(), settings, code="c"))
    return app


async def why_not_taken(request: httpx.Request) -> str | None:
    """What the real routes have against a request; None where they go on to the database with it."""
    transport = httpx.ASGITransport(_app(), raise_app_exceptions=False)
    answer = await transport.handle_async_request(request)
    return None if answer.status_code == _TAKEN else f"{answer.status_code}: {await answer.aread()!r}"


def misfit(request: httpx.Request, status: int, told: Any) -> str | None:
    """Why the real routes could not answer a request so; None where they could."""
    route = _route(request)
    documented = _app().openapi()["paths"][route.path_format][request.method.lower()]["responses"]
    if str(status) not in documented:
        return f"{status} is not among {', '.join(documented)}"
    if status >= 400:
        code = told["type"].removeprefix(_REFUSAL).replace("-", "_")
        known = told["type"] == "about:blank" or (status == 409 and code in get_args(Code))
        return None if known else f"nothing is refused with {told['type']}"
    shape = _shape(route, status)
    try:
        shown = shape.dump_python(shape.validate_python(told), mode="json")
    except ValidationError as fault:
        return str(fault)
    if shown != told:
        return "it has more than its shape, or values in another form"
    wanted = _state_after(request)
    return None if wanted in (None, told.get("state")) else f"what follows is {wanted}, not {told['state']}"


def _route(request: httpx.Request) -> APIRoute:
    return next(
        route
        for route in _app().routes
        if isinstance(route, APIRoute)
        and request.method in (route.methods or ())
        and route.path_regex.fullmatch(request.url.path)
    )


def _shape(route: APIRoute, status: int) -> TypeAdapter[Any]:
    documented: type[BaseModel] | None = route.responses.get(status, {}).get("model")
    return TypeAdapter(documented or route.response_model)


def _state_after(request: httpx.Request) -> str | None:
    """The state that a plan is in after the request; None where it is as it was."""
    if request.method == "GET":
        return None
    body = _PLANNING.get(request.url.path)
    if body is not None:
        return first_state(body.model_validate_json(request.content).asked("ada"))
    step = request.url.path.rpartition("/")[2]
    return next((state for name, state in TO.items() if name == step), "rehearsing")
