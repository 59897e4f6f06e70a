"""BAI2 physical records to logical ones: continuation records, padding, and files without line ends."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from goodfunds.files.decoding import refusal
from goodfunds.files.findings import Findings
from goodfunds.files.text_lines import as_utf8, lines
from goodfunds.rails.reasons import CONTENT_INCORRECT, INVALID_FILE_FORMAT

MOST_CONTINUATIONS: Final = 10_000
"""88 records of one logical record; with the longest line it bounds what is held."""

MOST_CHARACTERS: Final = 1 << 20
"""Characters of one logical record."""

CODES: Final = frozenset(("01", "02", "03", "16", "49", "98", "99"))

_HEAD: Final = 1024
_STATED_LENGTH = re.compile(rb"01,[^,/]*,[^,/]*,[^,/]*,[^,/]*,[^,/]*,\s*([0-9]{1,4})\s*,", re.ASCII)
_SIMPLE_LENGTH: Final = range(40, 5000)


@dataclass(frozen=True, slots=True)
class LogicalRecord:
    """`code` 01 to 99 and what stands after it in each physical record, the final delimiter taken off.

    `physical` counts its physical records; `line` is the first one's.
    """

    code: str
    line: int
    parts: tuple[str, ...]

    @property
    def physical(self) -> int:
        return len(self.parts)

    @property
    def fields(self) -> list[str]:
        """Its fields, those of the continuations after its own; not for a record with text."""
        return [each.strip() for part in self.parts for each in part.split(",")]


def logical_records(found: Iterable[bytes], findings: Findings) -> Iterator[LogicalRecord]:
    """The file's records, each with its 88 records. Raises InvalidFile.

    What is no BAI2 record at all is refused; blank lines are padding.
    """
    code, began, size, stated = "", 0, 0, 0
    parts: list[str] = []
    for number, line in lines(_unblocked(as_utf8(found))):
        text = line.strip(" \t\x1a")
        if not text:
            continue
        found_code, _, rest = text.partition(",")
        if found_code == "01":
            stated = _stated_length(text.encode())
        if stated and len(line) > stated:
            message = f"the record has {len(line)} characters, 01 says {stated} at most"
            findings.warn(CONTENT_INCORRECT, number, found_code[:4], message)
        if found_code == "88":
            if not code:
                findings.refuse(INVALID_FILE_FORMAT, number, "88", "there is nothing to continue")
                continue
            size += len(rest)
            if len(parts) >= MOST_CONTINUATIONS or size > MOST_CHARACTERS:
                raise refusal(number, f"a record of more than {MOST_CHARACTERS} characters")
            parts.append(_without_delimiter(rest))
            continue
        if code:
            yield LogicalRecord(code, began, tuple(parts))
        code, began, parts, size = found_code, number, [_without_delimiter(rest)], len(rest)
        if code not in CODES:
            findings.refuse(INVALID_FILE_FORMAT, number, "", f"{found_code[:10]!r} is no BAI2 record code")
            code = ""
    if code:
        yield LogicalRecord(code, began, tuple(parts))


def _without_delimiter(rest: str) -> str:
    """Without the slash that ends a record. Text needs none, but banks write it, so one is taken off."""
    return rest.rstrip().removesuffix("/")


def _unblocked(found: Iterable[bytes]) -> Iterator[bytes]:
    """The file's pieces, with line ends where it has none because its records are all of one length.

    That is the length which its 01 states; a file with line ends may state one that its records exceed.
    """
    source = iter(found)
    head = b""
    while len(head) < _HEAD and (piece := next(source, b"")):
        head += piece
    length = _stated_length(head)
    if not length or len(head) < length + 2 or re.search(rb"[\r\n]", head.rstrip(b"\r\n")):
        yield head
        yield from source
        return
    rest = b""
    for piece in chain((head,), source):
        rest += piece
        whole = len(rest) - len(rest) % length
        yield b"".join(rest[at : at + length] + b"\n" for at in range(0, whole, length))
        rest = rest[whole:]
    yield rest


def _stated_length(head: bytes) -> int:
    """The physical record length that a 01 states; 0 where it states none."""
    stated = _STATED_LENGTH.match(head)
    length = int(stated[1]) if stated else 0
    return length if length in _SIMPLE_LENGTH else 0
