"""The TARGET calendar: the days on which euro settles.

T2 closes on Saturdays, Sundays, 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December (European
Central Bank, long-term calendar of 14 December 2000, in force since 2002).
"""

from datetime import date, timedelta
from functools import lru_cache

_DAY = timedelta(days=1)


def easter_sunday(year: int) -> date:
    """Easter of the Gregorian calendar (Butcher's form of the computus), for any year from 1583."""
    golden = year % 19
    century, of_century = divmod(year, 100)
    leap_centuries, rest = divmod(century, 4)
    moon = (19 * golden + century - leap_centuries - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * rest + 2 * (of_century // 4) - moon - of_century % 4) % 7
    correction = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * correction + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=64)
def closing_days(year: int) -> frozenset[date]:
    """The days of the year on which T2 is closed, weekends apart."""
    easter = easter_sunday(year)
    return frozenset(
        {
            date(year, 1, 1),
            easter - 2 * _DAY,
            easter + _DAY,
            date(year, 5, 1),
            date(year, 12, 25),
            date(year, 12, 26),
        }
    )


def is_business_day(day: date) -> bool:
    """True where T2 is open."""
    return day.weekday() < 5 and day not in closing_days(day.year)


def business_day_on_or_after(day: date) -> date:
    """The day itself where T2 is open, else the next one on which it is."""
    while not is_business_day(day):
        day += _DAY
    return day


def next_business_day(day: date) -> date:
    """The first day after `day` on which T2 is open."""
    return business_day_on_or_after(day + _DAY)
