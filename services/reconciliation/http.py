"""HTTP: statements and breaks of reconciliation, to look at; and a bank's statements, handed in."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from hashlib import sha256
from io import BytesIO
from typing import Annotated, Any, Final, Literal

import asyncpg
from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse

from goodfunds import ids
from goodfunds.access.principals import Principal
from goodfunds.clock import EPOCH, Clock
from goodfunds.files.records import InvalidFile
from goodfunds.http.documented import BODY, headers, problems, taking
from goodfunds.http.door import allowed
from goodfunds.http.paging import (
    EXAMINED,
    Cursor,
    Limit,
    Page,
    day_in,
    id_in,
    instant_in,
    page,
    place_of,
)
from goodfunds.http.uploads import XML, Uploads, errors_of
from goodfunds.observability.http import Problem
from goodfunds.spool import Spool
from services.reconciliation import READ, STATEMENTS_WRITE
from services.reconciliation.http_shapes import (
    BreakView,
    FileTaken,
    FileView,
    StatementView,
    break_view,
    file_view,
    statement_view,
)
from services.reconciliation.statement_lines import UNREADABLE, read_file
from services.reconciliation.store import SQL

Reader = Annotated[Principal, allowed(READ)]
Writer = Annotated[Principal, allowed(STATEMENTS_WRITE)]
About = Literal["line", "item", "statement", "contradiction"]
Code = Annotated[str | None, Query(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]

_LAST_ID: Final = b"\xff" * 16
_LAST_DAY: Final = date.max
_LAST_INSTANT: Final = EPOCH.replace(year=9999)
_LARGEST: Final = 64 * 1024 * 1024


def add_routes(app: FastAPI, pool: "asyncpg.Pool[Any]", clock: Clock, partitions: int) -> None:
    """Add /v1/statements, /v1/statement-files and /v1/breaks."""
    uploads = Uploads(_LARGEST)

    @app.get("/v1/statements", responses=problems())
    async def statements(_: Reader, limit: Limit = 100, cursor: Cursor = None) -> Page[StatementView]:
        """Statements, the latest day first."""
        place = place_of(cursor, 2)
        day, before = (_LAST_DAY, _LAST_ID) if place is None else (day_in(place[0]), id_in(place[1]))
        rows = await pool.fetch(SQL["statements_before"], day, before, limit + 1)
        kept, more = page(
            rows, limit, limit + 1, lambda row: (row["to_date"].isoformat(), ids.text(row["statement_id"]))
        )
        return Page(items=[statement_view(row) for row in kept], next_cursor=more)

    @app.get("/v1/breaks", responses=problems())
    async def breaks(
        _: Reader,
        limit: Limit = 100,
        cursor: Cursor = None,
        resolved: Annotated[bool, Query(description="Those explained since, too.")] = False,
        about: About | None = None,
        reason: Code = None,
        nostro: Code = None,
        currency: Code = None,
    ) -> Page[BreakView]:
        """Breaks, the newest first."""
        wanted = {"about": about, "reason": reason, "nostro": nostro, "currency": currency}
        named = {name: value for name, value in wanted.items() if value is not None}
        place = place_of(cursor, 2)
        at, before = (_LAST_INSTANT, _LAST_ID) if place is None else (instant_in(place[0]), id_in(place[1]))
        asked = max(limit + 1, EXAMINED) if named else limit + 1
        statement = SQL["breaks_before" if resolved else "unresolved_breaks_before"]
        kept, more = page(
            await pool.fetch(statement, at, before, asked),
            limit,
            asked,
            lambda row: (row["opened_at"].isoformat(), ids.text(row["break_id"])),
            lambda row: all(row[name] == value for name, value in named.items()),
        )
        return Page(items=[break_view(row) for row in kept], next_cursor=more)

    @app.post(
        "/v1/statement-files",
        status_code=202,
        responses={
            202: {"model": FileTaken, "headers": headers(Location="The file.")},
            200: {"model": FileTaken, "description": "It was handed in before; nothing is done twice."},
            **problems(*BODY),
        },
        openapi_extra=taking(
            XML, schema={"type": "string", "format": "binary", "description": "camt.053, not packed"}
        ),
    )
    async def hand_in(request: Request, principal: Writer) -> Response:
        """Hand a bank's camt.053 in, as if it lay in the bank's outbox; taken whole or not at all.

        A statement that came before, in whatever file, is known by what it says and not taken twice.
        """
        async with uploads.whole(request) as content:
            named = await _read(content, partitions)
            digest, file_id = sha256(content).digest(), ids.new_id(clock.now())
            inserted = await pool.fetchval(
                SQL["hand_in"], file_id, principal.client, digest, named, content, clock.now()
            )
        if inserted is None:
            file_id = await pool.fetchval(SQL["handed_in_before"], digest)
        answer = FileTaken(file_id=ids.text(file_id), statements=list(map(ids.text, named)))
        return JSONResponse(
            answer.model_dump(mode="json"),
            status_code=200 if inserted is None else 202,
            headers={"Location": f"/v1/statement-files/{answer.file_id}"},
        )

    @app.get("/v1/statement-files/{file_id}", responses=problems(404))
    async def file(_: Reader, file_id: str) -> FileView:
        try:
            rows = await pool.fetch(SQL["handed_in_file"], ids.parse(file_id))
        except ValueError:
            raise Problem(404, "an id is a UUID") from None
        if not rows:
            raise Problem(404, "no statement file has that id")
        return file_view(rows)


async def _read(content: bytes, partitions: int) -> Sequence[bytes]:
    """The ids of a file's statements, in a thread, so that the lanes go on. Raises Problem 422."""
    try:
        found = await asyncio.to_thread(_ids, content, partitions)
    except InvalidFile as fault:
        raise _refused("it is no camt.053 that can be read", errors_of(fault)) from fault
    except UNREADABLE as fault:
        raise _refused(str(fault), []) from fault
    if not found:
        raise _refused("there is no statement in it", [])
    return found


def _ids(content: bytes, partitions: int) -> Sequence[bytes]:
    with closing(Spool()) as spool:
        return [each.statement_id for each in read_file(BytesIO(content), partitions, spool)]


def _refused(why: str, errors: list[dict[str, Any]]) -> Problem:
    return Problem(422, f"the file is refused whole: {why}", errors=errors)
