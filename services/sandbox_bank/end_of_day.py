"""The end of the bank's day: statements for the day that closes, returns and executions for the next."""

from collections.abc import Mapping
from datetime import date
from itertools import groupby

from services.sandbox_bank import decide
from services.sandbox_bank.booking import Terms, book_payments, book_returns, how_delivered
from services.sandbox_bank.books import SQL, Books
from services.sandbox_bank.calendar import next_business_day
from services.sandbox_bank.lines import span
from services.sandbox_bank.model import Answer, AnswerKind, Due


class BooksWrong(Exception):
    """The books do not add up: the bank states nothing that it cannot prove."""


def end_day(books: Books, terms: Terms) -> date:
    """Close the business day with a statement for each account, and open the next; the day closed.

    Held back answers are released first. On the new day the returns of earlier bookings are booked, then
    the payments that fall due.
    """
    closed = books.day
    books.connection.execute(SQL["release_held_answers"])
    _state_accounts(books, terms)
    books.day = next_business_day(closed)
    returns = [_due(row) for row in books.connection.execute(SQL["payments_to_return"])]
    book_returns(books, returns, terms)
    due = [_due(row) for row in books.connection.execute(SQL["payments_due"], (books.day.isoformat(),))]
    booked, refused = decide.executions(due, books.balances())
    books.connection.executemany(SQL["set_status"], [("booked", each.payment) for each in booked])
    _refuse_unfunded(books, refused)
    book_payments(books, booked, terms)
    return closed


def _due(row: tuple[int, int, str, int, str, str, str, str, int]) -> Due:
    return Due(*row[:8], contradicted_later=bool(row[8]))


def _refuse_unfunded(books: Books, refused: list[Due]) -> None:
    code = decide.INSUFFICIENT_FUNDS
    books.connection.executemany(
        SQL["refuse_payment"], [(code, decide.TEXTS[code], each.payment) for each in refused]
    )
    for file, run in groupby(refused, lambda each: each.file):
        told = [(each.payment, code) for each in run]
        answer = Answer(AnswerKind.STATUS, books.now, books.day, file, group_status="PART", number=1)
        message_id = books.connection.execute(SQL["file"], (file,)).fetchone()[0]
        books.owe(answer, how_delivered(books, AnswerKind.STATUS, f"{message_id}/{books.day}"), told)


def _state_accounts(books: Books, terms: Terms) -> None:
    last = books.next_transfer - 1
    accounts = books.connection.execute(SQL["accounts_to_state"]).fetchall()
    for account, currency, balance, statements, stated_transfer, opening in accounts:
        transfers = span(account, currency, stated_transfer + 1, last)
        (moved,) = books.connection.execute(SQL["moved"], transfers).fetchone()
        if opening + moved != balance:
            raise BooksWrong(f"{account}: {opening} and {moved} make no {balance}")
        number = statements + 1
        answer = books.owe(
            Answer(
                AnswerKind.STATEMENT,
                books.now,
                books.day,
                account=account,
                currency=currency,
                booking=terms.booking,
                from_transfer=stated_transfer + 1,
                to_transfer=last,
                number=number,
                opening_minor=opening,
                closing_minor=balance,
            )
        )
        _damage(books, answer, transfers)
        books.connection.execute(SQL["state_account"], (number, last, balance, account, currency))


def _damage(books: Books, answer: int, transfers: Mapping[str, str | int]) -> None:
    if not books.draw.settings:
        return
    entries = books.connection.execute(SQL["entries_to_damage"], transfers).fetchall()
    missing, wrong, planted = decide.damaged_lines(entries, books.draw)
    books.connection.executemany(
        SQL["damage_line"],
        [(answer, entry, "missing") for entry in sorted(missing)]
        + [(answer, entry, "wrong_amount") for entry in sorted(wrong)],
    )
    books.plant(planted)
