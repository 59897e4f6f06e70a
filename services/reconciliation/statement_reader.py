"""The statement reader: a feed over the bank's outbox that sends each statement's lines to their lanes.

A file is found, then each of its statements goes out in chunks from its position, so that a reader that
starts anew goes on at the very line.
"""

import asyncio
import collections
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, BinaryIO, Protocol

import asyncpg
import structlog
from prometheus_client import Counter

from goodfunds.clock import micros
from goodfunds.errors import InvariantBroken, Unavailable
from goodfunds.events.passing import with_statement_id
from goodfunds.events.topics import BANK_STATEMENTS
from goodfunds.lanes import Emission, Sequences, lane_of
from goodfunds.lanes.records import Connection
from services.reconciliation.handed_in import file_id_of
from services.reconciliation.outbox_folder import Listed
from services.reconciliation.statement_files import StatementFile, write_parts
from services.reconciliation.statement_lines import ReadStatement
from services.reconciliation.store import SQL

log = structlog.get_logger(__name__)

CHUNK = 2_000

FILES = Counter("goodfunds_statement_files_total", "Statement files taken, by outcome", ["outcome"])
LINES = Counter("goodfunds_statement_lines_total", "Booked statement lines sent to the lanes")
IGNORED = Counter("goodfunds_statement_entries_ignored_total", "Statement entries that are not booked")


class Folder(Protocol):
    """Where statement files lie."""

    async def statements(self) -> list[Listed]:
        """Their listing, sorted by name."""

    async def fetch(self, name: str, into: BinaryIO) -> None:
        """Write one file's bytes."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that was not taken yet."""

    listed: Listed
    file: StatementFile


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines of a statement from a position on; `last` ends it."""

    statement: ReadStatement
    position: int
    stop: int
    held_back: bool

    @property
    def last(self) -> bool:
        return self.held_back or self.stop == self.statement.opened.lines_count


class StatementReader:
    """The feed's source."""

    producer = "reconciliation-statements"
    outputs = (BANK_STATEMENTS,)

    def __init__(
        self, pool: "asyncpg.Pool[Any]", folder: Folder, partitions: int, chunk: int = CHUNK
    ) -> None:
        self._pool = pool
        self._folder = folder
        self._partitions = partitions
        self._chunk = chunk
        self._looked_for_files = False
        self._failed: collections.Counter[str] = collections.Counter()
        self._file: StatementFile | None = None

    async def look(self) -> Found | Chunk | None:
        """The next chunk of a statement under way, else the next new file."""
        row = await self._pool.fetchrow(SQL["statement_under_way"])
        if row is not None:
            statement = await self._statement(row["file_name"], row["sha256"], row["statement_id"])
            position = row["position"]
            stop = min(position + self._chunk, statement.opened.lines_count)
            return Chunk(statement, position, stop, row["held_back"])
        self._drop()
        listing = await self._folder.statements()
        rows = await self._pool.fetch(SQL["known_files"], [each.name for each in listing])
        known = {(row["file_name"], row["listed_as"]) for row in rows}
        for listed in sorted(listing, key=lambda each: self._failed[each.name]):
            if listed not in known:
                return await self._found(listed)
        if not self._looked_for_files:
            await self._miss_files()
        return None

    async def record(
        self,
        connection: Connection,
        work: Found | Chunk,
        now: datetime,
        sequences: Sequences,  # noqa: ARG002 - no seq is stored
    ) -> Sequence[Emission]:
        """Note a file and its statements, or send a chunk and move its position."""
        if isinstance(work, Found):
            await self._note(connection, work, now)
            return []
        return await self._send(connection, work, now)

    async def _miss_files(self) -> None:
        """Once all files are read: which statement that was begun before a restore has none."""
        for row in await self._pool.fetch(SQL["statements_without_file"]):
            log.error(
                "statement begun before a restore is in no file: have the bank put it into its outbox again",
                nostro=row["nostro"], statement_number=row["statement_number"],
                bank_statement_id=row["bank_statement_id"], to_date=str(row["to_date"]),
            )  # fmt: skip
        self._looked_for_files = True

    async def _found(self, listed: Listed) -> Found:
        try:
            file = await self._read(listed.name, partial(self._folder.fetch, listed.name))
        except Unavailable:
            # Perhaps the file's fault and not the bank's: the others go first the next time.
            self._failed[listed.name] += 1
            raise
        if file.problem:
            log.error("statement file refused", file=listed.name, fault=file.problem)
        return Found(listed, file)

    async def _statement(self, name: str, digest: bytes, statement_id: bytes) -> ReadStatement:
        file = self._file
        if file is None or (file.name, file.digest) != (name, digest):
            part_of = partial(self._pool.fetchval, SQL["part_of_file"], name, digest)
            file = await self._read(name, partial(write_parts, part_of))
        statement = file.statement(statement_id)
        if statement is None or file.digest != digest:
            raise InvariantBroken(f"{name} reads differently than when it was begun: {file.problem}")
        return statement

    async def _read(self, name: str, write: Callable[[BinaryIO], Awaitable[None]]) -> StatementFile:
        """The file whose bytes `write` writes, read, instead of the last one."""
        self._drop()
        file = StatementFile(name)
        try:
            await write(file.content)
            await asyncio.to_thread(file.read, self._partitions)
        except BaseException:
            file.close()
            raise
        self._file = file
        return file

    def _drop(self) -> None:
        """Be done with the file that was read."""
        if self._file is not None:
            self._file.close()
            self._file = None

    async def _note(self, connection: Connection, found: Found, now: datetime) -> None:
        fresh = 0
        for each in found.file.statements:
            opened = each.opened
            fresh += await connection.fetchval(
                SQL["take_statement"], each.statement_id, found.listed.name, found.file.digest, opened.nostro,
                opened.statement_number, opened.bank_statement_id, opened.to_date, opened.lines_count,
                each.ignored, now, opened.currency,
            )  # fmt: skip
            IGNORED.inc(each.ignored)
        await connection.execute(
            SQL["note_file"], found.listed.name, found.file.digest, now, found.file.problem, found.listed.mark
        )
        for number, part in enumerate(found.file.parts()):
            await connection.execute(SQL["note_part"], found.listed.name, found.file.digest, number, part)
        handed_in = file_id_of(found.listed.name)
        if handed_in is not None:
            await connection.execute(SQL["take_handed_in"], handed_in, now)
        outcome = "refused" if found.file.problem else "taken" if fresh else "known"
        FILES.labels(outcome).inc()

    async def _send(self, connection: Connection, chunk: Chunk, now: datetime) -> list[Emission]:
        statement = chunk.statement
        stop = chunk.position if chunk.held_back else chunk.stop
        moved = await connection.fetchval(
            SQL["move_position"], statement.statement_id, chunk.position, stop, now if chunk.last else None
        )
        if moved is None:
            raise InvariantBroken("a statement's position is not where its reader left it")
        key = statement.opened.nostro.encode()
        emissions = []
        if chunk.position == 0:
            opened = replace(statement.opened, opened_at=micros(now))
            lane = lane_of(opened.nostro, self._partitions)
            emissions.append(Emission(BANK_STATEMENTS, lane, key, "StatementOpened", opened.encode(), b""))
        emissions += [
            Emission(
                BANK_STATEMENTS,
                each.lane,
                key,
                "StatementLine",
                with_statement_id(each.event, statement.statement_id),
                b"",
            )
            for each in statement.lines.read(chunk.position, stop)
        ]
        if chunk.last and not chunk.held_back:
            for lane, closed in statement.closings(now):
                emissions.append(
                    Emission(BANK_STATEMENTS, lane, key, "StatementClosed", closed.encode(), b"")
                )
        LINES.inc(stop - chunk.position)
        return emissions
