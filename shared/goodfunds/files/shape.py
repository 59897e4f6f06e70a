"""What is wanted of a message: its kind, its parts, and the namespaces that it is known by."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from goodfunds.files.decoding import refusal

_NAMESPACES: Final = (
    re.compile(r"urn:iso:std:iso:20022:tech:xsd:([a-z]{4}\.\d{3}\.\d{3}\.\d{2})", re.ASCII),
    # Switzerland: SIX Interbank Clearing's narrower schemas of the ISO message.
    re.compile(
        r"https?://www\.six-interbank-clearing\.com/de/((?:pain|camt|pacs)\.\d{3}\.\d{3}\.\d{2})\.ch\.\d{2}\.xsd",
        re.ASCII,
    ),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a reader wants of a message: its kind (`pain.001`), its element, and its parts with the parents

    that each may have, "" for the message's element itself.

    The message element is named in `roots` (older versions have one of their own). Versions inclusive.
    `unqualified`: a Document without a namespace is taken for the message. `bare`: so is the message's
    element without a Document, which The Clearing House puts into an envelope of its own. `lenient`: so is a
    file that is wrong about its encoding, or padded at its end, where what it says can be told all the same.
    """

    kind: str
    roots: frozenset[str]
    parts: Mapping[str, tuple[str, ...]]
    versions: tuple[int, int]
    unqualified: bool = False
    bare: bool = False
    lenient: bool = False


def is_message(namespace: str, kind: str) -> bool:
    """Whether a namespace is that of a kind of message, whatever its version."""
    found = _NAMESPACES[0].fullmatch(namespace)
    return found is not None and found[1].startswith(f"{kind}.")


def message_name(namespace: str, shape: Shape, line: int) -> str:
    """The message (`pain.001.001.09`) that a Document of that namespace holds; empty without a namespace.

    Raises InvalidFile for one that is not wanted; `line` is the Document's.
    """
    kind, (first, last) = shape.kind, shape.versions
    if not namespace and shape.unqualified:
        return ""
    for pattern in _NAMESPACES:
        found = pattern.fullmatch(namespace)
        if found is not None and found[1].startswith(f"{kind}."):
            if first <= int(found[1][-2:]) <= last:
                return found[1]
            why = f"{found[1]} is not a version that is read: {first} to {last} are"
            raise refusal(line, why)
    raise refusal(line, f"the namespace {namespace[:100]!r} is none of {kind} that is known here")
