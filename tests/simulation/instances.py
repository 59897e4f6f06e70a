"""Instances of the services, and the points at which a story crashes, freezes or cuts them off.

Whatever an instance does to the outside passes a gate before and after: `gate("db:commit:before")`. Between
two gates nothing of it can be seen, so a crash at a gate is a crash anywhere between them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

What = Literal["crash", "freeze", "fault"]
Side = Literal["before", "after"]


@dataclass(slots=True)
class Strike:
    """What befalls an instance at the nth passing of gates that begin with `point` and end with `side`."""

    point: str
    side: Side
    nth: int
    what: What
    seconds: float = 0.0


class Struck(Exception):
    """A neighbour fails at this gate; whoever stands there raises what its own kind of neighbour raises."""


@dataclass(slots=True)
class Instance:
    """One process: its tasks, whether it is dead or frozen, and what is planned for it."""

    name: str
    start: Callable[[asyncio.Event], Awaitable[None]]
    now: Callable[[], datetime]
    skew: timedelta = timedelta()
    dead: bool = True
    task: "asyncio.Task[None] | None" = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    thawed: asyncio.Event = field(default_factory=asyncio.Event)
    strikes: list[Strike] = field(default_factory=list)
    on_crash: list[Callable[[], None]] = field(default_factory=list)

    @property
    def frozen(self) -> bool:
        return not self.thawed.is_set()


CURRENT: ContextVar[Instance | None] = ContextVar("instance", default=None)
"""Whose code is running; None for the world's own."""


@dataclass(slots=True)
class InstanceClock:
    """The wall clock of one instance, which may be wrong."""

    instance: Instance

    def now(self) -> datetime:
        return self.instance.now() + self.instance.skew


class Gates:
    """Lets instances pass, or not. `on_strike` tells the story what happened where."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.on_freeze: Callable[[Instance], None] = lambda instance: None

    async def __call__(self, point: str) -> None:
        """Pass a gate named `neighbour:operation:before` or `…:after`. Raises Struck, CancelledError."""
        instance = CURRENT.get()
        if instance is None:
            return
        await self._alive(instance)
        for strike in list(instance.strikes):
            if point.startswith(strike.point) and point.endswith(strike.side):
                strike.nth -= 1
                if strike.nth <= 0:
                    instance.strikes.remove(strike)
                    await self._strike(instance, strike, point)

    async def _alive(self, instance: Instance) -> None:
        if not instance.dead and instance.frozen:
            await instance.thawed.wait()
        if instance.dead:
            raise asyncio.CancelledError

    async def _strike(self, instance: Instance, strike: Strike, point: str) -> None:
        self._tell(f"{instance.name}: {strike.what} at {point}")
        if strike.what == "fault":
            raise Struck(point)
        if strike.what == "crash":
            crash(instance)
            raise asyncio.CancelledError
        freeze(instance)
        self.on_freeze(instance)
        asyncio.get_running_loop().call_later(strike.seconds, instance.thawed.set)
        await self._alive(instance)


def crash(instance: Instance) -> None:
    """End an instance as `kill -9` does: nothing that it still tries reaches the outside."""
    if instance.dead:
        return
    instance.dead = True
    instance.thawed.set()
    instance.strikes.clear()
    for cut in instance.on_crash:
        cut()
    instance.on_crash.clear()
    if instance.task is not None:
        instance.task.cancel()


def freeze(instance: Instance) -> None:
    """Let an instance do nothing more to the outside until it is thawed."""
    instance.thawed.clear()


def start(instance: Instance) -> None:
    """Begin a life of an instance."""
    instance.dead = False
    instance.thawed.set()
    instance.stop = asyncio.Event()
    token = CURRENT.set(instance)
    try:
        instance.task = asyncio.get_running_loop().create_task(_live(instance))
    finally:
        CURRENT.reset(token)


async def _live(instance: Instance) -> None:
    await instance.start(instance.stop)


def fault_of(instance: Instance) -> Any:
    """Why an instance ended by itself; None while it runs or was ended."""
    task = instance.task
    if task is None or not task.done() or task.cancelled():
        return None
    return task.exception()
