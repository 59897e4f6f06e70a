"""Bytes of an XML file to text: which encoding they claim, whether they keep it, and their line numbers."""

import codecs
import re
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO

from goodfunds.files.records import FileError, InvalidFile
from goodfunds.rails.reasons import INVALID_FILE_FORMAT

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

CHUNK = 1 << 16

_DECLARATION = re.compile(rb"\s*<\?xml\b[^>]*?\bencoding\s*=\s*[\"']([^\"'>]{0,40})")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_NAMES = MappingProxyType(
    {
        "utf-8": "utf-8",
        "utf8": "utf-8",
        "us-ascii": "ascii",
        "ascii": "ascii",
        "latin1": "iso-8859-1",
        **{f"iso-8859-{part}": f"iso-8859-{part}" for part in (*range(1, 12), *range(13, 17))},
        **{f"windows-125{part}": f"cp125{part}" for part in range(9)},
        "utf-16": "utf-16",
        "utf-16le": "utf-16-le",
        "utf-16be": "utf-16-be",
    }
)
"""Encodings that files may declare (in lower case), and their codecs."""


def decode(
    source: BinaryIO, total_limit: int, undeclared: Callable[[int], None] | None = None
) -> Iterator[str]:
    """The file's text in pieces, without a byte order mark. Raises InvalidFile.

    XML 1.0 appendix F: a byte order mark, else the declaration, else UTF-8. What they say must agree, and
    every byte must keep to it. With `undeclared`, which is told the line, a file that says nothing of its
    encoding is taken for Windows-1252 from where it is no UTF-8.
    """
    head = _head(source)
    if not head.strip(b" \t\r\n"):
        raise InvalidFile([FileError(INVALID_FILE_FORMAT, 1, "", "the file is empty")])
    codec, skip = _codec(head)
    if codec:
        undeclared = None
    codec = codec or "utf-8"
    decoder = codecs.getincrementaldecoder(codec)()
    line, total = 1, 0
    piece = head[skip:]
    while True:
        total += len(piece)
        if total > total_limit:
            raise refusal(line, f"the file is larger than {total_limit} bytes")
        try:
            text = decoder.decode(piece, not piece)
        except UnicodeDecodeError as fault:
            at = line + fault.object[: fault.start].decode(codec, "replace").count("\n")
            if undeclared is None:
                raise refusal(at, f"the bytes are not {codec}, which the file claims to be") from None
            undeclared(at)
            undeclared = None
            text = fault.object[: fault.start].decode(codec) + _western(fault.object[fault.start :])
            decoder = _Western()
        line += text.count("\n")
        if text:
            yield text
        if not piece:
            return
        piece = source.read(CHUNK)


class _Western(codecs.IncrementalDecoder):
    """Windows-1252, a byte at a time; what it leaves undefined is as in Latin-1."""

    def decode(self, piece: "ReadableBuffer", final: bool = False) -> str:  # noqa: ARG002 - no byte waits
        return _western(bytes(piece))


def _western(piece: bytes) -> str:
    try:
        return piece.decode("cp1252")
    except UnicodeDecodeError:
        return piece.decode("iso-8859-1")


def refusal(line: int, message: str) -> InvalidFile:
    """A file that is no file of its format."""
    return InvalidFile([FileError(INVALID_FILE_FORMAT, line, "", message)])


def _head(source: BinaryIO) -> bytes:
    head = b""
    while len(head) < 1024 and (piece := source.read(CHUNK)):
        head += piece
    return head


def _codec(head: bytes) -> tuple[str, int]:
    """The codec, empty where none is told, and how many bytes of a byte order mark come before the text."""
    found, skip = "", 0
    for mark, name in _BOMS:
        if head.startswith(mark):
            found, skip = name, len(mark)
    if not found:
        # Without a mark, two bytes a character show in the zeros beside the first "<".
        found = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(head[:2], "")
    opening = head[skip:]
    if found.startswith("utf-16"):
        opening = opening.replace(b"\0", b"")
    declaration = _DECLARATION.match(opening)
    if declaration is None:
        return found, skip
    given = declaration[1].decode("ascii", "replace")
    declared = _NAMES.get(given.lower())
    if declared is None:
        raise refusal(1, f"the file declares the encoding {given!r}, which is not supported")
    if found and not found.startswith(declared):
        raise refusal(1, f"the file declares the encoding {given!r} but is {found}")
    if not found and declared.startswith("utf-16"):
        raise refusal(1, f"the file declares the encoding {given!r} but is not")
    return found or declared, skip
