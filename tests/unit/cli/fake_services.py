"""Services that answer the command line as the real routes would, and are held to them; without a stack."""

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from goodfunds.access.tokens import new_secret
from goodfunds.cli import following, operators, selfcheck
from goodfunds.cli.root import CONSOLE, root
from goodfunds.service import services
from tests.unit.cli.real_routes import misfit, why_not_taken

TOKEN = new_secret()
Answer = tuple[int, Any] | Callable[[httpx.Request], tuple[int, Any]]


class Service:
    """Answers each (method, path) with what is next for it; the last answer stays. Notes what was asked.

    `wrong`: what the real routes would not have taken, or not have answered so.
    """

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], list[Answer]] = {}
        self.asked: list[httpx.Request] = []
        self.wrong: list[str] = []

    def on(self, method: str, path: str, *answers: Answer) -> None:
        self.answers[method, path] = list(answers)

    def posted(self) -> list[str]:
        """Where something was asked to be done."""
        return [each.url.path for each in self.asked if each.method == "POST"]

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        left = self.answers[request.method, request.url.path]
        answer = left.pop(0) if len(left) > 1 else left[0]
        status, told = answer(request) if callable(answer) else answer
        headers = {"Retry-After": "0"} if status in (429, 503) else {}
        if isinstance(told, bytes):
            return httpx.Response(status, content=told, headers=headers)
        wrong = await why_not_taken(request) or misfit(request, status, told)
        if wrong is not None:
            self.wrong.append(f"{request.method} {request.url}: {wrong}")
        return httpx.Response(status, json=told, headers=headers)


class House:
    """The command line, with a token of a person, and a stack of services; nothing pauses."""

    postgres = "postgresql://postgres:1"
    kafka = "kafka:1"

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.services = {name: Service() for name in services()}
        self.service = self.services["settlement"]
        transport = httpx.MockTransport(lambda request: self.services[request.url.host].answer(request))
        monkeypatch.setattr(httpx, "AsyncClient", partial(httpx.AsyncClient, transport=transport))
        monkeypatch.setattr(operators, "find", lambda _folder, **_whole: self)
        monkeypatch.setattr(following, "_EVERY_SECONDS", 0)
        monkeypatch.setattr(selfcheck, "_EVERY_SECONDS", 0)
        monkeypatch.setenv("GOODFUNDS_TOKEN", TOKEN)
        # What is told of tables that fit a narrow terminal has a test of its own.
        monkeypatch.setattr(CONSOLE, "width", 200)

    def url(self, name: str) -> str:
        """Where a service of the stack answers."""
        return f"http://{name}:1"

    def run(self, *words: str) -> Result:
        """Of settlement alone, at its address."""
        end = words.index("--") if "--" in words else len(words)
        return self.run_beside_the_stack(*words[:end], "--url", self.url("settlement"), *words[end:])

    def run_beside_the_stack(self, *words: str) -> Result:
        """Of all services."""
        answer = CliRunner().invoke(root, words)
        wrong = [told for service in self.services.values() for told in service.wrong]
        assert not wrong, "\n".join(wrong)
        assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
        return answer


def problem(status: int, detail: str, kind: str = "about:blank", **more: Any) -> tuple[int, dict[str, Any]]:
    return status, {"type": kind, "title": "", "status": status, "detail": detail, **more}


def refusal(code: str, detail: str) -> tuple[int, dict[str, Any]]:
    """Why a plan is not made, or a step not taken."""
    return problem(409, detail, f"urn:goodfunds:replay:{code}")


def page(*items: Any, cursor: str | None = None) -> tuple[int, dict[str, Any]]:
    return 200, {"items": list(items), "next_cursor": cursor}
