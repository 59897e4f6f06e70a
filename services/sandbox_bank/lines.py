"""Lines of account: what a span of transfers looks like from one account, with their transactions."""

import sqlite3
from collections.abc import Iterator
from datetime import date
from itertools import groupby
from typing import Any

from services.sandbox_bank.books import SQL
from services.sandbox_bank.model import Answer, Booking, Line, Transaction


def entry_reference(entry: int) -> str:
    """The bank's own reference of an entry (AcctSvcrRef): the same on every message that shows it."""
    return f"SB{entry:014d}"


def span(account: str, currency: str, from_transfer: int, to_transfer: int) -> dict[str, str | int]:
    """Transfers of an account, both ends inclusive, as the parameters of statements."""
    return {
        "account": account,
        "currency": currency,
        "from_transfer": from_transfer,
        "to_transfer": to_transfer,
    }


def lines(connection: sqlite3.Connection, answer: Answer) -> Iterator[Line]:
    """The lines of an answer's account and span, in the order of their entries."""
    of_span = span(answer.account, answer.currency, answer.from_transfer, answer.to_transfer)
    rows = connection.execute(SQL["booked_transactions"], of_span)
    for (entry, kind, credit), group in groupby(rows, lambda row: (row[0], row[1], row[2])):
        members = list(group)
        shown = members
        if kind == "payment" and answer.booking is Booking.BATCH_WITHOUT_DETAILS:
            # A batch is named by its PmtInf wherever one of its payments echoes it.
            shown = [next((row for row in members if row[7] and not row[18]), members[0])]
        yield Line(
            entry,
            kind,
            bool(credit),
            sum(row[3] for row in members),
            answer.currency,
            date.fromisoformat(members[0][5]),
            len(members),
            tuple(_transaction(row[6:]) for row in shown),
        )


def told_transactions(connection: sqlite3.Connection, answer: Answer) -> list[tuple[str, Transaction]]:
    """(reason code, transaction) of each RJCT that a pain.002 tells, in the file's order."""
    rows = connection.execute(SQL["told_transactions"], (answer.content_of,))
    return [(row[0], _transaction(row[1:])) for row in rows]


def _transaction(row: tuple[Any, ...]) -> Transaction:
    echoes_end_to_end_only = bool(row[12])
    return Transaction(
        payment=row[0],
        payment_information_id="" if echoes_end_to_end_only else row[1],
        instruction_id="" if echoes_end_to_end_only else row[2],
        end_to_end_id=row[3],
        amount_minor=row[4],
        currency=row[5],
        debtor_account=row[6],
        creditor_account=row[7],
        creditor_agent=row[8],
        creditor_name=row[9],
        remittance=row[10],
        return_code=row[11],
        message_id="" if echoes_end_to_end_only else row[13],
    )
