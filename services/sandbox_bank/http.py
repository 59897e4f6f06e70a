"""The bank's HTTP: enquiries about files and payments, accounts, the business day, faults, and its books."""

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Path, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from goodfunds.money import exponent
from services.sandbox_bank import metrics
from services.sandbox_bank.audit import book_lines
from services.sandbox_bank.bank import Bank, DayIsOver
from services.sandbox_bank.books import AccountDiffers
from services.sandbox_bank.decide import valid_iban
from services.sandbox_bank.lines import entry_reference
from services.sandbox_bank.model import Standing
from services.sandbox_bank.wishes import FaultWishes, fault_settings

_MOST = 10**18 - 1


class AccountTerms(BaseModel):
    """An account to open; the deposit in minor units."""

    model_config = ConfigDict(extra="forbid")

    currency: str = Field(pattern="^[A-Z]{3}$")
    balance_minor: StrictInt = Field(0, ge=0, le=_MOST)
    name: str = Field("", max_length=140)


class AdvanceTo(BaseModel):
    """The day to advance to."""

    model_config = ConfigDict(extra="forbid")

    to: date


class FaultOrder(BaseModel):
    """Faults to put in force instead of all others, and the seed (the one in force where none is given)."""

    model_config = ConfigDict(extra="forbid")

    faults: FaultWishes
    seed: StrictInt | None = None


def application(bank: Bank) -> FastAPI:
    """The bank's HTTP application. Errors: 404 not on the books, 409 contradicts them, 422 malformed."""
    app = FastAPI(title="Sandbox bank", docs_url=None, redoc_url=None)
    _enquiries(app, bank)
    _accounts(app, bank)
    _days(app, bank)
    _operations(app, bank)
    return app


def _not_found(what: str) -> HTTPException:
    return HTTPException(HTTPStatus.NOT_FOUND, f"{what} is not on the books")


def _enquiries(app: FastAPI, bank: Bank) -> None:
    @app.get("/files/{message_id}")
    def file_enquiry(message_id: str) -> dict[str, Any]:
        row = bank.store.one("file_enquiry", (message_id,))
        if row is None:
            raise _not_found(f"message {message_id}")
        found, standing, group, code, reason, digest, name, transactions, copies = row
        status = "received"
        if standing != Standing.RECEIVED:
            status = "rejected" if group == "RJCT" else "accepted"
        return {
            "message_id": found,
            "status": status,
            "sha256": digest,
            "name": name,
            "group_status": group,
            "reason_code": code,
            "reason": reason,
            "transactions": transactions,
            "copies": copies,
        }

    @app.get("/payments/{instruction_id}")
    def payment_enquiry(instruction_id: str) -> dict[str, Any]:
        row = bank.store.one("payment_enquiry", (instruction_id,))
        if row is None:
            raise _not_found(f"payment {instruction_id}")
        entry, returned = row[12], row[14]
        return {
            "status": row[0],
            "instruction_id": row[1],
            "end_to_end_id": row[2],
            "payment_information_id": row[3],
            "amount_minor": row[4],
            "currency": row[5],
            "reason_code": row[9] if returned else row[6],
            "reason": row[7],
            "execution_date": row[8],
            "message_id": row[10],
            "copies": row[11],
            "bank_reference": entry_reference(entry) if entry else "",
            "booking_date": row[13] or "",
            "return_reference": entry_reference(returned) if returned else "",
            "return_date": row[15] or "",
        }


def _accounts(app: FastAPI, bank: Bank) -> None:
    def described(account: str) -> dict[str, Any]:
        row = bank.store.one("account", (account,))
        if row is None:
            raise _not_found(f"account {account}")
        currency, name, opened_with, balance, transfers, stated = row
        return {
            "account": account,
            "currency": currency,
            "name": name,
            "opened_with_minor": opened_with,
            "balance_minor": balance,
            "transfers": transfers,
            "statements": stated,
        }

    @app.put("/accounts/{iban}")
    def open_account(
        iban: Annotated[str, Path(max_length=34)], terms: AccountTerms, response: Response
    ) -> dict[str, Any]:
        if not valid_iban(iban):
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, f"{iban} is no IBAN")
        try:
            exponent(terms.currency)
            with bank.store.writing(bank.clock.now()) as books:
                opened = books.open_account(iban, terms.currency, terms.name, terms.balance_minor)
        except AccountDiffers as refusal:
            raise HTTPException(HTTPStatus.CONFLICT, str(refusal)) from None
        except ValueError as refusal:
            raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, str(refusal)) from None
        response.status_code = HTTPStatus.CREATED if opened else HTTPStatus.OK
        return described(iban)

    @app.get("/accounts/{iban}")
    def account(iban: str) -> dict[str, Any]:
        return described(iban)


def _days(app: FastAPI, bank: Bank) -> None:
    @app.get("/business-day")
    def business_day() -> dict[str, str]:
        return {"business_day": bank.business_day().isoformat()}

    @app.post("/business-day/advance")
    def advance(wish: AdvanceTo) -> dict[str, Any]:
        try:
            day, written = bank.advance(wish.to)
        except DayIsOver as refusal:
            raise HTTPException(HTTPStatus.CONFLICT, str(refusal)) from None
        return {"business_day": day.isoformat(), "statements": written}

    @app.get("/statements")
    def statements() -> list[dict[str, Any]]:
        names = (
            "name",
            "message_id",
            "account",
            "currency",
            "day",
            "number",
            "opening_minor",
            "closing_minor",
        )
        return [
            dict(zip(names, row[:8], strict=True))
            for row in bank.store.all("statements")
            if row[8] == "written"
        ]


def _operations(app: FastAPI, bank: Bank) -> None:
    @app.put("/faults")
    def put_faults(order: FaultOrder) -> dict[str, Any]:
        with bank.store.writing(bank.clock.now()) as books:
            books.set_faults(fault_settings(order.faults), order.seed)
            seed = books.seed
        return {"seed": seed, "faults": order.faults}

    @app.get("/books")
    def books() -> StreamingResponse:
        return StreamingResponse(book_lines(bank.store), media_type="application/jsonl")

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok", "business_day": bank.business_day().isoformat()}

    @app.get("/readyz")
    def readyz() -> dict[str, str]:
        return healthz()

    @app.get("/metrics")
    def exposition() -> PlainTextResponse:
        metrics.PAYMENTS.clear()
        metrics.MONEY.clear()
        for status, currency, count, amount in bank.store.all("count_payments"):
            metrics.PAYMENTS.labels(status, currency).set(count)
            metrics.MONEY.labels(status, currency).set(amount)
        return PlainTextResponse(generate_latest().decode(), media_type=CONTENT_TYPE_LATEST)
