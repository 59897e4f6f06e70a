"""The leaves of an element by their path in it, however they were read, and what is wrong with them."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence

Holding = tuple[str, str]
"""Of an element that holds others: its path and a slash (empty for the outermost), and what it holds.

Names in order, apart by spaces; that of a leaf has `=` before it, and `@` before each attribute's behind it.
"""


class Unsound(ValueError):
    """What makes a part worthless: reason code, line, path in the part, and why."""

    def __init__(self, code: str, line: int, path: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.line = line
        self.path = path


class Wanted:
    """What is read of an element at once: of each text the path, or several of which the first counts."""

    __slots__ = ("paths",)

    def __init__(self, first: str | tuple[str, ...], *others: str | tuple[str, ...]) -> None:
        assert others, "one text alone is `stripped`"
        self.paths = tuple((each,) if isinstance(each, str) else each for each in (first, *others))


class Leaves(ABC):
    """The leaves of one element by their path in it (`PmtId/EndToEndId`); text of several in their order."""

    __slots__ = ("_at", "_texts", "line")

    def __init__(self, line: int, at: Mapping[str, Sequence[int]], texts: Sequence[str]) -> None:
        self.line = line
        self._at = at
        self._texts = texts

    def text(self, *paths: str) -> str:
        """The text of the first of these paths that is there; empty if none is."""
        for path in paths:
            places = self._at.get(path)
            if places is not None:
                return self._texts[places[0]]
        return ""

    def stripped(self, *paths: str) -> str:
        """The text of the first of these paths that is there, without space around it; empty if none is."""
        at = self._at
        for path in paths:
            if path in at:
                return self._texts[at[path][0]].strip()
        return ""

    def all_stripped(self, wanted: Wanted) -> list[str]:
        """As `stripped`, of each that is wanted."""
        return [self.stripped(*paths) for paths in wanted.paths]

    def texts(self, path: str) -> tuple[str, ...]:
        """The text of all leaves of a path."""
        return tuple([self._texts[place] for place in self._at.get(path, ())])

    def items(self) -> Iterator[tuple[str, str]]:
        """(path, text) of each leaf."""
        for path, places in self._at.items():
            for place in places:
                yield path, self._texts[place]

    def first(self, *paths: str) -> str:
        """The first of these paths that is a leaf; empty if none is."""
        at = self._at
        for path in paths:
            if path in at:
                return path
        return ""

    def below(self, beginning: str) -> set[str]:
        """The paths of all leaves below this one."""
        return {path for path in self._at if path.startswith(f"{beginning}/")}

    @abstractmethod
    def has(self, beginning: str) -> bool:
        """Whether there is a leaf at this path or below it."""

    @abstractmethod
    def attribute(self, path: str, name: str) -> str:
        """An attribute of the first leaf of a path; empty if there is none."""

    @abstractmethod
    def line_at(self, *paths: str) -> int:
        """The line of the first of these paths that is there, else of the element."""


class TextLeaves(Leaves):
    """Leaves of an element that was read from the file's text, without the parser."""

    __slots__ = ()

    @property
    @abstractmethod
    def name(self) -> str:
        """Of the element that the leaves are in."""

    @property
    @abstractmethod
    def holdings(self) -> Sequence[Holding]:
        """Which elements stand in which, where that is to be checked yet."""

    @abstractmethod
    def attributes(self) -> Iterator[tuple[str, str, str]]:
        """(path, name, value) of the attributes that were read."""
