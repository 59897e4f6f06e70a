"""Which type of SWIFT message a file begins with, by its content."""

import re
from typing import Final

HEAD: Final = 1 << 14
"""Bytes of a file that are looked at."""

_APPLICATION_HEADER: Final = re.compile(rb"\{2:[IO]([0-9]{3})")
_BARE: Final = re.compile(rb"^[\x01 ]*:?(94[012]|950):?(?:[ \t]+[0-9]{2})?[ \t]*$", re.MULTILINE)
_FIELD: Final = re.compile(
    rb"^[\x01 ]*:(20|21|25P?|28C?|34F|13D|60[FM]|61|62[FM]|64|65|86|90[CD]|32[A-D]|50[A-Z]?|59[A-Z]?):",
    re.MULTILINE,
)
_OF_PAYMENTS: Final = (b"32", b"50", b"59")
_INTERIM: Final = frozenset((b"34F", b"13D", b"90C", b"90D"))


def kind_of(head: bytes) -> str:
    """Such as `mt940` or `mt103`; empty where the first 16 KiB of a file are of no SWIFT message.

    By the first application header, else a bank's own header line, else by the fields of statements: MT942
    has floor limits, a time or totals and no opening balance.
    """
    text = head[:HEAD].replace(b"\0", b"").replace(b"\r", b"\n")
    found = _APPLICATION_HEADER.search(text)
    tags = _FIELD.findall(text)
    if found is None and tags:
        found = _BARE.search(text)
    if found is not None:
        return f"mt{found[1].decode()}"
    # Without headers, which type of payment it is nobody can say.
    if not tags or any(tag.startswith(_OF_PAYMENTS) for tag in tags):
        return ""
    has_opening = any(tag.startswith(b"60") for tag in tags)
    return "mt942" if not has_opening and not _INTERIM.isdisjoint(tags) else "mt940"
