"""HTTP: single payments in, and what became of a client's own."""

import io
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from fastapi import FastAPI, Header, Query, Request, Response
from fastapi.responses import JSONResponse

from goodfunds import ids
from goodfunds.access.principals import Principal
from goodfunds.http import bodies
from goodfunds.http.documented import BODY, headers, problems, taking
from goodfunds.http.door import allowed
from goodfunds.http.paging import EXAMINED, Cursor, Limit, Page, page, place_of
from goodfunds.http.preferences import wait_seconds
from goodfunds.observability.http import Problem
from goodfunds.rails.requests import LONGEST_KEY
from services.ingestion import PAYMENTS_READ, PAYMENTS_WRITE
from services.ingestion.decisions import Decisions
from services.ingestion.http_shapes import PaymentRequest, PaymentView, Received, payment_view
from services.ingestion.incoming import digest_of
from services.ingestion.instructing import Instructing
from services.ingestion.store import SQL, Pool

LONGEST_WAIT: Final = 30
"""Seconds."""
_LARGEST_BODY: Final = 64 * 1024
_BODY_SECONDS: Final = 15.0
_KEY: Final = f"[A-Za-z0-9][!#-~]{{0,{LONGEST_KEY - 1}}}"
_ABOVE_ALL: Final = "\U0010ffff" * (LONGEST_KEY + 1)
"""After a prefix, it is above every key that begins so: keys are compared byte by byte."""

Reader = Annotated[Principal, allowed(PAYMENTS_READ)]
Writer = Annotated[Principal, allowed(PAYMENTS_WRITE)]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=f'^(?:{_KEY}|"{_KEY}")$',
        description="Yours, unique for ever: the same key with the same body is the same payment.",
    ),
]
Prefer = Annotated[
    str | None,
    Header(
        alias="Prefer",
        description=f"`wait=N`: answer with the decision where it comes within N, at most {LONGEST_WAIT}, "
        "seconds.",
    ),
]
Reference = Annotated[str | None, Query(min_length=1, max_length=140, pattern=r"^[^\x00]*$")]
Prefix = Annotated[str, Query(max_length=LONGEST_KEY, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True, slots=True)
class Payments:
    """Where payments go, and where they are found."""

    pool: Pool
    instructing: Instructing
    decisions: Decisions


def add_routes(app: FastAPI, payments: Payments) -> None:
    """Add /v1/payments and what is below it."""
    pool = payments.pool

    @app.post(
        "/v1/payments",
        status_code=202,
        responses={
            202: {"model": Received, "headers": headers(Location="Where the payment will be found.")},
            200: {"model": PaymentView, "description": "It is decided."},
            **problems(*BODY),
        },
        openapi_extra=taking("application/json", schema=PaymentRequest.model_json_schema()),
    )
    async def submit(
        request: Request, principal: Writer, idempotency_key: IdempotencyKey, prefer: Prefer = None
    ) -> Response:
        """Hand a payment in. It may be asked again for as long as there is no answer."""
        received = io.BytesIO()
        await bodies.receive(request, received, _LARGEST_BODY, _BODY_SECONDS, ("application/json",))
        asked = bodies.parse(received.getvalue(), PaymentRequest)
        key = idempotency_key.strip('"')
        instruction = asked.instruction(principal.client, key)
        told = {"Location": f"/v1/payments/by-key/{quote(key, safe='')}"}
        wait = wait_seconds(prefer, LONGEST_WAIT)
        if wait:
            told["Preference-Applied"] = f"wait={wait}"
        row = await pool.fetchrow(SQL["own_payment_by_key"], principal.client, key)
        if row is None:
            await payments.instructing.put(instruction, request.headers.get("traceparent", ""))
            if wait:
                row = await payments.decisions.of(principal.client, key, wait)
        if row is None:
            answer = Received(idempotency_key=key, location=told["Location"])
            return JSONResponse(answer.model_dump(mode="json"), status_code=202, headers=told)
        if row["digest"] != digest_of(instruction.body()):
            detail = "the idempotency key was used with another body"
            raise Problem(422, detail, kind="urn:goodfunds:idempotency-key-reused")
        return JSONResponse(payment_view(row).model_dump(mode="json"), headers=told)

    @app.get("/v1/payments", responses=problems())
    async def own_payments(
        principal: Reader,
        limit: Limit = 100,
        cursor: Cursor = None,
        key_prefix: Prefix = "",
        state: Literal["accepted", "rejected"] | None = None,
        end_to_end_id: Reference = None,
        uetr: Reference = None,
    ) -> Page[PaymentView]:
        """The client's payments in the order of their keys.

        `key_prefix`: those whose key begins so; the keys of a file's begin with its MsgId and a slash.
        """
        if sum((bool(key_prefix), end_to_end_id is not None, uetr is not None)) > 1:
            raise Problem(422, "of key_prefix, end_to_end_id and uetr one can be asked for at a time")
        (after,) = place_of(cursor, 1) or ("",)
        asked = limit + 1 if state is None else max(limit + 1, EXAMINED)
        if end_to_end_id is not None:
            query: tuple[Any, ...] = ("own_payments_by_end_to_end_id", after, end_to_end_id)
        elif uetr is not None:
            query = ("own_payments_by_uetr", after, uetr)
        else:
            query = ("own_payments", after, key_prefix, key_prefix + _ABOVE_ALL)
        rows = await pool.fetch(SQL[query[0]], principal.client, *query[1:], asked)
        kept, more = page(
            rows,
            limit,
            asked,
            lambda row: (row["idempotency_key"],),
            lambda row: state in (None, row["state"]),
        )
        return Page(items=[payment_view(row) for row in kept], next_cursor=more)

    @app.get("/v1/payments/by-key/{key:path}", responses=problems(404))
    async def payment_by_key(key: str, principal: Reader) -> PaymentView:
        # Postgres' text holds no NUL, so no key does.
        row = None if "\0" in key else await pool.fetchrow(SQL["own_payment_by_key"], principal.client, key)
        return _found(row)

    @app.get("/v1/payments/{payment_id}", responses=problems(404))
    async def payment(payment_id: str, principal: Reader) -> PaymentView:
        return _found(await pool.fetchrow(SQL["own_payment"], principal.client, identified(payment_id)))


def identified(text: str) -> bytes:
    """The id in a path. Raises Problem 404: what is no id is the id of nothing."""
    try:
        return ids.parse(text)
    except ValueError:
        raise Problem(404, "an id is a UUID") from None


def _found(row: Any) -> PaymentView:
    if row is None:
        raise Problem(404, "no such payment of yours was decided (yet)")
    return payment_view(row)
