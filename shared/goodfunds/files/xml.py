"""The one reader of XML: streams an ISO 20022 message in parts, in flat memory, and trusts nothing in it.

No DTD and so no entities, nothing fetched, depth and size bounded. A message may stand in any wrapper
(an envelope with an application header), with any prefix, in the namespaces that `shape` knows.
"""

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final, NamedTuple, cast

from lxml import etree

from goodfunds.files.decoding import decode, refusal
from goodfunds.files.records import FileError
from goodfunds.files.recurring import Cutting, Made, Recurring
from goodfunds.files.shape import Shape, is_message, message_name
from goodfunds.rails.reasons import INVALID_FILE_FORMAT

TOTAL_BYTES: Final = 1 << 30
"""The largest file that is read."""

PART_BYTES: Final = 1 << 22
"""The most bytes between the ends of two parts, and so the largest element and text: bounds memory."""

MOST_ERRORS: Final = 100
"""How many things wrong with one file are told."""

_NO_DOCTYPE: Final = "a document type declaration is not allowed"
_SPACE: Final = " \t\r\n"


class Part(NamedTuple):
    """The start (nothing but its attributes is known yet) or the end of a part of the message."""

    end: bool
    name: str
    element: etree._Element


class Message:
    """Iterates over the parts of one message. `name` (`pain.001.001.09`, empty without a namespace),

    `namespace` and `tag_prefix` (`{namespace}`) are known from the first part on, which is its element's
    start. A part that has ended is cleared when the next is asked for, with all before it in its parent.
    Raises InvalidFile; text between parts, which no message has, is noted in `stray`.
    """

    def __init__(
        self,
        source: BinaryIO,
        shape: Shape,
        recurring: Sequence[Recurring] = (),
        total: int = TOTAL_BYTES,
        part: int = PART_BYTES,
    ) -> None:
        self._source = source
        self._shape = shape
        self._cutting = Cutting(self._texts(), recurring)
        self._total_limit = total
        self._part_limit = part
        self._open: list[etree._Element] = []
        self._finished = False
        self._bare = False
        self._doctype_line = 0
        self.name = ""
        self.namespace = ""
        self.tag_prefix = ""
        self.stray: list[FileError] = []

    @property
    def version(self) -> int:
        """The last number of the message's name; 0 where it has none."""
        return int(self.name[-2:] or 0)

    def learn(self, name: str, made: object) -> None:
        """The part that has just ended, one that may recur, is sound and became this record."""
        self._cutting.learn(name, made)

    def __iter__(self) -> Iterator[Part | Made]:
        names = ["Document", *self._shape.roots, *self._shape.parts]
        parser = etree.XMLPullParser(
            events=("start", "end", "start-ns"),
            tag=[f"{{*}}{name}" for name in names],
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        since = 0
        try:
            for piece in self._cutting:
                if isinstance(piece, Made):
                    since = 0
                    yield piece
                    continue
                parser.feed(piece.encode())
                since += len(piece)
                for event, found in parser.read_events():
                    if event == "start-ns":
                        if self._open:
                            self._cutting.stop()
                        continue
                    element = cast(etree._Element, found)
                    part = self._part(event, element)
                    if part is not None:
                        if part.end:
                            self._cutting.ended(part.name)
                        yield part
                        if part.end:
                            since = 0
                            self._drop(element)
                if since > self._part_limit:
                    raise refusal(self._cutting.line, f"an element holds more than {self._part_limit} bytes")
            parser.close()
        except etree.XMLSyntaxError as fault:
            if self._doctype_line and not self.name:
                # What is not well-formed may be the declaration's own doing, such as entities that explode.
                raise refusal(self._doctype_line, _NO_DOCTYPE) from None
            at = fault.lineno or self._cutting.line
            what = re.sub(r",? *line \d+(, column \d+)?", "", " ".join((fault.msg or "").split()))
            raise refusal(at, f"not well-formed XML: {what[:200]}") from None
        if not self._finished:
            raise refusal(1, f"no {self._shape.kind} Document of ISO 20022 in the file")

    def _texts(self) -> Iterator[str]:
        line = 1
        forgiven = self._note_encoding if self._shape.lenient else None
        for text in decode(self._source, self._total_limit, forgiven):
            if not self._doctype_line and (at := text.find("<!DOCTYPE")) >= 0:
                self._doctype_line = line + text.count("\n", 0, at)
            line += text.count("\n")
            yield text

    def _note_encoding(self, line: int, why: str) -> None:
        self.stray.append(FileError(INVALID_FILE_FORMAT, line, "", why))

    def _part(self, event: str, element: etree._Element) -> Part | None:
        """The part that an event belongs to, None for an element that only bears the name of one."""
        name = name_of(element)
        if event == "end":
            if not self._open or self._open[-1] is not element:
                return None
            self._open.pop()
            if self._bare and len(self._open) == 1:
                self._open.pop()
                self._finished = True
                return Part(True, name, element)
            if self._open:
                return Part(True, name, element)
            self._leave(element)
            return None
        if not self._open:
            if name == "Document":
                self._enter(element)
            elif self._shape.bare and self._is_bare(name, element):
                self._enter(element)
                self._bare = True
                self._open.append(element)
                return Part(False, name, element)
            return None
        parent = self._open[-1]
        if element.getparent() is not parent:
            return None
        if len(self._open) == 1:
            is_wanted = name in self._shape.roots
        else:
            is_wanted = _parent_name(self._open) in self._shape.parts.get(name, ())
        if not is_wanted or element.tag != self.tag_prefix + name:
            return None
        self._open.append(element)
        return Part(False, name, element)

    def _is_bare(self, name: str, element: etree._Element) -> bool:
        """Whether it is the message's element, by its name and its namespace."""
        namespace = str(element.tag).rpartition("}")[0].removeprefix("{")
        return name in self._shape.roots and is_message(namespace, self._shape.kind)

    def _enter(self, document: etree._Element) -> None:
        if self._finished:
            raise refusal(line_of(document), "a second Document in the file")
        if document.getroottree().docinfo.internalDTD is not None:
            raise refusal(self._doctype_line or line_of(document), _NO_DOCTYPE)
        self.namespace = str(document.tag).rpartition("}")[0].removeprefix("{")
        self.name = message_name(self.namespace, self._shape, line_of(document))
        self.tag_prefix = f"{{{self.namespace}}}" if self.namespace else ""
        self._open.append(document)

    def _leave(self, document: etree._Element) -> None:
        """The Document's end: it held one message of the kind, and nothing else."""
        children = list(document)
        names = [name_of(child) for child in children]
        if len(names) != 1 or names[0] not in self._shape.roots:
            told = ", ".join(name[:70] for name in names[:3]) or "nothing"
            raise refusal(line_of(document), f"the Document holds {told}, not one {self._shape.kind} message")
        self.note_stray(document)
        self.note_stray_behind(children[0])
        self._finished = True

    def _drop(self, element: etree._Element) -> None:
        """Free a part that is done with, and what stands before it."""
        element.clear(keep_tail=True)  # type: ignore[call-arg]  # the stubs are of an older lxml
        parent = element.getparent()
        if parent is None:
            return
        while (first := parent[0]) is not element:
            self.note_stray_behind(first)
            # Emptied first: what is taken out whole while Python holds it costs its size squared (lxml 6.1).
            # A leaf keeps its attributes, for whoever noted it.
            if len(first):
                first.clear(keep_tail=True)  # type: ignore[call-arg]  # the stubs are of an older lxml
            del parent[0]

    def note_stray(self, at: etree._Element) -> None:
        """Note text in an element in which only elements belong."""
        if at.text and at.text.strip(_SPACE):
            self._note_stray(at, line_of(at))

    def note_stray_behind(self, at: etree._Element) -> None:
        """Note text behind an element, where only elements belong."""
        if at.tail and at.tail.strip(_SPACE):
            # Elements that recur are not in the tree; what follows such text always is.
            following = at.getnext()
            self._note_stray(at, line_of(at if following is None else following))

    def _note_stray(self, at: etree._Element, line: int) -> None:
        if len(self.stray) < MOST_ERRORS:
            why = "text beside elements is not allowed"
            self.stray.append(FileError(INVALID_FILE_FORMAT, line, name_of(at), why))


def _parent_name(opened: list[etree._Element]) -> str:
    """The name that parts know their parent by: "" for the message's element itself."""
    return "" if len(opened) == 2 else name_of(opened[-1])


def name_of(element: etree._Element) -> str:
    """The local name; a prefix that is not declared stays a part of it."""
    return str(element.tag).rpartition("}")[2]


def line_of(element: etree._Element) -> int:
    """The line that an element begins on; 0 where it is not known."""
    return cast("int | None", element.sourceline) or 0
