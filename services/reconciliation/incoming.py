"""Reads a poll's records into books: each record's event is put where its lane's conclusions look for it."""

from datetime import datetime
from typing import Any

from prometheus_client import Counter

from goodfunds.errors import InvariantBroken, Unreadable
from goodfunds.events.types import (
    ControlTotal,
    PaymentRejectedByBank,
    PaymentReturned,
    PaymentSettled,
    PaymentSubmitted,
    SettlementContradicted,
    StatementClosed,
    StatementLine,
    StatementOpened,
    decode,
)
from goodfunds.lanes.headers import header, origin
from goodfunds.lanes.records import Record
from services.reconciliation.books import Books
from services.reconciliation.model import END_TO_END, REFERENCE, Line

IGNORED_LINES = Counter(
    "goodfunds_reconciliation_lines_ignored_total", "Statement lines that are not booked", ["status"]
)
REFUSED = Counter(
    "goodfunds_reconciliation_control_totals_refused_total", "Unreadable records on control-totals"
)

_YEAR_10000 = 253_402_300_800_000_000
"""µs since 1970: neither Postgres nor Python tells a later time."""
_FACTS = frozenset(
    {PaymentSubmitted, PaymentSettled, PaymentRejectedByBank, PaymentReturned, SettlementContradicted}
)


def take_settlement(books: Books, record: Record) -> None:
    """A record of settlement-notifications; what says nothing of money on a statement is passed over."""
    event = _ours(record)
    if books.settlement_from is None:
        books.settlement_from = record.offset
    if type(event) in _FACTS:
        books.events.append((event, origin(record)[2]))


def take_statement(books: Books, record: Record, now: datetime) -> None:
    """A record of bank-statements, from the statement reader or from another lane of ours."""
    event = _ours(record)
    if isinstance(event, StatementLine):
        if event.status != "BOOK":
            IGNORED_LINES.labels(event.status).inc()
            return
        sender = int(origin(record)[1])
        books.lines.append(_line(event, books.lane, now, sender if sender >= 0 else None))
    elif isinstance(event, StatementOpened):
        books.opened.append(event)
    elif isinstance(event, StatementClosed):
        books.closings.append(event)


def read_total(record: Record) -> ControlTotal | None:
    """A total of the second reader, which writes outside the lanes; None where it cannot be read."""
    try:
        event = decode(record.value or b"")
    except Unreadable:
        event = None
    if isinstance(event, ControlTotal) and _storable(event):
        return event
    REFUSED.inc()
    return None


def _storable(total: ControlTotal) -> bool:
    texts = total.service + total.topic + total.producer + total.event_type + total.currency
    return "\0" not in texts and 0 <= total.computed_at < _YEAR_10000


def key_of(record: Record) -> bytes:
    """What a parked record blocks: its account or nostro; a record without a key blocks only itself."""
    return bytes(record.key or b"")


def amount_of(record: Record) -> tuple[int, str] | None:
    """The money in a record, for the metric of parked events."""
    try:
        event: Any = decode(record.value or b"")
        return abs(int(event.amount_minor)), str(event.currency)
    except (Unreadable, AttributeError):
        return None


def traceparent(record: Record) -> bytes:
    """The trace that a record belongs to, empty if it names none."""
    return header(record, "traceparent") or b""


def _ours(record: Record) -> Any:
    try:
        return decode(record.value or b"")
    except Unreadable as fault:
        where = f"{record.topic}/{record.partition} offset {record.offset}"
        raise InvariantBroken(f"{where} is unreadable: {fault}") from fault


def _line(event: StatementLine, lane: int, now: datetime, handed_over_from: int | None) -> Line:
    return Line(
        lane,
        event.statement_id,
        event.line_number,
        event.payment_id,
        event.batch_id,
        event.amount_minor,
        event.currency,
        event.nostro,
        event.end_to_end_id,
        event.instruction_id,
        event.bank_reference,
        event.booking_date,
        event.value_date,
        event.transaction_count,
        event.reversal,
        event.is_return,
        event.reason_code,
        event.information,
        now,
        REFERENCE if handed_over_from is None else END_TO_END,
        handed_over_from,
    )
