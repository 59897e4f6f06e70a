"""An element's tags without their text, and the pattern that reads the text of any element of these tags."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Final

from goodfunds.files.leaves import Holding, TextLeaves, Wanted

_UNUSUAL = re.compile(r"&|<[!?]|\r(?!\n)")
_TEXTS = re.compile(r">[^<]*")
_TAG = re.compile(r"<(/?)([^\s<>/]+)([^<>]*?)(/?)>")
_ATTRIBUTES = re.compile(r'(?:\s+(?!xmlns=)[^\s=<>"&:]+="[^"<&\x00-\x1f]*")*\s*')
_ATTRIBUTE = re.compile(r'(\s+[^\s=]+)="[^"]*"')
# What XML does not allow, and what a parser would change (line ends, tabs in attributes), is not matched.
ANY_TEXT: Final = r"[^<&>\x00-\x1f\ufffe\uffff]*+"
ANY_VALUE: Final = r"[^\"<&\x00-\x1f\ufffe\uffff]*+"
_SPACE = r"[ \t\r\n]*+"
_MOST_TAGS = 250
"""Compiled patterns stay in memory, a hundred kilobytes for 400 tags."""


@dataclass(frozen=True, slots=True)
class Kind:
    """An element that may recur. `parts`: name → parent of those in it that have leaves of their own.

    Elements that hold one of `left_to_parser` have no outline.
    """

    name: str
    parts: "tuple[tuple[str, str], ...]" = ()
    left_to_parser: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Place:
    """An element with leaves of its own: which group of the pattern holds what, by path in it.

    `start` is the group, an empty one, at its beginning. `picks`: where what was wanted before stands.
    """

    name: str
    start: int
    at: Mapping[str, Sequence[int]]
    attributes: Mapping[tuple[str, str], int]
    beginnings: frozenset[str]
    picks: "dict[Wanted, Callable[[Sequence[str]], Sequence[str]]]" = field(
        default_factory=dict, compare=False, repr=False
    )

    def pick(self, wanted: Wanted) -> Callable[[Sequence[str]], Sequence[str]]:
        """What takes the wanted out of the groups of a match, behind which stands an empty text."""
        found = self.picks.get(wanted)
        if found is None:
            groups = [next((self.at[p][0] for p in paths if p in self.at), -1) for paths in wanted.paths]
            found = self.picks[wanted] = itemgetter(*groups)
        return found


@dataclass(frozen=True, slots=True)
class Outline:
    """An element's tags as a pattern of its text. `places`: the element, then its parts as they begin."""

    pattern: re.Pattern[str]
    places: tuple[Place, ...]

    def leaves(self, found: re.Match[str], line: int) -> "list[RecurringLeaves]":
        """What a match of the pattern holds, which begins on this line: of each place."""
        texts, begin, text = (*found.groups(), ""), found.start(), found.string
        if text.find("\n", begin, found.end()) < 0:
            return [RecurringLeaves(line, place, texts) for place in self.places]
        return [
            RecurringLeaves(line + text.count("\n", begin, found.start(place.start + 1)), place, texts)
            for place in self.places
        ]


class RecurringLeaves(TextLeaves):
    """Leaves whose text the pattern of an outline found."""

    __slots__ = ("_place",)

    def __init__(self, line: int, place: Place, texts: Sequence[str]) -> None:
        # As the class above does, without the call: an entry of a bank's file is three of these.
        self.line = line
        self._at = place.at
        self._texts = texts
        self._place = place

    @property
    def name(self) -> str:
        return self._place.name

    @property
    def holdings(self) -> Sequence[Holding]:
        """None: they are those of the element that the outline was learnt from."""
        return ()

    def all_stripped(self, wanted: Wanted) -> list[str]:
        # Where they stand is looked up once an outline: text by text it was a quarter of reading an entry.
        return [text.strip() for text in self._place.pick(wanted)(self._texts)]

    def has(self, beginning: str) -> bool:
        return beginning in self._place.beginnings

    def attribute(self, path: str, name: str) -> str:
        place = self._place.attributes.get((path, name))
        return "" if place is None else self._texts[place]

    def attributes(self) -> Iterator[tuple[str, str, str]]:
        for (path, name), place in self._place.attributes.items():
            yield path, name, self._texts[place]

    def line_at(self, *paths: str) -> int:  # noqa: ARG002 - where something is wrong, the parser reads again
        return self.line


def tags_of(text: str) -> str:
    """An element's tags, one after the other; empty for text that only a parser understands."""
    return "" if _UNUSUAL.search(text) is not None else _TEXTS.sub(">", text)


@lru_cache(maxsize=64)
def outline(tags: str, kind: Kind) -> Outline | None:
    """The outline of an element of these tags; None where it is not one whole element of plain tags.

    Remembered across files, for a bank writes each day's as it did the last one's.
    """
    root = _tree(tags, kind.left_to_parser) if tags.count("<") <= _MOST_TAGS else None
    if root is None or root.name != kind.name:
        return None
    drawing = _Drawing(dict(kind.parts))
    drawing.part(root)
    return Outline(re.compile("".join(drawing.pattern)), tuple(each.place() for each in drawing.drafts))


@dataclass(slots=True)
class _Element:
    """An element of an outline: its tags, and what is in it. Without a closing tag it is empty."""

    prefix: str
    name: str
    opening: re.Match[str]
    closing: str = ""
    children: list["_Element"] = field(default_factory=list)


def _tree(tags: str, left_to_parser: frozenset[str]) -> _Element | None:
    root: _Element | None = None
    opened: list[_Element] = []
    end = 0
    for tag in _TAG.finditer(tags):
        slash, full, attributes, empty = tag.groups()
        prefix, _, name = full.rpartition(":")
        if tag.start() != end or _ATTRIBUTES.fullmatch(attributes) is None or name in left_to_parser:
            return None
        if root is not None and prefix != root.prefix:
            # A prefix that is declared nowhere is told at the end of the file alone.
            return None
        end = tag.end()
        if slash:
            if not opened:
                return None
            opened.pop().closing = tag[0]
            continue
        if root is not None and not opened:
            return None
        found = _Element(prefix, name, tag)
        root = root or found
        if opened:
            opened[-1].children.append(found)
        if not empty:
            opened.append(found)
    return root if end == len(tags) and not opened else None


@dataclass(slots=True)
class _Draft:
    name: str
    start: int
    at: dict[str, list[int]] = field(default_factory=dict)
    attributes: dict[tuple[str, str], int] = field(default_factory=dict)

    def place(self) -> Place:
        names = [path.split("/") for path in self.at]
        beginnings = {"/".join(each[:deep]) for each in names for deep in range(1, len(each) + 1)}
        at = {path: tuple(groups) for path, groups in self.at.items()}
        return Place(self.name, self.start, at, self.attributes, frozenset(beginnings))


class _Drawing:
    """A pattern as it is drawn, and the places of what its groups hold."""

    def __init__(self, parts: Mapping[str, str]) -> None:
        self.pattern: list[str] = []
        self.drafts: list[_Draft] = []
        self._parts = parts
        self._groups = 0

    def part(self, found: _Element) -> None:
        """Draw an element with leaves of its own."""
        draft = _Draft(found.name, self._group(""))
        self.drafts.append(draft)
        self._inner(found, "", draft)

    def _inner(self, found: _Element, path: str, draft: _Draft) -> None:
        self._opening(found, "", None)
        for child in found.children:
            self.pattern.append(_SPACE)
            inner = f"{path}{child.name}"
            if self._parts.get(child.name) == found.name:
                self.part(child)
            elif child.children:
                self._inner(child, f"{inner}/", draft)
            else:
                self._leaf(child, inner, draft)
        self.pattern.append(_SPACE + re.escape(found.closing))

    def _leaf(self, found: _Element, path: str, draft: _Draft) -> None:
        self._opening(found, path, draft)
        draft.at.setdefault(path, []).append(self._group(ANY_TEXT if found.closing else ""))
        self.pattern.append(re.escape(found.closing))

    def _opening(self, found: _Element, path: str, draft: _Draft | None) -> None:
        """The opening tag; the attributes of a leaf, the first of its path, are read."""
        _, full, attributes, empty = found.opening.groups()
        self.pattern.append(re.escape(f"<{full}"))
        for attribute in _ATTRIBUTE.finditer(attributes):
            self.pattern.append(re.escape(f'{attribute[1]}="'))
            if draft is not None and path not in draft.at:
                draft.attributes[path, attribute[1].strip()] = self._group(ANY_VALUE)
            else:
                self.pattern.append(ANY_VALUE)
            self.pattern.append('"')
        self.pattern.append(f"{_SPACE}{empty}>")

    def _group(self, pattern: str) -> int:
        self.pattern.append(f"({pattern})")
        self._groups += 1
        return self._groups - 1
