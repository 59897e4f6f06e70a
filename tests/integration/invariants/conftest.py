"""A database a service, made once for a module: what breaks in it is rolled back."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from goodfunds.service import migrations_of, services
from tests.integration.invariants.floor import prepare


@pytest.fixture(scope="module")
def floor(postgres: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """The DSN of the service that the module names by SERVICE, with its rows SEEDS."""
    name = f"invariants_{uuid4().hex[:10]}"

    async def make() -> None:
        migrations = migrations_of(services()[request.module.SERVICE])
        await prepare(await postgres.create(name, await postgres.template(migrations)), request.module.SEEDS)

    asyncio.run(make())
    yield postgres.dsn(name)
    asyncio.run(postgres.drop(name))
