"""Fields of a message: the leaves that the parser found, and text as dates, times, counts and flags."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from lxml import etree

from goodfunds.files.leaves import Leaves
from goodfunds.files.xml import line_of

SPACE: Final = " \t\r\n"
MOST_HELD: Final = 1 << 24
"""Bytes, about, of the leaves of one element that are held: more than a part has in which all is valid."""
_LEAF: Final = 32
_DATE_LENGTH = len("2026-03-02")
ZONE: Final = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
"""A time zone, or none (XML Schema part 2, 3.2.7.3)."""
MIDNIGHT: Final = r"24:00:00(?:\.0+)?"
"""The end of a day, as a time (3.2.7.1)."""
_DAY = r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
_DATE = re.compile(_DAY + ZONE)
_MOMENT = re.compile(rf"{_DAY}T(?:{MIDNIGHT}|(?!24)([0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}})(?:\.[0-9]+)?){ZONE}")
_DECIMAL = re.compile(r"([+-]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))")
_MOST_DIGITS, _MOST_PLACES = 18, 17
_COUNT = re.compile(r"[0-9]{1,15}")


class ParsedLeaves(Leaves):
    """Leaves that the parser found, each with its element; 16 MiB of them, for a hostile file has more."""

    __slots__ = ("_elements", "_found", "_given", "_room")

    def __init__(self, line: int) -> None:
        self._found: dict[str, list[int]] = {}
        self._given: list[str] = []
        self._elements: list[etree._Element] = []
        self._room = MOST_HELD
        super().__init__(line, self._found, self._given)

    def add(self, path: str, leaf: etree._Element) -> None:
        """Note a leaf."""
        text = leaf.text or ""
        self._room -= len(text) + _LEAF
        if self._room < 0:
            return
        known = self._found.get(path)
        if known is None:
            self._found[path] = [len(self._given)]
        else:
            known.append(len(self._given))
        self._given.append(text)
        self._elements.append(leaf)

    def elements(self, path: str) -> tuple[etree._Element, ...]:
        """All leaves of a path."""
        return tuple([self._elements[place] for place in self._found.get(path, ())])

    def has(self, beginning: str) -> bool:
        return any(path == beginning or path.startswith(f"{beginning}/") for path in self._found)

    def attribute(self, path: str, name: str) -> str:
        places = self._found.get(path)
        return "" if places is None else str(self._elements[places[0]].get(name) or "")

    def line_at(self, *paths: str) -> int:
        places = self._found.get(self.first(*paths))
        return self.line if places is None else line_of(self._elements[places[0]])


def leaves_of(element: etree._Element, leave_out: frozenset[str] = frozenset()) -> ParsedLeaves:
    """All leaves below an element, by the local names on their path; not those of children left out."""
    found = ParsedLeaves(line_of(element))
    _gather(element, "", found, leave_out)
    return found


def add_leaves(element: etree._Element, path: str, found: ParsedLeaves) -> None:
    """Add an element, where it is a leaf, else all leaves below it; `path` is that of its parent."""
    name = path + element.tag.rpartition("}")[2]
    if len(element):
        _gather(element, f"{name}/", found, frozenset())
    else:
        found.add(name, element)


def _gather(element: etree._Element, path: str, found: ParsedLeaves, leave_out: frozenset[str]) -> None:
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
    # A file is of few days: those of the usual length are remembered.
    return _known_date(text) if len(text) <= _DATE_LENGTH else _date(text)


def _date(text: str) -> date:
    if "T" in text:
        check_moment(text)
    elif _DATE.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is not a date")
    return date.fromisoformat(text[:_DATE_LENGTH])


_known_date = lru_cache(maxsize=64)(_date)


def check_moment(text: str) -> str:
    """An ISODateTime without the space around it. Raises ValueError."""
    text = text.strip(SPACE)
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not a date and time")
    datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00:00'}")
    return text


def read_decimal(text: str) -> Decimal:
    """A DecimalNumber: xs:decimal of 18 digits, 17 of them decimal places, at most. Raises ValueError.

    XML Schema part 2, 3.2.3: a sign, `.5` and `5.` are allowed, and zeros that say nothing do not count.
    """
    text = text.strip(SPACE)
    found = _DECIMAL.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not a decimal number")
    whole, places = (found[2] or "").lstrip("0"), (found[3] or found[4] or "").rstrip("0")
    if len(whole) + len(places) > _MOST_DIGITS or len(places) > _MOST_PLACES:
        raise ValueError(f"{text[:40]!r} is not a decimal number of at most {_MOST_DIGITS} digits")
    return Decimal(f"{found[1]}{whole or 0}.{places}")


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
