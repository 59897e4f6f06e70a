"""Memory of a stack's processes at its highest: that is what runs out, and a look now and then misses it."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic

import psutil

from goodfunds.local import stack as local

_EVERY_SECONDS = 0.5
_POSTGRES_EVERY = 10
"""Each of its processes' pages are counted, which costs more."""


class Peaks:
    """The highest of each process over the last `window` seconds, in MB; private memory alone.

    Of the servers' shared memory every process would count the whole, and what is mapped from files (a
    broker maps its indexes) the system takes back.
    """

    def __init__(self, stack: local.Stack, window: float) -> None:
        self._stack = stack
        self._window = window
        self._seen: dict[str, deque[tuple[float, float]]] = defaultdict(deque)

    async def run(self) -> None:
        """Look until cancelled."""
        looks = 0
        while True:
            for name, running in self._stack.running.items():
                with suppress(psutil.Error):
                    if name != "postgres":
                        memory = psutil.Process(running.pid).memory_info()
                        self._note(name, (memory.rss - memory.shared) / 1e6)
                    elif looks % _POSTGRES_EVERY == 0:
                        self._note(name, _private_of_children(running.pid) / 1e6)
            looks += 1
            await asyncio.sleep(_EVERY_SECONDS)

    def highest(self) -> Mapping[str, float]:
        """Name → the highest of the window."""
        return {name: max(value for _, value in seen) for name, seen in self._seen.items()}

    def _note(self, name: str, value: float) -> None:
        seen, now = self._seen[name], monotonic()
        seen.append((now, value))
        while seen[0][0] < now - self._window:
            seen.popleft()


def _private_of_children(pid: int) -> int:
    private = 0
    for child in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.Error):
            private += child.memory_full_info().uss
    return private
