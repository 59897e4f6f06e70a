"""What moves a payment's money: its debit, and its return in full, perhaps less charges. Pure."""

from datetime import datetime

from goodfunds.clock import micros
from goodfunds.events.types import BankEntryReported, PaymentReturned, PaymentSettled
from goodfunds.ledger import posting
from services.settlement.model import Batch, Booking, Decision, Memory, Payment, Standing

IMPLIED = "implied"


def settled(
    payment: Payment, batch: Batch, standing: Standing, entry: BankEntryReported, now: datetime
) -> Decision:
    """The bank debited us for it."""
    return Decision(
        Standing(
            Booking(entry.source, entry.bank_reference, entry.booking_date),
            False,
            standing.credit,
            standing.statuses,
        ),
        events=(_settled_event(payment, batch, entry, entry.bank_reference, now),),
        postings=(_settled_posting(payment, batch),),
        withdrawn=not batch.sealed,
    )


def returned(
    payment: Payment,
    batch: Batch,
    standing: Standing,
    entry: BankEntryReported,
    charges_minor: int,
    now: datetime,
) -> Decision:
    """It came back; the customer gets the whole, the house bears the charges."""
    # A bank cannot return what it did not take: a return that overtakes its debit proves it.
    implied = standing.debit is None
    event = PaymentReturned(
        payment_id=payment.payment_id,
        batch_id=batch.batch_id,
        amount_minor=payment.amount_minor,
        charges_minor=charges_minor,
        returned_at=micros(now),
        account=payment.account,
        currency=batch.key.currency,
        rail=batch.key.rail,
        nostro=batch.key.nostro,
        end_to_end_id=payment.end_to_end_id,
        bank_reference=entry.bank_reference,
        reason_code=entry.reason_code,
        reason=entry.reason,
        booking_date=entry.booking_date,
    )
    back = posting.returned_less_charges(
        payment.payment_id, batch.key.rail, batch.key.nostro, payment.amount_minor, charges_minor,
        batch.key.currency,
    )  # fmt: skip
    return Decision(
        Standing(
            standing.debit or Booking(IMPLIED, "", entry.booking_date),
            False,
            Booking(entry.source, entry.bank_reference, entry.booking_date, charges_minor),
            standing.statuses,
        ),
        events=(_settled_event(payment, batch, entry, "", now), event) if implied else (event,),
        postings=(_settled_posting(payment, batch), *back) if implied else back,
        withdrawn=implied and not batch.sealed,
    )


def moves_money(entry: BankEntryReported) -> bool:
    """Whether it is booked, and an amount: banks report interest and fees of 0.00, too."""
    return entry.status == "BOOK" and entry.amount_minor != 0


def charges_kept(payment: Payment, memory: Memory, entry: BankEntryReported) -> int:
    """The charges that make a first credit the whole payment; 0 where they do not.

    A credit that went to suspense for want of its charges stays there: told again with them it is the same.
    """
    whole = 0 < entry.amount_minor == payment.amount_minor - entry.charges_minor
    return entry.charges_minor if whole and entry.charges_minor > 0 and memory.posted == 0 else 0


def amounts_of(entry: BankEntryReported) -> frozenset[int]:
    """The amounts of a payment that an entry can be about."""
    with_charges = entry.charges_minor if brings_back(entry) else 0
    return frozenset({entry.amount_minor, entry.amount_minor + with_charges})


def brings_back(entry: BankEntryReported) -> bool:
    """A return, or the reversal of our debit (ISO 20022: CRDT with RvslInd reverses a debit)."""
    return entry.credit_debit == "CRDT" and (entry.is_return or entry.reversal)


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


def _settled_posting(payment: Payment, batch: Batch) -> posting.Posting:
    return posting.settled(
        payment.payment_id, batch.key.rail, batch.key.nostro, payment.amount_minor, batch.key.currency
    )
