"""Checks elements against the types of a schema, and says what breaks them and where."""

from collections.abc import Mapping
from itertools import pairwise

from lxml import etree

from goodfunds.files.fields import SPACE, ParsedLeaves
from goodfunds.files.records import FileError
from goodfunds.files.schema_types import Check, ElementType, TextType, Types
from goodfunds.files.xml import MOST_ERRORS, line_of
from goodfunds.rails.reasons import INVALID_FILE_FORMAT, MANDATORY_ELEMENT_MISSING

NOT_EXPECTED = "is not expected here"
"""What an error says of an element whose parent may not hold it; its path is the parent's."""
_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"


class Schema(Types):
    """Compiled types of one message version, and the checks by them.

    `euro_only`: a dialect that takes no other currency.
    """

    def __init__(
        self,
        types: Mapping[str, str],
        texts: Mapping[str, TextType],
        version: int,
        tag_prefix: str,
        euro_only: bool = False,
        attributes: bool = False,
    ) -> None:
        super().__init__(types, texts, version, tag_prefix, attributes)
        self.euro_only = euro_only

    def check(
        self, element: etree._Element, name: str, path: str, errors: list[FileError], unread: str = ""
    ) -> ParsedLeaves:
        """The leaves of an element at `path`, noting in `errors` what breaks its type.

        What is not looked into counts as a leaf, whatever it holds; so do its children named `unread`.
        """
        found = ParsedLeaves(line_of(element))
        self._check(element, self.type(name), path, "", found, errors, unread)
        return found

    def check_child(
        self,
        child: etree._Element,
        kind: ElementType,
        path: str,
        below: str,
        found: ParsedLeaves,
        errors: list[FileError],
    ) -> str:
        """The letter of a child of an element of this type at `path`, once the child is checked.

        Empty for one that has no place in it. Its leaves are added by their path from `below` on.
        """
        letter = kind.letters.get(child.tag, "")
        if not letter:
            _note(errors, INVALID_FILE_FORMAT, child, path, f"{_local(child)} {NOT_EXPECTED}")
            return ""
        child_type = kind.types[child.tag]
        name = kind.names[child.tag]
        place = f"{path}/{name}" if path else name
        if child_type is None:
            found.add(below + name, child)
        elif isinstance(child_type, TextType):
            self._check_text(child, child_type, place, errors)
            found.add(below + name, child)
        else:
            self._check(child, child_type, place, f"{below}{name}/", found, errors)
        return letter

    def check_attributes(self, element: etree._Element, path: str, errors: list[FileError]) -> None:
        """Note attributes of an element whose type has none."""
        if self.with_attributes and element.attrib:
            _check_attributes(element, None, path, errors)

    def _check(
        self,
        element: etree._Element,
        kind: ElementType,
        path: str,
        below: str,
        found: ParsedLeaves,
        errors: list[FileError],
        unread: str = "",
    ) -> None:
        text = element.text
        if text and text.strip(SPACE):
            _note(errors, INVALID_FILE_FORMAT, element, path, "text where only elements are allowed")
        self.check_attributes(element, path, errors)
        if kind.anything:
            if len(element) != 1:
                _note(errors, MANDATORY_ELEMENT_MISSING, element, path, "one element must be there")
            return
        sequence = ""
        for child in element:
            if unread and child.tag == self._prefix + unread:
                sequence += kind.letters.get(child.tag, "")
                found.add(below + unread, child)
                continue
            sequence += self.check_child(child, kind, path, below, found, errors)
            tail = child.tail
            if tail and tail.strip(SPACE):
                _note(errors, INVALID_FILE_FORMAT, child, path, "text where only elements are allowed")
        self.check_order(element, kind, path, sequence, errors)

    def check_order(
        self, element: etree._Element, kind: ElementType, path: str, sequence: str, errors: list[FileError]
    ) -> None:
        """Note where the letters of an element's children are none of its type."""
        if kind.order.fullmatch(sequence) is None:
            self._explain(element, kind, path, sequence, errors)

    def _check_text(
        self, element: etree._Element, kind: TextType, path: str, errors: list[FileError]
    ) -> None:
        if len(element):
            _note(errors, INVALID_FILE_FORMAT, element[0], path, "elements where only text is allowed")
        if self.with_attributes and (kind.attributes or element.attrib):
            _check_attributes(element, kind, path, errors)
        try:
            kind.check(element.text or "")
        except ValueError as fault:
            _note(errors, kind.code, element, path, str(fault))

    def _explain(
        self, element: etree._Element, kind: ElementType, path: str, sequence: str, errors: list[FileError]
    ) -> None:
        """Say what is wrong with the order of an element's children."""
        missing = [kind.names[tag] for tag in kind.mandatory if kind.letters[tag] not in sequence]
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


def _check_attributes(
    element: etree._Element, kind: TextType | None, path: str, errors: list[FileError]
) -> None:
    allowed: Mapping[str, Check] = {} if kind is None else kind.attributes
    for name in element.attrib:
        if name not in allowed and not str(name).startswith(_INSTANCE):
            _note(
                errors, INVALID_FILE_FORMAT, element, path, f"the attribute {str(name)[:70]} is not expected"
            )
    for name, check in allowed.items():
        try:
            check(str(element.get(name) or ""))
        except ValueError as fault:
            code = INVALID_FILE_FORMAT if kind is None else kind.attribute_code
            _note(errors, code, element, path, f"{name}: {fault}")


def _note(errors: list[FileError], code: str, at: etree._Element, path: str, message: str) -> None:
    if len(errors) < MOST_ERRORS:
        errors.append(FileError(code, line_of(at), path, message))


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2][:70]
