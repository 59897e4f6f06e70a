"""Which encoding the bytes of a text file are in: as marked, as declared, else as the bytes tell."""

import codecs
import re
from typing import Final

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"\s*<\?xml\b[^>]*?\bencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})")
_OF_WINDOWS = re.compile(rb"[\x80-\x9f]")
_NOT_OF_WINDOWS = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


def encoding_of(head: bytes) -> tuple[str, int]:
    """(codec, length of its mark) of a file that begins so; UTF-8 stands for ASCII, too.

    A byte order mark, else UTF-16 by the zeros of its first characters, else what an XML declaration says,
    else UTF-8 if the bytes are that, else Windows-1252, or Latin-1 where nothing of the former is used.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name, len(mark)
    start = head[:64]
    if len(start) >= 4 and not any(start[1::2]) and all(start[::2]):
        return "utf-16-le", 0
    if len(start) >= 4 and not any(start[::2]) and all(start[1::2]):
        return "utf-16-be", 0
    declared = _DECLARED.match(head)
    if declared is not None:
        try:
            return codecs.lookup(declared[1].decode("ascii")).name, 0
        except LookupError:
            return "", 0
    return _by_bytes(head), 0


def _by_bytes(head: bytes) -> str:
    try:
        # The head may end within a character.
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        of_windows = _OF_WINDOWS.search(head) is not None and _NOT_OF_WINDOWS.search(head) is None
        return "cp1252" if of_windows else "iso8859-1"
    return "utf-8"
