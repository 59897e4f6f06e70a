"""The services that stand in for the real ones are held to them: what those would not take or say is told."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.unit.cli.fake_answers import PLAN, lanes, plan
from tests.unit.cli.fake_services import page, problem, refusal
from tests.unit.cli.real_routes import misfit, why_not_taken

PLANNED = {"kind": "replay", "topic": "payments", "reason": "x"}


def asked(method: str, path: str, body: Any = None, **parameters: Any) -> httpx.Request:
    token = {"Authorization": f"Bearer gf_{'a' * 43}"}
    return httpx.Request(method, f"http://settlement:1{path}", json=body, params=parameters, headers=token)


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (asked("GET", "/v1/moon"), "404"),
        (asked("PUT", "/v1/lanes"), "405"),
        (asked("GET", "/v1/parked", account="DE00ADA"), "it takes cursor"),
        (asked("GET", "/v1/parked", limit=501), "422"),
        (asked("POST", "/v1/replays", {**PLANNED, "moon": 1}), "422"),
        (asked("POST", "/v1/replays", {**PLANNED, "kind": "release"}), "422"),
    ],
)
def test_what_the_real_routes_would_not_take_is_told(request_: httpx.Request, why: str) -> None:
    assert why in (asyncio.run(why_not_taken(request_)) or "")


@pytest.mark.parametrize(
    ("request_", "status", "told"),
    [
        (asked("GET", "/v1/lanes"), 200, {**lanes(), "moon": 1}),
        (asked("GET", "/v1/lanes"), 409, problem(409, "no")[1]),
        (asked("GET", "/v1/replays"), 200, page(plan("done"))[1]),
        (asked("POST", "/v1/replays", PLANNED), 200, plan("rehearsing")),
        (asked("POST", "/v1/replays", PLANNED), 202, plan("running")),
        (asked("POST", "/v1/replays", PLANNED), 409, refusal("moon", "no")[1]),
        (asked("POST", f"/v1/replays/{PLAN}/run"), 200, plan("done")),
    ],
)
def test_what_the_real_routes_would_not_say_is_told(request_: httpx.Request, status: int, told: Any) -> None:
    assert misfit(request_, status, told) is not None


def test_what_they_take_and_say_is_not() -> None:
    request = asked("POST", "/v1/replays", PLANNED)
    assert asyncio.run(why_not_taken(request)) is None
    assert misfit(request, 202, plan("rehearsing")) is None
    assert misfit(request, *refusal("beyond-horizon", "payments/3 begins at offset 100")) is None
