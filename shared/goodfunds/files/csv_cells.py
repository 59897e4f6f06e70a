"""What a cell of a CSV statement says: amounts and dates by a declared grammar, of ASCII digits alone."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from goodfunds.money import MAX_DIGITS

LONGEST_AMOUNT: Final = 60
"""Characters of a cell that may be an amount."""
LONGEST_DATE: Final = 40

_SIGNS = "+\\-\u2212"
_GAP = "[ \u00a0\u202f]?"
_TOKENS: Final = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "YY": r"(?P<year_of_century>[0-9]{2})",
    "MMM": r"(?P<month_name>[A-Za-z]{3})",
    "MM": r"(?P<month>[0-9]{2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "DD": r"(?P<day>[0-9]{2})",
    "D": r"(?P<day>[0-9]{1,2})",
    "hh": r"(?:[01][0-9]|2[0-3])",
    "mm": r"[0-5][0-9]",
    "ss": r"[0-5][0-9]",
}
_ONE_GROUP = re.compile("[0-9]{1,3}[.,][0-9]{3}")
_TOKEN = re.compile("|".join(_TOKENS) + "|.", re.DOTALL)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class DateFormat:
    """A written form of dates such as `DD.MM.YYYY` or `YYYY-MM-DD hh:mm:ss`; YY counts from 2000.

    MMM is an English month's three letters. A time is checked and left out. Raises ValueError.
    """

    __slots__ = ("_pattern", "written")

    def __init__(self, written: str) -> None:
        tokens = _TOKEN.findall(written)
        parts = [token.strip("hms")[:1] for token in tokens if token in _TOKENS]
        if sorted(part for part in parts if part) != ["D", "M", "Y"]:
            raise ValueError(f"{written!r} is not a form of dates: YYYY or YY, MM, M or MMM, and DD or D")
        self.written = written
        self._pattern = re.compile("".join(_TOKENS.get(token) or re.escape(token) for token in tokens))

    def read(self, text: str) -> date | None:
        """The date, None where the text is not of this form or no day of the calendar."""
        found = self._pattern.fullmatch(text) if len(text) <= LONGEST_DATE else None
        if found is None:
            return None
        parts = found.groupdict()
        year = int(parts["year"]) if parts.get("year") else 2000 + int(parts["year_of_century"])
        name = (parts.get("month_name") or "").lower()
        if name and name not in _MONTHS:
            return None
        month = _MONTHS.index(name) + 1 if name else int(parts["month"])
        try:
            return date(year, month, int(parts["day"]))
        except ValueError:
            return None


class AmountFormat:
    """A written form of amounts. `thousands`: characters that may group, each in threes; `symbols`: what may

    stand beside the digits, such as `$`; `trailing_zeros`: zeros beyond the currency's places are allowed.
    `guessed`: the form is not known for sure, so that one group alone, as in `1.250`, is no amount: what is
    taken for the mark of a group may be that of the decimals.
    """

    __slots__ = ("_guessed", "_pattern", "_thousands", "_trailing_zeros")

    def __init__(
        self,
        decimal: str,
        thousands: str,
        symbols: Sequence[str],
        trailing_zeros: bool,
        guessed: bool = False,
    ) -> None:
        grouped = "".join(rf"|[0-9]{{1,3}}(?:{re.escape(mark)}[0-9]{{3}})+" for mark in thousands)
        symbol = "|".join(map(re.escape, symbols)) or "(?!)"
        self._pattern = re.compile(
            rf"([{_SIGNS}]?){_GAP}(?:(?:{symbol}){_GAP})?([{_SIGNS}]?)"
            rf"([0-9]+{grouped})(?:{re.escape(decimal)}([0-9]+))?"
            rf"(?:{_GAP}(?:{symbol}))?{_GAP}([{_SIGNS}]?)"
        )
        self._thousands = str.maketrans("", "", thousands)
        self._trailing_zeros = trailing_zeros
        self._guessed = guessed

    def read(self, text: str, places: int) -> int:
        """Signed minor units of a currency with `places`. Raises ValueError.

        ASCII digits, at most one sign, before or after; no exponent; no more than 18 digits. A currency
        without decimal places may be written with two zeros, as all others are.
        """
        found = self._pattern.fullmatch(text) if len(text) <= LONGEST_AMOUNT else None
        if found is None:
            raise ValueError(f"{text[:40]!r} is not an amount as the mapping writes them")
        signs = found[1] + found[2] + found[5]
        if len(signs) > 1:
            raise ValueError(f"{text[:40]!r} has more than one sign")
        if self._guessed and places and found[4] is None and _ONE_GROUP.fullmatch(found[3]):
            raise ValueError(f"{text[:40]!r} may be read in two ways")
        whole, fraction = found[3].translate(self._thousands).lstrip("0"), found[4] or ""
        if places == 0 and fraction == "00":
            fraction = ""
        if self._trailing_zeros:
            fraction = fraction[:places] + fraction[places:].rstrip("0")
        if len(fraction) > places:
            raise ValueError(f"{text[:40]!r} has {len(fraction)} decimal places, its currency has {places}")
        if len(whole) + places > MAX_DIGITS:
            raise ValueError(f"an amount has at most {MAX_DIGITS} digits")
        minor = int("0" + whole + fraction.ljust(places, "0"))
        return -minor if signs in ("-", "\u2212") else minor
