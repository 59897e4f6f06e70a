"""What the lanes are told of an answer as it waits for its turn: some bytes ahead of the event's own."""

from struct import Struct
from typing import Final, NamedTuple, get_args

from goodfunds.events.types import (
    BankEntryReported,
    BatchRefused,
    BatchStatusReported,
    PaymentStatusReported,
)
from goodfunds.ids import NO_ID

Event = BankEntryReported | PaymentStatusReported | BatchStatusReported | BatchRefused

_TYPES: Final = tuple(each.__name__ for each in get_args(Event))
_HEAD: Final = Struct(">HBH16sq")
"""Lane, type; of a debit, else 0: the bytes of currency and reference, which follow, its payment, amount."""
_CURRENCY: Final = 3
"""Letters of a code of ISO 4217."""


class Debit(NamedTuple):
    """A booked debit of a payment of ours, under the bank's own reference: what its lane knows it by."""

    payment_id: bytes
    bank_reference: str
    amount_minor: int
    currency: str


class Told(NamedTuple):
    """An event for a lane; `debit` where it tells of one that its lane may have been told of already."""

    lane: int
    event_type: str
    body: bytes
    debit: Debit | None = None


def tell(lane: int, event: Event, debit: Debit | None = None) -> Told:
    """The event as its lane is told it."""
    return Told(lane, type(event).__name__, event.encode(), debit)


def repeated_debit(entry: BankEntryReported) -> Debit | None:
    """The booked debit that an entry of a statement tells of, and perhaps repeats; None for any other."""
    if entry.source != "camt.053" or entry.payment_id == NO_ID or not entry.bank_reference:
        return None
    if (entry.credit_debit, entry.status, entry.reversal) != ("DBIT", "BOOK", False):
        return None
    return Debit(entry.payment_id, entry.bank_reference, entry.amount_minor, entry.currency)


def pack(told: Told) -> bytes:
    """The event as a spool holds it. What is asked of it before it is told stands before it."""
    lane, event_type, body, debit = told
    kind = _TYPES.index(event_type)
    if debit is None:
        return _HEAD.pack(lane, kind, 0, NO_ID, 0) + body
    known_by = f"{debit.currency}{debit.bank_reference}".encode()
    return _HEAD.pack(lane, kind, len(known_by), debit.payment_id, debit.amount_minor) + known_by + body


def unpack(record: bytes) -> Told:
    """The event alone of what `pack` has made."""
    lane, kind, size, _, _ = _HEAD.unpack_from(record)
    return Told(lane, _TYPES[kind], record[_HEAD.size + size :])


def debit_in(record: bytes) -> Debit | None:
    """What `pack` was given besides the event."""
    _, _, size, payment_id, amount_minor = _HEAD.unpack_from(record)
    if not size:
        return None
    known_by = record[_HEAD.size : _HEAD.size + size].decode()
    return Debit(payment_id, known_by[_CURRENCY:], amount_minor, known_by[:_CURRENCY])
