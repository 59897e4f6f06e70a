"""Answers that do not name a payment: with EndToEndId alone, and entries of whole batches.

Such an entry moves money in our books only where exactly one payment fits, or when the statement itself
shows it: a camt.054 that explains nothing is remembered, the camt.053 of its day holds the same booking.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from goodfunds import ids
from goodfunds.clock import micros
from goodfunds.events.types import BankEntryReported, PaymentStatusReported, SettlementContradicted
from services.settlement.decide import on_entry
from services.settlement.model import (
    BLANK,
    NOTHING,
    STATEMENT,
    Batch,
    Candidate,
    Decision,
    Memory,
    Note,
    Payment,
    Standing,
    booking_key,
    identity,
    unattributed_status_key,
)
from services.settlement.movements import amounts_of, brings_back, moves_money
from services.settlement.suspense import suspended

Member = tuple[Payment, Standing]


def on_unattributed_entry(
    candidates: Sequence[Candidate],
    memory: Memory,
    entry: BankEntryReported,
    now: datetime,
    told_as: str = "",
) -> Decision:
    """An entry in the nostro's lane; `candidates` are payments of all lanes with its EndToEndId and amount.

    The n-th report of a source is a new booking only where our books hold fewer than n: counted are
    candidates booked on that day, those sent to their lane from here, and what went to suspense, here or in
    their lane. Where no other fits, it is about the one whose return overtook its debit, the one that was
    rejected, or the one that has such a booking: their lane knows whether it has this one.

    `told_as`: before a restore it was told to be in suspense as this; there it stays, whatever fits now.
    """
    if not moves_money(entry):
        return NOTHING
    own = identity(entry)
    if (entry.source, own) in memory.reports:
        return NOTHING
    if told_as and entry.source == STATEMENT:
        return suspended(memory, entry, now, told_as, taken=memory.posted)
    if told_as:
        return Decision(note=Note(booking_key(entry), entry.source, own, "awaits_statement"))
    overtaken: list[Candidate] = []
    denied = [each for each in candidates if each.rejected]
    if entry.credit_debit == "DBIT" and not entry.reversal:
        booked = {each.payment_id for each in candidates if each.debited_on == entry.booking_date}
        fitting = [each for each in candidates if each.debited_on is None and not each.rejected]
        overtaken = [each for each in candidates if each.implied]
    elif brings_back(entry):
        booked = {each.payment_id for each in candidates if each.returned_on == entry.booking_date}
        fitting = [each for each in candidates if each.returned_on is None and not each.rejected]
    else:
        booked, fitting, denied = set(), [], []
    fitting = [each for each in fitting if each.payment_id not in memory.forwarded]
    taken = memory.posted + len(booked | memory.forwarded)
    taken += sum(each.suspended for each in candidates if not each.rejected)
    if memory.reported_by(entry.source) + 1 <= taken:
        return Decision(note=Note(booking_key(entry), entry.source, own, "repeat"))
    about = fitting or overtaken or denied
    if not about and entry.source != STATEMENT:
        about = [each for each in candidates if each.payment_id in booked]
    if len(about) == 1:
        found = about[0]
        return Decision(
            note=Note(booking_key(entry), entry.source, own, "forwarded", found.payment_id),
            forward=(found.lane, found.account, replace(entry, payment_id=found.payment_id)),
        )
    if entry.source != STATEMENT:
        return Decision(note=Note(booking_key(entry), entry.source, own, "awaits_statement"))
    kind = "ambiguous_entry" if fitting else "unknown_entry"
    return suspended(memory, entry, now, kind, taken=taken)


def on_unattributed_status(
    candidates: Sequence[Candidate],
    memory: Memory,
    status: PaymentStatusReported,
    nostro: str,
    currency: str,
    now: datetime,
    told_as: str = "",
) -> Decision:
    """A status that echoes EndToEndId alone: sent to its lane where one open payment fits.

    A rejection of the only payment that it can be goes there too where that is booked: its lane tells the
    contradiction. One that fits none or several moves nothing and is reported once; other statuses are
    dropped. What fits hangs on what became of others since, so what was done about a status stands.
    `told_as`: before a restore it was told as this kind of contradiction, and stays one.
    """
    note = Note(unattributed_status_key(status), "pain.002", status.message_id, "contradicted")
    if (note.source, note.identity) in memory.reports:
        return NOTHING
    fitting = [each for each in candidates if each.debited_on is None and not each.rejected]
    denied = any(each.rejected for each in candidates)
    about = candidates if status.status == "RJCT" and not fitting and not denied else fitting
    if len(about) == 1 and not told_as:
        found = about[0]
        return Decision(
            note=replace(note, effect="forwarded", payment_id=found.payment_id),
            forward=(found.lane, found.account, replace(status, payment_id=found.payment_id)),
        )
    if status.status != "RJCT":
        return Decision(note=replace(note, effect="dropped")) if fitting else NOTHING
    if not told_as and not fitting and denied:
        return NOTHING
    event = SettlementContradicted(
        payment_id=ids.NO_ID,
        amount_minor=0,
        found_at=micros(now),
        account="",
        currency=currency,
        rail="",
        nostro=nostro,
        end_to_end_id=status.end_to_end_id,
        bank_reference="",
        kind=told_as or ("ambiguous_entry" if fitting else "unknown_entry"),
        reason_code=status.reason_code,
        reason=status.reason or "a rejection that names no payment of ours",
    )
    return Decision(events=(event,), note=note)


def named_in_batch(members: Sequence[Member], entry: BankEntryReported) -> BankEntryReported | None:
    """The entry with its payment, where in its batch one alone has its EndToEndId and amount."""
    if not entry.end_to_end_id or entry.transaction_count > 1:
        return None
    fitting = [
        payment
        for payment, _ in members
        if payment.end_to_end_id == entry.end_to_end_id and payment.amount_minor in amounts_of(entry)
    ]
    return replace(entry, payment_id=fitting[0].payment_id) if len(fitting) == 1 else None


def on_batch_entry(
    batch: Batch, members: Sequence[Member], memory: Memory, entry: BankEntryReported, now: datetime
) -> Iterator[tuple[Payment | None, Decision]]:
    """An entry of a whole batch without details: settles what was not rejected, if count and sum agree.

    One that is remembered does not come here: what was done about it stands.
    """
    if not moves_money(entry):
        return
    standing_payments = [(payment, standing) for payment, standing in members if not standing.rejected]
    agrees = (
        entry.credit_debit == "DBIT"
        and not entry.reversal
        and entry.currency == batch.key.currency
        and entry.transaction_count in (0, len(standing_payments))
        and entry.amount_minor == sum(payment.amount_minor for payment, _ in standing_payments)
    )
    if agrees and memory.posted == 0:
        for payment, standing in standing_payments:
            if standing.debit is None:
                single = replace(entry, payment_id=payment.payment_id, amount_minor=payment.amount_minor)
                # A plain debit of an open payment: nothing that is remembered can matter.
                yield payment, on_entry(payment, batch, standing, BLANK, single, now)
    elif entry.source == STATEMENT:
        yield (
            None,
            suspended(memory, entry, now, "unknown_entry", taken=memory.posted, rail=batch.key.rail),
        )
    else:
        yield None, Decision(note=Note(booking_key(entry), entry.source, identity(entry), "awaits_statement"))
