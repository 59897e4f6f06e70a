"""A process: its parts run side by side until a signal or a fault, then end in good order."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
import uvloop

log = structlog.get_logger(__name__)

Part = Callable[[asyncio.Event], Awaitable[None]]
"""A long-lived part: works until the event is set, finishes what it holds, returns. Raises what is fatal."""

GRACE_SECONDS: Final = 20.0
"""How long parts may take to finish their batch; below the 30 s after which orchestrators kill."""

_YOUNG: Final = 20_000
"""Objects between two looks of the collector at the young, not 700: a poll's records are no cycles."""


def run(main: Part) -> int:
    """Run `main` on uvloop until it returns; the process's exit code: 0, or 1 after a fatal fault.

    SIGTERM and SIGINT set the event that `main` is given; a second signal cancels it.
    """
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_signal(main))
    except asyncio.CancelledError:
        return 1
    except Exception as fault:
        log.error("process ends by a fault", fault=repr(fault), exc_info=fault)
        return 1
    return 0


async def _until_signal(main: Part) -> None:
    stop = asyncio.Event()
    running = asyncio.ensure_future(main(stop))
    loop = asyncio.get_running_loop()

    def on_signal(number: int) -> None:
        if stop.is_set():
            running.cancel()
        log.info("stopping", signal=signal.Signals(number).name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    try:
        await running
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def calm_collector() -> None:
    """What was built until now lives as long as the process: the collector need not walk it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG)


async def together(stop: asyncio.Event, *parts: Part, grace_seconds: float = GRACE_SECONDS) -> None:
    """Run the parts until all have returned. The first that ends, or raises, stops the others.

    After `stop` they have `grace_seconds`; then they are cancelled. Raises the first part's fault.
    """
    calm_collector()
    running = [asyncio.ensure_future(part(stop)) for part in parts]
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({*running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        _, late = await asyncio.wait(running, timeout=grace_seconds)
        if late:
            log.warning("parts did not end in time", parts=len(late), grace_seconds=grace_seconds)
    finally:
        stop.set()
        stopping.cancel()
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    for each in running:
        if not each.cancelled() and (fault := each.exception()) is not None:
            raise fault
