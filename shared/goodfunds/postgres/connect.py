"""Connections: ids as 16 bytes, JSON as text, UTC, and a name that shows in pg_stat_activity."""

from typing import Any

import asyncpg


async def _our_types(connection: Any) -> None:
    await connection.set_type_codec(
        "uuid", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary"
    )


async def connect(
    dsn: str, application_name: str = "goodfunds", statement_timeout: float | None = None
) -> "asyncpg.Connection[Any]":
    """One connection; uuid columns are read and written as 16 bytes. Raises OSError, PostgresError.

    `statement_timeout`: seconds after which a statement raises TimeoutError, answered or not.
    """
    connection = await asyncpg.connect(
        dsn,
        server_settings={"application_name": application_name, "timezone": "UTC"},
        timeout=10,
        command_timeout=statement_timeout,
    )
    await _our_types(connection)
    return connection


async def create_pool(
    dsn: str, application_name: str = "goodfunds", largest: int = 4, statement_timeout: float = 30.0
) -> "asyncpg.Pool[Any]":
    """A pool for HTTP and readers of at most `largest` connections, the same types as `connect`.

    Nobody waits for ever on a database that is frozen or cut off: a statement raises TimeoutError after
    `statement_timeout` seconds.
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=largest,
        init=_our_types,
        timeout=10,
        command_timeout=statement_timeout,
        server_settings={"application_name": application_name, "timezone": "UTC"},
    )
