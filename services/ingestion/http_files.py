"""HTTP: payment files in, whole or not at all, and what became of them."""

import asyncio
import io
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from goodfunds import ids
from goodfunds.clock import Clock
from goodfunds.files import pain001
from goodfunds.files.records import GroupHeader, InvalidFile
from goodfunds.http.documented import BODY, headers, problems, taking
from goodfunds.http.uploads import XML, Uploads, errors_of
from goodfunds.money import format_amount
from goodfunds.observability.http import Problem
from services.ingestion.http_payments import Reader, Writer, identified
from services.ingestion.http_shapes import FileTaken, FileView
from services.ingestion.intake import unusable
from services.ingestion.status_report import Fate, report
from services.ingestion.store import SQL, Pool


@dataclass(frozen=True, slots=True)
class _Checked:
    """What is kept in mind of a valid file: `sums` in minor units by currency."""

    header: GroupHeader
    items: int
    sums: Mapping[str, int]


def add_routes(app: FastAPI, pool: Pool, clock: Clock, largest_file: int) -> None:
    """Add /v1/payment-files and what is below it; `largest_file` is in bytes."""
    # A file's payments take five times its size while they are checked, beside the lanes.
    uploads = Uploads(largest_file)

    @app.post(
        "/v1/payment-files",
        status_code=202,
        responses={
            202: {"model": FileTaken, "headers": headers(Location="The file.")},
            200: {"model": FileTaken, "description": "It was taken in before; nothing is done twice."},
            **problems(409, *BODY),
        },
        openapi_extra=taking(
            XML, schema={"type": "string", "format": "binary", "description": "pain.001, not packed"}
        ),
    )
    async def take_file(request: Request, principal: Writer) -> Response:
        """Hand a pain.001 in. Its MsgId is its key: the same file again gives the first answer."""
        client = principal.client
        async with uploads.whole(request) as content:
            digest = sha256(content).digest()
            file = await _read(content)
            file_id = ids.new_id(clock.now())
            inserted = await pool.fetchval(
                SQL["insert_file"], file_id, client, file.header.message_id, digest,
                file.header.message_name, file.items, json.dumps(file.sums), content, clock.now(),
            )  # fmt: skip
        status = 202
        if inserted is None:
            known = await pool.fetchrow(SQL["file_by_message"], client, file.header.message_id)
            # A file is never deleted: what stood in the insert's way is there to be read.
            assert known is not None
            if known["sha256"] != digest:
                raise Problem(
                    409, f"a file with MsgId {file.header.message_id} and other content was taken in before"
                )
            file_id, status = known["file_id"], 200
        answer = FileTaken(file_id=ids.text(file_id), message_id=file.header.message_id, items=file.items)
        told = {"Location": f"/v1/payment-files/{answer.file_id}"}
        return JSONResponse(answer.model_dump(mode="json"), status_code=status, headers=told)

    @app.get("/v1/payment-files/{file_id}", responses=problems(404))
    async def file(file_id: str, principal: Reader) -> FileView:
        row = await pool.fetchrow(SQL["own_file"], principal.client, identified(file_id))
        if row is None:
            raise _no_file()
        sums = {code: format_amount(minor, code) for code, minor in json.loads(row["sums_minor"]).items()}
        own = ids.text(row["file_id"])
        shown = {**dict(row), "file_id": own, "sums": sums}
        return FileView(**shown, status_report=f"/v1/payment-files/{own}/status-report")

    @app.get(
        "/v1/payment-files/{file_id}/status-report",
        response_class=Response,
        responses={
            200: {"description": "pain.002.001.10", "content": {XML: {"schema": {"type": "string"}}}},
            **problems(404),
        },
    )
    async def file_status(file_id: str, principal: Reader) -> Response:
        """The file's pain.002: of each payment ACCP, RJCT with its reason, or PDNG until it is decided."""
        async with uploads.alone():
            row = await pool.fetchrow(SQL["own_file_content"], principal.client, identified(file_id))
            if row is None:
                raise _no_file()
            rows = await pool.fetch(SQL["outcomes_of_file"], principal.client, row["message_id"])
            fates = {each["idempotency_key"]: _fate(each) for each in rows}
            now = clock.now()
            own = ids.message_id(ids.new_id(now))
            content = await asyncio.to_thread(report, row["content"], fates, own, now)
        return Response(content, media_type=XML)


async def _read(content: bytes) -> _Checked:
    """The file, valid as a whole; a thread, so that the lanes go on meanwhile."""
    try:
        return await asyncio.to_thread(_read_whole, content)
    except InvalidFile as fault:
        detail = "the file is refused whole: nothing of it was taken in"
        raise Problem(422, detail, errors=errors_of(fault)) from fault


def _read_whole(content: bytes) -> _Checked:
    file = pain001.read_whole(io.BytesIO(content))
    errors = unusable(file)
    if errors:
        raise InvalidFile(errors, file.header.message_id)
    sums: Counter[str] = Counter()
    for transfer in file.transfers:
        sums[transfer.currency] += transfer.amount_minor
    return _Checked(file.header, len(file.transfers), sums)


def _fate(row: Any) -> Fate:
    if row["state"] == "rejected":
        return Fate(True, row["reason_code"], row["reason"])
    if row["refund_cause"] == "rejected":
        return Fate(True, row["refund_reason_code"])
    # One that was returned after it was settled was accepted; its return is told elsewhere.
    return Fate(False)


def _no_file() -> Problem:
    return Problem(404, "no payment file of yours has that id")
