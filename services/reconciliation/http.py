"""Reconciliation over HTTP: statements and breaks, to look at."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import FastAPI, Query
from pydantic import BaseModel

from services.reconciliation.model import empty
from services.reconciliation.store import SQL

Limit = Annotated[int, Query(ge=1, le=1000)]


class StatementOut(BaseModel):
    """A bank statement. Amounts in minor units, a balance in our favour is positive."""

    statement_id: UUID
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
    corrects: UUID | None


class BreakOut(BaseModel):
    """A difference; `amount_minor`: what the bank shows and our books do not, signed."""

    break_id: UUID
    lane: int
    about: str
    reason: str
    amount_minor: int
    currency: str
    nostro: str
    payment_id: UUID | None
    statement_id: UUID | None
    line_number: int
    detail: str
    opened_at: datetime
    resolved_at: datetime | None
    resolution: str


def add_routes(app: FastAPI, pool: "asyncpg.Pool[Any]") -> None:
    """Add /v1/statements and /v1/breaks, newest first."""

    @app.get("/v1/statements")
    async def statements(limit: Limit = 100) -> list[StatementOut]:
        rows = await pool.fetch(SQL["list_statements"], limit)
        return [StatementOut(**_readable(row)) for row in rows]

    @app.get("/v1/breaks")
    async def breaks(limit: Limit = 100, resolved: bool = False) -> list[BreakOut]:
        """Open breaks; with `resolved`, those explained since too."""
        rows = await pool.fetch(SQL["list_breaks"], limit, resolved)
        return [BreakOut(**_readable(row)) for row in rows]


def _readable(row: Any) -> dict[str, Any]:
    return {
        name: (None if empty(value) else UUID(bytes=value)) if isinstance(value, bytes) else value
        for name, value in row.items()
    }
