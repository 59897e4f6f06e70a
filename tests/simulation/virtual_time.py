"""An event loop whose time is a number: it stands while a real server works, and jumps when all wait.

So a story of minutes runs in seconds, and the same story runs in the same order: callbacks that are ready
run until none is, and only then is a reply of a server read. One operation on a server is under way at a
time (see `database`), so the order of replies is the order of the operations.
"""

import asyncio
import selectors
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")

_STILL_SECONDS = 0.02
"""Real seconds without a reply after which an operation may be waiting for a lock; looked at, not assumed."""

_LEAST_SECONDS = 1e-6
_APART_SECONDS = 1e-12


class Stuck(Exception):
    """Nobody can go on: every task waits for something that no task and no timer will bring."""


class _Selector(selectors.BaseSelector):
    """Looks at real sockets only while an operation on a server is under way; else lets time jump."""

    def __init__(self, loop: "VirtualTimeLoop") -> None:
        self._loop = loop
        self._real = selectors.DefaultSelector()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        loop = self._loop
        if timeout is not None and timeout <= 0:
            return []
        if loop.outside:
            found = self._real.select(_STILL_SECONDS)
            if not found:
                loop.wake_the_impatient()
            return found
        if timeout is None:
            raise Stuck("every task waits, and no timer runs")
        loop.seconds += timeout
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`outside` counts operations on real servers; time stands while there is one."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.outside = 0
        self._timers = 0
        self._impatient: list[asyncio.Future[None]] = []
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self.seconds

    def call_at(  # type: ignore[override]  # typeshed's variadic generics say no more here
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        """A timer is at least a microsecond away: a wait shorter than floats can tell would never end.

        Of timers of one time the one that was set first comes first: a heap alone does not say.
        """
        self._timers += 1
        at = max(when, self.seconds + _LEAST_SECONDS) + self._timers * _APART_SECONDS
        return super().call_at(at, callback, *args, context=context)

    def run_in_executor(  # type: ignore[override]  # typeshed's variadic generics say no more here
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> Any:
        """A thread's work is done at once: threads would end in an order of their own."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except BaseException as fault:
            done.set_exception(fault)
        return done

    def wake_the_impatient(self) -> None:
        waiting, self._impatient = self._impatient, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def reply_or_stillness(self, operation: "asyncio.Future[T]") -> bool:
        """Whether the operation is done; False after a while of real time without a reply of any server."""
        still = self.create_future()
        self._impatient.append(still)
        try:
            await asyncio.wait({operation, still}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            still.cancel()
        return operation.done()


def run(story: Callable[[], Any]) -> Any:
    """Run a coroutine function in a loop of its own, whose time begins at 0."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(story())
