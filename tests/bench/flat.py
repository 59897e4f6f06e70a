"""Whether a series of measurements stays flat: a robust line through its last two thirds. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Bound:
    """How much a series may rise over the window: the larger of a share of its median and a floor."""

    share: float
    floor: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """`rise`: what the line gains over the window, in the unit of the series; negative where it falls."""

    samples: int
    first: float
    middle: float
    last: float
    rise: float
    allowed: float

    @property
    def flat(self) -> bool:
        """A series that falls is flat as well: nothing of it can run out."""
        return self.rise <= self.allowed


def judge(times: Sequence[float], values: Sequence[float], bound: Bound) -> Verdict:
    """Judge (seconds, value) pairs by the Theil-Sen line of their last two thirds.

    Its slope is the median of the slopes of all pairs: a third of the samples may be anything, so that a
    checkpoint or a pause of the machine is no trend, and a trend is not hidden by it.
    """
    start = len(values) // 3
    times, values = times[start:], values[start:]
    slopes = [
        (values[j] - values[i]) / (times[j] - times[i])
        for i in range(len(values))
        for j in range(i + 1, len(values))
        if times[j] > times[i]
    ]
    rise = median(slopes) * (times[-1] - times[0]) if slopes else 0.0
    middle = median(values) if values else 0.0
    return Verdict(
        len(values),
        values[0] if values else 0.0,
        middle,
        values[-1] if values else 0.0,
        rise,
        max(bound.share * abs(middle), bound.floor),
    )
