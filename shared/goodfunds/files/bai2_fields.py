"""From the fields of a BAI2 record to what they say: amounts, counts, dates, funds types.

Section 3 of the specification: amounts have no decimal point, the currency implies it; adjacent delimiters
are a field's default; commas and slashes stand in nothing but text.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from goodfunds.files.bai2_codes import is_type_code
from goodfunds.files.bai2_records import FundsType, Summary
from goodfunds.files.short_dates import short_date
from goodfunds.files.withdrawn_currencies import places_of
from goodfunds.money import MAX_DIGITS, UnknownCurrency
from goodfunds.rails.reasons import (
    CONTENT_INCORRECT,
    INVALID_AMOUNT,
    INVALID_DATE,
    INVALID_NUMBER_OF_TRANSACTIONS,
    INVALID_TRANSACTION_CURRENCY,
)

_AMOUNT: Final = re.compile(r"([+-]?)([0-9]+)", re.ASCII)
_COUNT: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][0-9]|2400|9999", re.ASCII)
_MOST_DISTRIBUTIONS: Final = 1000


class NotReadable(ValueError):
    """A field that cannot be what it is to be. `code`: reason code; `path`: the field's name."""

    def __init__(self, code: str, path: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.path = path


def read_amount(text: str, path: str) -> int:
    """Minor units, signed: digits with at most a sign before them, 18 without leading zeros."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        message = f"{text[:40]!r} is no amount: digits without a decimal point are"
        raise NotReadable(INVALID_AMOUNT, path, message)
    return _signed(found, MAX_DIGITS, path)


def read_total(text: str, path: str) -> int:
    """A control total, which may have more digits than an amount."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise NotReadable(INVALID_AMOUNT, path, f"{text[:40]!r} is no control total")
    return _signed(found, 2 * MAX_DIGITS, path)


def read_count(text: str, path: str) -> int:
    """A number of records, accounts, groups or items."""
    if not _COUNT.fullmatch(text):
        raise NotReadable(INVALID_NUMBER_OF_TRANSACTIONS, path, f"{text[:40]!r} is no count")
    return int(text)


def read_date(text: str, path: str) -> date | None:
    """YYMMDD; None where there is none."""
    found = short_date(text)
    if text and found is None:
        raise NotReadable(INVALID_DATE, path, f"{text[:40]!r} is no date of the form YYMMDD")
    return found


def is_time(text: str) -> bool:
    """Whether it is a time of day, HHMM; 2400 and 9999 are the end of the day."""
    return _TIME.fullmatch(text) is not None


def read_currency(text: str, default: str) -> str:
    """An ISO 4217 code, else the default."""
    currency = text.upper() or default
    try:
        places_of(currency)
    except UnknownCurrency as fault:
        raise NotReadable(INVALID_TRANSACTION_CURRENCY, "currency", str(fault)) from None
    return currency


def read_funds_type(kind: str, fields: Iterator[str]) -> FundsType:
    """The fields after a funds type, which are as many as it wants."""
    if kind in ("", "Z", "0", "1", "2"):
        return FundsType(kind)
    if kind == "V":
        return FundsType(kind, read_date(next(fields, ""), "value date"), next(fields, ""))
    if kind == "S":
        given = [next(fields, "") for _ in range(3)]
        return FundsType(kind, distribution=tuple((day, _available(each)) for day, each in enumerate(given)))
    if kind == "D":
        count = read_count(next(fields, ""), "number of distributions")
        if count > _MOST_DISTRIBUTIONS:
            raise NotReadable(CONTENT_INCORRECT, "number of distributions", f"{count} are too many")
        pairs = [
            (read_count(next(fields, ""), "availability in days"), _available(next(fields, "")))
            for _ in range(count)
        ]
        return FundsType(kind, distribution=tuple(pairs))
    raise NotReadable(CONTENT_INCORRECT, "funds type", f"{kind[:10]!r} is no funds type")


def read_summaries(fields: Iterator[str]) -> tuple[Summary, ...]:
    """The status and summary fields of a 03, in fours: type code, amount, item count, funds type.

    Empty fields where a type code is to stand are passed over: banks write one delimiter too many before a
    continuation.
    """
    found = []
    for type_code in fields:
        if not type_code:
            continue
        if not is_type_code(type_code):
            raise NotReadable(CONTENT_INCORRECT, "type code", f"{type_code[:40]!r} is no type code")
        amount, count = next(fields, ""), next(fields, "")
        found.append(
            Summary(
                type_code,
                read_amount(amount, f"{type_code} amount") if amount else None,
                read_count(count, f"{type_code} item count") if count else None,
                read_funds_type(next(fields, ""), fields),
            )
        )
    return tuple(found)


def _signed(found: re.Match[str], most: int, path: str) -> int:
    digits = found[2].lstrip("0") or "0"
    if len(digits) > most:
        raise NotReadable(INVALID_AMOUNT, path, f"it has more than {most} digits")
    return -int(digits) if found[1] == "-" else int(digits)


def _available(text: str) -> int:
    return read_amount(text, "available amount") if text else 0
