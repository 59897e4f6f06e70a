"""HTTP: the batches, the open cut-offs and the bank files of settlement, to look at."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import FastAPI, Query
from pydantic import BaseModel

from goodfunds import ids
from goodfunds.money import format_amount
from goodfunds.observability.http import Problem
from services.settlement.store import SQL, Pool


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


class BankFileView(BaseModel):
    """A file for the bank. `state`: claimed, that of its last attempt to send, submitted, or refused."""

    message_id: str
    file_name: str
    rail: str
    nostro: str
    requested_date: date
    payments_count: int
    amount: str
    currency: str
    claimed_at: datetime
    submitted_at: datetime | None
    refused_at: datetime | None
    refusal: str | None
    attempts: int
    state: str
    detail: str


def add_routes(app: FastAPI, pool: Pool) -> None:
    """Add settlement's routes to its application."""

    @app.get("/v1/batches")
    async def batches(
        before: Annotated[str | None, Query(description="batch id of the last one seen")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> list[BatchView]:
        try:
            seen = ids.parse(before) if before is not None else None
        except ValueError:
            raise Problem(422, "before is a batch id, a UUID") from None
        rows = await pool.fetch(SQL["batches"], seen, limit)
        return [BatchView(**{**_amount(row), "batch_id": ids.text(row["batch_id"])}) for row in rows]

    @app.get("/v1/cut-offs")
    async def cut_offs() -> list[CutOffView]:
        return [CutOffView(**dict(row)) for row in await pool.fetch(SQL["cut_offs"])]

    @app.get("/v1/bank-files")
    async def bank_files(limit: Annotated[int, Query(ge=1, le=500)] = 100) -> list[BankFileView]:
        return [BankFileView(**_amount(row)) for row in await pool.fetch(SQL["bank_files"], limit)]


def _amount(row: Any) -> dict[str, Any]:
    shown = dict(row)
    minor = shown.pop("amount_minor")
    shown["amount"] = None if minor is None else format_amount(minor, shown["currency"])
    return shown
