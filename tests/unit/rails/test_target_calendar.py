"""The TARGET calendar against dates the ECB published and against an independent calendar."""

from datetime import date, timedelta

import holidays
import pytest

from goodfunds.rails.calendar import (
    business_day_on_or_after,
    easter_sunday,
    is_business_day,
    next_business_day,
)


@pytest.mark.parametrize(
    "closed",
    [
        "2026-01-01",
        "2026-04-03",
        "2026-04-06",
        "2026-05-01",
        "2026-12-25",
        "2026-12-26",
        "2027-03-26",
        "2027-03-29",
    ],
)
def test_t2_is_closed_on_its_published_closing_days(closed: str) -> None:
    assert not is_business_day(date.fromisoformat(closed))


@pytest.mark.parametrize("open_day", ["2026-05-14", "2026-06-04", "2026-10-03", "2026-12-24", "2026-12-31"])
def test_national_holidays_do_not_close_t2(open_day: str) -> None:
    day = date.fromisoformat(open_day)
    assert is_business_day(day) == (day.weekday() < 5)


def test_every_day_of_a_century_agrees_with_an_independent_calendar() -> None:
    ecb = holidays.financial_holidays("XECB", years=range(2002, 2100))
    day, wrong = date(2002, 1, 1), []
    while day.year < 2100:
        if is_business_day(day) != (day.weekday() < 5 and day not in ecb):
            wrong.append(day)
        day += timedelta(days=1)
    assert wrong == []


@pytest.mark.parametrize(
    ("year", "easter"),
    [
        (1818, "1818-03-22"),
        (1943, "1943-04-25"),
        (2000, "2000-04-23"),
        (2026, "2026-04-05"),
        (2038, "2038-04-25"),
    ],
)
def test_easter_falls_where_the_church_tables_have_it(year: int, easter: str) -> None:
    assert easter_sunday(year) == date.fromisoformat(easter)


def test_the_next_business_day_steps_over_easter_and_over_christmas() -> None:
    assert next_business_day(date(2026, 4, 2)) == date(2026, 4, 7)
    assert next_business_day(date(2026, 12, 24)) == date(2026, 12, 28)
    assert business_day_on_or_after(date(2026, 4, 3)) == date(2026, 4, 7)
    assert business_day_on_or_after(date(2026, 4, 2)) == date(2026, 4, 2)


def test_the_last_day_that_can_be_written_is_no_overflow() -> None:
    assert business_day_on_or_after(date.max) == date.max
