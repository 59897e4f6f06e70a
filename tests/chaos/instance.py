"""One process of the house as chaos runs it: its clock can be moved, and it can be told where to die.

`python -m tests.chaos.instance CONTROL MODULE [ARGUMENT]`. CONTROL is a file that may say, as JSON,
{"skew": seconds} or {"die_at": point}. What runs is the service's own `__main__`; the hooks are put around
the library from here, so that the library carries none.
"""

import json
import os
import runpy
import signal
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from time import monotonic
from typing import Any

from goodfunds.clock import SystemClock

POINTS = (
    "before_commit",
    "after_commit",
    "mid_publish",
    "before_upload",
    "before_delivery",
    "after_delivery",
)
"""Where an instance can be told to die; the last three are the bank gateway's alone."""
_LOOK_SECONDS = 0.25


class Control:
    """What the file says now; it is looked at a few times a second."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._told: dict[str, Any] = {}
        self._next = 0.0

    def told(self, name: str, at_once: bool = False) -> Any:
        """The value of a name; None where the file does not say."""
        if at_once or monotonic() >= self._next:
            self._next = monotonic() + _LOOK_SECONDS
            try:
                self._told = json.loads(self._path.read_text())
            except (OSError, ValueError):
                self._told = {}
        return self._told.get(name)

    def reach(self, point: str) -> None:
        """Die here if told to; once, for whoever comes after is another life."""
        if self.told("die_at") == point:
            self._path.unlink(missing_ok=True)
            os.kill(os.getpid(), signal.SIGKILL)


def move_clock(control: Control) -> None:
    """The process's clock runs ahead or behind by what the file says."""
    true = SystemClock.now

    def now(self: SystemClock) -> datetime:
        return true(self) + timedelta(seconds=control.told("skew") or 0)

    SystemClock.now = now  # type: ignore[method-assign]  # the seam of this harness


def mark_points(control: Control) -> None:
    """Put the fault points around the transaction, the publisher and the bank."""
    from goodfunds.lanes import feed, handling
    from goodfunds.lanes import transact as room
    from goodfunds.lanes.publisher import Publisher
    from services.settlement.gateway.bank import Bank

    real = room.transact

    async def transact(
        connection: Any, incarnation: str, shares: Any, now: datetime, write: Any, *rest: Any
    ) -> Any:
        async def dying(connection: Any) -> Any:
            written = await write(connection)
            control.reach("before_commit")
            return written

        rows = await real(connection, incarnation, shares, now, write and dying, *rest)
        if write is not None:
            control.reach("after_commit")
        return rows

    handling.transact = transact  # type: ignore[assignment,attr-defined]  # the harness stands around it
    feed.transact = transact  # type: ignore[assignment,attr-defined]
    Publisher._acknowledge = _before(control, "mid_publish", Publisher._acknowledge)  # type: ignore[method-assign]
    Bank.upload = _before(control, "before_upload", Bank.upload)  # type: ignore[method-assign]
    deliver = _before(control, "before_delivery", Bank.deliver)

    async def delivered(*arguments: Any) -> None:
        await deliver(*arguments)
        control.reach("after_delivery")

    Bank.deliver = delivered  # type: ignore[assignment,method-assign]


def _before(control: Control, point: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def reached(*arguments: Any) -> Any:
        control.reach(point)
        return function(*arguments)

    return reached


if __name__ == "__main__":
    told = Control(Path(sys.argv[1]))
    move_clock(told)
    if sys.argv[2] != "services.sandbox_bank":
        mark_points(told)
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
