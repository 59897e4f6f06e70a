"""Databases are made where they are missing, also by two who start at once."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from goodfunds.local import postgres as embedded_postgres
from goodfunds.local.postgres import create_databases
from tests.conftest import Postgres

AT_ONCE = 4


async def test_databases_that_several_make_at_once_are_made(postgres: Postgres) -> None:
    names = [f"made_{number}_{uuid4().hex[:8]}" for number in range(3)]
    await asyncio.gather(*(create_databases(postgres.url, names) for _ in range(AT_ONCE)))
    connection = await embedded_postgres.connect(postgres.server)
    try:
        found = await connection.fetch("SELECT datname FROM pg_database WHERE datname = ANY($1)", names)
        assert len(found) == len(names)
    finally:
        for name in names:
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()


async def test_a_server_that_is_still_starting_up_is_waited_for(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, refused = (
        asyncpg.connect,
        [asyncpg.CannotConnectNowError("the database system is starting up")] * 3,
    )

    async def starting(*given: Any, **named: Any) -> Any:
        if refused:
            raise refused.pop()
        return await connect(*given, **named)

    monkeypatch.setattr(asyncpg, "connect", starting)
    await create_databases(postgres.url, [])
    assert refused == []
