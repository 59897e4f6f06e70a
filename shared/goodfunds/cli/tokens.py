"""`goodfunds tokens`: who may use the services' HTTP, and for what."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from goodfunds import ids
from goodfunds.access import tokens as access
from goodfunds.access.tokens import CLIENT, Token
from goodfunds.cli.root import CONSOLE, json_option, print_json, refuse
from goodfunds.cli.writing import database_of
from goodfunds.lanes.records import Connection
from goodfunds.local.stack import Stack, find
from goodfunds.service import Service, services


@click.group()
def tokens() -> None:
    """Tokens for the services' HTTP: each of one client, for the scopes that it names."""


def _scopes() -> dict[str, str]:
    return {scope: opens for service in services().values() for scope, opens in service.scopes.items()}


def _client(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    if CLIENT.fullmatch(name) is None:
        raise click.BadParameter("1 to 100 letters, digits, dots, dashes or underscores")
    return name


def _known(_context: click.Context, _parameter: click.Parameter, named: Sequence[str]) -> tuple[str, ...]:
    known = _scopes()
    for scope in named:
        if scope not in known:
            told = "\n".join(f"  {each}: {opens}" for each, opens in known.items())
            raise click.BadParameter(f"there is no scope {scope}. There are\n{told}")
    return tuple(sorted(set(named)))


@tokens.command()
@click.option("--client", required=True, callback=_client, help="Whose it is; payments are their client's.")
@click.option("--scope", "scopes", required=True, multiple=True, callback=_known, help="May be named often.")
@click.option(
    "--days", type=click.IntRange(1, 3_650), default=365, show_default=True, help="How long it is good."
)
@click.option("--description", default="", help="For whoever lists the tokens.")
@json_option
@click.pass_obj
def create(
    folder: Path, client: str, scopes: tuple[str, ...], days: int, description: str, as_json: bool
) -> None:
    """Make a token. Its secret is shown once, here, and is kept nowhere.

    \b
    goodfunds tokens create --client shop --scope payments:write --scope payments:read
    goodfunds tokens create --client audit --scope reconciliation:read --days 30 --json | jq -r .token
    """
    now = datetime.now(UTC)
    token = Token(ids.new_id(now), client, scopes, description, now, now + timedelta(days=days))
    secret = access.new_secret()
    # A row that is left where a later database fails is of a secret that nobody was told.
    asyncio.run(_everywhere(find(folder), lambda service, at: _insert(service, at, token, secret)))
    if as_json:
        print_json({**_as_object(token), "token": secret})
        return
    _line(f"{ids.text(token.token_id)} of {client}: {', '.join(scopes)}")
    _line(f"good until {token.expires_at:%Y-%m-%d}; it is shown only now:")
    click.echo(secret)


@tokens.command("list")
@click.option("--client", default=None, help="Of this client alone.")
@click.option("--all", "every", is_flag=True, help="Those that are revoked or expired, too.")
@json_option
@click.pass_obj
def list_tokens(folder: Path, client: str | None, every: bool, as_json: bool) -> None:
    """List tokens, the oldest first; their secrets are known to nobody here.

    \b
    goodfunds tokens list
    goodfunds tokens list --client shop --all --json | jq '.tokens[] | {token_id, state}'
    """
    now = datetime.now(UTC)
    found = [
        each
        for each in asyncio.run(_listed(find(folder)))
        if client in (None, each.client) and (every or _state(each, now) == "good")
    ]
    if as_json:
        print_json({"tokens": [{**_as_object(each), "state": _state(each, now)} for each in found]})
        return
    for each in found:
        life = f"{each.created_at:%Y-%m-%d} to {each.expires_at:%Y-%m-%d}"
        _line(f"{ids.text(each.token_id)}  {each.client}, {_state(each, now)}, {life}")
        _line(f"{'':38}{', '.join(each.scopes)}")
        if each.description:
            _line(f"{'':38}{each.description}")


def _line(text: str) -> None:
    CONSOLE.print(text, highlight=False, markup=False)


@tokens.command()
@click.argument("token_id", metavar="ID")
@json_option
@click.pass_obj
def revoke(folder: Path, token_id: str, as_json: bool) -> None:
    """End a token for good; within five seconds no service takes it. Exit code 1 where there is none.

    \b
    goodfunds tokens revoke 019a2f3c-5e77-7d1a-b0a5-0c9c1f6f2d11
    """
    try:
        identifier = ids.parse(token_id)
    except ValueError:
        raise click.BadParameter("a token's id is a UUID; `goodfunds tokens list` shows it") from None
    now = datetime.now(UTC)
    told = asyncio.run(_everywhere(find(folder), lambda _service, at: access.revoke(at, identifier, now)))
    revoked = min((each for each in told if each is not None), default=None)
    if as_json:
        print_json({"token_id": ids.text(identifier), "revoked_at": revoked})
    if revoked is None:
        refuse("no service has a token of that id")
    if not as_json:
        _line(f"{ids.text(identifier)} is revoked")


async def _insert(service: Service, connection: Connection, token: Token, secret: str) -> None:
    own = tuple(scope for scope in token.scopes if scope in service.scopes)
    if own:
        await access.insert(connection, replace(token, scopes=own), secret)


async def _listed(stack: Stack) -> list[Token]:
    told = await _everywhere(stack, lambda _service, connection: access.listed(connection))
    return access.merged([each for of_service in told for each in of_service])


async def _everywhere(
    stack: Stack, do: Callable[[Service, Connection], Coroutine[Any, Any, Any]]
) -> list[Any]:
    """What each service's database says, in turn."""
    told = []
    for service in services().values():
        async with database_of(stack, service.name) as connection:
            told.append(await do(service, connection))
    return told


def _state(token: Token, now: datetime) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at <= now else "good"


def _as_object(token: Token) -> dict[str, Any]:
    return {
        "token_id": ids.text(token.token_id),
        "client": token.client,
        "scopes": list(token.scopes),
        "description": token.description,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
    }
