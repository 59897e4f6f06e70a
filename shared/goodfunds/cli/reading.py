"""Reading the services' databases for a person: read-only, by the statements that each service gives."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from goodfunds.errors import Unavailable
from goodfunds.lanes.records import Connection
from goodfunds.local.postgres import READER
from goodfunds.local.stack import Stack
from goodfunds.postgres import connect, statements
from goodfunds.service import services


@cache
def sql(service: str) -> Mapping[str, str]:
    """The named statements of a service."""
    return statements(services()[service].sql)


def reader_url(postgres: str) -> str:
    """The same server, as the role that may only read."""
    parts = urlsplit(postgres)
    if parts.password is not None:
        # A server of the user's own has its own roles: what it was pointed at with is used.
        return postgres
    return urlunsplit(parts._replace(netloc=f"{READER}@{parts.netloc.rpartition('@')[2]}"))


async def read_from(stack: Stack, service: str) -> Connection:
    """A connection to a service's database that cannot write. Raises Unavailable."""
    found = services()[service]
    url = reader_url(stack.postgres).rstrip("/")
    try:
        connection = await connect(f"{url}/{found.database}", "goodfunds command line")
        await connection.execute("SET default_transaction_read_only = on")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
        raise Unavailable(f"{service}'s database cannot be read: {fault}") from fault
    return connection


@asynccontextmanager
async def readers(stack: Stack) -> AsyncIterator[dict[str, Any]]:
    """A read-only connection to each service's database, by the service's name."""
    async with AsyncExitStack() as opened:
        found = {}
        for name in services():
            connection = await read_from(stack, name)
            opened.push_async_callback(connection.close)
            found[name] = connection
        yield found
