"""Which type of SWIFT message a file begins with, by its content; the types that are statements."""

import re
from typing import Final

STATEMENT_KINDS: Final = frozenset(("mt940", "mt941", "mt942", "mt950"))

HEAD: Final = 1 << 14
"""Bytes of a file that are looked at."""

APPLICATION_HEADER: Final = re.compile(r"\{2:[IO]([0-9]{3})", re.ASCII)
"""The block that names a message's type."""

_BARE: Final = re.compile(r"^[\x01 ]*:?(94[012]|950):?(?:[ \t]+[0-9]{2})?[ \t]*$", re.MULTILINE)
_FIELD: Final = re.compile(
    r"^[\x01 ]*:(20|21|25P?|28C?|34F|13D|60[FM]|61|62[FM]|64|65|86|90[CD]|32[A-D]|50[A-Z]?|59[A-Z]?):",
    re.MULTILINE,
)
_OF_PAYMENTS: Final = ("32", "50", "59")
_INTERIM: Final = frozenset(("34F", "13D", "90C", "90D"))


def kind_of(head: bytes) -> str:
    """Such as `mt940` or `mt103`; empty where the first 16 KiB of a file are of no SWIFT message.

    By the first application header, else a bank's own header line, which stand before all fields; else by the
    fields of statements: MT942 has floor limits, a time or totals and no opening balance.
    """
    text = head[:HEAD].replace(b"\0", b"").replace(b"\r", b"\n").decode("iso-8859-1")
    first = _FIELD.search(text)
    before = text if first is None else text[: first.start()]
    found = APPLICATION_HEADER.search(before)
    if found is None and first is not None:
        found = _BARE.search(before)
    if found is not None:
        return f"mt{found[1]}"
    tags = _FIELD.findall(text)
    # Without headers, which type of payment it is nobody can say.
    if not tags or any(tag.startswith(_OF_PAYMENTS) for tag in tags):
        return ""
    has_opening = any(tag.startswith("60") for tag in tags)
    return "mt942" if not has_opening and not _INTERIM.isdisjoint(tags) else "mt940"
