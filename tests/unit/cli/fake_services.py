"""A service that answers the command line as the real one's shapes have it, without a stack."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from goodfunds.access.tokens import new_secret
from goodfunds.cli.root import CONSOLE, root
from goodfunds.operating.replay_shapes import PlanView, RangeView, ShareView
from goodfunds.operating.shapes import InputView, LanesView, LaneView, Money, OutboxTail, ParkedSum

AT = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
PLAN = "019a2f3c-5e77-7d1a-b0a5-0c9c1f6f2d11"
TOKEN = new_secret()
Answer = tuple[int, Any] | Callable[[httpx.Request], tuple[int, Any]]


class Service:
    """Answers each (method, path) with what is next for it; the last answer stays. Notes what was asked."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], list[Answer]] = {}
        self.asked: list[httpx.Request] = []

    def on(self, method: str, path: str, *answers: Answer) -> None:
        self.answers[method, path] = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        left = self.answers[request.method, request.url.path]
        answer = left.pop(0) if len(left) > 1 else left[0]
        status, told = answer(request) if callable(answer) else answer
        headers = {"Retry-After": "0"} if status in (429, 503) else {}
        if isinstance(told, bytes):
            return httpx.Response(status, content=told, headers=headers)
        return httpx.Response(status, json=told, headers=headers)


class House:
    """The command line, and the one service that it is pointed at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.service = Service()
        client = partial(httpx.AsyncClient, transport=httpx.MockTransport(self.service))
        monkeypatch.setattr(httpx, "AsyncClient", client)
        monkeypatch.setenv("GOODFUNDS_TOKEN", TOKEN)
        # What is told of tables that fit a narrow terminal has a test of its own.
        monkeypatch.setattr(CONSOLE, "width", 200)

    def run(self, *words: str) -> Result:
        end = words.index("--") if "--" in words else len(words)
        return CliRunner().invoke(root, [*words[:end], "--url", "http://settlement:1", *words[end:]])


def problem(status: int, detail: str, kind: str = "about:blank", **more: Any) -> tuple[int, dict[str, Any]]:
    return status, {"type": kind, "title": "", "status": status, "detail": detail, **more}


def page(*items: Any, cursor: str | None = None) -> tuple[int, dict[str, Any]]:
    return 200, {"items": list(items), "next_cursor": cursor}


def lane(number: int, **differing: Any) -> LaneView:
    euros = [Money(currency="EUR", events=3, amount_minor=123_456)]
    told: dict[str, Any] = {
        "lane": number, "owner": "host/1", "epoch": 7, "heartbeat": AT, "decided_at": AT,
        "stopped_reason": None, "stopped_at": None, "catching_up": False, "lag": 3, "money": euros,
        "at_least": False, "oldest_unread_at": AT, "oldest_unread_seconds": 93_784.0,
        "inputs": [InputView(topic="payments", offset=7, end=10, lag=3, money=euros, at_least=False,
                             oldest_unread_at=AT)],
        "outbox_seq": 9, "published_seq": 8, "outbox": OutboxTail(rows=1, events=5),
        "parked": ParkedSum(events=2, poison=1, money=euros, oldest_parked_at=AT),
    }  # fmt: skip
    return LaneView(**{**told, **differing})


def lanes(*found: LaneView, broker: bool = True) -> dict[str, Any]:
    view = LanesView(service="settlement", incarnation="a1", at=AT, broker=broker, lanes=list(found))
    return view.model_dump(mode="json")


def plan(state: str, **differing: Any) -> dict[str, Any]:
    share = ShareView(
        lane=3, ranges=[RangeView(topic="payments", first=10, end=20)], total=10, state="waiting",
        position={}, slice=0, handled=4, skipped=1, rows_changed=2, events_emitted=1, fault=None,
        started_at=None,
        finished_at=None,
    )  # fmt: skip
    told: dict[str, Any] = {
        "plan_id": PLAN, "kind": "replay", "state": state, "given_up": False, "expired": False,
        "selection": {"topic": "payments", "partitions": [3], "parked": {"keys": ["DE00ADA"]}},
        "reason": "TICKET-7", "rate": None, "code_version": "c", "schema_version": "s", "planned_by": "ada",
        "planned_at": AT, "expires_at": AT + timedelta(hours=1), "approved_by": None, "approved_at": None,
        "finished_at": None, "total": 10, "done": 5, "seconds_left": 61, "progress": {"records": 4},
        "exact": None, "forecast": None, "forecast_digest": None, "outcome": None, "outcome_digest": None,
        "fault": None, "lanes": [share],
    }  # fmt: skip
    return PlanView(**{**told, **differing}).model_dump(mode="json")


FORECAST: Mapping[str, Any] = {
    "service": "settlement", "records": 9, "skipped": 1, "unchanged": 4, "exact": True, "rewritten": 0,
    "faults": {"count": 2, "first": [
        {"topic": "payments", "partition": 3, "offset": 12, "fault": "KeyError: [bold]'x'"},
    ]},
    "rows": {"balances": {"update": 2}, "payments": {"insert": 1}},
    "events": {"settlement-notifications": {"PaymentSettled": 1}},
    "refusals": {"AM04": 3},
    "money": {"EUR": {"DE00ADA": -123_456, "transit-out:sepa-credit": 123_456}},
    "samples": {"balances": [
        {"operation": "update", "key": {"account": "DE00ADA", "currency": "EUR", "lane": 3},
         "before": {"balance_minor": 200_000}, "after": {"balance_minor": 76_544}},
    ]},
}  # fmt: skip
