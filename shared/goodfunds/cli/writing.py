"""The services' databases for commands that leave a row in them: a request, a token."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from goodfunds.errors import Unavailable
from goodfunds.lanes.records import Connection
from goodfunds.local.stack import Stack
from goodfunds.postgres import connect
from goodfunds.service import services


@asynccontextmanager
async def database_of(stack: Stack, service: str) -> AsyncIterator[Connection]:
    """A connection to a service's database that may write. Raises Unavailable."""
    database = services()[service].database
    try:
        connection = await connect(f"{stack.postgres.rstrip('/')}/{database}", "goodfunds command line")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
        raise Unavailable(f"{service}'s database cannot be reached: {fault}") from fault
    try:
        yield connection
    finally:
        await connection.close()
