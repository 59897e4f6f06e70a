"""Bytes of a text file to its lines: no encoding is declared, any line end will do, all of it bounded.

UTF-16 or UTF-32, marked or shown by zeros, else line by line UTF-8, else Windows-1252 (gaps: Latin-1).
"""

import codecs
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from goodfunds.files.decoding import CHUNK, refusal
from goodfunds.files.encodings import encoding_of

TOTAL_BYTES: Final = 1 << 30
"""The largest file that is read."""

LONGEST_LINE: Final = 1 << 14
"""Bytes of the longest line: banks write a whole :86: of a few hundred characters as one."""

_HEAD: Final = 64
"""Bytes that show the encoding."""


def pieces(source: BinaryIO, total_limit: int = TOTAL_BYTES) -> Iterator[bytes]:
    """The file in pieces of at most 64 KiB. Raises InvalidFile for a file that is too large."""
    total = 0
    while piece := source.read(CHUNK):
        total += len(piece)
        if total > total_limit:
            raise refusal(0, f"the file is larger than {total_limit} bytes")
        yield piece


def lines(found: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """Each line with its number from 1, without its end. Raises InvalidFile.

    Refused: a NUL byte, which no text has, and a line of over 16 KiB.
    """
    for number, raw in enumerate(_raw_lines(as_utf8(found)), 1):
        if len(raw) > LONGEST_LINE:
            raise refusal(number, f"the line is longer than {LONGEST_LINE} bytes")
        if b"\0" in raw:
            raise refusal(number, "the line has a NUL byte: this is no text file")
        yield number, _text(raw)


def _raw_lines(found: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in found:
        rest += piece
        # A CR at the end may be the first half of a CRLF.
        held = rest[-1:] if rest.endswith(b"\r") else b""
        whole = rest[: len(rest) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *complete, rest = whole.split(b"\n")
        yield from complete
        rest += held
        if len(rest) > LONGEST_LINE:
            break
    if rest:
        yield rest.removesuffix(b"\r")


def as_utf8(found: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces without a byte order mark, those of UTF-16 and UTF-32 as UTF-8. Raises InvalidFile."""
    source = iter(found)
    head = b""
    while len(head) < _HEAD and (piece := next(source, b"")):
        head += piece
    encoding, mark = encoding_of(head[:_HEAD])
    head = head[mark:]
    if not encoding.startswith(("utf-16", "utf-32")):
        yield head
        yield from source
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        yield decoder.decode(head).encode("utf-8")
        for piece in source:
            yield decoder.decode(piece).encode("utf-8")
        decoder.decode(b"", True)
    except UnicodeError:
        raise refusal(0, f"the bytes are not {encoding}, which the file seems to be") from None


def _text(raw: bytes) -> str:
    for codec in ("utf-8", "cp1252"):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return raw.decode("iso-8859-1")
