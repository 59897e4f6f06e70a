"""The bank's books on disk: one SQLite file, durable, written by one transaction at a time."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

from services.sandbox_bank.books import SQL, Books
from services.sandbox_bank.faults import FaultSetting

_SCHEMA = Path(__file__).parent / "schema.sql"
_BUSY_SECONDS = 30.0


class Store:
    """Connections to the books: one a thread to read, one transaction at a time to write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._writing = threading.Lock()
        self.connection().executescript(_SCHEMA.read_text(encoding="utf-8"))

    def connect(self) -> sqlite3.Connection:
        """A connection of the caller's own, to be closed by it. Every commit is on disk when it returns."""
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._threads, "connection", None)
        if connection is None:
            connection = self._threads.connection = self.connect()
            self._connections.append(connection)
        return connection

    @contextmanager
    def writing(self, now: datetime) -> Iterator[Books]:
        """One transaction on the books: all of it is kept, or nothing where an exception leaves it."""
        connection = self.connection()
        with self._writing:
            connection.execute("BEGIN IMMEDIATE")
            try:
                books = Books(connection, now)
                yield books
                books.keep()
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise

    def found(self, business_day: date, seed: int, faults: Mapping[str, FaultSetting], now: datetime) -> None:
        """Found the bank if it is new; apply the settings' faults where they are not those applied last."""
        self.connection().execute(SQL["found_bank"], (business_day.isoformat(), seed))
        applied = json.dumps(
            {"seed": seed, **{kind: asdict(setting) for kind, setting in sorted(faults.items())}}
        )
        with self.writing(now) as books:
            if self.one("bank")[2] != applied:
                books.set_faults(faults, seed)
                books.connection.execute(SQL["keep_settings_faults"], (applied,))

    def one(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """The first row of a named statement, or None."""
        return self.connection().execute(SQL[statement], parameters).fetchone()

    def all(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Every row of a named statement."""
        return self.connection().execute(SQL[statement], parameters).fetchall()

    def close(self) -> None:
        """Close every thread's connection; nothing may use the books any more."""
        for connection in self._connections:
            connection.close()
        self._connections.clear()
