"""What a bank's answer about a payment of ours means: pure, one answer at a time, legal in any order."""

from datetime import datetime

from goodfunds import ids
from goodfunds.clock import micros
from goodfunds.events.types import (
    BankEntryReported,
    PaymentRejectedByBank,
    PaymentReturned,
    PaymentSettled,
    PaymentStatusReported,
    SettlementContradicted,
)
from goodfunds.ledger import posting
from services.settlement.model import (
    NOTHING,
    SUSPENSE,
    Batch,
    Booking,
    Decision,
    Effect,
    Memory,
    Note,
    Payment,
    Standing,
    booking_key,
    identity,
    status_key,
)

IMPLIED = "implied"


def needs_memory(payment: Payment, batch: Batch, standing: Standing, entry: BankEntryReported) -> bool:
    """Whether the answer to an entry can depend on reports that were remembered; the plain ones do not."""
    plain = entry.amount_minor == payment.amount_minor and entry.currency == batch.key.currency
    if not plain or standing.rejected:
        return True
    if entry.credit_debit == "DBIT":
        return entry.reversal or (standing.debit is not None and _differs(standing.debit, entry))
    return not brings_back(entry) or (standing.credit is not None and _differs(standing.credit, entry))


def on_entry(
    payment: Payment,
    batch: Batch,
    standing: Standing,
    memory: Memory,
    entry: BankEntryReported,
    now: datetime,
) -> Decision:
    """A booking that names a payment of ours (camt.054, camt.053; `Sts` BOOK only, `RvslInd` honoured).

    A payment is debited once and returned once, whatever is reported how often. A further booking is
    believed only where the same kind of message gave it another reference, and goes to suspense.
    """
    if entry.status != "BOOK":
        return NOTHING
    same_amount = entry.amount_minor == payment.amount_minor and entry.currency == batch.key.currency
    if entry.credit_debit == "DBIT" and not entry.reversal:
        if not same_amount:
            return _suspended(payment, batch, memory, entry, now, "settled_amount_differs")
        if standing.rejected:
            return _suspended(payment, batch, memory, entry, now, "settled_after_rejection")
        if standing.debit is None:
            return _settled(payment, batch, standing, entry, now)
        if _differs(standing.debit, entry):
            return _suspended(payment, batch, memory, entry, now, "second_settlement")
        return NOTHING
    if brings_back(entry):
        if standing.rejected:
            return _suspended(payment, batch, memory, entry, now, "returned_after_rejection")
        if not same_amount:
            return _suspended(payment, batch, memory, entry, now, "return_amount_differs")
        if standing.credit is None:
            return _returned(payment, batch, standing, entry, now)
        if _differs(standing.credit, entry):
            return _suspended(payment, batch, memory, entry, now, "second_return")
        return NOTHING
    return _suspended(payment, batch, memory, entry, now, "unknown_entry")


def on_status(
    payment: Payment,
    batch: Batch,
    standing: Standing,
    memory: Memory,
    status: PaymentStatusReported,
    now: datetime,
) -> Decision:
    """A status of one payment (pain.002). Only a rejection has an effect, and only before the debit.

    What refers to a batch that the payment has left (its file was refused) says nothing of its new one.
    """
    if status.batch_id not in (ids.NO_ID, payment.batch_id):
        return NOTHING
    if status.status == "RJCT":
        return rejected(payment, batch, standing, memory, status.reason_code, status.reason, now)
    if status.status in standing.statuses:
        return NOTHING
    return Decision(
        Standing(standing.debit, standing.rejected, standing.credit, (*standing.statuses, status.status)),
        status=status,
    )


def rejected(
    payment: Payment,
    batch: Batch,
    standing: Standing,
    memory: Memory,
    reason_code: str,
    reason: str,
    now: datetime,
) -> Decision:
    """The bank rejects a payment: alone, or with its whole batch. No posting: ingestion holds its money."""
    if standing.rejected or standing.credit is not None:
        return NOTHING
    if standing.debit is not None:
        note = Note(status_key(payment.payment_id), "pain.002", "RJCT", "contradicted", payment.payment_id)
        if (note.source, note.identity) in memory.reports:
            return NOTHING
        event = SettlementContradicted(
            payment_id=payment.payment_id,
            amount_minor=0,
            found_at=micros(now),
            account=payment.account,
            currency=batch.key.currency,
            rail=batch.key.rail,
            nostro=batch.key.nostro,
            end_to_end_id=payment.end_to_end_id,
            bank_reference=standing.debit.bank_reference,
            kind="rejected_after_settlement",
            reason_code=reason_code,
            reason=reason or "rejected after its debit was booked",
        )
        return Decision(events=(event,), note=note)
    rejection = PaymentRejectedByBank(
        payment_id=payment.payment_id,
        batch_id=batch.batch_id,
        amount_minor=payment.amount_minor,
        rejected_at=micros(now),
        account=payment.account,
        currency=batch.key.currency,
        rail=batch.key.rail,
        nostro=batch.key.nostro,
        end_to_end_id=payment.end_to_end_id,
        reason_code=reason_code,
        reason=reason,
    )
    return Decision(
        Standing(None, True, None, standing.statuses), events=(rejection,), withdrawn=not batch.sealed
    )


def _settled(
    payment: Payment, batch: Batch, standing: Standing, entry: BankEntryReported, now: datetime
) -> Decision:
    return Decision(
        Standing(Booking(entry.source, entry.bank_reference), False, standing.credit, standing.statuses),
        events=(_settled_event(payment, batch, entry, entry.bank_reference, now),),
        postings=(_settled_posting(payment, batch, now),),
        withdrawn=not batch.sealed,
    )


def _returned(
    payment: Payment, batch: Batch, standing: Standing, entry: BankEntryReported, now: datetime
) -> Decision:
    # A bank cannot return what it did not take: a return that overtakes its debit proves it.
    implied = standing.debit is None
    event = PaymentReturned(
        payment_id=payment.payment_id,
        batch_id=batch.batch_id,
        amount_minor=payment.amount_minor,
        charges_minor=0,
        returned_at=micros(now),
        account=payment.account,
        currency=batch.key.currency,
        rail=batch.key.rail,
        nostro=batch.key.nostro,
        end_to_end_id=payment.end_to_end_id,
        bank_reference=entry.bank_reference,
        reason_code=entry.reason_code,
        reason=entry.reason,
    )
    returned = posting.returned(
        payment.lane, payment.payment_id, batch.key.rail, batch.key.nostro,
        payment.amount_minor, batch.key.currency, now,
    )  # fmt: skip
    return Decision(
        Standing(
            standing.debit or Booking(IMPLIED, ""),
            False,
            Booking(entry.source, entry.bank_reference),
            standing.statuses,
        ),
        events=(_settled_event(payment, batch, entry, "", now), event) if implied else (event,),
        postings=(_settled_posting(payment, batch, now), *returned) if implied else tuple(returned),
        withdrawn=not batch.sealed,
    )


def _suspended(
    payment: Payment, batch: Batch, memory: Memory, entry: BankEntryReported, now: datetime, kind: str
) -> Decision:
    return suspended(
        payment.lane, memory, entry, now, kind, taken=memory.posted,
        account=payment.account, rail=batch.key.rail,
    )  # fmt: skip


def suspended(
    lane: int,
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
    debit = entry.credit_debit == "DBIT"
    nostro = posting.nostro(entry.nostro)
    event = SettlementContradicted(
        payment_id=entry.payment_id,
        amount_minor=-entry.amount_minor if debit else entry.amount_minor,
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
    moved = posting.Posting(
        lane=lane,
        entry_id=ids.derived_id(0, key, entry.source.encode(), own.encode()),
        debit_account=SUSPENSE if debit else nostro,
        credit_account=nostro if debit else SUSPENSE,
        amount_minor=entry.amount_minor,
        currency=entry.currency,
        kind="contradicted",
        posted_at=now,
    )
    return Decision(events=(event,), postings=(moved,), note=note)


def brings_back(entry: BankEntryReported) -> bool:
    """A return, or the reversal of our debit (ISO 20022: CRDT with RvslInd reverses a debit)."""
    return entry.credit_debit == "CRDT" and (entry.is_return or entry.reversal)


def _differs(known: Booking, entry: BankEntryReported) -> bool:
    """Proof of another booking: two references of the bank, in the same kind of message."""
    return (
        known.source == entry.source
        and known.bank_reference != ""
        and entry.bank_reference != ""
        and known.bank_reference != entry.bank_reference
    )


def _settled_event(
    payment: Payment, batch: Batch, entry: BankEntryReported, bank_reference: str, now: datetime
) -> PaymentSettled:
    return PaymentSettled(
        payment_id=payment.payment_id,
        batch_id=batch.batch_id,
        amount_minor=payment.amount_minor,
        settled_at=micros(now),
        account=payment.account,
        currency=batch.key.currency,
        rail=batch.key.rail,
        nostro=batch.key.nostro,
        end_to_end_id=payment.end_to_end_id,
        bank_reference=bank_reference,
        booking_date=entry.booking_date,
        finality="booked",
    )


def _settled_posting(payment: Payment, batch: Batch, now: datetime) -> posting.Posting:
    return posting.settled(
        payment.lane, payment.payment_id, batch.key.rail, batch.key.nostro,
        payment.amount_minor, batch.key.currency, now,
    )  # fmt: skip
