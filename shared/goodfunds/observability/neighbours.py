"""Whether the neighbours of a process, Kafka and Postgres, answer: without them it is not ready."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiokafka.client import AIOKafkaClient

from goodfunds.postgres import connect

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 2.0
_PATIENCE_SECONDS = 5.0


class Neighbours:
    """Asks each neighbour every few seconds, on a connection of its own that waits behind no work.

    The clients that do the work say nothing while they try again on their own. `postgres`: a database's DSN;
    None where the process has none.
    """

    def __init__(self, kafka: str, postgres: str | None = None, every: float = _EVERY_SECONDS) -> None:
        self._asked: list[_Broker | _Database] = [_Broker(kafka)]
        if postgres is not None:
            self._asked.append(_Database(postgres))
        self._every = every
        self._silent = {each.name: "not asked yet" for each in self._asked}

    def unready(self) -> list[str]:
        """Which of them do not answer, and why; empty when all do."""
        return [f"{name} does not answer ({why})" for name, why in self._silent.items()]

    def broker_is_silent(self) -> bool:
        """Whether Kafka did not answer when it was last asked."""
        return _Broker.name in self._silent

    async def run(self, stop: asyncio.Event) -> None:
        """Ask until `stop` is set; a neighbour that is away is no fault of this process."""
        await asyncio.gather(*(self._follow(each, stop) for each in self._asked))

    async def _follow(self, neighbour: "_Broker | _Database", stop: asyncio.Event) -> None:
        try:
            while not stop.is_set():
                await self._ask(neighbour)
                try:
                    await asyncio.wait_for(stop.wait(), self._every)
                except TimeoutError:
                    continue
        finally:
            await neighbour.close()

    async def _ask(self, neighbour: "_Broker | _Database") -> None:
        name = neighbour.name
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await neighbour.ask()
        except Exception as fault:
            if name not in self._silent:
                log.warning("a neighbour does not answer", neighbour=name, fault=repr(fault))
            self._silent[name] = type(fault).__name__
            await neighbour.close()
        else:
            self._silent.pop(name, None)


class _Broker:
    name = "Kafka"

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._client: AIOKafkaClient | None = None

    async def ask(self) -> None:
        if self._client is None:
            self._client = AIOKafkaClient(bootstrap_servers=self._bootstrap)
            await self._client.bootstrap()
        else:
            await self._client.fetch_all_metadata()

    async def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await _quietly(client.close)


class _Database:
    name = "Postgres"

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: Any = None

    async def ask(self) -> None:
        if self._connection is None:
            self._connection = await connect(self._dsn, "goodfunds readiness")
        # An empty transaction: the server is asked for nothing but an answer.
        async with self._connection.transaction():
            pass

    async def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            # Politely would wait for a server that is away.
            connection.terminate()


async def _quietly(close: Callable[[], Awaitable[None]]) -> None:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await close()
    except Exception as fault:
        log.info("not closed in good order", fault=repr(fault))
