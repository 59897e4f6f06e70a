"""Draws depend on the seed and the subject, and on nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from services.sandbox_bank.faults import Draw, Fault, FaultSetting


def struck(seed: int, setting: FaultSetting, subjects: list[str]) -> list[str]:
    draw = Draw(seed, {"reject": setting})
    return [subject for subject in subjects if draw.strikes(Fault.REJECT, subject)]


@given(seed=st.integers(), subjects=st.lists(st.text(max_size=35), unique=True))
def test_rate_one_strikes_all_and_rate_zero_none(seed: int, subjects: list[str]) -> None:
    assert struck(seed, FaultSetting(rate=1.0), subjects) == subjects
    assert struck(seed, FaultSetting(rate=0.0), subjects) == []


@given(seed=st.integers(), low=st.floats(0, 1), high=st.floats(0, 1))
def test_a_higher_rate_strikes_the_same_and_more(seed: int, low: float, high: float) -> None:
    subjects = [f"payment {number}" for number in range(50)]
    fewer, more = sorted((low, high))
    assert set(struck(seed, FaultSetting(rate=fewer), subjects)) <= set(
        struck(seed, FaultSetting(rate=more), subjects)
    )


def test_a_rate_strikes_about_its_share_and_another_seed_strikes_others() -> None:
    subjects = [f"payment {number}" for number in range(10_000)]
    first, second = (struck(seed, FaultSetting(rate=0.1), subjects) for seed in (1, 2))
    assert 900 < len(first) < 1_100
    assert set(first) != set(second)


def test_a_count_bounds_a_rate_and_goes_on_from_what_was_committed() -> None:
    draw = Draw(1, {"reject": FaultSetting(rate=1.0, count=3)}, {"reject": 2})
    assert [draw.strikes(Fault.REJECT, subject) for subject in "abc"] == [True, False, False]


def test_a_fault_nobody_set_never_strikes() -> None:
    assert not Draw(1, {}).strikes(Fault.REJECT, "a")
