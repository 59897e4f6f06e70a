"""Requests as clients make them, for ingestion's tests; and records as the consumer hands them over."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from aiokafka import ConsumerRecord

from goodfunds.events.topics import PAYMENT_INSTRUCTIONS
from goodfunds.events.types import AccountFundRequested, AccountOpenRequested, PaymentInstruction

CLIENT = "shop"
ACCOUNT = "customer-1"
RAIL = "sepa-credit"
CREDITOR = "FR1420041010050500013M02606"
PRESENT: Any = {
    "amount_minor": 100_00, "requested_execution_date": date(2026, 3, 3), "currency": "EUR", "rail": RAIL,
    "client": CLIENT, "idempotency_key": "key", "end_to_end_id": "E2E-1", "uetr": "",
    "debtor_account": ACCOUNT, "debtor_name": "Customer One", "creditor_account": CREDITOR,
    "creditor_name": "Creditor", "creditor_agent": "", "charge_bearer": "SLEV",
    "remittance_unstructured": "invoice", "remittance_reference": "", "creditor_street": "",
    "creditor_building": "", "creditor_postcode": "", "creditor_town": "", "creditor_country": "",
    "creditor_address_lines": (),
}  # fmt: skip
"""The fields of an instruction that the rail takes."""

Headers = Sequence[tuple[str, bytes | None]]


def instruction(**changes: Any) -> PaymentInstruction:
    """An instruction that the rail takes, but for the changes."""
    return PaymentInstruction(**{**PRESENT, **changes})


def opening(account: str = ACCOUNT, key: str = "open", **changes: Any) -> AccountOpenRequested:
    """A wish to open an account in EUR."""
    fields = {
        "client": CLIENT,
        "idempotency_key": key,
        "account": account,
        "currency": "EUR",
        "name": "One",
    }
    return AccountOpenRequested(**{**fields, **changes})


def funding(
    amount_minor: int, account: str = ACCOUNT, key: str = "fund", **changes: Any
) -> AccountFundRequested:
    """A wish to fund an account in EUR."""
    fields: dict[str, Any] = {
        "client": CLIENT, "idempotency_key": key, "account": account, "currency": "EUR",
        "amount_minor": amount_minor, "source": "test",
    }  # fmt: skip
    return AccountFundRequested(**{**fields, **changes})


def record(
    value: bytes | None,
    headers: Headers = (),
    topic: str = PAYMENT_INSTRUCTIONS,
    partition: int = 0,
    offset: int = 0,
    timestamp: int = 1_772_524_800_000,
) -> ConsumerRecord:
    """A record as the consumer hands it over; its key is one that no one should trust."""
    return ConsumerRecord(
        topic=topic, partition=partition, offset=offset, timestamp=timestamp, timestamp_type=1,
        key=b"not the account", value=value, checksum=None, serialized_key_size=15,
        serialized_value_size=len(value or b""), headers=tuple(headers),
    )  # fmt: skip
