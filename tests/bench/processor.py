"""What of the machine's processors the house takes, a payment, and what others take beside it."""

from statistics import median
from time import monotonic

import psutil

from goodfunds.local import stack as local
from tests.bench.flat import Bound
from tests.bench.samples import Series
from tests.bench.spent import cpu_seconds, own_cpu_seconds

_EVERY_SECONDS = 60.0
_COST = Bound(0.15, 20.0)


class Processor:
    """Looks once a minute, a day of the bank, in which all kinds of work occur.

    `others`: shares of the machine (1 is all of it) that neither the house nor its load took.
    """

    def __init__(self, stack: local.Stack) -> None:
        self.others: list[float] = []
        self._stack = stack
        self._last = (monotonic(), 0, *self._taken())

    def sample(self, series: Series, accepted: int) -> None:
        """Note what this minute took, once it is over."""
        now = monotonic()
        then, accepted_then, house_then, busy_then = self._last
        if now - then < _EVERY_SECONDS:
            return
        house, busy = self._taken()
        self._last = (now, accepted, house, busy)
        if accepted_then and accepted > accepted_then:
            micros = (house - house_then) / (accepted - accepted_then) * 1e6
            series.add("CPU of a payment, µs", micros, _COST)
            elapsed = (now - then) * (psutil.cpu_count() or 1)
            self.others.append(max(busy - busy_then - (house - house_then), 0.0) / elapsed)

    def said(self) -> str:
        """What others took, in words; their work is in every latency."""
        if not self.others:
            return "what is not known in so short a time"
        middle, most = median(self.others), max(self.others)
        return f"{middle:.1%} of the machine at the median, at most {most:.1%} in a minute"

    def _taken(self) -> tuple[float, float]:
        """CPU seconds so far: of the house with its load, of the whole machine."""
        every = psutil.cpu_times()
        house = sum(cpu_seconds(self._stack).values()) + own_cpu_seconds()
        return house, sum(every) - every.idle - getattr(every, "iowait", 0.0)
