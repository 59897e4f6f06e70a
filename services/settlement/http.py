"""HTTP: batches, cut-offs, bank files and calendars of settlement, to look at; and closing a cut-off."""

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from time import monotonic
from typing import Annotated, Final

from fastapi import FastAPI, Header, Query, Response
from fastapi.responses import JSONResponse

from goodfunds import ids
from goodfunds.access.principals import Principal
from goodfunds.clock import Clock
from goodfunds.http.documented import problems
from goodfunds.http.door import allowed
from goodfunds.http.paging import Cursor, Limit, Page, id_in, page, place_of
from goodfunds.http.preferences import wait_seconds
from goodfunds.observability.http import Problem
from goodfunds.rails import Rail
from services.settlement import OPERATE, READ
from services.settlement.http_shapes import (
    BankFileView,
    BatchView,
    CutOffsClosed,
    CutOffView,
    DayView,
    bank_file_view,
    batch_view,
)
from services.settlement.store import SQL, Pool

Reader = Annotated[Principal, allowed(READ)]
Operator = Annotated[Principal, allowed(OPERATE)]
_LAST_ID: Final = b"\xff" * 16
_LONGEST_WAIT: Final = 30
_LOOK_EVERY: Final = 0.05
_DAY: Final = timedelta(days=1)
_FIRST: Final = date(2002, 1, 1)
"""Before it the TARGET calendar had other rules."""
_LAST: Final = date(2199, 12, 31)


def add_routes(app: FastAPI, pool: Pool, clock: Clock, rails: Mapping[str, Rail]) -> None:
    """Add settlement's routes to its application."""

    @app.get("/v1/batches", responses=problems())
    async def batches(_: Reader, limit: Limit = 100, cursor: Cursor = None) -> Page[BatchView]:
        """Batches, the newest first."""
        rows = await pool.fetch(SQL["batches"], _before(cursor), limit + 1)
        kept, more = page(rows, limit, limit + 1, lambda row: (ids.text(row["batch_id"]),))
        return Page(items=[batch_view(row) for row in kept], next_cursor=more)

    @app.get("/v1/cut-offs", responses=problems())
    async def cut_offs(_: Reader) -> list[CutOffView]:
        """The cut-offs that are to come, the next first."""
        return [CutOffView(**dict(row)) for row in await pool.fetch(SQL["cut_offs"])]

    @app.post(
        "/v1/cut-offs/close",
        status_code=202,
        responses={
            202: {"model": CutOffsClosed, "description": "Not all lanes have done it yet; they will."},
            200: {"model": CutOffsClosed, "description": "All lanes have sealed their open batches."},
            **problems(),
        },
    )
    async def close_cut_offs(
        operator: Operator,
        prefer: Annotated[
            str | None, Header(description=f"`wait=N`: for the lanes, at most {_LONGEST_WAIT} seconds.")
        ] = None,
    ) -> Response:
        """Seal every open batch now, as if its cut-off had come. Doing it twice seals what came between."""
        requests = await pool.fetch(SQL["request_close_cut_off"], f"http:{operator.client}")
        asked = [row["request_id"] for row in requests]
        deadline = monotonic() + wait_seconds(prefer, _LONGEST_WAIT)
        while True:
            left = await pool.fetchval(SQL["unhandled_requests"], asked)
            if not left or monotonic() >= deadline:
                break
            await asyncio.sleep(_LOOK_EVERY)
        answer = CutOffsClosed(lanes=len(asked), sealed=len(asked) - left)
        return JSONResponse(answer.model_dump(mode="json"), status_code=202 if left else 200)

    @app.get("/v1/bank-files", responses=problems())
    async def bank_files(_: Reader, limit: Limit = 100, cursor: Cursor = None) -> Page[BankFileView]:
        """Files for the bank, the newest first."""
        rows = await pool.fetch(SQL["bank_files_before"], _before(cursor), limit + 1)
        kept, more = page(rows, limit, limit + 1, lambda row: (ids.text(row["file_id"]),))
        return Page(items=[bank_file_view(row) for row in kept], next_cursor=more)

    @app.get("/v1/calendars/{rail}", responses=problems(404))
    async def calendar(
        _: Reader,
        rail: str,
        first: Annotated[date | None, Query(alias="from", description="Else the rail's today.")] = None,
        days: Annotated[int, Query(ge=1, le=366)] = 14,
    ) -> list[DayView]:
        """Days of a rail with their cut-offs (UTC)."""
        found = rails.get(rail)
        if found is None:
            raise Problem(404, "goodfunds has no rail of that name")
        start = first or found.day_of(clock.now())
        if not _FIRST <= start <= _LAST:
            raise Problem(422, f"calendars go from {_FIRST} to {_LAST}")
        return [_day(found, start + number * _DAY) for number in range(days)]


def _day(rail: Rail, day: date) -> DayView:
    open_ = rail.is_business_day(day)
    return DayView(day=day, business_day=open_, cut_off_at=rail.cut_off(day) if open_ else None)


def _before(cursor: str | None) -> bytes:
    place = place_of(cursor, 1)
    return _LAST_ID if place is None else id_in(place[0])
