"""Each test's database is reconciliation's, and so are its topics."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from goodfunds.service import migrations_of
from services.reconciliation import SERVICE
from tests.conftest import MakeTopics, Migrations
from tests.integration.reconciliation.scene import PARTITIONS, Scene, scene_in


@pytest.fixture
def migrations() -> Migrations:
    return migrations_of(SERVICE)


@pytest.fixture
async def scene(database: str) -> AsyncIterator[Scene]:
    found = await scene_in(database)
    yield found
    await found.connection.close()


@pytest.fixture
async def fresh_topics(kafka: Any, make_topics: MakeTopics) -> AsyncIterator[str]:
    """The broker's address, on which the service's topics are empty: their names are every test's."""
    names = sorted({*SERVICE.inputs, *SERVICE.outputs})
    await _delete(kafka.bootstrap, names)
    await make_topics(names, PARTITIONS)
    yield kafka.bootstrap
    await _delete(kafka.bootstrap, names)


async def _delete(bootstrap: str, names: list[str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        async with asyncio.timeout(20):
            while there := sorted(set(names) & set(await admin.list_topics())):
                await admin.delete_topics(there)
                await asyncio.sleep(0.05)
    finally:
        await admin.close()
