"""Elements in plain markup, read from the file's text: their leaves, and which elements stand in which.

Plain is what banks' programs write: tags of the message's own prefix, attributes without a prefix and in
double quotes, text of one line without references. Of any other element nothing is read here, and the parser
reads it; so whatever XML has besides is its own affair.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from goodfunds.files.leaves import Holding, TextLeaves
from goodfunds.files.outline import ANY_TEXT, ANY_VALUE, Kind

LONGEST: Final = 1 << 14
"""The longest element that is read, in characters."""
_DEEPEST = 60
_MOST_KNOWN, _LONGEST_KNOWN = 1_000, 100
_SPACE = " \t\r\n"
_NAME = "[A-Za-z_][A-Za-z0-9_.-]*+"
_ATTRIBUTE = rf'[ \t]++(?!xmlns=)({_NAME})="({ANY_VALUE})"'
_ATTRIBUTES = rf'(?:[ \t]++(?!xmlns=){_NAME}="{ANY_VALUE}")*+[ \t]*+'
_EACH_ATTRIBUTE = re.compile(_ATTRIBUTE)
_GROUPS = 6


class _Attributes(NamedTuple):
    """Of a tag: their names as a holding tells them, and each with its value."""

    names: str
    pairs: tuple[tuple[str, str], ...]


_NONE = _Attributes("", ())


class PlainLeaves(TextLeaves):
    """Leaves of an element in plain markup, as they are gathered: see Leaves and TextLeaves."""

    __slots__ = ("_name", "given", "held", "held_in", "opened", "values")

    def __init__(self, name: str, line: int) -> None:
        self._name = name
        self.held: dict[str, list[int]] = {}
        self.values: list[str] = []
        self.given: dict[tuple[str, str], str] = {}
        self.opened: set[str] = set()
        self.held_in: list[Holding] = []
        super().__init__(line, self.held, self.values)

    @property
    def name(self) -> str:
        return self._name

    @property
    def holdings(self) -> list[Holding]:
        return self.held_in

    def has(self, beginning: str) -> bool:
        return beginning in self.held or beginning in self.opened

    def attribute(self, path: str, name: str) -> str:
        return self.given.get((path, name), "")

    def attributes(self) -> Iterator[tuple[str, str, str]]:
        for (path, name), value in self.given.items():
            yield path, name, value

    def line_at(self, *paths: str) -> int:  # noqa: ARG002 - where something is wrong, the parser reads again
        return self.line


class Plain:
    """Reads elements of one kind, once one of them has shown their prefix."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._parts: Mapping[str, str] = dict(kind.parts)
        self._named = kind.left_to_parser | self._parts.keys()
        self._tokens: re.Pattern[str] | None = None
        self._opening = self._closing = ""
        self._known: dict[str, _Attributes | None] = {}

    @property
    def ready(self) -> bool:
        """Whether the prefix is known."""
        return self._tokens is not None

    def learn(self, text: str) -> None:
        """An element of the kind that the parser has read begins with this text."""
        found = re.match(rf"<((?:{_NAME}:)?){re.escape(self._kind.name)}[ \t\r\n/>]", text)
        if found is not None:
            prefix = found[1]
            self._opening, self._closing = f"<{prefix}{self._kind.name}", f"</{prefix}{self._kind.name}>"
            self._tokens = _tokens(prefix)

    def read(self, text: str, begin: int, line: int) -> tuple[list[TextLeaves], int] | None:
        """(leaves, end) of the element that begins here: its own, then those of its parts as they begin.

        None where none begins here, not all of it is there, or it is not plain.
        """
        if self._tokens is None or not text.startswith(self._opening, begin):
            return None
        end = text.find(self._closing, begin, begin + LONGEST)
        if end < 0:
            return None
        end += len(self._closing)
        pieces = self._tokens.split(text[begin:end])
        if "".join(pieces[::_GROUPS]).strip(_SPACE):
            # What is no tag stands between tags.
            return None
        found = self._walk(pieces, line)
        return None if found is None else (found, end)

    def _walk(self, pieces: list[str], line: int) -> list[TextLeaves] | None:
        """What the tags between the pieces of text make; None for what is not whole, or not plain.

        A part's `path` is empty; what only bears the name of one is in no part. Written for speed: it runs
        for each tag of a file.
        """
        found: list[TextLeaves] = []
        above: list[tuple[str, str, list[str], PlainLeaves]] = []
        name, path, children, leaves = "", "", [], PlainLeaves("", line)
        held, values = leaves.held, leaves.values
        left, parts, named = self._kind.left_to_parser, self._parts, self._named
        at = 0
        for tag, given, text, slash, closed in zip(
            pieces[1::_GROUPS], pieces[2::_GROUPS], pieces[3::_GROUPS], pieces[4::_GROUPS],
            pieces[5::_GROUPS], strict=True,
        ):  # fmt: skip
            at += _GROUPS
            if text is not None or slash:
                if tag in named and (tag in left or (not path and parts[tag] == name)):
                    return None
                leaf = path + tag
                if given:
                    attributes = self._attributes(given)
                    if attributes is None:
                        return None
                    children.append("=" + tag + attributes.names)
                    if leaf not in held:
                        for attribute, value in attributes.pairs:
                            leaves.given[leaf, attribute] = value
                else:
                    children.append("=" + tag)
                if leaf in held:
                    held[leaf].append(len(values))
                else:
                    held[leaf] = [len(values)]
                values.append(text or "")
            elif closed is None:
                if given or tag in left or len(above) > _DEEPEST:
                    return None
                children.append(tag)
                above.append((name, path, children, leaves))
                if not name or (tag in named and not path and parts[tag] == name):
                    leaves = PlainLeaves(tag, line + "".join(pieces[:at:_GROUPS]).count("\n"))
                    found.append(leaves)
                    held, values = leaves.held, leaves.values
                    path = ""
                else:
                    path = path + tag
                    leaves.opened.add(path)
                    path += "/"
                name, children = tag, []
            else:
                if closed != name or not children:
                    # An element that holds nothing is a leaf, and one whose text is space alone too.
                    return None
                leaves.held_in.append((path, " ".join(children)))
                name, path, children, leaves = above.pop()
                held, values = leaves.held, leaves.values
        return found if not above and children == [self._kind.name] else None

    def _attributes(self, given: str) -> _Attributes | None:
        """A tag's attributes; None where one stands there twice."""
        if given in self._known:
            return self._known[given]
        pairs = tuple(_EACH_ATTRIBUTE.findall(given))
        names = [name for name, _ in pairs]
        found = None
        if len(set(names)) == len(names):
            found = _Attributes("".join(f"@{name}" for name in names), pairs)
        if len(self._known) < _MOST_KNOWN and len(given) <= _LONGEST_KNOWN:
            self._known[given] = found
        return found


def _tokens(prefix: str) -> re.Pattern[str]:
    """Tags of this prefix; a leaf, its text and its closing tag are one."""
    of = re.escape(prefix)
    return re.compile(
        rf"<{of}({_NAME})({_ATTRIBUTES})(?:>({ANY_TEXT})</{of}\1[ \t]*+>|(/?)>)|</{of}({_NAME})[ \t]*+>"
    )
