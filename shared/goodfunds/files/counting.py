"""Amounts of an inspection: minor units by currency, also of those that ISO 4217 gives no minor unit."""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from goodfunds.files.amounts import read_amount
from goodfunds.files.leaves import Leaves, Unsound
from goodfunds.money import CURRENCIES, InvalidAmount
from goodfunds.rails.reasons import INVALID_AMOUNT, INVALID_TRANSACTION_CURRENCY

_CODE: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_LIKE: Final = "EUR"
"""What has no minor unit (gold, XAU) or is no currency at all is counted in hundredths, as this one is."""


class Sums:
    """Running sums by currency. `unknown`: currencies without a minor unit, in the order they were met."""

    def __init__(self) -> None:
        self.unknown: dict[str, None] = {}
        self._minor: dict[str, int] = {}

    def add(self, minor: int, currency: str) -> None:
        """Add a signed amount."""
        self._minor[currency] = self._minor.get(currency, 0) + minor
        if currency not in CURRENCIES:
            self.unknown[currency] = None

    @property
    def by_currency(self) -> Mapping[str, int]:
        """Minor units by currency, by its code."""
        return MappingProxyType(dict(sorted(self._minor.items())))

    def decimal(self) -> Decimal:
        """All of them added as they stand, whatever their currencies, as a CtrlSum is."""
        return sum((as_decimal(minor, currency) for currency, minor in self._minor.items()), Decimal(0))


def amount_at(found: Leaves, *paths: str) -> tuple[int, str] | None:
    """(minor, currency) of the first of these amounts that is there. Raises Unsound for what is none."""
    path = found.first(*paths)
    if not path:
        return None
    currency = found.attribute(path, "Ccy")
    if not is_code(currency):
        why = f"{currency[:40]!r} is not a currency's code"
        raise Unsound(INVALID_TRANSACTION_CURRENCY, found.line_at(path), path, why)
    known = currency if currency in CURRENCIES else _LIKE
    try:
        return read_amount(found.text(path), known), currency
    except InvalidAmount as fault:
        why = str(fault).replace(_LIKE, currency) if known != currency else str(fault)
        raise Unsound(INVALID_AMOUNT, found.line_at(path), path, why) from None


def is_code(text: str) -> bool:
    """Whether text may be a currency's code."""
    return _CODE.fullmatch(text) is not None


def as_decimal(minor: int, currency: str) -> Decimal:
    """Minor units as an amount."""
    return Decimal(minor).scaleb(-CURRENCIES.get(currency, CURRENCIES[_LIKE]))
