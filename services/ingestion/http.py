"""HTTP: payment files in, whole or not at all, and what became of files and payments."""

import asyncio
import io
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any

from fastapi import FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from goodfunds import ids
from goodfunds.clock import Clock
from goodfunds.files import pain001
from goodfunds.files.records import GroupHeader, InvalidFile
from goodfunds.money import format_amount
from goodfunds.observability.http import Problem
from services.ingestion.intake import unusable
from services.ingestion.store import SQL, Pool

_CLIENT = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
_MOST_ERRORS = 100
ClientName = Annotated[str, Header(alias="X-Client", description="who sends; tokens replace it later")]


class FileView(BaseModel):
    """A payment file. `position`: items that stand on the topic; `accepted` and `rejected` so far."""

    file_id: str
    message_id: str
    format: str
    items: int
    sums: dict[str, str]
    position: int
    accepted: int
    rejected: int
    received_at: datetime
    finished_at: datetime | None


class PaymentView(BaseModel):
    """What ingestion decided of a payment."""

    payment_id: str
    idempotency_key: str
    debtor_account: str
    amount: str
    currency: str
    rail: str
    state: str
    reason_code: str
    reason: str
    end_to_end_id: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class _Checked:
    """What is kept in mind of a valid file: `sums` in minor units by currency."""

    header: GroupHeader
    items: int
    sums: Mapping[str, int]


def add_routes(app: FastAPI, pool: Pool, clock: Clock, largest_file: int) -> None:
    """Add ingestion's routes to its application."""
    # A file's payments take five times its size while they are checked, beside the lanes: one file at a time.
    reading = asyncio.Lock()

    @app.post("/v1/payment-files", status_code=202)
    async def take_file(request: Request, client: ClientName = "local") -> Response:
        if _CLIENT.fullmatch(client) is None:
            raise Problem(422, "X-Client is 1 to 100 letters, digits, dots, dashes or underscores")
        content = await _body(request, largest_file)
        digest = sha256(content).digest()
        async with reading:
            file = await _read(content)
        file_id = ids.new_id(clock.now())
        inserted = await pool.fetchval(
            SQL["insert_file"], file_id, client, file.header.message_id, digest, file.header.message_name,
            file.items, json.dumps(file.sums), content, clock.now(),
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
        location = f"/v1/payment-files/{ids.text(file_id)}"
        answer = {
            "file_id": ids.text(file_id),
            "message_id": file.header.message_id,
            "items": file.items,
        }
        return JSONResponse(answer, status_code=status, headers={"Location": location})

    @app.get("/v1/payment-files/{file_id}")
    async def file(file_id: str) -> FileView:
        row = await pool.fetchrow(SQL["file_by_id"], _id(file_id))
        if row is None:
            raise Problem(404, "no payment file has that id")
        sums = {code: format_amount(minor, code) for code, minor in json.loads(row["sums_minor"]).items()}
        return FileView(**{**dict(row), "file_id": file_id, "sums": sums})

    @app.get("/v1/payments/by-key/{key:path}")
    async def payment_by_key(key: str, client: ClientName = "local") -> PaymentView:
        # Postgres' text holds no NUL, so no key does.
        row = None if "\0" in key else await pool.fetchrow(SQL["payment_by_key"], client, key)
        return _payment(row)

    @app.get("/v1/payments/{payment_id}")
    async def payment(payment_id: str) -> PaymentView:
        return _payment(await pool.fetchrow(SQL["payment_by_id"], _id(payment_id)))


async def _body(request: Request, largest: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > largest:
            raise Problem(413, f"a file has at most {largest} bytes")
        parts.append(part)
    return b"".join(parts)


async def _read(content: bytes) -> _Checked:
    """The file, valid as a whole; a thread, so that the lanes go on meanwhile."""
    try:
        return await asyncio.to_thread(_read_whole, content)
    except InvalidFile as fault:
        errors = [
            {"code": each.code, "line": each.line, "path": each.path, "message": each.message}
            for each in fault.errors[:_MOST_ERRORS]
        ]
        raise Problem(422, "the file is refused whole: nothing of it was taken in", errors=errors) from fault


def _read_whole(content: bytes) -> _Checked:
    file = pain001.read_whole(io.BytesIO(content))
    errors = unusable(file)
    if errors:
        raise InvalidFile(errors, file.header.message_id)
    sums: Counter[str] = Counter()
    for transfer in file.transfers:
        sums[transfer.currency] += transfer.amount_minor
    return _Checked(file.header, len(file.transfers), sums)


def _id(text: str) -> bytes:
    try:
        return ids.parse(text)
    except ValueError:
        raise Problem(404, "an id is a UUID") from None


def _payment(row: Any) -> PaymentView:
    if row is None:
        raise Problem(404, "no such payment was decided (yet)")
    currency = row["currency"]
    try:
        amount = format_amount(row["amount_minor"], currency)
    except ValueError:
        # A rejected payment may name a currency that does not exist.
        amount = str(row["amount_minor"])
    return PaymentView(**{**dict(row), "payment_id": ids.text(row["payment_id"]), "amount": amount})
