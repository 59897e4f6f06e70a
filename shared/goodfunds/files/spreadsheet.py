"""Cells that a spreadsheet shows and does not change: what it would run or round is guarded, reversibly."""

import re
from typing import Final

GUARD: Final = "'"
"""Stands before text that a spreadsheet would take for a formula or a number; spreadsheets do not show it."""

_STARTS: Final = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""OWASP, CSV Injection: what a formula begins with, its full-width forms too."""

_ROUNDED = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]{1,3}", re.ASCII)


def guarded(text: str) -> str:
    """A cell for text. `unguarded` gives it back, whatever it was."""
    return GUARD + text if _is_dangerous(text) else text


def unguarded(cell: str) -> str:
    """The text of a cell; an apostrophe of its own, as in `'t Hooft`, stays."""
    return cell[1:] if cell.startswith(GUARD) and _is_dangerous(cell) else cell


def is_rounded(cell: str) -> bool:
    """Whether a cell is what a spreadsheet makes of a long number: `1.23457E+19`, whose digits are lost."""
    return _ROUNDED.fullmatch(cell) is not None


def _is_dangerous(text: str) -> bool:
    # Guards count as a part of what they guard: else text that begins like a guarded cell would lose them.
    bare = text.lstrip(GUARD)
    return bare.startswith(_STARTS) or is_rounded(bare)
