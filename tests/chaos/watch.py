"""How far payments are, read from the databases beside all links; and when a fault is recovered from."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg

from goodfunds.service import services
from tests.chaos.house import House
from tests.chaos.load import Load

_EVERY_SECONDS = 0.5
_SQL = Path(__file__).with_name("stages.sql")


@dataclass(frozen=True, slots=True)
class Stages:
    """Counts of payments by how far they have come. `at`: monotonic seconds.

    `given`: answered for by the house. `sealed`: in batches that are closed; `ended`: settled or rejected.
    """

    at: float = 0.0
    given: int = 0
    decided: int = 0
    accepted: int = 0
    received: int = 0
    sealed: int = 0
    submitted: int = 0
    ended: int = 0
    known: int = 0

    @property
    def in_flight(self) -> int:
        """Given, and neither refused nor at their end."""
        return self.given - (self.decided - self.accepted) - self.ended

    def behind(self, past: "Stages") -> list[str]:
        """The stages that have not yet handled what stood before them at an earlier moment."""
        pairs = {
            "deciding": (self.decided, past.given),
            "receiving": (self.received, past.accepted),
            "sending": (self.submitted, past.sealed),
            "reconciling": (self.known, past.submitted),
        }
        return [what for what, (now, then) in pairs.items() if now < then]


class Watch:
    """Reads the stages twice a second; while Postgres is away the last ones stand."""

    def __init__(self, house: House, load: Load) -> None:
        self.stages = Stages()
        self._looked = asyncio.Event()
        self._house = house
        self._load = load
        self._connections: dict[str, Any] = {}
        self._statements = {
            part.partition("\n")[0].strip(): part.partition("\n")[2]
            for part in _SQL.read_text(encoding="utf-8").split("-- name: ")[1:]
        }

    async def run(self) -> None:
        """Read until cancelled."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(_EVERY_SECONDS)
        finally:
            for connection in self._connections.values():
                connection.terminate()

    async def look(self) -> None:
        """Read once."""
        given = self._load.acknowledged
        rows: dict[str, Mapping[str, int]] = {}
        for name in services():
            try:
                connection = self._connections.get(name)
                if connection is None or connection.is_closed():
                    dsn = self._house.server.dsn(services()[name].database)
                    connection = self._connections[name] = await asyncpg.connect(dsn, timeout=2)
                row: Any = await connection.fetchrow(self._statements[name], timeout=10)
                rows[name] = row
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                self._connections.pop(name, None)
                # Whoever waits looks at the clock, too.
                self._tell()
                return
        found = {key: value for row in rows.values() for key, value in row.items()}
        self.stages = Stages(monotonic(), given, **found)
        self._tell()

    def _tell(self) -> None:
        self._looked.set()
        self._looked = asyncio.Event()

    async def until(self, holds: Callable[[Stages], bool], seconds: float) -> bool:
        """Wait until the stages are so; False where they are not in time."""
        deadline = monotonic() + seconds
        while not holds(self.stages):
            if monotonic() > deadline:
                return False
            await self._looked.wait()
        return True
