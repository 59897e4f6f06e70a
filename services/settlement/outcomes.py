"""The row that keeps an outcome: its event's own facts, and the seq under which it was told. Pure."""

from datetime import date, datetime
from typing import Any

from goodfunds.errors import InvariantBroken
from goodfunds.events.types import PaymentRejectedByBank, PaymentReturned, PaymentSettled
from services.settlement.model import Outcome, Standing

ENDS = frozenset({"settlements", "rejections"})
"""The tables of what ends a payment: it has a row in one of them, once. A return comes after its end."""


def outcome_row(
    event: Outcome, standing: Standing, lane: int, now: datetime, seq: int, suspended_of: date | None
) -> tuple[str, tuple[Any, ...]]:
    """(table, row in the order of its columns). Raises InvariantBroken where the standing denies it."""
    if isinstance(event, PaymentSettled):
        if standing.debit is None:
            raise InvariantBroken(f"settled without a debit: {event.payment_id.hex()}")
        return "settlements", (
            event.payment_id,
            lane,
            event.amount_minor,
            standing.debit.source,
            event.bank_reference,
            event.booking_date,
            now,
            seq,
        )
    if isinstance(event, PaymentRejectedByBank):
        return "rejections", (
            event.payment_id,
            lane,
            event.amount_minor,
            event.reason_code,
            event.reason,
            now,
            seq,
        )
    if isinstance(event, PaymentReturned):
        if standing.credit is None:
            raise InvariantBroken(f"returned without a credit: {event.payment_id.hex()}")
        return "returns", (
            event.payment_id,
            lane,
            event.amount_minor,
            event.charges_minor,
            standing.credit.source,
            event.bank_reference,
            standing.credit.booking_date,
            event.reason_code,
            event.reason,
            now,
            seq,
        )
    return "contradictions", (
        lane,
        seq,
        event.payment_id,
        event.amount_minor,
        event.currency,
        event.nostro,
        event.kind,
        event.bank_reference,
        event.reason_code,
        event.reason,
        now,
        suspended_of,
    )
