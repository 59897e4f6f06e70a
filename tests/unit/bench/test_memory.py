"""The highest of a window: a peak between two samples counts, one before the window does not."""

from pathlib import Path

import pytest

from goodfunds.local.stack import Stack
from tests.bench import memory
from tests.bench.memory import Peaks


def test_a_peak_counts_until_the_window_has_passed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = {0.0: 100.0, 10.0: 270.0, 20.0: 90.0, 65.0: 95.0, 71.0: 80.0}
    clock = iter(looks)
    monkeypatch.setattr(memory, "monotonic", lambda: next(clock))
    peaks, seen = Peaks(Stack(Path(), "", "", 1), window=60), []
    for value in looks.values():
        peaks._note("settlement", value)
        seen.append(peaks.highest()["settlement"])
    assert seen == [100.0, 270.0, 270.0, 270.0, 95.0]
