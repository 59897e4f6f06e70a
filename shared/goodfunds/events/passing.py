"""Passing bytes through unread: an instruction's into PaymentAccepted and out again, a statement's lines."""

from struct import Struct

from goodfunds.errors import Unreadable
from goodfunds.events.types import (
    PaymentAccepted,
    PaymentInstruction,
    StatementLine,
    read_payment_instruction,
)
from goodfunds.events.wire import BROKEN, long, schema_id

_HEAD = Struct(">BI16sq")
_ACCEPTED = PaymentAccepted.SCHEMA_ID.to_bytes(5, "big")
_LINE = StatementLine.SCHEMA_ID.to_bytes(5, "big")


def wrap_accepted(payment_id: bytes, instruction: bytes, accepted_at: int) -> bytes:
    """PaymentAccepted around an instruction's Avro body, on the wire. Time in µs since 1970 UTC."""
    return b"".join((_ACCEPTED, payment_id, instruction, long(accepted_at)))


def split_payment_accepted(data: bytes) -> tuple[bytes, int, bytes]:
    """(payment id, minor units, the instruction's Avro body) of a PaymentAccepted on the wire, unread.

    Raises Unreadable where it is none; whether the instruction can be read shows when it is.
    """
    if schema_id(data) != PaymentAccepted.SCHEMA_ID or len(data) < _HEAD.size:
        raise Unreadable("no PaymentAccepted")
    _, _, payment_id, amount_minor = _HEAD.unpack_from(data)
    # The time is the last field: every byte of it but the last has its high bit set, while the one before
    # it, the end of the instruction's array, is zero.
    end = len(data) - 1
    while end > _HEAD.size and data[end - 1] & 0x80:
        end -= 1
    return payment_id, amount_minor, data[21:end]


def with_statement_id(line: bytes, statement_id: bytes) -> bytes:
    """A StatementLine on the wire with this id of its statement, the first of its fields."""
    assert line.startswith(_LINE), "it is a StatementLine"
    return b"".join((_LINE, statement_id, line[21:]))


def decode_instruction(body: bytes) -> PaymentInstruction:
    """An instruction from its Avro body alone. Raises Unreadable."""
    try:
        instruction, at = read_payment_instruction(body, 0)
    except BROKEN as fault:
        raise Unreadable(f"no PaymentInstruction: {fault}") from fault
    if at != len(body):
        raise Unreadable("no PaymentInstruction: bytes too many")
    return instruction


__all__ = [
    "decode_instruction",
    "split_payment_accepted",
    "with_statement_id",
    "wrap_accepted",
]
