"""What settlement knows: batches, payments, how each stands, and the bank's reports that it remembers."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import blake2b
from typing import Literal, NamedTuple

from goodfunds.events.types import (
    BankEntryReported,
    PaymentRejectedByBank,
    PaymentReturned,
    PaymentSettled,
    PaymentStatusReported,
    SettlementContradicted,
)
from goodfunds.frozen import made_fast
from goodfunds.ids import NO_ID
from goodfunds.ledger.posting import Posting

STATEMENT = "camt.053"
UNEXPLAINED = ("unknown_entry", "ambiguous_entry")
"""Kinds of contradictions of answers that name nothing: none fits, or several do."""

Outcome = PaymentSettled | PaymentRejectedByBank | PaymentReturned | SettlementContradicted
Effect = Literal["posted", "forwarded", "repeat", "awaits_statement", "contradicted", "dropped"]


class BatchKey(NamedTuple):
    """What payments of one batch have in common."""

    lane: int
    rail: str
    nostro: str
    currency: str
    requested_date: date


@dataclass(frozen=True, slots=True)
class Batch:
    """Payments of one lane that go out together. `sequence` counts the batches of its key from 1."""

    batch_id: bytes
    key: BatchKey
    sequence: int
    cut_off_at: datetime
    sealed: bool = False
    submitted: bool = False
    refused: bool = False


@made_fast
@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as ingestion accepted it, in its batch of now: the `place`-th after its first."""

    payment_id: bytes
    lane: int
    batch_id: bytes
    amount_minor: int
    account: str
    end_to_end_id: str
    traceparent: bytes
    place: int = 0


class Booking(NamedTuple):
    """How a movement was first reported; `bank_reference` is "" without one; a return lacked charges."""

    source: str
    bank_reference: str
    booking_date: date
    charges_minor: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of a payment. `statuses`: positive ones the bank gave this payment itself."""

    debit: Booking | None = None
    rejected: bool = False
    credit: Booking | None = None
    statuses: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Neither debited nor rejected yet."""
        return self.debit is None and not self.rejected


UNANSWERED = Standing()


class Candidate(NamedTuple):
    """A payment of any lane that an entry without our reference may be about.

    `implied`: no debit of it was reported yet, its return proved it; `debited_on` is the return's day.
    `suspended`: how many bookings like the entry its own lane took to suspense.
    """

    payment_id: bytes
    lane: int
    account: str
    debited_on: date | None
    rejected: bool
    returned_on: date | None
    implied: bool = False
    suspended: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of bookings that cannot be told apart: all reports, and what our books took.

    `unnamed`: of a payment's bookings, those posted where the report did not name it, in its account's lane.
    """

    reports: frozenset[tuple[str, str]] = frozenset()
    posted: int = 0
    forwarded: frozenset[bytes] = frozenset()
    unnamed: int = 0

    def reported_by(self, source: str) -> int:
        """Distinct reports of that source."""
        return sum(1 for known, _ in self.reports if known == source)


BLANK = Memory()


@dataclass(frozen=True, slots=True)
class Note:
    """A report to remember, and what was done about it."""

    booking_key: bytes
    source: str
    identity: str
    effect: Effect
    payment_id: bytes = NO_ID


def remember(memory: Memory, note: Note) -> Memory:
    """The memory with one more report."""
    return Memory(
        memory.reports | {(note.source, note.identity)},
        memory.posted + (note.effect == "posted"),
        memory.forwarded | {note.payment_id} if note.effect == "forwarded" else memory.forwarded,
    )


def identity(entry: BankEntryReported) -> str:
    """What tells a booking from its likes within one source.

    The bank's reference; without one the booking date and the occurrence among entries of the same content
    in its message, which the gateway puts after `#`. Two notifications of one day that each hold one such
    entry count as one booking: money moves on evidence, and the day's statement holds them all.
    """
    if entry.bank_reference:
        return entry.bank_reference
    return f"{entry.booking_date.isoformat()}#{entry.notification_id.rpartition('#')[2]}"


def booking_key(entry: BankEntryReported) -> bytes:
    """Bookings that share this cannot be told apart but by the bank's own references."""
    about = entry.payment_id if entry.payment_id != NO_ID else entry.batch_id
    return _key(
        about,
        entry.nostro.encode(),
        b"" if entry.payment_id != NO_ID else _content(entry),
        entry.currency.encode(),
        entry.credit_debit.encode(),
        b"%d" % entry.reversal,
        b"%d" % entry.amount_minor,
    )


def unnamed(payment: Payment, entry: BankEntryReported) -> BankEntryReported:
    """The payment's entry as a bank reports it that echoes EndToEndId alone."""
    return replace(entry, payment_id=NO_ID, batch_id=NO_ID, end_to_end_id=payment.end_to_end_id)


def _content(entry: BankEntryReported) -> bytes:
    return f"{entry.booking_date.isoformat()} {entry.end_to_end_id}".encode()


def status_key(payment_id: bytes) -> bytes:
    """Under this a rejection that came after the debit is remembered."""
    return _key(payment_id, b"RJCT")


def unattributed_status_key(status: PaymentStatusReported) -> bytes:
    """Under this a status that names no payment of ours is remembered."""
    return _key(status.batch_id, status.end_to_end_id.encode(), status.status.encode())


def sent_on_key(lane: int, answer: BankEntryReported | PaymentStatusReported) -> bytes:
    """Under this a lane remembers an answer that it sent on, for it lay on the wrong lane."""
    return _key(b"sent on", b"%d" % lane, answer.encode())


def _key(*parts: bytes) -> bytes:
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(4, "big"))
        digest.update(part)
    return digest.digest()


@made_fast
@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from one answer; `events` go to settlement-notifications and are kept as outcomes.

    `forward` is (lane, account, event) for another lane; `status` a positive status to keep; `withdrawn`
    takes the payment out of its open batch; `suspended_of` is the day of a booking taken to suspense.
    """

    standing: Standing | None = None
    events: tuple[Outcome, ...] = ()
    postings: tuple[Posting, ...] = ()
    note: Note | None = None
    forward: tuple[int, str, BankEntryReported | PaymentStatusReported] | None = None
    status: PaymentStatusReported | None = None
    withdrawn: bool = False
    suspended_of: date | None = None


NOTHING = Decision()
