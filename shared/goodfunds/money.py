"""Money: integers in minor units with an ISO 4217 currency, and the standard's grammar for amounts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import iso4217

MAX_DIGITS = 18
MAX_MINOR = 10**MAX_DIGITS - 1
_GRAMMAR = re.compile(r"([0-9]+)(?:\.([0-9]+))?", re.ASCII)


class UnknownCurrency(ValueError):
    """Not a currency of ISO 4217 with a minor unit."""


class InvalidAmount(ValueError):
    """Text that is no amount of its currency by the standard's grammar."""


def _exponents() -> Mapping[str, int]:
    known = {}
    for currency in iso4217.Currency:
        exponent = currency.exponent
        if exponent is not None and currency.code not in ("XTS", "XXX"):
            known[currency.code] = exponent
    return MappingProxyType(known)


CURRENCIES = _exponents()
"""ISO 4217 code → decimal places of its minor unit (EUR 2, JPY 0, KWD 3)."""


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units of `currency`; negative is allowed, a float never."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise InvalidAmount(f"minor units are an integer, not {type(self.minor).__name__}")
        exponent(self.currency)

    def __str__(self) -> str:
        return f"{format_amount(self.minor, self.currency)} {self.currency}"


def exponent(currency: str) -> int:
    """Decimal places of the minor unit. Raises UnknownCurrency."""
    try:
        return CURRENCIES[currency]
    except (KeyError, TypeError):
        raise UnknownCurrency(f"{currency!r} is no ISO 4217 currency with a minor unit") from None


def parse_amount(text: str, currency: str) -> int:
    """Minor units of an unsigned amount such as `10.50`. ISO 20022 ActiveOrHistoricCurrencyAndAmount.

    ASCII digits and at most one point; no sign, space, exponent or grouping; no more decimal places than
    the currency has; at most 18 digits. Raises InvalidAmount, UnknownCurrency.
    """
    places = exponent(currency)
    found = _GRAMMAR.fullmatch(text)
    if found is None:
        raise InvalidAmount(f"{text[:40]!r} is not an amount: digits with at most one point are")
    whole, fraction = found[1].lstrip("0"), found[2] or ""
    if len(fraction) > places:
        raise InvalidAmount(f"{text[:40]!r} has {len(fraction)} decimal places, {currency} has {places}")
    if len(whole) + places > MAX_DIGITS:
        raise InvalidAmount(f"an amount has at most {MAX_DIGITS} digits")
    return int("0" + whole + fraction.ljust(places, "0"))


def format_amount(minor: int, currency: str) -> str:
    """Minor units as ISO 20022 writes them: `1050` EUR → `10.50`; a negative amount has a leading minus."""
    places = exponent(currency)
    sign, digits = ("-", str(-minor)) if minor < 0 else ("", str(minor))
    if places == 0:
        return sign + digits
    digits = digits.rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def readable_amount(minor: int, currency: str) -> str:
    """Minor units for a person's eye, never for a message: `123456789` EUR → `1,234,567.89 EUR`."""
    sign = "-" if minor < 0 else ""
    whole, point, fraction = format_amount(abs(minor), currency).partition(".")
    return f"{sign}{int(whole):,}{point}{fraction} {currency}"
