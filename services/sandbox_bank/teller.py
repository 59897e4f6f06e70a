"""The teller: judges the files that were taken in, one at a time, each in one transaction."""

from collections.abc import Iterator, Sequence

import structlog

from goodfunds.clock import Clock
from services.sandbox_bank import booking, decide, metrics
from services.sandbox_bank.booking import Terms
from services.sandbox_bank.books import SQL, Books
from services.sandbox_bank.folders import Folders, move_durably
from services.sandbox_bank.model import (
    Answer,
    AnswerKind,
    Due,
    Order,
    Standing,
    Status,
    Submission,
    Unread,
    Verdict,
)
from services.sandbox_bank.orders import read_orders
from services.sandbox_bank.store import Store

log = structlog.get_logger(__name__)

_LONGEST_TEXT = 105  # Max105Text of AddtlInf


def judge_files(store: Store, folders: Folders, terms: Terms, clock: Clock) -> Iterator[int]:
    """Judge every file that waits, and put judged ones into the archive; 1 for each that was judged.

    Where it is interrupted it goes on at the same file: a file is judged in one transaction, and moved
    only after that.
    """
    for file, name, archive_name, standing in store.all("files_under_way"):
        judged = 0
        try:
            judged = _take_through(store, folders, terms, clock, file, name, archive_name, standing)
        except Exception:
            # A file that cannot be worked on must not hold up the others; it is tried again later.
            log.exception("file left in the inbox", file=name)
        yield judged


def _take_through(
    store: Store,
    folders: Folders,
    terms: Terms,
    clock: Clock,
    file: int,
    name: str,
    archive_name: str,
    standing: str,
) -> int:
    source = folders.inbox / name
    judging = standing == Standing.RECEIVED
    if judging:
        content = read_orders(source.read_bytes())
        with store.writing(clock.now()) as books:
            became = _judge(books, file, content, terms)
        metrics.FILES.labels(became).inc()
        log.info("file judged", file=name, message_id=content.message_id, standing=became)
    if source.exists():
        move_durably(source, folders.archive / archive_name)
    store.connection().execute(SQL["archive_file"], (file,))
    return int(judging)


def _judge(books: Books, file: int, content: Submission | Unread, terms: Terms) -> Standing:
    if isinstance(content, Unread):
        _refuse(books, file, content, "", Standing.UNREADABLE)
        return Standing.UNREADABLE
    if books.connection.execute(SQL["message_stands"], (content.message_id,)).fetchone():
        refusal = Unread(content.message_id, terms.duplicate_code, decide.TEXTS[decide.DUPLICATION])
        _refuse(books, file, refusal, content.message_name, Standing.DUPLICATE)
        return Standing.DUPLICATE
    verdicts, planted = decide.verdicts(content.orders, books.balances(), books.day, books.draw)
    first = books.connection.execute(SQL["next_payment"]).fetchone()[0]
    told = [
        (payment, verdict.told_code)
        for payment, verdict in enumerate(verdicts, first)
        if verdict.told_code and not verdict.contradicted_later
    ]
    group = decide.group_status(
        len(verdicts), len(told), all(verdict.status is not Status.PENDING for verdict in verdicts)
    )
    books.connection.execute(
        SQL["judge_file"],
        (
            content.message_id,
            Standing.STANDS,
            content.message_name,
            content.created_at,
            group,
            "",
            "",
            len(verdicts),
            file,
        ),
    )
    books.connection.executemany(SQL["add_payment"], _payment_rows(file, first, content.orders, verdicts))
    books.plant(planted)
    books.owe(
        Answer(AnswerKind.STATUS, books.now, books.day, file, group_status=group),
        booking.how_delivered(books, AnswerKind.STATUS, content.message_id),
        told,
    )
    booking.book_payments(books, _booked(file, first, content.orders, verdicts), terms)
    return Standing.STANDS


def _refuse(books: Books, file: int, why: Unread, message_name: str, standing: Standing) -> None:
    books.connection.execute(
        SQL["judge_file"],
        (why.message_id, standing, message_name, "", "RJCT", why.code, why.text[:_LONGEST_TEXT], 0, file),
    )
    answer = Answer(AnswerKind.STATUS, books.now, books.day, file, group_status="RJCT", reason_code=why.code)
    books.owe(answer, booking.how_delivered(books, AnswerKind.STATUS, f"{why.message_id}/{file}"))


def _payment_rows(
    file: int, first: int, orders: Sequence[Order], verdicts: Sequence[Verdict]
) -> list[tuple[object, ...]]:
    return [
        (
            payment,
            file,
            order.payment_information_id,
            order.instruction_id,
            order.end_to_end_id,
            order.amount_minor,
            order.currency,
            order.execution_date.isoformat(),
            order.debtor_account,
            order.creditor_account,
            order.creditor_agent,
            order.creditor_name,
            order.remittance,
            verdict.status,
            verdict.reason_code,
            verdict.reason,
            verdict.told_code,
            verdict.contradicted_later,
            verdict.return_code,
            verdict.echoes_end_to_end_only,
        )
        for payment, (order, verdict) in enumerate(zip(orders, verdicts, strict=True), first)
    ]


def _booked(file: int, first: int, orders: Sequence[Order], verdicts: Sequence[Verdict]) -> list[Due]:
    booked = [
        Due(
            payment,
            file,
            order.payment_information_id,
            order.amount_minor,
            order.currency,
            order.debtor_account,
            order.creditor_account,
            verdict.told_code,
            verdict.contradicted_later,
        )
        for payment, (order, verdict) in enumerate(zip(orders, verdicts, strict=True), first)
        if verdict.status is Status.BOOKED
    ]
    # A notification is of one account: its transfers must be one run.
    booked.sort(key=lambda due: (due.debtor_account, due.currency))
    return booked
