"""Dates of six digits, YYMMDD, as SWIFT, BAI2 and NACHA write them: 80 to 99 are of the last century."""

import re
from datetime import date
from typing import Final

_DATE: Final = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})", re.ASCII)
_CENTURY_TURN: Final = 80


def short_date(text: str) -> date | None:
    """The day; None where it is none."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year = int(found[1])
    try:
        return date(year + (1900 if year >= _CENTURY_TURN else 2000), int(found[2]), int(found[3]))
    except ValueError:
        return None
