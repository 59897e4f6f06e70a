"""One reader under mutated bytes for a bounded time: what it refused, what went wrong, what it took."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import process_time
from types import FrameType

from tests.fuzz.mutating import mutated
from tests.fuzz.targets import Target

SLOW_SECONDS = 2.0
"""Of CPU, so that what else runs on the machine is in no figure. Any input is read long before."""
HANGS_SECONDS = 20.0
GROWTH_MB = 150
_MOST_WRONG = 5


class Hangs(BaseException):
    """A reader that was broken off; no reader takes this for a fault of its own."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """What went wrong, and with which input."""

    what: str
    content: bytes = b""


@dataclass(slots=True)
class Fuzzed:
    """What was found of a reader. `slowest`: CPU seconds of an input; `grown_mb`: of the whole process."""

    name: str
    inputs: int = 0
    refused: int = 0
    slowest: float = 0.0
    grown_mb: int = 0
    wrong: list[Wrong] = field(default_factory=list)


def fuzz(name: str, target: Target, seconds: float, seed: int, hangs: float = HANGS_SECONDS) -> Fuzzed:
    """Give a reader mutated bytes for so many seconds of CPU, or until five inputs went wrong."""
    found, random = Fuzzed(name), Random(f"{seed} {name}")
    deadline, before = process_time() + seconds, _peak_mb()
    while process_time() < deadline and len(found.wrong) < _MOST_WRONG:
        content = mutated(random.choice(target.examples), random)
        found.inputs += 1
        started = process_time()
        try:
            with _broken_off_after(hangs):
                target.read(content)
        except target.refusals:
            found.refused += 1
        except Hangs:
            found.wrong.append(Wrong(f"it did not end in {hangs:g} s", content))
            break
        except Exception as fault:
            found.wrong.append(Wrong(f"{type(fault).__name__}: {fault}", content))
        took = process_time() - started
        found.slowest = max(found.slowest, took)
        if took > SLOW_SECONDS:
            found.wrong.append(Wrong(f"it took {took:.1f} s", content))
    found.grown_mb = _peak_mb() - before
    if found.grown_mb > GROWTH_MB:
        found.wrong.append(Wrong(f"the process grew by {found.grown_mb} MB"))
    return found


@contextmanager
def _broken_off_after(seconds: float) -> Iterator[None]:
    """Raises Hangs within, after so many seconds of CPU."""

    def break_off(_number: int, _frame: FrameType | None) -> None:
        raise Hangs

    before = signal.signal(signal.SIGPROF, break_off)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _peak_mb() -> int:
    """Of this program alone: what getrusage tells has the one in it that started it."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024
