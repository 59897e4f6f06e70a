"""What a bank's answer about a payment of ours means: pure, one answer at a time, legal in any order."""

from datetime import datetime

from goodfunds import ids
from goodfunds.clock import micros
from goodfunds.events.types import (
    BankEntryReported,
    PaymentRejectedByBank,
    PaymentStatusReported,
    SettlementContradicted,
)
from services.settlement.model import (
    NOTHING,
    Batch,
    Booking,
    Decision,
    Memory,
    Note,
    Payment,
    Standing,
    status_key,
)
from services.settlement.movements import IMPLIED, brings_back, charges_kept, moves_money, returned, settled
from services.settlement.suspense import suspended, told_otherwise


def needs_memory(payment: Payment, batch: Batch, standing: Standing, entry: BankEntryReported) -> bool:
    """Whether the answer to an entry can depend on reports that were remembered; the plain ones do not."""
    plain = entry.amount_minor == payment.amount_minor and entry.currency == batch.key.currency
    if not plain or standing.rejected:
        return True
    if entry.credit_debit == "DBIT":
        return entry.reversal or (standing.debit is not None and _differs(standing.debit, entry))
    if not brings_back(entry):
        return True
    # After a return less charges the whole amount is another.
    return standing.credit is not None and (
        standing.credit.charges_minor > 0 or _differs(standing.credit, entry)
    )


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
    if not moves_money(entry):
        return NOTHING
    charges_minor = 0
    if entry.credit_debit == "DBIT" and not entry.reversal:
        known, first, second = standing.debit, "settled_amount_differs", "second_settlement"
        after_rejection = "settled_after_rejection"
    elif brings_back(entry):
        known, first, second = standing.credit, "return_amount_differs", "second_return"
        after_rejection = "returned_after_rejection"
        charges_minor = known.charges_minor if known is not None else charges_kept(payment, memory, entry)
    else:
        return _suspended(payment, batch, memory, entry, now, "unknown_entry")
    whole = entry.amount_minor + charges_minor == payment.amount_minor
    same_amount = whole and entry.currency == batch.key.currency
    if standing.rejected:
        return _suspended(payment, batch, memory, entry, now, after_rejection)
    if known is not None and _differs(known, entry):
        return _suspended(payment, batch, memory, entry, now, second)
    if known is not None and (same_amount or known.source != IMPLIED):
        # The booking that we have, told again; with another amount the bank contradicts itself.
        return NOTHING if same_amount else told_otherwise(payment, batch, memory, entry, now, first)
    if not same_amount:
        return _suspended(payment, batch, memory, entry, now, first)
    if entry.credit_debit == "DBIT":
        return settled(payment, batch, standing, entry, now)
    return returned(payment, batch, standing, entry, charges_minor, now)


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


def _suspended(
    payment: Payment, batch: Batch, memory: Memory, entry: BankEntryReported, now: datetime, kind: str
) -> Decision:
    taken = memory.posted + memory.unnamed
    return suspended(memory, entry, now, kind, taken=taken, account=payment.account, rail=batch.key.rail)


def _differs(known: Booking, entry: BankEntryReported) -> bool:
    """Proof of another booking: two references of the bank, in the same kind of message."""
    return (
        known.source == entry.source
        and known.bank_reference != ""
        and entry.bank_reference != ""
        and known.bank_reference != entry.bank_reference
    )
