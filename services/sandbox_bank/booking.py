"""Booking and owing: payments become transfers and notifications within one transaction on the books."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from services.sandbox_bank import decide
from services.sandbox_bank.books import SQL, Books
from services.sandbox_bank.model import ON_TIME, Answer, AnswerKind, Booking, Delivery, Due, Movement


@dataclass(frozen=True, slots=True)
class Terms:
    """How this bank shows what it booked.

    Notifications are written one by one: who is notified reads the first while the next is written. Measured:
    10,000 payments are read after 1.5 s in files of 2,000, in files of 5,000 after 2.1.
    """

    booking: Booking = Booking.INDIVIDUAL
    transactions_per_notification: int = 2_000
    duplicate_code: str = decide.DUPLICATION


def book_payments(books: Books, booked: Sequence[Due], terms: Terms) -> None:
    """Book payments and owe their debit notifications, then the RJCT of those that are contradicted.

    `booked` in the order of file and debtor account, so that each notification covers a run of transfers.
    """
    if not booked:
        return
    movements = decide.movements(booked, terms.booking, books.next_entry)
    first = books.book(movements)
    for (file, account, currency), run in groupby(
        enumerate(booked), lambda each: (each[1].file, each[1].debtor_account, each[1].currency)
    ):
        positions = [position for position, _ in run]
        _notify(books, file, account, currency, movements, first, positions, terms)
    for file, contradicted in groupby(
        (each for each in booked if each.contradicted_later), lambda each: each.file
    ):
        told = [(each.payment, each.told_code) for each in contradicted]
        books.owe(
            Answer(AnswerKind.STATUS, books.now, books.day, file, group_status="PART", number=1), told=told
        )


def book_returns(books: Books, returned: Sequence[Due], terms: Terms) -> None:
    """Book returns, an entry each: debit the creditor, credit the debtor; owe their credit notifications.

    In each `Due` the creditor stands as the debtor of the movement, since the money goes back.
    """
    if not returned:
        return
    start = books.next_entry
    movements = [
        Movement(
            start + index,
            each.payment,
            "return",
            each.debtor_account,
            each.creditor_account,
            each.amount_minor,
            each.currency,
        )
        for index, each in enumerate(returned)
    ]
    first = books.book(movements)
    books.connection.executemany(SQL["set_status"], [("returned", each.payment) for each in returned])
    for (account, currency), run in groupby(
        enumerate(returned), lambda each: (each[1].creditor_account, each[1].currency)
    ):
        positions = [position for position, _ in run]
        _notify(books, 0, account, currency, movements, first, positions, terms)


def how_delivered(books: Books, kind: AnswerKind, subject: str) -> Delivery:
    """Draw how an answer leaves, and record what was planted."""
    if not books.draw.settings:
        return ON_TIME
    delivery, planted = decide.delivery(kind, subject, books.draw)
    books.plant(planted)
    return delivery


def _notify(
    books: Books,
    file: int,
    account: str,
    currency: str,
    movements: Sequence[Movement],
    first: int,
    positions: Sequence[int],
    terms: Terms,
) -> None:
    message_id = books.connection.execute(SQL["file"], (file,)).fetchone()[0] if file else "returns"
    for number, chunk in enumerate(_chunks(movements, positions, terms.transactions_per_notification), 1):
        subject = f"{message_id}/{account}/{books.day}/{first + chunk[0]}"
        books.owe(
            Answer(
                AnswerKind.NOTIFICATION,
                books.now,
                books.day,
                file,
                account=account,
                currency=currency,
                booking=terms.booking,
                from_transfer=first + chunk[0],
                to_transfer=first + chunk[-1],
                number=number,
            ),
            how_delivered(books, AnswerKind.NOTIFICATION, subject),
        )


def _chunks(movements: Sequence[Movement], positions: Sequence[int], size: int) -> Iterable[list[int]]:
    """Positions in runs of `size` transactions or a little more: an entry is never split."""
    chunk: list[int] = []
    for position in positions:
        if len(chunk) >= size and movements[position].entry != movements[chunk[-1]].entry:
            yield chunk
            chunk = []
        chunk.append(position)
    yield chunk
