"""The rule of the soak: what is a trend, and what a machine does now and then."""

import random

import pytest

from tests.bench.flat import Bound, judge

BOUND = Bound(0.10, 5.0)
TIMES = [10.0 * n for n in range(120)]


def test_noise_without_a_trend_is_flat() -> None:
    draw = random.Random(1)
    verdict = judge(TIMES, [200 + draw.gauss(0, 20) for _ in TIMES], BOUND)
    assert verdict.flat
    assert verdict.samples == 80


@pytest.mark.parametrize("rise", [30.0, 60.0])
def test_a_trend_in_noise_is_none_too_small_to_be_seen(rise: float) -> None:
    draw = random.Random(7)
    values = [200 + rise * time / TIMES[-1] * 1.5 + draw.gauss(0, 5) for time in TIMES]
    verdict = judge(TIMES, values, BOUND)
    assert not verdict.flat
    assert verdict.rise == pytest.approx(rise, abs=5)


def test_pauses_of_the_machine_are_no_trend_wherever_they_fall() -> None:
    draw = random.Random(3)
    values = [200.0 + (900 if draw.random() < 0.2 else 0) for _ in TIMES]
    values[-6:] = [1_100.0] * 6
    assert judge(TIMES, values, BOUND).flat


def test_what_warms_up_in_the_first_third_is_no_leak() -> None:
    values = [min(200.0, 100 + time / 3) for time in TIMES]
    assert judge(TIMES, values, BOUND).flat


def test_a_series_that_falls_is_flat_and_one_below_its_floor_as_well() -> None:
    assert judge(TIMES, [500 - time / 10 for time in TIMES], BOUND).flat
    assert judge(TIMES, [time / 300 for time in TIMES], BOUND).flat


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_samples_show_no_trend(count: int) -> None:
    assert judge(TIMES[:count], [1.0] * count, BOUND).flat
