"""A service of one line for tests of the lanes: copies each record to a row and to an event.

Run as a program it can kill or freeze itself at a named point, so that a test needs no luck.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from goodfunds.errors import InvariantBroken
from goodfunds.lanes import Emission, Input, LaneLoop, LaneSettings, Poll
from goodfunds.lanes import handling as lanes_handling
from goodfunds.lanes.records import Connection, Record
from goodfunds.lanes.transact import transact

MIGRATIONS = Path(__file__).parent / "migrations"
KILL = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP}


class Copier:
    """Handler: a value is a decimal number, `poison…` (a fault) or `broken…` (an invariant)."""

    producer = "copier"

    def __init__(self, source: str, target: str, in_copy: Any = None) -> None:
        self.inputs = (Input(source),)
        self.outputs = (target,)
        self._target = target
        self._in_copy = in_copy

    async def handle(self, connection: Connection, poll: Poll) -> Mapping[int, list[Emission]]:
        rows: list[tuple[Any, ...]] = []
        emissions: dict[int, list[Emission]] = {}
        for lane, records in poll.records.items():
            for record in records:
                assert record.value is not None
                assert record.key is not None
                if record.value.startswith(b"poison"):
                    raise ValueError(record.value.decode())
                if record.value.startswith(b"broken"):
                    raise InvariantBroken(record.value.decode())
                rows.append((lane, record.offset, record.key.decode(), int(record.value)))
                emission = Emission(self._target, lane, record.key, "Copied", record.value, b"")
                emissions.setdefault(lane, []).append(emission)
        await connection.copy_records_to_table("handled", records=self._through(rows))
        return emissions

    def _through(self, rows: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        for place, row in enumerate(rows):
            if self._in_copy is not None and place == len(rows) // 2:
                self._in_copy()
            yield row

    async def due(
        self, connection: Connection, lanes: Sequence[int], now: datetime
    ) -> Mapping[int, list[Any]]:
        return {}

    def key_of(self, record: Record) -> bytes:
        return record.key or b""

    def payment_of(self, record: Record) -> bytes | None:
        return None

    def amount_of(self, record: Record) -> tuple[int, str] | None:
        return (100, "EUR")


async def main(arguments: dict[str, Any]) -> None:
    point, what, nth = arguments["point"], arguments["what"], arguments["nth"]
    seen = 0

    def strike() -> None:
        nonlocal seen
        seen += 1
        if seen == nth:
            os.kill(os.getpid(), KILL[what])

    async def striking(*of: Any) -> Any:
        if point == "before-commit" and of[4] is not None:
            strike()
        rows = await transact(*of)
        if point == "after-commit" and rows:
            strike()
        return rows

    vars(lanes_handling)["transact"] = striking
    copier = Copier(arguments["source"], arguments["target"], strike if point == "in-copy" else None)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = LaneSettings(
        arguments["dsn"],
        arguments["bootstrap"],
        arguments["partitions"],
        owner=f"{arguments['name']}-{os.getpid()}",
        batch=arguments["batch"],
        session_timeout=arguments["session_timeout"],
        prove_every=arguments["prove_every"],
        answer_timeout=arguments["answer_timeout"],
    )
    await LaneLoop(copier, settings).run(stop)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
