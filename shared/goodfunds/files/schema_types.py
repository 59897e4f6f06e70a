"""The types of a small schema: what stands in an element and in which order, and what text is.

A type is written as its elements in order, `Name[?|*|+|{n,m}][@first-last]:type`: how often, in which
versions (inclusive, either may be left out), and of what type. `|` at the start makes it a choice of one,
`( A:type | B:type )` is a choice among others; `anything` is one element of whatever kind. A type is another
table entry, the name of a check of text, or `any`, which is not looked into.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from goodfunds.files.outline import RecurringLeaves
from goodfunds.rails.reasons import CONTENT_INCORRECT, INVALID_FILE_FORMAT

Check = Callable[[str], object]
"""Takes an element's text and raises ValueError where it is not of its type."""

_TOKEN = re.compile(
    r"(?P<bracket>[()|])(?P<often>[?*+])?(?=\s|$)"
    r"|(?P<name>\w+)(?P<quantity>[?*+]|\{\d+,\d*\})?(?:@(?P<first>\d*)-(?P<last>\d*))?:(?P<kind>\w+)"
)


@dataclass(frozen=True, slots=True)
class TextType:
    """What text of a type is, and the reason code where it is not; `attributes`: all that it must have."""

    check: Check
    code: str = CONTENT_INCORRECT
    attributes: Mapping[str, Check] = field(default_factory=lambda: MappingProxyType({}))
    attribute_code: str = INVALID_FILE_FORMAT


@dataclass(slots=True)
class ElementType:
    """A compiled type: each child's letter in `order`, the pattern of a valid sequence of children.

    `many`: letters that may stand there any number of times. `anything`: one child of which nothing is said.
    """

    name: str
    choice: bool
    anything: bool = False
    many: str = ""
    letters: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    types: dict[str, "ElementType | TextType | None"] = field(default_factory=dict)
    mandatory: tuple[str, ...] = ()
    order: re.Pattern[str] = re.compile("")


class Types:
    """Compiled types of one message version. `tag_prefix`: `{namespace}` of its elements."""

    def __init__(
        self, types: Mapping[str, str], texts: Mapping[str, TextType], version: int, tag_prefix: str
    ) -> None:
        self._written = types
        self._texts = texts
        self._version = version
        self._prefix = tag_prefix
        self._compiled: dict[str, ElementType] = {}
        self._leaf_checks: dict[str, Mapping[str, Check]] = {}
        self._attribute_checks: dict[str, Mapping[tuple[str, str], Check]] = {}

    def type(self, name: str) -> ElementType:
        """The compiled type of that name. Raises KeyError."""
        known = self._compiled.get(name)
        if known is not None:
            return known
        written = self._written[name]
        made = self._compiled[name] = ElementType(name, written.startswith("|"), written == "anything")
        pattern, mandatory = [], []
        among = False
        for token in _TOKEN.finditer(written.removeprefix("|")):
            if token["bracket"]:
                among = token["bracket"] != ")"
                pattern.append({"(": "(?:", ")": ")", "|": "|"}[token["bracket"]] + (token["often"] or ""))
                continue
            if not int(token["first"] or 0) <= self._version <= int(token["last"] or 99):
                continue
            child, quantity, kind = token["name"], token["quantity"] or "", token["kind"]
            tag = self._prefix + child
            letter = chr(ord("A") + len(made.letters))
            made.letters[tag] = letter
            made.names[tag] = child
            made.types[tag] = self._texts.get(kind) or (None if kind == "any" else self.type(kind))
            pattern.append(re.escape(letter) + quantity)
            made.many += letter if quantity in ("+", "*") else ""
            if quantity in ("", "+") and not made.choice and not among:
                mandatory.append(tag)
        made.mandatory = tuple(mandatory)
        made.order = re.compile("|".join(pattern) if made.choice else "".join(pattern))
        return made

    def check_again(self, leaves: RecurringLeaves, name: str) -> None:
        """Check the text and the attributes of leaves that stand where those of an element of a type stood.

        Raises ValueError for what is not sound: the parser tells why and where.
        """
        texts, attributes = self.texts(name), self.attributes(name)
        for path, text in leaves.items():
            check = texts.get(path)
            if check is not None:
                check(text)
        if attributes:
            for path, attribute, value in leaves.attributes():
                check = attributes.get((path, attribute))
                if check is not None:
                    check(value)

    def texts(self, name: str) -> Mapping[str, Check]:
        """The checks of the text of all leaves of a type, by their path in it."""
        known = self._leaf_checks.get(name)
        if known is None:
            known = self._leaf_checks[name] = dict(_leaf_checks(self.type(name), ""))
        return known

    def attributes(self, name: str) -> Mapping[tuple[str, str], Check]:
        """The checks of the attributes of all leaves of a type, by the leaf's path in it and their name."""
        known = self._attribute_checks.get(name)
        if known is None:
            known = self._attribute_checks[name] = dict(_attribute_checks(self.type(name), ""))
        return known


def _leaf_checks(kind: ElementType, path: str) -> Iterator[tuple[str, Check]]:
    for tag, child_type in kind.types.items():
        inner = path + kind.names[tag]
        if isinstance(child_type, TextType):
            yield inner, child_type.check
        elif child_type is not None:
            yield from _leaf_checks(child_type, f"{inner}/")


def _attribute_checks(kind: ElementType, path: str) -> Iterator[tuple[tuple[str, str], Check]]:
    for tag, child_type in kind.types.items():
        inner = path + kind.names[tag]
        if isinstance(child_type, TextType):
            for name, check in child_type.attributes.items():
                yield (inner, name), check
        elif child_type is not None:
            yield from _attribute_checks(child_type, f"{inner}/")
