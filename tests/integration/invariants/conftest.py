"""A database a service, made once for a module: what breaks in it is rolled back."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from goodfunds.local import postgres as embedded_postgres
from tests.integration.invariants.floor import prepare


@pytest.fixture(scope="module")
def floor(postgres: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """The DSN of the service that the module names by SERVICE, with its rows SEEDS."""
    name = f"invariants_{uuid4().hex[:10]}"

    async def administer(command: str) -> None:
        connection = await embedded_postgres.connect(postgres.server)
        await connection.execute(command)
        await connection.close()

    asyncio.run(administer(f"CREATE DATABASE {name}"))
    asyncio.run(prepare(postgres.dsn(name), request.module.SERVICE, request.module.SEEDS))
    yield postgres.dsn(name)
    asyncio.run(administer(f"DROP DATABASE {name} WITH (FORCE)"))
