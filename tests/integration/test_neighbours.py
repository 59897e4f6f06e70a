"""Readiness follows Kafka and Postgres: real ones that go and come, and addresses where nobody listens."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from goodfunds.observability.neighbours import Neighbours
from tests.conftest import Kafka, Postgres

LONGEST_WAIT = 20.0
"""Seconds: an answer takes milliseconds; the rest is for a machine that others use too."""


@asynccontextmanager
async def asking(neighbours: Neighbours) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.create_task(neighbours.run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(running, LONGEST_WAIT)


async def until(neighbours: Neighbours, *silent: str) -> None:
    """Wait until exactly these do not answer."""
    async with asyncio.timeout(LONGEST_WAIT):
        while [each.split()[0] for each in neighbours.unready()] != list(silent):  # noqa: ASYNC110 - as a probe
            await asyncio.sleep(0.02)


async def test_a_process_is_ready_once_both_have_answered(kafka: Kafka, database: str) -> None:
    neighbours = Neighbours(kafka.bootstrap, database, every=0.05)
    assert neighbours.unready() == [
        f"{name} does not answer (not asked yet)" for name in ("Kafka", "Postgres")
    ]
    async with asking(neighbours):
        await until(neighbours)


async def test_a_neighbour_that_is_away_is_named_and_heard_again_when_it_comes_back(
    kafka: Kafka, postgres: Postgres, database: str
) -> None:
    neighbours = Neighbours(kafka.bootstrap, database, every=0.05)
    async with asking(neighbours):
        await until(neighbours)
        await asyncio.to_thread(kafka.stop)
        try:
            await until(neighbours, "Kafka")
            await asyncio.to_thread(postgres.stop)
            try:
                await until(neighbours, "Kafka", "Postgres")
            finally:
                await asyncio.to_thread(postgres.start)
        finally:
            await asyncio.to_thread(kafka.start)
        await until(neighbours)


async def test_a_process_without_a_database_asks_kafka_alone(kafka: Kafka) -> None:
    neighbours = Neighbours(kafka.bootstrap, every=0.05)
    async with asking(neighbours):
        await until(neighbours)


async def test_addresses_where_nobody_listens_are_no_fault_of_the_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    neighbours = Neighbours(f"127.0.0.1:{port}", f"postgresql://me@127.0.0.1:{port}/none", every=0.05)
    async with asking(neighbours):
        async with asyncio.timeout(LONGEST_WAIT):
            while "not asked yet" in " ".join(neighbours.unready()):  # noqa: ASYNC110 - as a probe asks
                await asyncio.sleep(0.02)
        await until(neighbours, "Kafka", "Postgres")
