"""The bank's calendar is TARGET's."""

from datetime import date

import pytest

from services.sandbox_bank.calendar import (
    business_day_from,
    easter_sunday,
    is_business_day,
    next_business_day,
)


@pytest.mark.parametrize(
    ("year", "day"),
    [
        (2000, date(2000, 4, 23)),
        (2024, date(2024, 3, 31)),
        (2026, date(2026, 4, 5)),
        (2038, date(2038, 4, 25)),
        (2285, date(2285, 3, 22)),
    ],
)
def test_easter_is_found_by_the_rule(year: int, day: date) -> None:
    assert easter_sunday(year) == day


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 1, 1),
        date(2026, 4, 3),
        date(2026, 4, 6),
        date(2026, 5, 1),
        date(2026, 12, 25),
        date(2024, 12, 26),
        date(2026, 3, 7),
        date(2026, 3, 8),
    ],
)
def test_the_bank_is_closed_on_target_closing_days(day: date) -> None:
    assert not is_business_day(day)


def test_the_next_business_day_skips_easter() -> None:
    assert next_business_day(date(2026, 4, 2)) == date(2026, 4, 7)
    assert business_day_from(date(2026, 4, 2)) == date(2026, 4, 2)
    assert business_day_from(date(2026, 4, 3)) == date(2026, 4, 7)
