"""Cells that a spreadsheet shows and does not run: text that looks like a formula is guarded, reversibly."""

from typing import Final

GUARD: Final = "'"
"""Stands before text that a spreadsheet would take for a formula; spreadsheets do not show it."""

_STARTS: Final = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""OWASP, CSV Injection: what a formula begins with, its full-width forms too."""


def guarded(text: str) -> str:
    """A cell for text. `unguarded` gives it back, whatever it was."""
    return GUARD + text if _is_dangerous(text) else text


def unguarded(cell: str) -> str:
    """The text of a cell; an apostrophe of its own, as in `'t Hooft`, stays."""
    return cell[1:] if cell.startswith(GUARD) and _is_dangerous(cell) else cell


def _is_dangerous(text: str) -> bool:
    # Guards count as a part of what they guard: else text that begins like a guarded cell would lose them.
    return text.lstrip(GUARD).startswith(_STARTS)
