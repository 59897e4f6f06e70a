"""The skeleton of HTTP: health, readiness, metrics, problem+json, and a server that leaves signals alone."""

import asyncio
import signal
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request
from prometheus_client import CollectorRegistry, Counter
from pydantic import BaseModel
from structlog.testing import capture_logs

from goodfunds.observability.http import PROBLEM, Problem, create_app, listen, serve


class Body(BaseModel):
    account: str
    amount_minor: int


@pytest.fixture
def reasons() -> list[str]:
    return []


@pytest.fixture
def app(reasons: list[str]) -> FastAPI:
    registry = CollectorRegistry()
    Counter("goodfunds_tests", "Of this test", registry=registry).inc()
    made = create_app("a service", lambda: reasons, registry)

    @made.post("/v1/things")
    async def create(body: Body) -> Body:
        return body

    @made.get("/v1/busy")
    async def busy() -> None:
        raise Problem(
            503, "the broker is away", kind="urn:goodfunds:unavailable", headers={"Retry-After": "2"}, lane=7
        )

    @made.get("/v1/gone")
    async def gone() -> None:
        raise HTTPException(410, "it was")

    @made.get("/v1/fault")
    async def fault() -> None:
        raise RuntimeError("DE89370400440532013000 is the secret")

    return made


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
        yield opened


async def test_alive_is_alive_even_when_not_ready(client: httpx.AsyncClient, reasons: list[str]) -> None:
    reasons.append("no session")
    assert (await client.get("/healthz")).status_code == 200


async def test_ready_follows_the_reasons_and_names_them(
    client: httpx.AsyncClient, reasons: list[str]
) -> None:
    assert (await client.get("/readyz")).status_code == 200
    reasons.append("lane 3 is stopped: a gap")
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["reasons"] == ["lane 3 is stopped: a gap"]


async def test_metrics_are_those_of_the_registry(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "goodfunds_tests_total 1.0" in answer.text


async def test_a_problem_carries_status_type_detail_headers_and_members(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/busy")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json() == {
        "type": "urn:goodfunds:unavailable",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "the broker is away",
        "lane": 7,
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/gone", 410), ("GET", "/nowhere", 404), ("PUT", "/v1/things", 405)],
)
async def test_errors_of_the_framework_are_problems_too(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == PROBLEM


async def test_a_parameter_that_is_unknown_or_stands_twice_is_refused(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    @app.get("/v1/some/{name}")
    async def some(name: str, limit: int = 1) -> int:
        return limit

    assert (await client.get("/v1/some/a?limit=2")).json() == 2
    for wrong in ("limt=2", "limit=2&limit=3", "limit=2&x=", "=1"):
        answer = await client.get(f"/v1/some/a?{wrong}")
        assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM), wrong
    assert (await client.get("/metrics?name=x")).status_code == 200


async def test_a_method_that_is_not_there_is_answered_with_all_that_are(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    @app.get("/v1/things")
    async def things() -> None:
        return None

    answer = await client.put("/v1/things")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")


async def test_an_invalid_body_is_422_with_pointers_and_does_not_echo_what_was_sent(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post(
        "/v1/things", json={"account": "DE89370400440532013000", "amount_minor": "ten"}
    )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/body/amount_minor"]
    assert "DE89" not in answer.text
    assert "ten" not in answer.json()["errors"][0]["detail"]


async def test_a_fault_is_500_and_tells_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/fault")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == PROBLEM
    assert "DE89" not in answer.text


async def test_a_client_that_goes_away_in_the_middle_is_no_fault(app: FastAPI) -> None:
    @app.post("/v1/files")
    async def take(request: Request) -> None:
        await request.body()

    parts = iter([{"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"}])
    scope = {
        "type": "http", "method": "POST", "path": "/v1/files", "query_string": b"", "headers": [],
    }  # fmt: skip

    async def receive() -> Any:
        return next(parts)

    async def send(_message: Any) -> None:
        pass

    with capture_logs() as logged:
        await app(scope, receive, send)
    assert [line["log_level"] for line in logged] == ["info"]


async def test_the_service_s_routes_are_in_its_openapi_and_health_is_not(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert "/v1/things" in paths
    assert not {"/healthz", "/readyz", "/metrics"} & paths.keys()


async def test_serving_stops_by_the_event_and_leaves_signal_handlers_alone(app: FastAPI) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(app, "127.0.0.1", port, stop, listening))
    async with asyncio.timeout(20), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as opened:
        # The socket listens already: the request waits until the server takes it.
        assert (await opened.get("/healthz", timeout=20)).status_code == 200
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
        stop.set()
        await serving
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)


async def test_serving_ends_when_it_is_cancelled(app: FastAPI) -> None:
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    serving = asyncio.create_task(serve(app, "127.0.0.1", port, listening=listening))
    async with asyncio.timeout(20), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as opened:
        assert (await opened.get("/healthz", timeout=20)).status_code == 200
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving


async def test_a_taken_port_is_a_plain_error(app: FastAPI) -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(OSError, match="in use"):
        await serve(app, "127.0.0.1", taken.getsockname()[1])
