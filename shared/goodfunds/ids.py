"""Identity: ids derived so that deciding again gives the same, and the references that carry a lane."""

import os
import re
import uuid
from datetime import datetime
from hashlib import blake2b

from goodfunds.clock import millis

NO_ID = bytes(16)
"""Stands where an event names no payment, batch or statement."""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BASE32 = re.compile(f"[{_ALPHABET}]{{26}}")
_DIGITS = bytes.maketrans(_ALPHABET.encode(), b"0123456789abcdefghijklmnopqrstuv")
_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)


def derived_id(now_ms: int, *parts: bytes) -> bytes:
    """16 bytes in UUIDv7 shape (RFC 9562 §5.7): 48 bits of time in ms, the rest a hash of the parts."""
    digest = blake2b(digest_size=10)
    for part in parts:
        digest.update(len(part).to_bytes(4, "big"))
        digest.update(part)
    tail = bytearray(digest.digest())
    tail[0] = 0x70 | tail[0] & 0x0F
    tail[2] = 0x80 | tail[2] & 0x3F
    return now_ms.to_bytes(6, "big") + bytes(tail)


def payment_id(first_broker_time_ms: int, client: str, key: str) -> bytes:
    """The id of the payment that (client, idempotency key) asks for, from the record's first broker time."""
    return derived_id(first_broker_time_ms, client.encode(), key.encode())


def new_id(now: datetime) -> bytes:
    """A fresh UUIDv7; only outside `decide`, for what nobody decides twice."""
    return derived_id(millis(now), os.urandom(16))


def text(identifier: bytes) -> str:
    """An id as people and headers see it: lower-case UUID."""
    return str(uuid.UUID(bytes=identifier))


def parse(identifier: str) -> bytes:
    """The 16 bytes of a UUID in text. Raises ValueError."""
    return uuid.UUID(identifier).bytes


def base32(identifier: bytes) -> str:
    """26 characters of Crockford's base 32, in the order of the id."""
    # By halves, since arithmetic on a machine's word is several times as fast.
    pairs, high, low = _PAIRS, int.from_bytes(identifier[:8], "big"), int.from_bytes(identifier[8:], "big")
    return "".join((
        pairs[high >> 56], pairs[high >> 46 & 1023], pairs[high >> 36 & 1023], pairs[high >> 26 & 1023],
        pairs[high >> 16 & 1023], pairs[high >> 6 & 1023], pairs[(high & 63) << 4 | low >> 60],
        pairs[low >> 50 & 1023], pairs[low >> 40 & 1023], pairs[low >> 30 & 1023], pairs[low >> 20 & 1023],
        pairs[low >> 10 & 1023], pairs[low & 1023],
    ))  # fmt: skip


def from_base32(characters: str) -> bytes | None:
    """The id behind 26 characters, or None where they are not what `base32` writes."""
    if _BASE32.fullmatch(characters) is None:
        return None
    number = int(characters.encode().translate(_DIGITS), 32)
    return number.to_bytes(16, "big") if number < 1 << 128 else None


def reference(lane: int, identifier: bytes) -> str:
    """Our reference to a bank, 31 characters of the SEPA set, that carries its lane (InstrId, PmtInfId)."""
    return f"{lane:04d}-{base32(identifier)}"


def read_reference(characters: str) -> tuple[int, bytes] | None:
    """(lane, id) of a reference of ours that came back, or None where it is not one."""
    if len(characters) != 31 or characters[4] != "-":
        return None
    lane = characters[:4]
    identifier = from_base32(characters[5:])
    if identifier is None or not (lane.isascii() and lane.isdigit()):
        return None
    return int(lane), identifier


def message_id(file_id: bytes) -> str:
    """MsgId of a bank file: 28 characters."""
    return "GF" + base32(file_id)


def read_message_id(characters: str) -> bytes | None:
    """The file id behind a MsgId of ours, or None where it is not one."""
    return from_base32(characters[2:]) if characters.startswith("GF") else None
