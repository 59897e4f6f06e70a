"""Shortening a story that falls: leave out as much as can be left out while it still falls."""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import TypeVar

T = TypeVar("T")


def shortened(
    steps: Sequence[T], falls: Callable[[Sequence[T]], bool], seconds: float = 120.0
) -> Sequence[T]:
    """The shortest story found within `seconds` that still falls: delta debugging (Zeller, ddmin)."""
    deadline = monotonic() + seconds
    kept, pieces = list(steps), 2
    while len(kept) >= 2 and monotonic() < deadline:
        size = max(1, len(kept) // pieces)
        for start in range(0, len(kept), size):
            shorter = kept[:start] + kept[start + size :]
            if monotonic() > deadline:
                return kept
            if falls(shorter):
                kept, pieces = shorter, max(pieces - 1, 2)
                break
        else:
            if size == 1:
                return kept
            pieces = min(pieces * 2, len(kept))
    return kept
