"""Real parts for tests: one Kafka and one Postgres a run, started when first asked for, stopped by pid."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from hypothesis import HealthCheck, settings

from goodfunds.local import kafka as embedded_kafka
from goodfunds.local import postgres as embedded_postgres
from goodfunds.local import processes
from goodfunds.postgres import migrate

# Hypothesis takes the time of an example by the wall clock: of a machine that does other things beside, that
# says what those are. What must be quick is held to it by tests of that.
_unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", _unhurried, max_examples=25)
settings.register_profile("thorough", _unhurried, max_examples=200)
# What a few examples do not find, `make check` looks for with more.
settings.load_profile("quick")

# What a script starts in its background has SIGINT ignored, and so would have all that is started here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


IN_MEMORY = Path("/dev/shm")
ROOM = 4 << 30
"""Bytes: several times what the servers of four workers come to."""


class Kafka:
    """A real broker."""

    def __init__(self, folder: Path) -> None:
        self._java = embedded_kafka.java_command()
        self._broker = embedded_kafka.create(folder, self._java)
        with (folder / "server.properties").open("a") as properties:
            # Below the broker's default of 6 s, so that tests of dead and frozen members need not wait long.
            properties.write("group.min.session.timeout.ms=1000\n")
        self.bootstrap = self._broker.bootstrap
        self.start()

    def start(self) -> None:
        self._running = embedded_kafka.start(self._broker, self._java)

    def stop(self) -> None:
        processes.stop(self._running)

    def restart(self) -> None:
        self.stop()
        self.start()


Migrations = tuple[tuple[str, Path], ...]
"""(Name, folder) of each source of a database's tables."""


class Postgres:
    """A real server."""

    def __init__(self, folder: Path) -> None:
        self.server = embedded_postgres.create(folder)
        with (self.server.folder / "postgresql.conf").open("a") as settings:
            # No test takes the power away, and what a program that is killed has given to the system stays.
            settings.write("fsync = off\nfull_page_writes = off\n")
        self._templates: dict[Migrations, str] = {}
        self.start()

    def dsn(self, database: str) -> str:
        return self.server.dsn(database)

    @property
    def url(self) -> str:
        return self.server.url

    async def create(self, name: str, like: str = "template1") -> str:
        """A database as another is that nobody works on; its DSN."""
        # Copied through the log, which is the default, it takes twice the time where nothing is synced.
        await self._administer(f"CREATE DATABASE {name} TEMPLATE {like} STRATEGY FILE_COPY")
        return self.dsn(name)

    async def drop(self, name: str) -> None:
        """Remove a database, if it is there, whoever works on it."""
        await self._administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def template(self, migrations: Migrations) -> str:
        """The name of a database with these tables, made once a run."""
        if migrations not in self._templates:
            name = f"template_{len(self._templates)}"
            await migrate(await self.create(name), migrations)
            self._templates[migrations] = name
        return self._templates[migrations]

    @asynccontextmanager
    async def database(self, migrations: Migrations = ()) -> AsyncIterator[str]:
        """The DSN of a fresh database with these tables."""
        name = f"test_{uuid4().hex[:12]}"
        try:
            yield await self.create(name, await self.template(migrations) if migrations else "template1")
        finally:
            await self.drop(name)

    async def _administer(self, command: str) -> None:
        connection = await embedded_postgres.connect(self.server)
        try:
            await connection.execute(command)
        finally:
            await connection.close()

    def start(self) -> None:
        self._running = embedded_postgres.start(self.server)

    def stop(self) -> None:
        embedded_postgres.stop(self._running)

    def restart(self) -> None:
        self.stop()
        self.start()


def _memory_serves() -> bool:
    """Whether memory has room for the servers' files, lets programs be run, and nobody named another place.

    A database is some 230 files. Where ext4 looks for a free inode it passes by those of the last seconds'
    removals one by one: among tests that each make and drop a database, that takes longer than all else.
    """
    if "TMPDIR" in os.environ:
        return False
    try:
        there = os.statvfs(IN_MEMORY)
    except OSError:
        return False
    free = min(there.f_bavail * there.f_frsize, psutil.virtual_memory().available)
    return free > ROOM and not there.f_flag & os.ST_NOEXEC


@contextmanager
def folder_of_servers(prefix: str) -> Iterator[Path]:
    """Where servers may keep their files, removed afterwards."""
    where = IN_MEMORY if _memory_serves() else None
    with TemporaryDirectory(prefix=prefix, dir=where, ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def servers() -> Iterator[Path]:
    """A folder of this run alone: pytest's own are pruned by other runs on the machine."""
    with folder_of_servers("goodfunds-tests-") as folder:
        yield folder


@pytest.fixture(scope="session")
def kafka(servers: Path) -> Iterator[Kafka]:
    broker = Kafka(servers / "kafka")
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def postgres(servers: Path) -> Iterator[Postgres]:
    server = Postgres(servers / "postgres")
    yield server
    server.stop()


@pytest.fixture
def migrations() -> Migrations:
    """What is applied to a test's database; a folder or a file of tests says its own."""
    return ()


@pytest.fixture
async def database(postgres: Postgres, migrations: Migrations) -> AsyncIterator[str]:
    """The DSN of a fresh database."""
    async with postgres.database(migrations) as dsn:
        yield dsn


MakeTopics = Callable[[Sequence[str], int], Coroutine[Any, Any, None]]


@pytest.fixture
def make_topics(kafka: Kafka) -> MakeTopics:
    """Makes topics and waits until each partition has a leader."""

    async def make(names: Sequence[str], partitions: int) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(name, partitions, 1) for name in names])
            async with asyncio.timeout(20):
                while True:
                    described = await admin.describe_topics(list(names))
                    found = [each for topic in described for each in topic["partitions"]]
                    if len(found) == len(names) * partitions and all(each["leader"] >= 0 for each in found):
                        return
        finally:
            await admin.close()

    return make
