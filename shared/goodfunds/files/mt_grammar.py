"""The grammar of SWIFT fields that hold money and dates: amounts, balances, statement lines.

SWIFT Standards MT, general information 5.4 (field formats) and category 9: an amount (15d) has a decimal
comma, which must be there, at least one digit before it, no more after it than its currency has. The mt-940
library is not asked for these: it takes any Unicode digit, stops at the first character that is none
(`000000002145.00` is 0 to it), and counts RC as a credit.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from goodfunds.files.withdrawn_currencies import places_of
from goodfunds.money import MAX_DIGITS, InvalidAmount

_AMOUNT: Final = re.compile(r"([0-9]+),([0-9]*)", re.ASCII)
_WHOLE: Final = re.compile(r"[0-9]+", re.ASCII)
_POINTED: Final = {
    0: re.compile(r"([0-9]+)\.()", re.ASCII),
    2: re.compile(r"([0-9]+)\.([0-9]{2})", re.ASCII),
}
"""By the decimals of a currency: a point that can be no thousands' separator."""
_BEHIND_AMOUNT: Final = re.compile(r"\s*(?:[A-Za-z]|//)", re.ASCII)
_BALANCE: Final = re.compile(r"([CD])([0-9]{6})([A-Z]{3})?(.*)", re.ASCII)
_FLOOR: Final = re.compile(r"([A-Z]{3})([CD ]?)(.*)", re.ASCII)
_TOTAL: Final = re.compile(r"([0-9]{0,5})([A-Z]{3})(.*)", re.ASCII)
_LINE: Final = re.compile(
    r"(?P<value>[0-9]{6})(?P<entry>[0-9]{4}|\s{4})?(?P<mark>[RrEe]?[CcDd])(?P<funds>[A-Z])?\s?"
    r"(?P<amount>[0-9][0-9.,]*)(?P<kind>[A-Z][A-Z0-9 ]{3})?(?P<rest>.*)",
    re.ASCII | re.DOTALL,
)
_REFERENCE_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class RawLine:
    """The subfields of a 61, as text: dates and the amount still to be read.

    `amount_has_ended`: what follows it, a type, a reference or text, can be no part of it.
    """

    value_date: str
    entry_date: str
    mark: str
    funds_code: str
    amount: str
    amount_has_ended: bool
    transaction_type: str
    account_owner_reference: str
    account_servicer_reference: str
    supplementary_details: str


def read_amount(text: str, currency: str, *, ended: bool = False) -> tuple[int, bool]:
    """Minor units of an amount, and whether it kept to the standard.

    Read all the same, where it can be no thousands' separator: a decimal point with two digits behind it in a
    currency of two decimals, with none in one of none; two zeros behind the comma in one of none; and a whole
    number without its comma where what follows it shows that it has `ended`, so is not cut. Raises
    InvalidAmount, UnknownCurrency.
    """
    places = places_of(currency)
    found = _AMOUNT.fullmatch(text)
    keeps = found is not None
    if found is None and ended and _WHOLE.fullmatch(text):
        found = _AMOUNT.fullmatch(text + ",")
    if found is None and places in _POINTED:
        found = _POINTED[places].fullmatch(text)
    if found is None:
        raise InvalidAmount(f"{text[:40]!r} is not an amount: digits with one decimal comma are")
    whole, fraction = found[1].lstrip("0"), found[2]
    if not places and fraction == "00":
        fraction, keeps = "", False
    if len(fraction) > places:
        raise InvalidAmount(f"{text[:40]!r} has {len(fraction)} decimal places, {currency} has {places}")
    if len(whole) + places > MAX_DIGITS:
        raise InvalidAmount(f"an amount has at most {MAX_DIGITS} digits")
    return int("0" + whole + fraction.ljust(places, "0")), keeps


def read_entry_date(text: str, value_date: date | None) -> date | None:
    """MMDD in the year that brings it nearest to the value date; None without one or for no such day."""
    if value_date is None or not text.strip():
        return None
    year, month, day = value_date.year, int(text[:2]), int(text[2:])
    near = [found for each in (year - 1, year, year + 1) if (found := _day(each, month, day)) is not None]
    return min(near, key=lambda found: abs(found - value_date), default=None)


def split_balance(text: str) -> tuple[str, str, str, str] | None:
    """Mark, date, currency (may be missing), amount of 60a, 62a, 64 or 65; None where it is none."""
    found = _BALANCE.fullmatch(text.strip())
    return None if found is None else (found[1], found[2], found[3] or "", found[4])


def split_floor_limit(text: str) -> tuple[str, str, str] | None:
    """Currency, mark (may be empty), amount of 34F."""
    found = _FLOOR.fullmatch(text.strip())
    return None if found is None else (found[1], found[2].strip(), found[3])


def split_entries_total(text: str) -> tuple[int, str, str] | None:
    """Number, currency, amount of 90C or 90D."""
    found = _TOTAL.fullmatch(text.strip())
    return None if found is None else (int(found[1] or 0), found[2], found[3])


def split_line(text: str) -> RawLine | None:
    """The subfields of a 61; None where it does not begin with a date, a mark and an amount.

    Wider than the standard in what moves no money: the type may be missing, references may be longer. Where
    a reference fills its 16 characters with blanks, what follows it there is a supplementary detail.
    """
    found = _LINE.fullmatch(text)
    if found is None:
        return None
    first, _, more = found["rest"].partition("\n")
    owner, _, servicer = first.partition("//")
    supplementary = [more]
    if len(owner) > _REFERENCE_LENGTH and owner[_REFERENCE_LENGTH - 1].isspace():
        owner, beside = owner[:_REFERENCE_LENGTH], owner[_REFERENCE_LENGTH:]
        supplementary.insert(0, beside)
    return RawLine(
        value_date=found["value"],
        entry_date=(found["entry"] or "").strip(),
        mark=found["mark"],
        funds_code=found["funds"] or "",
        amount=found["amount"],
        amount_has_ended=bool(found["kind"] or _BEHIND_AMOUNT.match(found["rest"])),
        transaction_type=(found["kind"] or "").strip(),
        account_owner_reference=owner.strip(),
        account_servicer_reference=servicer.strip(),
        supplementary_details="\n".join(each.strip() for each in supplementary if each.strip()),
    )


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
