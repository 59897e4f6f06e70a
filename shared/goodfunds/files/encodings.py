"""Which encoding the bytes of a text file are in: as marked, as declared, else as the bytes tell."""

import codecs
import re
from types import MappingProxyType
from typing import Final

MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before those of UTF-16, which they begin with.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks and the codecs that they tell."""

_PARTS = (*range(1, 12), *range(13, 17))
_NAMES: Final = MappingProxyType(
    {
        "utf8": "utf-8",
        "usascii": "ascii",
        "ascii": "ascii",
        "latin1": "iso-8859-1",
        "latin9": "iso-8859-15",
        **{f"iso8859{part}": f"iso-8859-{part}" for part in _PARTS},
        **{f"{name}125{part}": f"cp125{part}" for part in range(9) for name in ("windows", "cp")},
        **{f"utf{bits}{order}": f"utf-{bits}{dash}{order}" for bits in (16, 32)
           for order, dash in (("", ""), ("le", "-"), ("be", "-"))},
    }
)  # fmt: skip
"""Encodings that files may declare, and their codecs: those whose text is text, and no transformation."""

_DECLARED = re.compile(rb"\s*<\?xml\b[^>]*?\bencoding\s*=\s*[\"']([^\"'>]{0,40})")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]")
_OF_WINDOWS = re.compile(rb"[\x80-\x9f]")
_NOT_OF_WINDOWS = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_OF_WINDOWS_ALONE: Final = MappingProxyType(
    {
        byte: bytes([byte]).decode("cp1252")
        for byte in range(0x80, 0xA0)
        if _NOT_OF_WINDOWS.match(bytes([byte])) is None
    }
)


def codec_named(name: str) -> str:
    """The codec of an encoding as a file declares it; empty for one that no file is read in.

    Case and what is neither letter nor digit do not count (UTS 22, charset alias matching): `ISO_8859-1`.
    """
    return _NAMES.get(_NOT_IN_NAMES.sub("", name.lower()), "")


def declared_in(head: bytes) -> str | None:
    """The encoding that the XML declaration of a file names, as it stands there; None where none does."""
    found = _DECLARED.match(head)
    return None if found is None else found[1].decode("ascii", "replace")


def western(piece: bytes) -> str:
    """Text of Windows-1252; what that leaves undefined is as in Latin-1."""
    return piece.decode("iso-8859-1").translate(_OF_WINDOWS_ALONE)


def encoding_of(head: bytes) -> tuple[str, int]:
    """(codec, length of its mark) of a file that begins so; UTF-8 stands for ASCII, too.

    A byte order mark, else UTF-16 by the zeros of its first characters, else what an XML declaration says,
    else UTF-8 if the bytes are that, else Windows-1252, or Latin-1 where nothing of the former is used. A
    declaration of two or four bytes a character is untrue where it can be read byte by byte.
    """
    for mark, name in MARKS:
        if head.startswith(mark):
            return name, len(mark)
    start = head[:64]
    if len(start) >= 4 and not any(start[1::2]) and all(start[::2]):
        return "utf-16-le", 0
    if len(start) >= 4 and not any(start[::2]) and all(start[1::2]):
        return "utf-16-be", 0
    declared = declared_in(head)
    if declared is not None:
        codec = codec_named(declared)
        if not codec.startswith(("utf-16", "utf-32")):
            return codec and codecs.lookup(codec).name, 0
    return _by_bytes(head), 0


def _by_bytes(head: bytes) -> str:
    try:
        # The head may end within a character.
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        of_windows = _OF_WINDOWS.search(head) is not None and _NOT_OF_WINDOWS.search(head) is None
        return "cp1252" if of_windows else "iso8859-1"
    return "utf-8"
