"""Fields of a message: the leaves of an element by path, and text as dates, times, counts and flags."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from lxml import etree

from goodfunds.files.xml import line_of

SPACE: Final = " \t\r\n"
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
_DECIMAL = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,17})?")
_COUNT = re.compile(r"[0-9]{1,15}")


class Leaves:
    """The leaves of one element by their path in it (`PmtId/EndToEndId`); text of several in their order."""

    __slots__ = ("_found", "line")

    def __init__(self, line: int) -> None:
        self.line = line
        self._found: dict[str, list[etree._Element]] = {}

    def add(self, path: str, leaf: etree._Element) -> None:
        """Note a leaf."""
        known = self._found.get(path)
        if known is None:
            self._found[path] = [leaf]
        else:
            known.append(leaf)

    def element(self, *paths: str) -> etree._Element | None:
        """The first leaf of the first of these paths that is there."""
        for path in paths:
            found = self._found.get(path)
            if found is not None:
                return found[0]
        return None

    def text(self, *paths: str) -> str:
        """The text of the first of these paths that is there; empty if none is."""
        found = self.element(*paths)
        return "" if found is None else found.text or ""

    def texts(self, path: str) -> tuple[str, ...]:
        """The text of all leaves of a path."""
        return tuple(leaf.text or "" for leaf in self._found.get(path, ()))

    def elements(self, path: str) -> tuple[etree._Element, ...]:
        """All leaves of a path."""
        return tuple(self._found.get(path, ()))

    def line_at(self, *paths: str) -> int:
        """The line of the first of these paths that is there, else of the element."""
        found = self.element(*paths)
        return self.line if found is None else line_of(found)

    def below(self, beginning: str) -> set[str]:
        """The paths of all leaves below this one."""
        return {path for path in self._found if path.startswith(f"{beginning}/")}

    def has(self, beginning: str) -> bool:
        """Whether there is a leaf at this path or below it."""
        return any(path == beginning or path.startswith(f"{beginning}/") for path in self._found)


def leaves_of(element: etree._Element, leave_out: frozenset[str] = frozenset()) -> Leaves:
    """All leaves below an element, by the local names on their path; not those of children left out."""
    found = Leaves(line_of(element))
    _gather(element, "", found, leave_out)
    return found


def _gather(element: etree._Element, path: str, found: Leaves, leave_out: frozenset[str]) -> None:
    for child in element:
        name = child.tag.rpartition("}")[2]
        if name not in leave_out:
            if len(child):
                _gather(child, f"{path}{name}/", found, frozenset())
            else:
                found.add(path + name, child)


def read_date(text: str) -> date:
    """An ISODate, or the day of an ISODateTime, as it stands there whatever its offset. Raises ValueError."""
    text = text.strip(SPACE)
    found = _DATE.fullmatch(text) or _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not a date")
    return date.fromisoformat(found[1])


def check_moment(text: str) -> str:
    """An ISODateTime without the space around it. Raises ValueError."""
    text = text.strip(SPACE)
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not a date and time")
    if found[2] != "24:00:00":
        datetime.fromisoformat(f"{found[1]}T{found[2]}")
    return text


def read_decimal(text: str) -> Decimal:
    """A DecimalNumber of at most 18 digits, not negative. Raises ValueError."""
    text = text.strip(SPACE)
    if _DECIMAL.fullmatch(text) is None or len(text.replace(".", "").lstrip("0")) > 18:
        raise ValueError(f"{text[:40]!r} is not a decimal number of at most 18 digits")
    try:
        return Decimal(text)
    except InvalidOperation as fault:
        raise ValueError(f"{text[:40]!r} is not a decimal number") from fault


def read_count(text: str) -> int:
    """A Max15NumericText. Raises ValueError."""
    if _COUNT.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is not a number of at most 15 digits")
    return int(text)


def read_flag(text: str) -> bool:
    """An indicator: true, false, 1 or 0. Raises ValueError."""
    text = text.strip(SPACE)
    if text not in ("true", "false", "1", "0"):
        raise ValueError(f"{text[:40]!r} is neither true nor false")
    return text in ("true", "1")


def matching(pattern: str, what: str) -> Callable[[str], str]:
    """A check of text by a pattern, which raises ValueError with what it should have been."""
    compiled = re.compile(pattern, re.ASCII | re.DOTALL)

    def check(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise ValueError(f"{text[:40]!r} is not {what}")
        return text

    return check
