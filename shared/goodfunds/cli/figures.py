"""Figures as operators read them: money by currency, ages, counts, times."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from goodfunds.money import CURRENCIES, readable_amount


def amount(minor: int, currency: str | None) -> str:
    """`123456` EUR → `1,234.56 EUR`; of a currency that nobody knows the minor units as they came."""
    if currency is not None and currency in CURRENCIES:
        return readable_amount(minor, currency)
    return f"{minor:,} minor {currency or 'units'}"


def signed(minor: int, currency: str | None) -> str:
    """As `amount`, with a plus where it is more."""
    return f"+{amount(minor, currency)}" if minor > 0 else amount(minor, currency)


def sums(money: Iterable[Mapping[str, Any]]) -> str:
    """What events come to, by currency; those that name no amount are not money."""
    return "\n".join(
        amount(each["amount_minor"], each["currency"]) for each in money if each["currency"] is not None
    )


def age(seconds: float | None) -> str:
    """`93784` → `1 d 2 h`; nothing of None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def instant(told: str | None) -> str:
    """A time of JSON to the second, in UTC; nothing of None."""
    if told is None:
        return ""
    return datetime.fromisoformat(told).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 record`, `2 records`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
