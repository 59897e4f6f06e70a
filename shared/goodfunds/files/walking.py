"""Walks over a message of ISO 20022 part by part, in flat memory, and checks it by the standard's types."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO, Final, NamedTuple

from lxml import etree

from goodfunds.files.fields import ParsedLeaves, add_leaves
from goodfunds.files.kinds import MessageKind
from goodfunds.files.leaves import Leaves, TextLeaves, Unsound
from goodfunds.files.records import FileError, InvalidFile
from goodfunds.files.recurring import Made, Recurring
from goodfunds.files.schema import Schema
from goodfunds.files.schema_types import ElementType
from goodfunds.files.type_dictionary import Definition, schema
from goodfunds.files.type_dictionary import definition as definition_named
from goodfunds.files.xml import MOST_ERRORS, Message, Part, line_of, name_of
from goodfunds.rails.reasons import INVALID_FILE_FORMAT

Make = Callable[[str, Leaves], object]
"""Makes the record of a part by its name and its leaves, None for a part that needs none. Raises Unsound."""


class Met(NamedTuple):
    """A part that was met, and what was made of it: None where it is unsound, or needed no record."""

    name: str
    record: object


@dataclass(slots=True)
class _Frame:
    """A part that is open: what was seen of it so far. `last`: its last child that was looked at."""

    name: str
    path: str
    type: ElementType | None
    found: ParsedLeaves
    errors: int
    letters: list[str] = field(default_factory=list)
    last: etree._Element | None = field(default=None)


_MOST_LETTERS: Final = 1 << 16
"""Children of a part whose order is looked at: a valid part has far fewer, with repeats left out."""


class Walk:
    """Iterates over what was met, in the order of the parts' ends; what breaks the standard is in `errors`.

    `definition` is what it is checked as: one that is given, else that of its name; None for a message that
    the dictionary does not have. Raises InvalidFile for what is no message of the kind.
    """

    def __init__(
        self, source: BinaryIO, kind: MessageKind, make: Make, definition: Definition | None = None
    ) -> None:
        self.errors: list[FileError] = []
        self.message_id = ""
        self.definition = definition
        self._kind = kind
        self._make = make
        recurring = [Recurring(each, partial(self._again, each.name)) for each in kind.recurring]
        self._recurring = {each.kind.name: dict(each.kind.parts) for each in recurring}
        self._learnt_in: dict[str, str] = {}
        self._message = Message(source, kind.shape, recurring)
        self._frames: list[_Frame] = []

    @property
    def name(self) -> str:
        """The message (`pacs.008.001.08`); its kind where it has no namespace."""
        return self._message.name or self._kind.name

    def __iter__(self) -> Iterator[Met]:
        try:
            for part in self._message:
                if isinstance(part, Made):
                    self._count(self._frames[-1], part.name)
                    yield Met(part.name, part.record)
                elif part.end:
                    yield self._end(part)
                else:
                    self._begin(part)
        except InvalidFile as fault:
            raise InvalidFile(fault.errors, self.message_id) from None
        self._note(*self._message.stray)

    def _begin(self, part: Part) -> None:
        element, name = part.element, part.name
        if not self._frames:
            self._frames.append(_Frame("", "", self._root(part), ParsedLeaves(line_of(element)), 0))
            return
        parent = self._frames[-1]
        self._look_at(parent, element.getprevious(), element)
        kind = None
        if parent.type is not None:
            found = parent.type.types.get(element.tag)
            kind = found if isinstance(found, ElementType) else None
            if element.tag not in parent.type.letters:
                why = f"{name} is not expected here"
                self._note(FileError(INVALID_FILE_FORMAT, line_of(element), parent.path, why))
        self._count(parent, name)
        path = f"{parent.path}/{name}" if parent.path else name
        self._frames.append(_Frame(name, path, kind, ParsedLeaves(line_of(element)), len(self.errors)))

    def _root(self, part: Part) -> ElementType | None:
        """The type of the message's element."""
        self.definition = self.definition or definition_named(self._message.name)
        if self.definition is None:
            return None
        document = part.element.getparent()
        if document is not None and name_of(document) == "Document":
            self._schema.check_attributes(document, "Document", self.errors)
        # The elements of other versions may have other names.
        if part.name != self.definition.root and self.definition.name == self._message.name:
            why = f"{part.name} is not the element of {self._message.name}: {self.definition.root} is"
            self._note(FileError(INVALID_FILE_FORMAT, line_of(part.element), "", why))
            return None
        return self._schema.type(self.definition.type)

    @property
    def _schema(self) -> Schema:
        return schema(self._message.tag_prefix)

    def _end(self, part: Part) -> Met:
        frame, element = self._frames.pop(), part.element
        self._look_at(frame, element[-1] if len(element) else None, None)
        self._message.note_stray(element)
        for child in element:
            self._message.note_stray_behind(child)
        if frame.type is not None:
            self._schema.check_attributes(element, frame.path, self.errors)
            self._schema.check_order(element, frame.type, frame.path, "".join(frame.letters), self.errors)
        if not frame.name:
            return Met(frame.name, None)
        record = self._made(frame)
        if frame.name in self._recurring and record is not None and len(self.errors) == frame.errors:
            # What recurs is known in one kind of parent: in another, the same elements may be of other types.
            parent = self._frames[-1].name
            if self._learnt_in.setdefault(frame.name, parent) == parent:
                self._message.learn(frame.name, record)
        return Met(frame.name, record)

    def _made(self, frame: _Frame) -> object:
        if frame.name == "GrpHdr" or frame.name == "Assgnmt":
            self.message_id = frame.found.stripped("MsgId", "Id")[:35]
        try:
            return self._make(frame.name, frame.found)
        except Unsound as fault:
            path = "/".join(filter(None, (frame.path, fault.path)))
            if all(each.path != path for each in self.errors[frame.errors :]):
                self._note(FileError(fault.code, fault.line, path, str(fault)))
            return None

    def _look_at(self, frame: _Frame, last: etree._Element | None, until: etree._Element | None) -> None:
        """Check the children that have come since, up to `last`; `until` is a part and checked by itself."""
        new: list[etree._Element] = []
        while last is not None and last is not frame.last:
            new.append(last)
            last = last.getprevious()
        for child in reversed(new):
            if frame.type is None:
                add_leaves(child, "", frame.found)
                continue
            letter = self._schema.check_child(child, frame.type, frame.path, "", ParsedLeaves(0), self.errors)
            if letter:
                add_leaves(child, "", frame.found)
                self._add_letter(frame, letter)
        frame.last = until if until is not None else frame.last

    def _count(self, frame: _Frame, name: str) -> None:
        if frame.type is not None:
            self._add_letter(frame, frame.type.letters.get(self._message.tag_prefix + name, ""))

    def _add_letter(self, frame: _Frame, letter: str) -> None:
        """Two in a row stand for any number of what may stand there any number of times."""
        assert frame.type is not None
        letters = frame.letters
        repeats = letter in frame.type.many and letters[-2:] == [letter, letter]
        if letter and not repeats and len(letters) < _MOST_LETTERS:
            letters.append(letter)

    def _again(self, name: str, found: Sequence[TextLeaves]) -> object:
        """What is made of a part that a pattern read. Raises ValueError where its text is not sound."""
        if self._learnt_in[name] != self._frames[-1].name:
            raise ValueError(f"{name} recurs elsewhere")
        kind = self._frames[-1].type
        if kind is not None:
            types = {name: self._inner(kind, name)}
            for part, parent in self._recurring[name].items():
                types[part] = self._inner(types[parent], part)
            for place in found:
                of = types[place.name]
                if of is not None:
                    self._schema.check_again(place, of.name)
        return self._make(name, found[0])

    def _inner(self, kind: ElementType | None, name: str) -> ElementType | None:
        found = None if kind is None else kind.types.get(self._message.tag_prefix + name)
        return found if isinstance(found, ElementType) else None

    def _note(self, *errors: FileError) -> None:
        self.errors += errors[: MOST_ERRORS - len(self.errors)]
