"""The bank's business days: TARGET closing days, from the rule and not from a table."""

from datetime import date, timedelta


def easter_sunday(year: int) -> date:
    """Gregorian Easter, by the anonymous (Meeus) algorithm."""
    golden, century, rest = year % 19, year // 100, year % 100
    leaps, odd = divmod(century, 4)
    moon = (19 * golden + century - leaps - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * odd + 2 * (rest // 4) - moon - rest % 4) % 7
    shift = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def is_business_day(day: date) -> bool:
    """False on Saturdays, Sundays and the six TARGET holidays (ECB, in force since 2002)."""
    if day.weekday() >= 5 or (day.month, day.day) in ((1, 1), (5, 1), (12, 25), (12, 26)):
        return False
    easter = easter_sunday(day.year)
    return day not in (easter - timedelta(days=2), easter + timedelta(days=1))


def business_day_from(day: date) -> date:
    """The day itself where the bank is open, else the next day on which it is."""
    while not is_business_day(day):
        day += timedelta(days=1)
    return day


def next_business_day(day: date) -> date:
    """The first business day after `day`."""
    return business_day_from(day + timedelta(days=1))
