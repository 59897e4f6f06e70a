"""Tokens for tests: made in a service's database as `goodfunds tokens create` makes them; and a door."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI

from goodfunds import ids
from goodfunds.access import tokens
from goodfunds.access.principals import Principals
from goodfunds.access.rate import Buckets, Rate
from goodfunds.access.tokens import Token
from goodfunds.clock import Clock
from goodfunds.http.door import close_door
from goodfunds.observability.http import create_app
from goodfunds.postgres import connect

NEVER_TOO_MANY = Rate(1e6, 1_000_000)


async def token_of(
    dsn: str, client: str, *scopes: str, made: datetime | None = None, life: timedelta = timedelta(days=1)
) -> str:
    """The secret of a new token in a database; good from `made` on, which is now unless it is said."""
    now = made or datetime.now(UTC)
    secret = tokens.new_secret()
    connection = await connect(dsn, "tests")
    try:
        token = Token(ids.new_id(now), client, scopes, "of a test", now, now + life)
        await tokens.insert(connection, token, secret)
    finally:
        await connection.close()
    return secret


def bearer(secret: str) -> dict[str, str]:
    """The header that a token goes in."""
    return {"Authorization": f"Bearer {secret}"}


def app_behind_a_door(pool: Any, clock: Clock, rate: Rate = NEVER_TOO_MANY) -> FastAPI:
    """An application that is always ready, to which a service adds its routes."""
    app = create_app("a service", list)
    close_door(app, Principals(pool, clock), Buckets(rate))
    return app
