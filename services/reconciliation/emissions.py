"""The events that a lane's outcome publishes: matches, breaks, statements reconciled, lines handed over."""

from collections.abc import Mapping
from datetime import datetime

from goodfunds.clock import micros
from goodfunds.events import topics
from goodfunds.events.types import (
    BreakOpened,
    BreakResolved,
    PaymentMatched,
    StatementLine,
    StatementReconciled,
)
from goodfunds.lanes.records import Emission
from services.reconciliation.books import Outcome
from services.reconciliation.model import Break, Item, Line, Statement

Traces = Mapping[tuple[bytes, int], bytes]
"""traceparent of each new line by its place, where it had one."""


def emissions(outcome: Outcome, lane: int, now: datetime, traces: Traces) -> list[Emission]:
    """The lane's events, in order."""
    at = micros(now)
    events = [_matched(item, line, lane, at, traces.get(line.place, b"")) for item, line in outcome.pairs]
    events += [_opened(each, lane, at) for each in outcome.opened]
    events += [_resolved(each, lane, at) for each in outcome.resolved]
    events += [_reconciled(each, lane, at) for each in outcome.reconciled]
    events += [_handed_over(line, traces.get(line.place, b"")) for line in outcome.handed_over]
    return events


def _ours(lane: int, key: str, event_type: str, body: bytes, traceparent: bytes = b"") -> Emission:
    return Emission(topics.RECONCILIATION, lane, key.encode(), event_type, body, traceparent)


def _matched(item: Item, line: Line, lane: int, at: int, traceparent: bytes) -> Emission:
    body = PaymentMatched(
        payment_id=item.payment_id,
        statement_id=line.statement_id,
        amount_minor=item.amount_minor,
        matched_at=at,
        account=item.account,
        currency=item.currency,
        nostro=item.nostro,
        line_number=line.line_number,
        kind=item.match_kind,
    ).encode()
    return _ours(lane, item.account, "PaymentMatched", body, traceparent)


def _opened(found: Break, lane: int, at: int) -> Emission:
    body = BreakOpened(
        break_id=found.break_id,
        payment_id=found.payment_id,
        statement_id=found.statement_id,
        amount_minor=found.amount_minor,
        opened_at=at,
        lane=lane,
        currency=found.currency,
        nostro=found.nostro,
        reason=found.reason,
        line_number=found.line_number,
        detail=found.detail,
    ).encode()
    return _ours(lane, found.nostro, "BreakOpened", body)


def _resolved(found: Break, lane: int, at: int) -> Emission:
    body = BreakResolved(break_id=found.break_id, resolved_at=at, reason=found.resolution).encode()
    return _ours(lane, found.nostro, "BreakResolved", body)


def _reconciled(statement: Statement, lane: int, at: int) -> Emission:
    body = StatementReconciled(
        statement_id=statement.statement_id,
        opening_minor=statement.opening_minor,
        closing_minor=statement.closing_minor,
        reconciled_at=at,
        currency=statement.currency,
        nostro=statement.nostro,
        lines=statement.lines_count,
        continuity=True,
    ).encode()
    return _ours(lane, statement.nostro, "StatementReconciled", body)


def _handed_over(line: Line, traceparent: bytes) -> Emission:
    """The line once more, on the lane of the payment that it turned out to be."""
    assert line.handed_over_to is not None
    body = StatementLine(
        statement_id=line.statement_id,
        payment_id=line.payment_id,
        batch_id=line.batch_id,
        amount_minor=line.amount_minor,
        line_number=line.line_number,
        currency=line.currency,
        nostro=line.nostro,
        end_to_end_id=line.end_to_end_id,
        instruction_id=line.instruction_id,
        bank_reference=line.bank_reference,
        status="BOOK",
        reversal=line.reversal,
        is_return=line.is_return,
        booking_date=line.booking_date,
        value_date=line.value_date,
        reason_code=line.reason_code,
        transaction_count=line.transaction_count,
        information=line.information,
    ).encode()
    return Emission(
        topics.BANK_STATEMENTS, line.handed_over_to, line.nostro.encode(), "StatementLine", body, traceparent
    )
