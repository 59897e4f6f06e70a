"""What is waited for by a clock ends, also where the clock is set back."""

from datetime import UTC, datetime, timedelta

from goodfunds.clock import Pause

AT = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_a_pause_lasts_from_its_beginning_to_its_end_and_no_longer() -> None:
    pause = Pause(AT, 5 * SECOND)
    assert [pause.lasts(AT + n * SECOND) for n in (0, 4, 5, 6)] == [True, True, False, False]


def test_a_pause_is_over_where_the_clock_is_set_back_before_it() -> None:
    assert not Pause(AT, 5 * SECOND).lasts(AT - SECOND)


def test_a_pause_without_a_length_does_not_last() -> None:
    assert not Pause(AT).lasts(AT)
