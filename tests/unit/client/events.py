"""Settlement's events as small as they can be, for the client library's tests."""

from datetime import date

from goodfunds.events.types import PaymentSettled, PaymentSubmitted
from goodfunds.ids import NO_ID


def settled(number: int, account: str = "customer-1") -> PaymentSettled:
    """A payment that was settled; its number is in its id, amount and reference."""
    return PaymentSettled(
        payment_id=number.to_bytes(16, "big"), batch_id=NO_ID, amount_minor=number, settled_at=0,
        account=account, currency="EUR", rail="sepa-credit", nostro="", end_to_end_id=f"{number}",
        bank_reference="", booking_date=date(2026, 3, 3), finality="booked",
    )  # fmt: skip


def submitted(number: int, account: str = "customer-1") -> PaymentSubmitted:
    """A payment that the bank has."""
    return PaymentSubmitted(
        payment_id=number.to_bytes(16, "big"), batch_id=NO_ID, amount_minor=number, submitted_at=0,
        account=account, currency="EUR", rail="sepa-credit", nostro="", end_to_end_id="", message_id="",
        requested_execution_date=date(2026, 3, 3),
    )  # fmt: skip
