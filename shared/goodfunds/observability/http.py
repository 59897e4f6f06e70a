"""The skeleton of a service's HTTP: health, readiness, metrics, and errors as problem+json (RFC 9457)."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Generator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
import uvicorn
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.registry import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import ASGIApp

from goodfunds.errors import RETRIABLE_POSTGRES, Unavailable

log = structlog.get_logger(__name__)

PROBLEM: Final = "application/problem+json"
Readiness = Callable[[], Sequence[str]]
"""Why the process is not ready; empty when it is. Called at each request, so it only looks at memory."""


_PROBLEM_SCHEMA: Final = {
    "title": "Problem",
    "description": "An error (RFC 9457). Members beside these depend on the error.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}


class Problem(Exception):
    """An answer that is an error: raised by a route, sent as problem+json. `more` are further members."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        kind: str = "about:blank",
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind
        self.headers = dict(headers or {})
        self.more = more


def create_app(
    title: str,
    readiness: Readiness,
    registry: CollectorRegistry = REGISTRY,
    version: str = "1",
) -> FastAPI:
    """An application with `/healthz`, `/readyz` and `/metrics`, to which a service adds its routes."""
    app = FastAPI(
        title=title,
        version=version,
        docs_url=None,
        redoc_url=None,
        # A redirect would go to whatever host the client has named.
        redirect_slashes=False,
        dependencies=[Depends(_refuse_unknown_parameters)],
    )

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        reasons = list(readiness())
        if reasons:
            return problem(503, "not ready", reasons=reasons)
        return JSONResponse({"status": "ready"})

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    for retriable in (*RETRIABLE_POSTGRES, OSError, TimeoutError, Unavailable):
        app.add_exception_handler(retriable, _on_unavailable)
    app.add_exception_handler(ClientDisconnect, _on_gone)
    app.add_exception_handler(Exception, _on_fault)
    described = app.openapi

    def openapi() -> dict[str, Any]:
        document = described()
        document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM_SCHEMA
        return document

    # As FastAPI would have its document extended: by another method of the instance.
    app.openapi = openapi  # type: ignore[method-assign]
    return app


async def _refuse_unknown_parameters(request: Request) -> None:
    """A filter that is misspelt, or stands twice, would be none: the answer would be of other things."""
    operations = request.app.openapi()["paths"].get(request.scope["route"].path_format, {})
    if request.method.lower() not in operations:
        return
    described = operations[request.method.lower()].get("parameters", ())
    known = {each["name"] for each in described if each["in"] == "query"}
    asked = [name for name, _ in request.query_params.multi_items()]
    wrong = [name for name in asked if name not in known or asked.count(name) > 1]
    if wrong:
        taken = ", ".join(sorted(known)) or "none"
        errors = [{"pointer": "/query", "detail": f"it takes {taken}, each once"}]
        raise Problem(422, "a parameter of the query is unknown or stands twice", errors=errors)


def problem(
    status: int,
    detail: str,
    kind: str = "about:blank",
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """A problem+json response."""
    body = {"type": kind, "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return JSONResponse(body, status_code=status, headers=dict(headers or {}), media_type=PROBLEM)


def unavailable() -> JSONResponse:
    """What is answered while the database or the broker is away."""
    return problem(503, "a part of goodfunds cannot be reached now: try again", headers={"Retry-After": "2"})


async def _on_problem(_request: Request, fault: Exception) -> Response:
    assert isinstance(fault, Problem)
    return problem(fault.status, fault.detail, fault.kind, fault.headers, **fault.more)


async def _on_http_exception(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    headers = dict(fault.headers or {})
    if fault.status_code == 405:
        # All methods at the path (RFC 9110, 15.5.6); the framework names those of one of its routes.
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return problem(fault.status_code, str(fault.detail), headers=headers)


def _methods(request: Request) -> set[str]:
    at_path = [
        route
        for route in request.app.routes
        if isinstance(route, Route) and route.path_regex.match(request.url.path)
    ]
    return {method for route in at_path for method in route.methods or ()}


async def _on_invalid_request(_request: Request, fault: Exception) -> Response:
    assert isinstance(fault, RequestValidationError)
    # What was sent is not echoed: it may hold accounts and names.
    errors = [
        {"pointer": "/" + "/".join(map(str, error["loc"])), "detail": error["msg"]}
        for error in fault.errors()
    ]
    return problem(422, "the request is not valid", errors=errors)


async def _on_unavailable(request: Request, fault: Exception) -> Response:
    log.warning("request not answered", method=request.method, path=request.url.path, fault=repr(fault))
    return unavailable()


async def _on_gone(request: Request, _fault: Exception) -> Response:
    log.info("client gone before its request was whole", method=request.method, path=request.url.path)
    # Nobody reads it.
    return problem(400, "the request did not arrive whole")


async def _on_fault(request: Request, fault: Exception) -> Response:
    log.error("request failed", method=request.method, path=request.url.path, exc_info=fault)
    return problem(500, "an internal fault; it was logged")


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # Signals belong to the process, which stops the lanes first.
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError where the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=256)


async def serve(
    app: ASGIApp,
    host: str,
    port: int,
    stop: asyncio.Event | None = None,
    listening: socket.socket | None = None,
) -> None:
    """Serve in the running loop until `stop` is set or the task is cancelled; requests under way finish.

    `listening`: a socket from `listen`, instead of host and port. Raises OSError where the address is taken.
    """
    taken = listening or listen(host, port)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=5
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[taken]))
    stopping = asyncio.create_task((stop or asyncio.Event()).wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        server.should_exit = True
        try:
            await serving
        finally:
            taken.close()
