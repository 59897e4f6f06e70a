"""What settlement's HTTP gives: batches, cut-offs, bank files and days of a rail's calendar as JSON."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from goodfunds import ids
from goodfunds.money import format_amount


class BatchView(BaseModel):
    """A batch; counts and amount from its sealing on."""

    batch_id: str
    lane: int
    rail: str
    nostro: str
    currency: str
    requested_date: date
    sequence: int
    cut_off_at: datetime
    opened_at: datetime
    sealed_at: datetime | None
    payments_count: int | None
    amount_minor: int | None
    amount: str | None
    submitted_at: datetime | None
    message_id: str | None
    refused_at: datetime | None
    refusal: str | None


class CutOffView(BaseModel):
    """A cut-off that is to come, and how many open batches it will seal."""

    rail: str
    nostro: str
    currency: str
    requested_date: date
    cut_off_at: datetime
    batches_count: int


class CutOffsClosed(BaseModel):
    """Lanes that were asked to seal their open batches, and those that have."""

    lanes: int
    sealed: int


class BankFileView(BaseModel):
    """A file for the bank. `state`: claimed, that of its last attempt to send, submitted, or refused."""

    message_id: str
    file_name: str
    rail: str
    nostro: str
    requested_date: date
    payments_count: int
    amount_minor: int
    amount: str
    currency: str
    claimed_at: datetime
    submitted_at: datetime | None
    refused_at: datetime | None
    refusal: str | None
    attempts: int
    state: str
    detail: str


class DayView(BaseModel):
    """A day of a rail."""

    day: date
    business_day: bool
    cut_off_at: datetime | None = Field(description="What seals the day's batch; null where it has none.")


def batch_view(row: Any) -> BatchView:
    """A batch from its row."""
    return BatchView(**{**_amount(row), "batch_id": ids.text(row["batch_id"])})


def bank_file_view(row: Any) -> BankFileView:
    """A bank file from its row."""
    return BankFileView(**_amount(row))


def _amount(row: Any) -> dict[str, Any]:
    minor = row["amount_minor"]
    return {**dict(row), "amount": None if minor is None else format_amount(minor, row["currency"])}
