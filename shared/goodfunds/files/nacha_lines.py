"""Bytes of a NACHA file to its records of 94 characters: with line breaks of any kind, or without any."""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from goodfunds.files.decoding import refusal
from goodfunds.files.text_lines import as_utf8, pieces

RECORD: Final = 94
BLOCK: Final = 10

MOST_RECORDS: Final = 999_999 * BLOCK
"""What the six digits of the file control's block count can state."""

_BREAK: Final = re.compile("\r\n|\r|\n")
_LATIN_1: Final = {0xDC00 + byte: byte for byte in range(0x80, 0x100)}
_END_OF_FILE: Final = "\x1a"


class Line(NamedTuple):
    """A record's text, as long as it stood there (at most twice a record), and its 1-based line.

    Of a file without line breaks the line is the record's number.
    """

    number: int
    text: str


def lines(source: BinaryIO) -> Iterator[Line]:
    """The file's records, without lines of blanks. Raises InvalidFile beyond MOST_RECORDS.

    Memory holds one piece of the file: what runs on without a break is cut into records where it is two or
    more long. Bytes that are no UTF-8, nor UTF-16 or UTF-32, are taken for Latin-1.
    """
    for count, line in enumerate(_records(source), 1):
        if count > MOST_RECORDS:
            raise refusal(line.number, f"a file has at most {MOST_RECORDS} records")
        # A mark that CP/M and DOS put behind the last record.
        if line.text.strip(" " + _END_OF_FILE):
            yield line


def _records(source: BinaryIO) -> Iterator[Line]:
    rest, number, running_on = "", 1, 0
    for piece in _decoded(source):
        *whole, rest = _split(rest + piece)
        for text in whole:
            yield from _cut(text, number, running_on)
            number, running_on = number + 1, 0
        if len(rest) >= 2 * RECORD + 1:
            # A "\r" at the end may be the first half of a break; one character stays behind for it.
            ready = (len(rest) - 1) // RECORD * RECORD
            yield from _cut(rest[:ready], number, running_on)
            rest, running_on = rest[ready:], running_on + ready // RECORD
    if rest:
        yield from _cut(rest.removesuffix("\r"), number, running_on)


def _split(text: str) -> list[str]:
    if text.endswith("\r"):
        *whole, rest = _BREAK.split(text[:-1])
        return [*whole, rest + "\r"]
    return _BREAK.split(text) if "\r" in text else text.split("\n")


def _cut(text: str, number: int, running_on: int) -> Iterator[Line]:
    """The records of a line, of which so many came before. Those of the first are numbered themselves."""
    if len(text) < 2 * RECORD and not running_on:
        yield Line(number, text)
        return
    for at in range(0, len(text), RECORD):
        place = running_on + at // RECORD if number == 1 else 0
        yield Line(number + place, text[at : at + RECORD])


def _decoded(source: BinaryIO) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    for piece in as_utf8(pieces(source)):
        text = decoder.decode(piece)
        yield text if text.isascii() else text.translate(_LATIN_1)
    yield decoder.decode(b"", final=True).translate(_LATIN_1)
