"""Connections to the real Postgres that pass gates, one operation at a time, in the order they were asked.

An operation that waits for a lock (looked up in pg_locks, never guessed) stands aside, and virtual time goes
on; after each later operation it is looked at again.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import asyncpg

from goodfunds.postgres import connect
from goodfunds.replay.planning import SQL as REPLAY_SQL
from tests.simulation.instances import CURRENT, Gates, Instance, Struck
from tests.simulation.virtual_time import VirtualTimeLoop

T = TypeVar("T")

_CLOCK = "UPDATE simulated.clock SET at = $1"
_BOUND_TRIAL = REPLAY_SQL["bound_trial"]
_TRIAL_PATIENCE = 0.1
_TRIAL_IDLE_SECONDS = 10.0
"""What that statement sets, here by the virtual clock: Postgres' own would run while a statement does."""
_TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ANY($1::int[])"


def _loop() -> VirtualTimeLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    return loop


@dataclass(slots=True)
class _Aside:
    """An operation that waits for a lock of another's transaction.

    `over` is set in the turn of whoever let it go on: its own reply may come earlier or later than his.
    """

    operation: "asyncio.Future[Any]"
    pid: int
    database: str
    over: "asyncio.Future[None]"


@dataclass(slots=True)
class Server:
    """The server as the simulation sees it: whose turn it is, who waits, and a watcher for each database."""

    gates: Gates
    names: dict[str, str]
    now: Callable[[], datetime]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    aside: list[_Aside] = field(default_factory=list)
    connections: list["Connection"] = field(default_factory=list)
    losing: set["asyncio.Task[None]"] = field(default_factory=set)
    _watchers: dict[str, Any] = field(default_factory=dict)
    _clocks: dict[str, datetime] = field(default_factory=dict)

    async def connect(
        self, dsn: str, application_name: str = "", statement_timeout: float | None = None
    ) -> "Connection":
        """What `goodfunds.postgres.connect` gives, within the simulation. Raises PostgresError, OSError."""
        del statement_timeout  # its clock would be the virtual one, which stands while a statement runs
        await self._pass("db:connect:before", None)
        raw = await self.take_turn(None, lambda: connect(dsn, application_name))
        connection = Connection(self, raw, dsn, CURRENT.get())
        self.connections.append(connection)
        if connection.instance is not None:
            connection.instance.on_crash.append(connection.lose)
        await self._pass("db:connect:after", connection)
        return connection

    async def operate(
        self, connection: "Connection", name: str, call: Callable[[], Awaitable[T]], text: str = ""
    ) -> T:
        """One operation between its two gates."""
        await self._pass(f"db:{name}:before", connection)
        if "clock_timestamp" in text:
            await self._set_clock(connection.dsn)
        doomed = await self._doomed(connection, text) if "pg_terminate_backend" in text else []
        try:
            result = await self.take_turn(connection, call)
        finally:
            connection.rest()
        if doomed:
            await self._see_gone(connection.dsn, doomed)
        await self._pass(f"db:{name}:after", connection)
        return result

    async def take_turn(self, connection: "Connection | None", call: Callable[[], Awaitable[T]]) -> T:
        """Run an operation when it is its turn, uninterrupted. Raises what it raises."""
        await self.turn.acquire()
        held = True
        loop, cancelled = _loop(), False
        loop.outside += 1
        try:
            if connection is not None and connection.broken:
                raise asyncpg.ConnectionDoesNotExistError("the connection is lost")
            operation = asyncio.ensure_future(call())
            while not operation.done():
                try:
                    replied = await loop.reply_or_stillness(operation)
                except asyncio.CancelledError:
                    # What the server was told cannot be taken back: its reply is waited for.
                    cancelled = True
                    continue
                if replied or connection is None or not await self._waits(connection.dsn, connection.pid):
                    continue
                aside = _Aside(operation, connection.pid, connection.dsn, loop.create_future())
                self.aside.append(aside)
                loop.outside -= 1
                self.turn.release()
                held = False
                try:
                    await asyncio.wait({aside.over}, timeout=connection.patience)
                    if not aside.over.done():
                        await self._cancel(connection, operation)
                        raise asyncpg.LockNotAvailableError("a lock was waited for too long")
                except asyncio.CancelledError:
                    await self._cancel(connection, operation)
                    raise
                finally:
                    self.aside.remove(aside)
            if held and self.aside:
                await self._settle()
            if cancelled:
                with contextlib.suppress(Exception):
                    operation.result()
                raise asyncio.CancelledError
            return operation.result()
        finally:
            if held:
                loop.outside -= 1
                self.turn.release()

    async def close(self) -> None:
        """Close every connection, of instances and of watchers."""
        for connection in self.connections:
            connection.raw.terminate()
        for watcher in self._watchers.values():
            watcher.terminate()

    async def watch(self, dsn: str, statement: str, *arguments: Any) -> Any:
        """Ask on the watcher's connection of a database; within a turn, or where nothing else runs."""
        return await self.look(dsn, lambda watcher: watcher.fetch(statement, *arguments))

    async def look(self, dsn: str, what: Callable[[Any], Awaitable[T]]) -> T:
        """The same with more than one statement."""
        loop = _loop()
        loop.outside += 1
        try:
            if dsn not in self._watchers:
                self._watchers[dsn] = await connect(dsn, "goodfunds simulation watcher")
            return await what(self._watchers[dsn])
        finally:
            loop.outside -= 1

    async def _pass(self, point: str, connection: "Connection | None") -> None:
        try:
            await self.gates(point)
        except Struck as struck:
            if connection is not None:
                connection.lose()
            raise asyncpg.ConnectionDoesNotExistError(f"the connection was cut at {struck}") from None

    async def _set_clock(self, dsn: str) -> None:
        now = self.now()
        if self._clocks.get(dsn) != now:
            self._clocks[dsn] = now
            await self.take_turn(None, lambda: self.watch(dsn, _CLOCK, now))

    async def _doomed(self, connection: "Connection", text: str) -> list[int]:
        """The backends that a statement would terminate, asked for by its own words."""
        asking = text.replace("pg_terminate_backend(a.pid)", "a.pid")
        asked = partial(self.watch, connection.dsn, asking, *connection.last_arguments)
        return [row["pid"] for row in await self.take_turn(None, asked)]

    async def _see_gone(self, dsn: str, pids: list[int]) -> None:
        for connection in self.connections:
            if connection.pid in pids:
                connection.broken = True
        alive = "SELECT pid FROM pg_stat_activity WHERE pid = ANY($1::int[])"

        async def until_gone() -> None:
            while await self.watch(dsn, alive, pids):
                continue

        await self.take_turn(None, until_gone)

    async def see_lost(self) -> None:
        """Terminate the backends of connections that were lost, and wait until the server has done so."""
        for dsn in {each.dsn for each in self.connections}:
            lost = [each for each in self.connections if each.broken and not each.gone and each.dsn == dsn]
            if lost:
                pids = [each.pid for each in lost]
                await self.take_turn(None, partial(self.watch, dsn, _TERMINATE, pids))
                await self._see_gone(dsn, pids)
                for each in lost:
                    each.gone = True
                    each.raw.terminate()
        self.connections = [each for each in self.connections if not each.gone]

    async def _waits(self, dsn: str, pid: int) -> bool:
        rows = await self.watch(dsn, "SELECT FROM pg_locks WHERE pid = $1 AND NOT granted", pid)
        return bool(rows)

    async def _settle(self) -> None:
        """See what stands aside either go on to its end, or wait still."""
        loop = _loop()
        for each in list(self.aside):
            while not each.operation.done() and not await self._waits(each.database, each.pid):
                await loop.reply_or_stillness(each.operation)
            if each.operation.done() and not each.over.done():
                each.over.set_result(None)

    async def _cancel(self, connection: "Connection", operation: "asyncio.Future[Any]") -> None:
        """Cancel a statement that waits for a lock, as its client asks the server to."""

        async def ended() -> None:
            await self.watch(connection.dsn, "SELECT pg_cancel_backend($1)", connection.pid)
            await asyncio.wait({operation})

        await self.take_turn(None, ended)
        with contextlib.suppress(Exception):
            operation.result()


class Connection:
    """A connection of an instance; the operations that the services use, each between two gates."""

    def __init__(self, server: Server, raw: Any, dsn: str, instance: Instance | None) -> None:
        self.raw = raw
        self.dsn = dsn
        self.instance = instance
        self.pid: int = raw.get_server_pid()
        self.broken = False
        self.gone = False
        self.last_arguments: tuple[Any, ...] = ()
        self.patience: float | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._server = server

    def lose(self) -> None:
        """Cut the connection: nothing more is said on it, and its open transaction is rolled back."""
        if not self.broken:
            self.broken = True
            self._server.losing.add(task := asyncio.get_running_loop().create_task(self._server.see_lost()))
            task.add_done_callback(self._server.losing.discard)

    def rest(self) -> None:
        """After an operation: a trial's transaction that rests too long is ended by the server."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self.patience is not None and not self.broken:
            if self.raw.is_in_transaction():
                self._idle = asyncio.get_running_loop().call_later(_TRIAL_IDLE_SECONDS, self.lose)
            else:
                self.patience = None

    async def fetch(self, text: str, *arguments: Any) -> list[Any]:
        return await self._statement(text, arguments, lambda: self.raw.fetch(text, *arguments))

    async def fetchrow(self, text: str, *arguments: Any) -> Any:
        return await self._statement(text, arguments, lambda: self.raw.fetchrow(text, *arguments))

    async def fetchval(self, text: str, *arguments: Any) -> Any:
        return await self._statement(text, arguments, lambda: self.raw.fetchval(text, *arguments))

    async def execute(self, text: str, *arguments: Any) -> str:
        return await self._statement(text, arguments, lambda: self.raw.execute(text, *arguments))

    async def executemany(self, text: str, arguments: Any) -> None:
        await self._statement(text, (), lambda: self.raw.executemany(text, arguments))

    async def copy_records_to_table(self, table: str, *, records: Any, columns: Any = None) -> str:
        def copy() -> Awaitable[str]:
            return self.raw.copy_records_to_table(table, records=records, columns=columns)  # type: ignore[no-any-return]

        return await self._server.operate(self, f"copy {table}", copy)

    async def _statement(self, text: str, arguments: tuple[Any, ...], call: Callable[[], Awaitable[T]]) -> T:
        self.last_arguments = arguments
        if text == _BOUND_TRIAL:
            self.patience, text = _TRIAL_PATIENCE, "SELECT"
            return await self._server.operate(self, "bound_trial", lambda: self.raw.execute(text))
        name = self._server.names.get(text, "statement")
        return await self._server.operate(self, name, call, text)

    def transaction(self) -> "Transaction":
        return Transaction(self._server, self)

    def is_closed(self) -> bool:
        return self.broken or bool(self.raw.is_closed())

    def get_server_pid(self) -> int:
        return self.pid

    def terminate(self) -> None:
        self.lose()

    async def close(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncpg's own
        """Say good-bye to the server; a dead instance says nothing."""
        del timeout
        if not self.is_closed():
            await self._server.operate(self, "close", self.raw.close)
        self.broken = self.gone = True


class Transaction:
    """A transaction whose commit can be cut off before or after the server has done it."""

    def __init__(self, server: Server, connection: Connection) -> None:
        self._server = server
        self._connection = connection
        self._raw = connection.raw.transaction()

    async def start(self) -> None:
        await self._server.operate(self._connection, "begin", self._raw.start)

    async def commit(self) -> None:
        await self._server.operate(self._connection, "commit", self._raw.commit)

    async def rollback(self) -> None:
        await self._server.operate(self._connection, "rollback", self._raw.rollback)

    async def __aenter__(self) -> "Transaction":
        await self.start()
        return self

    async def __aexit__(self, kind: Any, fault: Any, traceback: Any) -> None:
        if fault is None:
            await self.commit()
        else:
            await self.rollback()


class Pool:
    """A pool of one connection, opened when it is first asked for and again when it was lost."""

    def __init__(self, server: Server, dsn: str) -> None:
        self._server = server
        self._dsn = dsn
        self._connection: Connection | None = None
        self._free = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        async with self._free:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._server.connect(self._dsn, "goodfunds simulation pool")
            yield self._connection

    async def fetch(self, text: str, *arguments: Any) -> list[Any]:
        async with self.acquire() as connection:
            return await connection.fetch(text, *arguments)

    async def fetchrow(self, text: str, *arguments: Any) -> Any:
        async with self.acquire() as connection:
            return await connection.fetchrow(text, *arguments)

    async def fetchval(self, text: str, *arguments: Any) -> Any:
        async with self.acquire() as connection:
            return await connection.fetchval(text, *arguments)

    async def execute(self, text: str, *arguments: Any) -> str:
        async with self.acquire() as connection:
            return await connection.execute(text, *arguments)
