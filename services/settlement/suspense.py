"""Bookings that our books do not explain: kept in suspense, so that our nostro stays equal to the bank's."""

from datetime import datetime

from goodfunds import ids
from goodfunds.clock import micros
from goodfunds.events.types import BankEntryReported, SettlementContradicted
from goodfunds.ledger import posting
from services.settlement.model import (
    NOTHING,
    Batch,
    Decision,
    Effect,
    Memory,
    Note,
    Payment,
    booking_key,
    identity,
)


def suspended(
    memory: Memory,
    entry: BankEntryReported,
    now: datetime,
    kind: str,
    *,
    taken: int,
    account: str = "",
    rail: str = "",
) -> Decision:
    """Take a booking that our books do not explain to suspense, so that the nostro stays the bank's.

    Once a booking: `taken` of its likes are in our books, and this is a new one only where its source has
    now reported more than that.
    """
    own = identity(entry)
    if (entry.source, own) in memory.reports:
        return NOTHING
    key = booking_key(entry)
    new = memory.reported_by(entry.source) + 1 > taken
    effect: Effect = "posted" if new else "repeat"
    note = Note(key, entry.source, own, effect, entry.payment_id)
    if not new:
        return Decision(note=note)
    signed_minor = -entry.amount_minor if entry.credit_debit == "DBIT" else entry.amount_minor
    event = _event(entry, signed_minor, account, rail, now, kind)
    entry_id = ids.derived_id(0, key, entry.source.encode(), own.encode())
    moved = posting.contradicted(entry_id, entry.nostro, signed_minor, entry.currency)
    return Decision(events=(event,), postings=(moved,), note=note, suspended_of=entry.booking_date)


def told_otherwise(
    payment: Payment, batch: Batch, memory: Memory, entry: BankEntryReported, now: datetime, kind: str
) -> Decision:
    """A booking that our books have, reported again with another amount: moves no money, is told once."""
    own = identity(entry)
    if (entry.source, own) in memory.reports:
        return NOTHING
    note = Note(booking_key(entry), entry.source, own, "contradicted", entry.payment_id)
    return Decision(events=(_event(entry, 0, payment.account, batch.key.rail, now, kind),), note=note)


def _event(
    entry: BankEntryReported, signed_minor: int, account: str, rail: str, now: datetime, kind: str
) -> SettlementContradicted:
    return SettlementContradicted(
        payment_id=entry.payment_id,
        amount_minor=signed_minor,
        found_at=micros(now),
        account=account,
        currency=entry.currency,
        rail=rail,
        nostro=entry.nostro,
        end_to_end_id=entry.end_to_end_id,
        bank_reference=entry.bank_reference,
        kind=kind,
        reason_code=entry.reason_code,
        reason=entry.reason,
    )
