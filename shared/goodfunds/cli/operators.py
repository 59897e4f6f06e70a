"""Asking services over HTTP as an operator: where each answers, with which token, and what a refusal says."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from time import monotonic
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlsplit

import click
import httpx
from click.shell_completion import CompletionItem

from goodfunds.access.tokens import is_secret
from goodfunds.cli.passing import passing_token
from goodfunds.cli.root import json_option, print_json, refuse
from goodfunds.errors import GoodfundsError, Misconfigured, Unavailable
from goodfunds.https import trusted
from goodfunds.local.stack import Stack, find
from goodfunds.operating.scopes import LANES_READ
from goodfunds.service import services

TOKEN: Final = "GOODFUNDS_TOKEN"  # noqa: S105 - the variable's name
_CLIENT: Final = "command-line"
_SECONDS: Final = 60.0
_PATIENCE_SECONDS: Final = 20.0
"""Of waiting for a service that says that it cannot answer now."""
_LONGEST_PAUSE: Final = 5.0
_PAGE: Final = 500
_MISTAKES: Final = (401, 403, 422)
"""The request was not done for what it is, or for who asks; all else is an answer, and it is no."""
T = TypeVar("T")


class Refused(GoodfundsError):
    """A service says no. `code` is for programs, empty where it gives none."""

    def __init__(self, service: str, status: int, told: Mapping[str, Any]) -> None:
        self.service, self.status = service, status
        kind = str(told.get("type", ""))
        self.code = kind.rpartition(":")[2] if kind.startswith("urn:") else ""
        self.detail = str(told.get("detail", f"HTTP {status}"))
        wrong = "".join(f"; {_error(each)}" for each in told.get("errors") or ())
        super().__init__(f"{service}: {self.detail}{wrong}")


def _error(told: Any) -> str:
    named = told if isinstance(told, dict) else {}
    return f"{str(named.get('pointer', '')).strip('/')}: {named.get('detail', told)}".removeprefix(": ")


@dataclass(frozen=True, slots=True)
class Way:
    """How services are reached, and whether the answer is for a program."""

    folder: Path
    url: str | None
    token_file: Path | None
    as_json: bool


def reaching(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command --url, --token-file and --json; it gets them as its first argument, a Way."""

    @click.option("--url", default=None, help="Ask the one service at this address, with a token of yours.")
    @click.option(
        "--token-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        default=None,
        help=f"Whose first line is a token; by default that of {TOKEN}.",
    )
    @json_option
    @click.pass_context
    @wraps(command)
    def called(
        context: click.Context, /, url: str | None, token_file: Path | None, as_json: bool, **more: Any
    ) -> Any:
        return command(Way(context.obj, url, token_file, as_json), **more)

    return cast("Callable[..., Any]", called)


class ServiceName(click.ParamType):
    """The name of a service that works lanes."""

    name = "service"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """One of those that are installed."""
        if value not in services():
            self.fail(f"no service is called {str(value)[:80]!a}: {', '.join(services())}", param, ctx)
        return str(value)

    def shell_complete(
        self, _ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Those whose name begins so."""
        return [CompletionItem(each) for each in services() if each.startswith(incomplete)]


service_option = click.option("--service", type=ServiceName(), default=None, help="This service alone.")


class Operator:
    """Asks services by their names. Tokens that only read are made when first asked for, and taken out."""

    def __init__(
        self, http: httpx.AsyncClient, urls: Mapping[str, str], token_of: Callable[[str], Awaitable[str]]
    ) -> None:
        self.names = tuple(urls)
        self._http = http
        self._urls = urls
        self._token_of = token_of
        self._tokens: dict[str, str] = {}

    async def get(self, service: str, path: str, within: float = _SECONDS, **asked: Any) -> Any:
        """What a service answers within so many seconds. Raises Refused, Unavailable."""
        return await self._ask(service, "GET", path, _given(asked), None, within)

    async def post(self, service: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask a service to do something. Raises Refused, Unavailable."""
        return await self._ask(service, "POST", path, {}, None if body is None else _given(body), _SECONDS)

    async def items(self, service: str, path: str, most: int, **asked: Any) -> tuple[list[Any], bool]:
        """Items of a list, `most` of them; and whether there are more."""
        found: list[Any] = []
        cursor = None
        while len(found) < most:
            told = await self.get(service, path, limit=min(_PAGE, most - len(found)), cursor=cursor, **asked)
            found += told["items"]
            cursor = told["next_cursor"]
            if cursor is None:
                break
        return found, cursor is not None

    async def _ask(self, service: str, method: str, path: str, asked: Any, body: Any, within: float) -> Any:
        if service not in self._tokens:
            self._tokens[service] = await self._token_of(service)
        headers = {"Authorization": f"Bearer {self._tokens[service]}"}
        url, deadline = f"{self._urls[service]}{path}", monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                answer = await self._http.request(
                    method, url, params=asked, json=body, headers=headers, timeout=within
                )
            except httpx.TransportError as fault:
                raise Unavailable(f"{service} does not answer at {self._urls[service]}: {fault!r}") from fault
            told = _object(service, answer)
            if answer.status_code < 400:
                return told
            if answer.status_code not in (429, 503) or monotonic() > deadline:
                break
            await asyncio.sleep(_pause(answer))
        if answer.status_code in (429, 503) or answer.status_code >= 500:
            raise Unavailable(f"{service} cannot answer now: {told.get('detail', answer.reason_phrase)}")
        raise Refused(service, answer.status_code, told)


def asked(way: Way, acts: bool, work: Callable[[Operator], Awaitable[T]]) -> T:
    """Do what `work` asks. Ends the program with exit code 1 where a service says no.

    `acts`: it needs a token of the person who does it; reading makes itself one for the moment.
    """

    async def whole() -> T:
        async with _operator(way, acts) as operator:
            return await work(operator)

    try:
        return asyncio.run(whole())
    except Refused as refused:
        if refused.status in _MISTAKES:
            raise
        if way.as_json:
            told = {"service": refused.service, "code": refused.code, "detail": refused.detail}
            print_json({"refused": told})
        refuse(str(refused))


@asynccontextmanager
async def _operator(way: Way, acts: bool) -> AsyncIterator[Operator]:
    own = own_token(way.token_file)
    if own is None and (acts or way.url is not None):
        raise Misconfigured(
            f"this needs a token of yours, in {TOKEN} or a --token-file. Make one with `goodfunds tokens "
            f"create --client YOUR-NAME --scope lanes:read --scope lanes:operate` (to approve: lanes:approve)"
        )
    async with AsyncExitStack() as opened:
        http = await opened.enter_async_context(httpx.AsyncClient(verify=trusted()))
        stack = None if way.url is not None else find(way.folder, whole=False)

        async def token_of(service: str) -> str:
            if own is not None:
                return own
            assert stack is not None
            return await opened.enter_async_context(passing_token(stack, service, _CLIENT, [LANES_READ]))

        yield Operator(http, _urls(way, stack), token_of)


def _urls(way: Way, stack: Stack | None) -> dict[str, str]:
    if stack is not None:
        return {name: stack.url(name) for name in services()}
    parts = urlsplit(way.url or "")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise click.BadParameter("an address begins with http:// or https://", param_hint="--url")
    return {parts.netloc: (way.url or "").rstrip("/")}


def own_token(file: Path | None) -> str | None:
    """The token that a person has named; None where there is none. Raises Misconfigured."""
    if file is None:
        told, where = os.environ.get(TOKEN, ""), TOKEN
    else:
        told, where = file.read_bytes()[:1_000].decode("utf-8", "replace"), str(file)
    secret = told.strip().partition("\n")[0].strip()
    if not secret and file is None:
        return None
    if not is_secret(secret):
        raise Misconfigured(f"{where} holds no token: one begins with gf_ and has 46 characters")
    return secret


def _given(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if value is not None}


def _pause(answer: httpx.Response) -> float:
    told = answer.headers.get("Retry-After", "")
    return min(float(told) if told.isdecimal() else 1.0, _LONGEST_PAUSE)


def _object(service: str, answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise Unavailable(
            f"{service} does not answer as it should: HTTP {answer.status_code} {answer.reason_phrase}"
        )
    return told
