"""Builds payments and bank answers for the tests of settlement's decisions."""

from datetime import UTC, date, datetime
from typing import Any

from goodfunds.events.types import BankEntryReported, PaymentStatusReported
from goodfunds.ids import NO_ID
from services.settlement.gateway.reports import Reporter
from services.settlement.model import Batch, BatchKey, Payment

NOW = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
DAY = date(2026, 3, 2)
NOSTRO = "DE89370400440532013000"
BATCH = Batch(b"B" * 16, BatchKey(3, "sepa-credit", NOSTRO, "EUR", DAY), 1, NOW, sealed=True)
REPORTER = Reporter(NOSTRO, nostro_lane=2, partitions=4)
BATCHES = ((b"A" * 16, 0), (b"B" * 16, 1))
"""Of a file: id and lane."""
PAYMENT = Payment(b"P" * 16, 3, BATCH.batch_id, 100_00, "customer-1", "E2E-1", b"")


def entry(**changes: Any) -> BankEntryReported:
    """A booked debit of PAYMENT; `changes` replace its fields."""
    fields: dict[str, Any] = {
        "payment_id": PAYMENT.payment_id,
        "batch_id": NO_ID,
        "amount_minor": PAYMENT.amount_minor,
        "reported_at": 0,
        "currency": "EUR",
        "credit_debit": "DBIT",
        "status": "BOOK",
        "reversal": False,
        "is_return": False,
        "nostro": NOSTRO,
        "end_to_end_id": "E2E-1",
        "instruction_id": "",
        "bank_reference": "BANK-1",
        "booking_date": DAY,
        "value_date": DAY,
        "reason_code": "",
        "reason": "",
        "source": "camt.054",
        "notification_id": "N-1#0",
        "transaction_count": 1,
    }
    return BankEntryReported(**{**fields, **changes})


def returned(**changes: Any) -> BankEntryReported:
    """The return of PAYMENT in full."""
    fields = {"credit_debit": "CRDT", "is_return": True, "bank_reference": "RETURN-1", "reason_code": "AC04"}
    return entry(**{**fields, **changes})


def status(**changes: Any) -> PaymentStatusReported:
    """A rejection of PAYMENT."""
    fields: dict[str, Any] = {
        "payment_id": PAYMENT.payment_id,
        "batch_id": BATCH.batch_id,
        "reported_at": 0,
        "status": "RJCT",
        "reason_code": "AC04",
        "reason": "closed",
        "message_id": "GF1",
        "end_to_end_id": "E2E-1",
    }
    return PaymentStatusReported(**{**fields, **changes})
