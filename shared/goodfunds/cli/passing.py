"""A token for a moment: the command line makes one for its own requests, and takes it out again."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from goodfunds import ids
from goodfunds.access import tokens
from goodfunds.access.tokens import Token
from goodfunds.cli.writing import database_of
from goodfunds.local.stack import Stack

_LIFE = timedelta(hours=1)
"""Where it is not taken out, since whoever made it was killed."""


@asynccontextmanager
async def passing_token(
    stack: Stack, service: str, client: str, scopes: Collection[str], life: timedelta = _LIFE
) -> AsyncIterator[str]:
    """The secret of a token of `client` at one service, good within the `with` block.

    Whoever can write the service's database could make any token; so this opens no door that was shut.
    """
    now = datetime.now(UTC)
    token = Token(ids.new_id(now), client, tuple(scopes), "of the command line", now, now + life)
    secret = tokens.new_secret()
    async with database_of(stack, service) as connection:
        await tokens.insert(connection, token, secret)
        try:
            yield secret
        finally:
            await tokens.remove(connection, token.token_id)
