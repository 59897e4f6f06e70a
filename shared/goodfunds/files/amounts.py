"""Amounts as messages of ISO 20022 write them: the one reader of them, for payments and reports alike."""

import re

from goodfunds.files.fields import SPACE
from goodfunds.files.leaves import Leaves, Unsound
from goodfunds.money import InvalidAmount, UnknownCurrency, exponent, parse_amount
from goodfunds.rails.reasons import (
    INVALID_AMOUNT,
    INVALID_TRANSACTION_CURRENCY,
    MANDATORY_ELEMENT_MISSING,
)

_DECIMAL = re.compile(r"\+?(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))")


def read_amount(text: str, currency: str) -> int:
    """Minor units of an ActiveOrHistoricCurrencyAndAmount. Raises InvalidAmount, UnknownCurrency.

    xs:decimal, not negative (XML Schema part 2, 3.2.3): a plus, `.5` and `5.` are allowed, and zeros that say
    nothing do not count, so that `10.00000` EUR, to the five places of the schema, is 10.00.
    """
    text, places = text.strip(SPACE), exponent(currency)
    found = _DECIMAL.fullmatch(text)
    if found is not None:
        fraction = found[2] or found[3] or ""
        fraction = fraction[:places] + fraction[places:].rstrip("0")
        text = (found[1] or "0") + (f".{fraction}" if fraction else "")
    return parse_amount(text, currency)


def money_at(found: Leaves, path: str) -> tuple[int, str]:
    """(minor, currency) of an amount that must be there. Raises Unsound."""
    if not found.first(path):
        raise Unsound(MANDATORY_ELEMENT_MISSING, found.line, path, "the amount must be there")
    currency = found.attribute(path, "Ccy")
    try:
        return read_amount(found.text(path), currency), currency
    except UnknownCurrency as fault:
        raise Unsound(INVALID_TRANSACTION_CURRENCY, found.line_at(path), path, str(fault)) from None
    except InvalidAmount as fault:
        raise Unsound(INVALID_AMOUNT, found.line_at(path), path, str(fault)) from None
