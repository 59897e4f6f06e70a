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

from goodfunds.files.leaves import Holding, TextLeaves
from goodfunds.rails.reasons import CONTENT_INCORRECT, INVALID_FILE_FORMAT

_MOST_HOLDINGS, _LONGEST_HOLDING = 10_000, 400
"""What is remembered of a type, for as long as the process runs: no file decides how much that is."""

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
    """Compiled types of one message version. `tag_prefix`: `{namespace}` of its elements.

    `attributes`: those are checked, too.
    """

    def __init__(
        self,
        types: Mapping[str, str],
        texts: Mapping[str, TextType],
        version: int,
        tag_prefix: str,
        attributes: bool = False,
    ) -> None:
        self.with_attributes = attributes
        self._written = types
        self._texts = texts
        self._version = version
        self._prefix = tag_prefix
        self._compiled: dict[str, ElementType] = {}
        self._leaf_checks: dict[str, Mapping[str, Check]] = {}
        self._attribute_checks: dict[str, Mapping[tuple[str, str], Check]] = {}
        self._good_holdings: dict[str, set[Holding]] = {}

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

    def check_again(self, leaves: TextLeaves, name: str) -> None:
        """Check the text and the attributes of leaves of an element of a type, and where they stand.

        Raises ValueError for what is not sound: the parser tells why and where.
        """
        self.check_holdings(leaves, name)
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

    def check_holdings(self, leaves: TextLeaves, name: str) -> None:
        """Check which elements, and which attributes, stand where. Raises ValueError."""
        good = self._good_holdings.setdefault(name, set())
        for holding in leaves.holdings:
            if holding not in good:
                self._check_holding(self.type(name), *holding)
                if len(good) < _MOST_HOLDINGS and len(holding[1]) <= _LONGEST_HOLDING:
                    good.add(holding)

    def _check_holding(self, kind: ElementType, path: str, held: str) -> None:
        for name in path.split("/")[:-1]:
            inner = kind.types.get(self._prefix + name)
            if not isinstance(inner, ElementType):
                # It is not looked into, or what holds it is refused.
                return
            kind = inner
        children = held.split(" ")
        if kind.anything:
            if len(children) != 1:
                raise ValueError("one element must be there")
            return
        sequence = "".join(self._letter(kind, each) for each in children)
        if kind.order.fullmatch(sequence) is None:
            raise ValueError(f"{held[:100]} is not what {kind.name} holds")

    def _letter(self, kind: ElementType, child: str) -> str:
        """The letter of a child as a holding tells it, the way it is checked when the parser has read it."""
        name, *attributes = child.removeprefix("=").split("@")
        tag = self._prefix + name
        of = kind.types.get(tag)
        expected = ElementType if name == child else TextType
        if tag not in kind.letters or not (of is None or isinstance(of, expected)):
            raise ValueError(f"{name[:70]} is not expected here")
        if self.with_attributes and isinstance(of, TextType) and set(attributes) != set(of.attributes):
            raise ValueError(f"{name[:70]} has not the attributes that it must have")
        return kind.letters[tag]

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
