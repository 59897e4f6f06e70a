"""A small schema for money messages: which elements stand where, and what text they hold, by version.

A type is written as its elements in order, `Name[?|*|+|{n,m}][@first-last]:type`: how often, in which
versions (inclusive, either may be left out), and of what type. `|` at the start makes it a choice of one.
A type is another table entry, the name of a check of text, or `any`, which is not looked into.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from lxml import etree

from goodfunds.files.fields import SPACE, ParsedLeaves
from goodfunds.files.records import FileError
from goodfunds.files.xml import MOST_ERRORS, line_of
from goodfunds.rails.reasons import CONTENT_INCORRECT, INVALID_FILE_FORMAT, MANDATORY_ELEMENT_MISSING

Check = Callable[[str], object]
"""Takes an element's text and raises ValueError where it is not of its type."""

_ELEMENT = re.compile(r"(\w+)([?*+]|\{\d+,\d+\})?(?:@(\d*)-(\d*))?:(\w+)")


@dataclass(frozen=True, slots=True)
class TextType:
    """What text of a type is, and the reason code where it is not."""

    check: Check
    code: str = CONTENT_INCORRECT


@dataclass(slots=True)
class ElementType:
    """A compiled type: each child's letter in `order`, the pattern of a valid sequence of children."""

    name: str
    choice: bool
    letters: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    types: dict[str, "ElementType | TextType | None"] = field(default_factory=dict)
    mandatory: tuple[str, ...] = ()
    order: re.Pattern[str] = re.compile("")


class Schema:
    """Compiled types of one message version. `tag_prefix`: `{namespace}` of its elements.

    `euro_only`: a dialect that takes no other currency.
    """

    def __init__(
        self,
        types: Mapping[str, str],
        texts: Mapping[str, TextType],
        version: int,
        tag_prefix: str,
        euro_only: bool = False,
    ) -> None:
        self.euro_only = euro_only
        self._written = types
        self._texts = texts
        self._version = version
        self._prefix = tag_prefix
        self._compiled: dict[str, ElementType] = {}
        self._leaf_checks: dict[str, Mapping[str, Check]] = {}

    def type(self, name: str) -> ElementType:
        """The compiled type of that name. Raises KeyError."""
        known = self._compiled.get(name)
        if known is not None:
            return known
        written = self._written[name]
        made = self._compiled[name] = ElementType(name, written.startswith("|"))
        pattern, mandatory = [], []
        for child, quantity, first, last, kind in _ELEMENT.findall(written):
            if not int(first or 0) <= self._version <= int(last or 99):
                continue
            tag = self._prefix + child
            letter = chr(ord("A") + len(made.letters))
            made.letters[tag] = letter
            made.names[tag] = child
            made.types[tag] = self._texts.get(kind) or (None if kind == "any" else self.type(kind))
            pattern.append(re.escape(letter) + quantity)
            if quantity in ("", "+") and not made.choice:
                mandatory.append(tag)
        made.mandatory = tuple(mandatory)
        made.order = re.compile("|".join(pattern) if made.choice else "".join(pattern))
        return made

    def check(self, element: etree._Element, name: str, path: str, errors: list[FileError]) -> ParsedLeaves:
        """The leaves of an element at `path`, noting in `errors` what breaks its type.

        What is not looked into counts as a leaf, whatever it holds.
        """
        found = ParsedLeaves(line_of(element))
        self._check(element, self.type(name), path, "", found, errors)
        return found

    def texts(self, name: str) -> Mapping[str, Check]:
        """The checks of the text of all leaves of a type, by their path in it."""
        known = self._leaf_checks.get(name)
        if known is None:
            known = self._leaf_checks[name] = dict(_leaf_checks(self.type(name), ""))
        return known

    def _check(
        self,
        element: etree._Element,
        kind: ElementType,
        path: str,
        below: str,
        found: ParsedLeaves,
        errors: list[FileError],
    ) -> None:
        text = element.text
        if text and text.strip(SPACE):
            _note(errors, INVALID_FILE_FORMAT, element, path, "text where only elements are allowed")
        letters, sequence = kind.letters, []
        for child in element:
            letter = letters.get(child.tag)
            if letter is None:
                _note(errors, INVALID_FILE_FORMAT, child, path, f"{_local(child)} is not expected here")
                continue
            sequence.append(letter)
            tail = child.tail
            if tail and tail.strip(SPACE):
                _note(errors, INVALID_FILE_FORMAT, child, path, "text where only elements are allowed")
            child_type = kind.types[child.tag]
            name = kind.names[child.tag]
            if child_type is None:
                found.add(below + name, child)
            elif isinstance(child_type, TextType):
                self._check_text(child, child_type, f"{path}/{name}", errors)
                found.add(below + name, child)
            else:
                self._check(child, child_type, f"{path}/{name}", f"{below}{name}/", found, errors)
        if kind.order.fullmatch("".join(sequence)) is None:
            self._explain(element, kind, path, "".join(sequence), errors)

    def _check_text(
        self, element: etree._Element, kind: TextType, path: str, errors: list[FileError]
    ) -> None:
        if len(element):
            _note(errors, INVALID_FILE_FORMAT, element[0], path, "elements where only text is allowed")
        try:
            kind.check(element.text or "")
        except ValueError as fault:
            _note(errors, kind.code, element, path, str(fault))

    def _explain(
        self, element: etree._Element, kind: ElementType, path: str, sequence: str, errors: list[FileError]
    ) -> None:
        """Say what is wrong with the order of an element's children."""
        present = {child.tag for child in element}
        missing = [kind.names[tag] for tag in kind.mandatory if tag not in present]
        if missing:
            _note(
                errors,
                MANDATORY_ELEMENT_MISSING,
                element,
                path,
                f"{' and '.join(missing)} must be there",
            )
            return
        names = {letter: kind.names[tag] for tag, letter in kind.letters.items()}
        if kind.choice:
            told = " or ".join(names.values())
            _note(errors, INVALID_FILE_FORMAT, element, path, f"exactly one of {told} must be there")
            return
        repeated = [letter for letter in dict.fromkeys(sequence) if sequence.count(letter) > 1]
        if list(sequence) == sorted(sequence) and repeated:
            told = ", ".join(names[letter] for letter in repeated)
            _note(errors, INVALID_FILE_FORMAT, element, path, f"{told} stands here too often")
            return
        out_of_place = next((b for a, b in pairwise(sequence) if b < a), sequence[-1:])
        told = names.get(out_of_place, "an element")
        _note(errors, INVALID_FILE_FORMAT, element, path, f"{told} is not in its place among its siblings")


def _leaf_checks(kind: ElementType, path: str) -> Iterator[tuple[str, Check]]:
    for tag, child_type in kind.types.items():
        inner = path + kind.names[tag]
        if isinstance(child_type, TextType):
            yield inner, child_type.check
        elif child_type is not None:
            yield from _leaf_checks(child_type, f"{inner}/")


def _note(errors: list[FileError], code: str, at: etree._Element, path: str, message: str) -> None:
    if len(errors) < MOST_ERRORS:
        errors.append(FileError(code, line_of(at), path, message))


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2][:70]
