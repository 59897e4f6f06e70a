"""Bytes of a CSV file to rows of cells: the encoding by its bytes, lines and rows bounded, all streaming."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import BinaryIO, Final

from goodfunds.files.decoding import CHUNK, refusal
from goodfunds.files.encodings import MARKS

TOTAL_BYTES: Final = 1 << 30
"""The largest file that is read."""
LONGEST_LINE: Final = 1 << 17
"""Characters between two ends of lines."""
LONGEST_ROW: Final = 1 << 18
"""Characters of a row, whose quoted cells may hold ends of lines."""
MOST_COLUMNS: Final = 1_000

DETECTED: Final = "detected"
_FALLBACK: Final = "cp1252"
_HEAD_LINES = 60
_HEAD_CHARACTERS = 1 << 18
_END_OF_LINE = re.compile("\r\n|\n|\r")


class Text:
    """The lines of a file, each with its end (LF, CRLF or CR). `encoding` is known once a line was read.

    A byte order mark decides, else `encoding`. Where that is `detected`: UTF-16 shows in its zeros, else it
    is UTF-8, or Windows-1252 where the first byte above 127 is no UTF-8 (all before it is the same in both).
    """

    def __init__(self, source: BinaryIO, encoding: str = DETECTED, total: int = TOTAL_BYTES) -> None:
        self.encoding = encoding
        self._source = source
        self._total_limit = total
        self._line = 1
        self._lines = self._split()

    def head(self) -> list[str]:
        """The first lines, at most 60; they are still to be read. Raises InvalidFile."""
        found, characters = [], 0
        for line in islice(self._lines, _HEAD_LINES):
            found.append(line)
            characters += len(line)
            if characters > _HEAD_CHARACTERS:
                break
        self._lines = chain(found, self._lines)
        return found

    def __iter__(self) -> Iterator[str]:
        """The lines. Raises InvalidFile."""
        return self._lines

    def _split(self) -> Iterator[str]:
        held = ""
        for piece in self._pieces():
            held += piece
            start = 0
            for end in _END_OF_LINE.finditer(held):
                # Its LF may be the first character of the next piece.
                if end[0] == "\r" and end.end() == len(held):
                    break
                yield self._checked(held[start : end.end()])
                start = end.end()
            held = self._bounded(held[start:])
        if held:
            yield self._checked(held)

    def _bounded(self, line: str) -> str:
        if len(line) > LONGEST_LINE:
            raise refusal(self._line, f"a line is longer than {LONGEST_LINE} characters")
        return line

    def _checked(self, line: str) -> str:
        if "\0" in self._bounded(line):
            raise refusal(self._line, "a NUL, which no text has")
        self._line += 1
        return line

    def _pieces(self) -> Iterator[str]:
        piece = self._source.read(CHUNK)
        while len(piece) < 4 and (more := self._source.read(CHUNK)):
            piece += more
        may_fall_back = self.encoding == DETECTED
        skip = self._begin(piece)
        decoder = codecs.getincrementaldecoder(self.encoding)()
        total, piece = len(piece), piece[skip:]
        may_fall_back = may_fall_back and not skip and self.encoding == "utf-8"
        while True:
            if total > self._total_limit:
                raise refusal(self._line, f"the file is larger than {self._total_limit} bytes")
            try:
                text = decoder.decode(piece, not piece)
            except UnicodeDecodeError as fault:
                if not (may_fall_back and fault.object[: fault.start].isascii()):
                    raise self._undecodable(fault) from None
                may_fall_back, self.encoding = False, _FALLBACK
                decoder = codecs.getincrementaldecoder(_FALLBACK)()
                try:
                    text = decoder.decode(fault.object)
                except UnicodeDecodeError as again:
                    raise self._undecodable(again) from None
            may_fall_back = may_fall_back and text.isascii()
            if text:
                yield text
            if not piece:
                return
            piece = self._source.read(CHUNK)
            total += len(piece)

    def _begin(self, head: bytes) -> int:
        """Settle the encoding by the file's first bytes; how many of them are a byte order mark."""
        for mark, name in MARKS:
            if head.startswith(mark):
                self.encoding = name
                return len(mark)
        if self.encoding == DETECTED:
            zeros = [byte == 0 for byte in head[:4]]
            little, big = zeros == [False, True] * 2, zeros == [True, False] * 2
            self.encoding = "utf-16-le" if little else "utf-16-be" if big else "utf-8"
        return 0

    def _undecodable(self, fault: UnicodeDecodeError) -> Exception:
        line = self._line + fault.object[: fault.start].decode(self.encoding, "replace").count("\n")
        return refusal(line, f"the bytes are not {self.encoding}")


class _Fed:
    """Lines on their way into the csv module, with the number of the first of the present row."""

    def __init__(self, lines: Iterable[str], first_line: int) -> None:
        self._lines = iter(lines)
        self._next = self.first = first_line
        self._characters = 0

    def begin(self) -> None:
        self._characters = 0
        self.first = self._next

    def __iter__(self) -> "_Fed":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._next += 1
        self._characters += len(line)
        if self._characters > LONGEST_ROW:
            raise refusal(
                self.first, f"a row is longer than {LONGEST_ROW} characters: is a quote not closed?"
            )
        return line


def rows(
    lines: Iterable[str], delimiter: str, quote: str, first_line: int = 1
) -> Iterator[tuple[int, list[str]]]:
    """(number of its first line, cells) of each row, blank ones included. RFC 4180 section 2.

    An empty `quote` means that nothing is quoted. Raises InvalidFile.
    """
    fed = _Fed(lines, first_line)
    reader = csv.reader(
        fed,
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        strict=True,
    )
    while True:
        fed.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as fault:
            raise refusal(fed.first, f"not the CSV that its mapping declares: {fault}") from None
        if len(cells) > MOST_COLUMNS:
            raise refusal(fed.first, f"a row of more than {MOST_COLUMNS} cells")
        yield fed.first, cells
