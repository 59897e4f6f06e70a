"""A file of statement messages to its fields, line by line, with what stands between messages left out.

The mt-940 library reads a file whole and cuts it wherever a line looks like a field, so a time that was
wrapped before its minutes ends a text there (`:20:15` begins a statement). Here a line begins a field where
the message's order lets it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from goodfunds.files.decoding import refusal
from goodfunds.files.findings import Findings
from goodfunds.files.mt_kind import APPLICATION_HEADER
from goodfunds.files.text_lines import lines
from goodfunds.rails.reasons import CONTENT_INCORRECT, INVALID_FILE_FORMAT

LONGEST_FIELD: Final = 1 << 16
"""Characters of one field: the standard's longest, 86, has 390."""

MESSAGE_END: Final = "-"
KIND: Final = "kind"

_FIELD: Final = re.compile(r":([0-9]{2}[A-Z]?|NS[A-Z]?):(.*)", re.ASCII)
_TEXT_BLOCK: Final = re.compile(r"\{4:(?!\{)")
_BARE_KIND: Final = re.compile(r":?(94[012]|950):?(?:\s+[0-9]{2})?\s*", re.ASCII)
_FRAMING: Final = "\x01\x02\x03\x04\x1a"
_FREE: Final = frozenset(("61", "86", "NS"))
_FIRST: Final = frozenset(("21", "25", "25P", "28", "28C"))
_CLOSING: Final = frozenset(("62F", "62M", "62"))
_LATER: Final = frozenset(("60F", "60M", "60", "61", "64", "65", "86", "34F", "13D", "90C", "90D", *_CLOSING))
_SINGLE: Final = frozenset(("60F", "60M", "60", "64", "65", *_CLOSING))
_REST_OF_AMOUNT: Final = re.compile(r"[0-9.,]+", re.ASCII)
_AFTER_20: Final = (":21:", ":25", ":28", ":NS", ":13D:", ":34F:", ":60", ":61:", ":62")
_AFTER_END: Final = (":20:", "{1:", "{2:", "{4:")


@dataclass(frozen=True, slots=True)
class Field:
    """A field with its lines, or a mark: KIND (its value such as `mt942`), MESSAGE_END."""

    tag: str
    value: str
    line: int


def statement_fields(found: Iterable[bytes], findings: Findings) -> Iterator[Field]:
    """The fields of all messages in the file's order, with the marks between them. Raises InvalidFile.

    Blank lines have no meaning and are left out.
    """
    cutting = _Cutting(findings)
    held: tuple[int, str] | None = None
    for number, line in lines(found):
        text = line.strip(_FRAMING)
        if not text.strip():
            continue
        # What a line begins may depend on the one after it.
        if held is not None:
            yield from cutting.take(*held, text)
        held = (number, text)
    if held is not None:
        yield from cutting.take(*held, "")
    yield from cutting.finish()


class _Cutting:
    """Where in a message the lines are. A field is given out when the next begins."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._inside = False
        self._block = 0
        self._closing_seen = False
        self._text_seen = False
        self._tag = ""
        self._began = 0
        self._parts: list[str] = []
        self._size = 0

    def take(self, number: int, text: str, following: str) -> Iterator[Field]:
        """One line; `following` is the next one, empty at the end of the file."""
        if not self._inside:
            yield from self._outside(number, text)
            return
        found = _FIELD.fullmatch(text)
        if found is not None and self._begins_field(found[1], number, following):
            yield from self._flush()
            self._begin(found[1], found[2], number)
        elif self._ends_message(text, following):
            if text.startswith("{1:"):
                self._check_block()
            yield from self._flush()
            yield Field(MESSAGE_END, "", number)
            self._inside, self._block = False, 0
            yield from self._outside(number, text.removeprefix("-}"))
        elif self._tag not in _SINGLE or self._is_wrapped(text, number):
            self._continue(text, number)

    def finish(self) -> Iterator[Field]:
        """What the end of the file ends."""
        self._check_block()
        if self._inside:
            yield from self._flush()
            yield Field(MESSAGE_END, "", self._began)

    def _outside(self, number: int, text: str) -> Iterator[Field]:
        """Block headers, a bank's own headers, or the first field."""
        framed = APPLICATION_HEADER.findall(text)
        bare = _BARE_KIND.fullmatch(text)
        if framed or bare:
            yield Field(KIND, "mt" + (framed[-1] if framed else bare[1] if bare else ""), number)
        if text.startswith("-}"):
            self._block = 0
        if _TEXT_BLOCK.search(text):
            self._check_block()
            self._block = number
        if "{4::" in text:
            text = text[text.index("{4::") + 3 :]
        found = _FIELD.fullmatch(text)
        if found is None:
            return
        if found[1] != "20":
            told = f"field {found[1]} stands outside a message, which field 20 begins"
            self._findings.refuse(INVALID_FILE_FORMAT, number, found[1], told)
            return
        self._inside = True
        self._begin("20", found[2], number)

    def _begins_field(self, tag: str, number: int, following: str) -> bool:
        """Whether a line that looks like a field is one, not a text's own line such as `:12:11`."""
        in_text = self._tag[:2] in _FREE
        if tag in _LATER or tag.startswith("NS"):
            return True
        if tag == "20":
            begins = not in_text or self._closing_seen or following.startswith(_AFTER_20)
        elif tag in _FIRST:
            begins = not self._text_seen
        else:
            begins = not in_text
        if not begins:
            told = f"`:{tag}:` begins a line of field {self._tag}: taken for its text"
            self._findings.warn(CONTENT_INCORRECT, number, self._tag, told)
        return begins

    def _ends_message(self, text: str, following: str) -> bool:
        if text.startswith(("-}", "{1:", "{5:")):
            return True
        if not text.startswith("-"):
            return False
        if self._closing_seen:
            return True
        if text.strip() != "-":
            return False
        return self._tag[:2] not in _FREE or not following or following.startswith(_AFTER_END)

    def _check_block(self) -> None:
        """What SWIFT frames shows where it ends: without that, more lines may have stood there."""
        if self._block:
            told = "the text block ends without `-}`: it is cut"
            self._findings.refuse(INVALID_FILE_FORMAT, self._block, "4", told)

    def _is_wrapped(self, text: str, number: int) -> bool:
        """Whether a line behind a balance can be the rest of its amount, not what banks put behind it."""
        return number == self._began + 1 and _REST_OF_AMOUNT.fullmatch(text.strip()) is not None

    def _begin(self, tag: str, value: str, number: int) -> None:
        if tag == "20":
            self._closing_seen = self._text_seen = False
        self._closing_seen |= tag in _CLOSING
        self._text_seen |= tag in ("61", "86")
        self._tag, self._began, self._parts, self._size = tag, number, [value], len(value)

    def _continue(self, text: str, number: int) -> None:
        self._size += len(text) + 1
        if self._size > LONGEST_FIELD:
            raise refusal(number, f"field {self._tag} is longer than {LONGEST_FIELD} characters")
        self._parts.append(text)

    def _flush(self) -> Iterator[Field]:
        yield Field(self._tag, "\n".join(self._parts), self._began)
