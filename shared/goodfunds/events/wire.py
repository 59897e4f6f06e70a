"""The bytes of an event: lengths, numbers, strings and dates in Avro's binary encoding (Avro 1.12)."""

import struct
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from struct import Struct

from goodfunds.errors import Unreadable

MAGIC = 0
PREFIX = Struct(">BI")
"""Confluent's wire format: a zero byte and the schema id."""

_UNIX_DAY = date(1970, 1, 1).toordinal()
BROKEN = (IndexError, struct.error, UnicodeDecodeError, ValueError, OverflowError, KeyError)
"""What reading bytes that are not of their schema raises."""


def long(value: int) -> bytes:
    """An int or long: zigzag, then seven bits a byte."""
    value = value << 1 ^ value >> 63
    if 0 <= value < 128:
        return value.to_bytes(1, "big")
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


class _Lengths(dict[int, bytes]):
    """Lengths of strings, encoded once each. Measured: a dictionary is half the price of the call."""

    def __missing__(self, length: int) -> bytes:
        encoded = long(length)
        if length < 4096:
            self[length] = encoded
        return encoded


LENGTHS = _Lengths()


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """(value, place after it). Raises IndexError past the end, ValueError where it is too long."""
    shift = value = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            break
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
    return value >> 1 ^ -(value & 1), at


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """A length that is not one byte. Raises ValueError where it is negative or goes past the end."""
    length, at = read_long(data, at)
    if length < 0 or length > len(data) - at:
        raise ValueError("a length that goes past the end")
    return length, at


@lru_cache(maxsize=4096)
def read_date(days: int) -> date:
    """The date so many days after 1970-01-01. Raises ValueError, OverflowError outside of the calendar."""
    return date.fromordinal(days + _UNIX_DAY)


@lru_cache(maxsize=4096)
def write_date(day: date) -> bytes:
    """A date as days after 1970-01-01."""
    return long(day.toordinal() - _UNIX_DAY)


def strings(values: Iterable[str]) -> bytes:
    """An array of strings, in one block."""
    encoded = [value.encode() for value in values]
    if not encoded:
        return b"\x00"
    parts = [long(len(encoded))]
    for value in encoded:
        parts += (LENGTHS[len(value)], value)
    parts.append(b"\x00")
    return b"".join(parts)


def read_strings(data: bytes, at: int) -> tuple[tuple[str, ...], int]:
    """An array of strings, in as many blocks as its writer liked."""
    found: list[str] = []
    while True:
        count, at = read_long(data, at)
        if count == 0:
            return tuple(found), at
        if count < 0:
            count = -count
            _, at = read_long(data, at)
        if count > len(data):
            raise ValueError("more strings than bytes")
        for _ in range(count):
            length, at = read_length(data, at)
            found.append(data[at : at + length].decode())
            at += length


def read_boolean(data: bytes, at: int) -> tuple[bool, int]:
    """A boolean is one byte, 0 or 1."""
    if data[at] > 1:
        raise ValueError("a boolean that is neither 0 nor 1")
    return data[at] == 1, at + 1


def schema_id(data: bytes | None) -> int:
    """The schema id of an event's bytes. Raises Unreadable."""
    if data is None or len(data) < PREFIX.size or data[0] != MAGIC:
        raise Unreadable("no event: it does not begin with a zero byte and a schema id")
    return int.from_bytes(data[1:5], "big")
