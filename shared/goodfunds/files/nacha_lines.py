"""Bytes of a NACHA file to its records of 94 characters: with line breaks of any kind, or without any."""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from goodfunds.files.decoding import CHUNK, refusal

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
    more long. Bytes that are no UTF-8 are taken for Latin-1.
    """
    for number, text in enumerate(_records(source), 1):
        if number > MOST_RECORDS:
            raise refusal(number, f"a file has at most {MOST_RECORDS} records")
        # A mark that CP/M and DOS put behind the last record.
        if text.strip(" " + _END_OF_FILE):
            yield Line(number, text)


def _records(source: BinaryIO) -> Iterator[str]:
    rest, running_on = "", False
    for piece in _decoded(source):
        *whole, rest = _split(rest + piece)
        for text in whole:
            yield from _cut(text, running_on)
            running_on = False
        if len(rest) >= 2 * RECORD + 1:
            # A "\r" at the end may be the first half of a break; one character stays behind for it.
            ready = (len(rest) - 1) // RECORD * RECORD
            yield from (rest[at : at + RECORD] for at in range(0, ready, RECORD))
            rest, running_on = rest[ready:], True
    if rest:
        yield from _cut(rest.removesuffix("\r"), running_on)


def _split(text: str) -> list[str]:
    if text.endswith("\r"):
        *whole, rest = _BREAK.split(text[:-1])
        return [*whole, rest + "\r"]
    return _BREAK.split(text) if "\r" in text else text.split("\n")


def _cut(text: str, running_on: bool) -> Iterator[str]:
    if len(text) < 2 * RECORD and not running_on:
        yield text
        return
    yield from (text[at : at + RECORD] for at in range(0, len(text), RECORD))


def _decoded(source: BinaryIO) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
    while piece := source.read(CHUNK):
        text = decoder.decode(piece)
        yield text if text.isascii() else text.translate(_LATIN_1)
    yield decoder.decode(b"", final=True).translate(_LATIN_1)
