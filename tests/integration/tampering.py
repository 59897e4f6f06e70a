"""Tampering with rows past the triggers that forbid it, as a backup brought back does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def unguarded(connection: Any) -> AsyncIterator[Any]:
    """The connection, on which no trigger and no foreign key watches for the while; checks still do."""
    await connection.execute("SET session_replication_role = replica")
    try:
        yield connection
    finally:
        await connection.execute("RESET session_replication_role")
