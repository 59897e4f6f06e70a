"""What reconciliation's HTTP gives: statements, statement files and breaks as JSON."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from goodfunds import ids
from services.reconciliation.model import empty


class StatementView(BaseModel):
    """A bank statement. Amounts in minor units, a balance in our favour is positive."""

    statement_id: str
    nostro: str
    currency: str
    statement_number: str
    bank_statement_id: str
    from_date: date
    to_date: date
    opening_minor: int
    closing_minor: int
    lines_sum_minor: int
    lines_count: int
    opened_at: datetime
    reconciled_at: datetime | None
    corrects: str | None


class BreakView(BaseModel):
    """A difference; `amount_minor`: what the bank shows and our books do not, signed."""

    break_id: str
    lane: int
    about: str
    reason: str
    amount_minor: int
    currency: str
    nostro: str
    payment_id: str | None
    statement_id: str | None
    line_number: int
    detail: str
    opened_at: datetime
    resolved_at: datetime | None
    resolution: str


class FileTaken(BaseModel):
    """A statement file that was handed in."""

    file_id: str
    statements: list[str] = Field(description="Ids of the statements in it.")


class StatementProgress(BaseModel):
    """How far a statement was sent to the lanes: `lines` are its booked ones, `position` those sent."""

    statement_id: str
    position: int
    lines: int | None
    done_at: datetime | None


class FileView(BaseModel):
    """A statement file that was handed in. `taken_at`: when the statement reader took it up."""

    file_id: str
    handed_in_by: str
    received_at: datetime
    taken_at: datetime | None
    statements: list[StatementProgress]


def statement_view(row: Any) -> StatementView:
    """A statement from its row."""
    return StatementView(**_readable(row))


def break_view(row: Any) -> BreakView:
    """A break from its row."""
    return BreakView(**_readable(row))


def file_view(rows: Sequence[Any]) -> FileView:
    """A file from its rows, one a statement."""
    file = rows[0]
    return FileView(
        file_id=ids.text(file["file_id"]),
        handed_in_by=file["client"],
        received_at=file["received_at"],
        taken_at=file["taken_at"],
        statements=[
            StatementProgress(
                statement_id=ids.text(row["statement_id"]),
                position=row["position"] or 0,
                lines=row["lines"],
                done_at=row["done_at"],
            )
            for row in rows
        ],
    )


def _readable(row: Any) -> dict[str, Any]:
    return {
        name: (None if empty(value) else ids.text(value)) if isinstance(value, bytes) else value
        for name, value in row.items()
    }
