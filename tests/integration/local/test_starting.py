"""A process that starts while its database does waits for it."""

import asyncio
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from goodfunds import service
from goodfunds.errors import Misconfigured
from goodfunds.postgres import connect
from goodfunds.service import migrated, services
from tests.conftest import Postgres


async def test_who_starts_before_its_database_waits_and_then_has_its_tables(
    postgres: Postgres, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingestion = replace(services()["ingestion"], database=urlsplit(database).path.strip("/"))
    refused = asyncio.Event()

    class Log:
        def warning(self, _event: str, **_named: object) -> None:
            refused.set()

    monkeypatch.setattr(service, "log", Log())
    postgres.stop()
    try:
        waiting = asyncio.create_task(migrated(ingestion, postgres.url))
        async with asyncio.timeout(20):
            await refused.wait()
    finally:
        postgres.start()
    async with asyncio.timeout(30):
        await waiting
    connection = await connect(database)
    try:
        assert await connection.fetchval("SELECT to_regclass('payments') IS NOT NULL")
    finally:
        await connection.close()


async def test_what_waiting_cannot_mend_is_raised_at_once(database: str, postgres: Postgres) -> None:
    ingestion = replace(services()["ingestion"], database=urlsplit(database).path.strip("/"))
    await migrated(ingestion, postgres.url)
    connection = await connect(database)
    try:
        await connection.execute("UPDATE migrations SET digest = 'another'")
    finally:
        await connection.close()
    with pytest.raises(Misconfigured, match="has changed since"):
        await migrated(ingestion, postgres.url)
