"""One snapshot of a service's database, read by the statements that the service gives."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import goodfunds.lanes
from goodfunds import ledger
from goodfunds.postgres import statements
from goodfunds.service import services

_LANES = statements(Path(goodfunds.lanes.__file__).parent / "sql")
_LEDGER = statements(ledger.STATEMENTS)


class Snapshot:
    """One repeatable-read snapshot of a service's database, with its watermarks."""

    def __init__(self, connection: Any, service: str) -> None:
        self._connection = connection
        self._sql = statements(services()[service].sql)
        self._transaction = connection.transaction(isolation="repeatable_read", readonly=True)

    async def __aenter__(self) -> "Snapshot":
        await self._transaction.start()
        self.lanes = await self._connection.fetch(_LANES["lane_positions"])
        return self

    async def __aexit__(self, *_fault: object) -> None:
        await self._transaction.rollback()

    async def fetch(self, name: str, *arguments: object) -> Sequence[Any]:
        """Rows of a statement of the service, the ledger or the lanes."""
        statement = self._sql.get(name) or _LEDGER.get(name) or _LANES[name]
        rows: Sequence[Any] = await self._connection.fetch(statement, *arguments)
        return rows

    def handled(self, topic: str, producer: str) -> dict[int, int]:
        """lane → last seq handled of that producer's own lane on the topic; 0 where none.

        A producer is a service: its numbers go on when its database comes back from a backup, under the
        name of another incarnation.
        """
        found = {}
        for row in self.lanes:
            if row["lane"] >= 0:
                marks = json.loads(row["watermarks"])
                found[row["lane"]] = max(
                    (seq for mark, seq in marks.items() if _is_of(mark, topic, producer, row["lane"])),
                    default=0,
                )
        return found

    def stopped(self) -> list[tuple[int, str]]:
        """(lane, reason) of each that is stopped."""
        return [(row["lane"], row["stopped_reason"]) for row in self.lanes if row["stopped_reason"]]


def _is_of(mark: str, topic: str, producer: str, lane: int) -> bool:
    of_topic, name, of_lane = mark.split("|")
    return (of_topic, name.partition(".")[0], of_lane) == (topic, producer, str(lane))
