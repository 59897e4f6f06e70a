"""Bytes of an XML file to text: which encoding they claim, whether they keep it, and their line numbers."""

import codecs
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from goodfunds.files.encodings import MARKS, codec_named, declared_in, western
from goodfunds.files.records import FileError, InvalidFile
from goodfunds.rails.reasons import INVALID_FILE_FORMAT

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

CHUNK = 1 << 16

Forgiven = Callable[[int, str], None]
"""Is told the line, 0 where it is not known, and what is wrong and read nevertheless."""

_WIDE = ("utf-16", "utf-32")
_PADDING = "\0\x1a"
_SPACE = " \t\r\n"
_LONGEST_PADDING = 1 << 12


def decode(source: BinaryIO, total_limit: int, forgiven: Forgiven | None = None) -> Iterator[str]:
    """The file's text in pieces, without a byte order mark. Raises InvalidFile.

    XML 1.0 appendix F: a byte order mark, else the declaration, else UTF-8. What they say must agree, and
    every byte must keep to it. With `forgiven` three things are read nevertheless: UTF-8 that declares
    UTF-16, as programs write that make text first and bytes of it later; a file that says nothing of its
    encoding, from where it is no UTF-8 taken for Windows-1252; and one that is filled up at its end, by
    4 KiB at most.
    """
    found = _decoded(source, total_limit, forgiven)
    return found if forgiven is None else _unpadded(found, forgiven)


def _decoded(source: BinaryIO, total_limit: int, forgiven: Forgiven | None) -> Iterator[str]:
    head = _head(source)
    if not head.strip(b" \t\r\n"):
        raise InvalidFile([FileError(INVALID_FILE_FORMAT, 1, "", "the file is empty")])
    codec, skip = _codec(head, forgiven)
    fall_back = None if codec else forgiven
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
            if fall_back is None:
                raise refusal(at, f"the bytes are not {codec}, which the file claims to be") from None
            fall_back(at, "the bytes are not UTF-8, and no encoding is declared: taken for Windows-1252")
            fall_back = None
            text = fault.object[: fault.start].decode(codec) + western(fault.object[fault.start :])
            decoder = _Western()
        line += text.count("\n")
        if text:
            yield text
        if not piece:
            return
        piece = source.read(CHUNK)


def _unpadded(texts: Iterator[str], forgiven: Forgiven) -> Iterator[str]:
    """The text without the NULs, or the Control-Z, that older systems fill the end of a file with."""
    held = ""
    for more in texts:
        text = held + more
        kept = text.rstrip(_PADDING + _SPACE)
        held = text[len(kept) :]
        if len(held) > _LONGEST_PADDING:
            kept, held = text, ""
        if kept:
            yield kept
    if held.strip(_SPACE):
        forgiven(0, "the file is filled up at its end, with what is no text")
    elif held:
        yield held


class _Western(codecs.IncrementalDecoder):
    """Windows-1252, a byte at a time."""

    def decode(self, piece: "ReadableBuffer", final: bool = False) -> str:  # noqa: ARG002 - no byte waits
        return western(bytes(piece))


def refusal(line: int, message: str) -> InvalidFile:
    """A file that is no file of its format."""
    return InvalidFile([FileError(INVALID_FILE_FORMAT, line, "", message)])


def _head(source: BinaryIO) -> bytes:
    head = b""
    while len(head) < 1024 and (piece := source.read(CHUNK)):
        head += piece
    return head


def _codec(head: bytes, forgiven: Forgiven | None) -> tuple[str, int]:
    """The codec, empty where none is told, and how many bytes of a byte order mark come before the text."""
    found, skip = next(((name, len(mark)) for mark, name in MARKS if head.startswith(mark)), ("", 0))
    if not found:
        # Without a mark, two bytes a character show in the zeros beside the first "<".
        found = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(head[:2], "")
    opening = head[skip:]
    if found.startswith(_WIDE):
        opening = opening.replace(b"\0", b"")
    given = declared_in(opening)
    if given is None:
        return found, skip
    declared = codec_named(given)
    if not declared:
        raise refusal(1, f"the file declares the encoding {given!r}, which is not supported")
    if declared.startswith(_WIDE) and not found.startswith(_WIDE):
        why = f"the file declares the encoding {given!r} but is not"
        if forgiven is None:
            raise refusal(1, why)
        forgiven(1, f"{why}: taken for UTF-8")
        return "utf-8", skip
    if found and not found.startswith(declared):
        raise refusal(1, f"the file declares the encoding {given!r} but is {found}")
    return found or declared, skip
