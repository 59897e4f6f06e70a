"""How often a token may be used: a bucket of requests that fills at a steady rate."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final

_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` requests for as long as one likes, and up to `burst` of them at once."""

    per_second: float
    burst: int


class Buckets:
    """A bucket for each token, in this process alone: of two instances each lets so many in."""

    def __init__(self, rate: Rate, elapsed: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._elapsed = elapsed
        self._held: dict[bytes, tuple[float, float]] = {}

    def take(self, key: bytes) -> float:
        """Take a request out: 0 where there was one, else the seconds until there is."""
        at = self._elapsed()
        level = self._level(key, at)
        if level < 1:
            return (1 - level) / self._rate.per_second
        if len(self._held) >= _MOST:
            # A full bucket is as good as none.
            self._held = {
                other: held for other, held in self._held.items() if self._level(other, at) < self._rate.burst
            }
        self._held[key] = (level - 1, at)
        return 0.0

    def _level(self, key: bytes, at: float) -> float:
        level, since = self._held.get(key, (float(self._rate.burst), at))
        return min(float(self._rate.burst), level + (at - since) * self._rate.per_second)
