"""The rules of one payment: what its events make us expect, and which lines explain it.

Pure, and the same in any order of the events: a case gathers facts, and its matches and open breaks follow
from the facts alone.
"""

from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from goodfunds.events.types import (
    PaymentRejectedByBank,
    PaymentReturned,
    PaymentSettled,
    PaymentSubmitted,
)
from services.reconciliation.model import (
    BATCH_TOTAL,
    CANCELLED,
    CREDIT,
    DEBIT,
    EXPLAINED,
    MATCHED,
    OPEN,
    WAITING,
    Case,
    Item,
    Line,
    ToldMatches,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

NOTHING_TOLD: ToldMatches = MappingProxyType({})

Submission = PaymentSubmitted | PaymentSettled | PaymentRejectedByBank


def decide(case: Case, event: object, lane: int, seq: int) -> Case:
    """The case with an event of settlement added to its facts; the very same case if it adds nothing.

    Contradictions are breaks from the start: see `breaks.contradiction`.
    """
    kind = type(event)
    if kind is PaymentSubmitted:
        assert isinstance(event, PaymentSubmitted)
        debit = _expected(case.debit, event, event.submitted_at, lane, seq)
        return case if debit is case.debit else case.with_item(debit)
    if kind is PaymentSettled:
        assert isinstance(event, PaymentSettled)
        if case.debit is not None and case.debit.settled_on is not None:
            return case
        debit = _expected(case.debit, event, event.settled_at, lane, seq)
        return case.with_item(debit.settled(event.booking_date))
    if kind is PaymentRejectedByBank:
        assert isinstance(event, PaymentRejectedByBank)
        debit = case.debit or _debit(event, event.rejected_at, lane, seq)
        if debit.state == CANCELLED:
            return case
        return case.with_item(_without_match(debit, CANCELLED))
    if kind is PaymentReturned:
        assert isinstance(event, PaymentReturned)
        return case if case.credit else case.with_item(_credit(event, lane, seq))
    return case


def match(case: Case, told: ToldMatches = NOTHING_TOLD) -> tuple[Case, tuple[tuple[Item, Line], ...]]:
    """Explain lines by reference; the case, and the new pairs. The first of equal lines is the match.

    A line with the payment's own reference goes before a match by batch total. An item whose line was told
    before a restore waits for that line.
    """
    if not case.lines:
        return case, NO_PAIRS
    debit, credit = case.debit, case.credit
    pairs: list[tuple[Item, Line]] = []
    lines: list[Line] = []
    for line in sorted(case.lines, key=_explained_first):
        item = debit if line.amount_minor < 0 else credit
        if item is not None and _explains(item, line) and not _is_another_lines(item, line, told):
            if item.state != MATCHED or item.match_kind == BATCH_TOTAL:
                line = line.explaining()
                item = item.matched(line)
                pairs.append((item, line))
                if line.amount_minor < 0:
                    debit = item
                else:
                    credit = item
            elif (item.statement_id, item.line_number) != line.place:
                line = _loose(line)
        else:
            line = _loose(line)
        lines.append(line)
    return Case(case.payment_id, debit, credit, tuple(lines), case.breaks), tuple(pairs)


def instant(micros: int) -> datetime:
    """An event's microseconds as an instant."""
    return _EPOCH + timedelta(microseconds=micros)


NO_PAIRS: tuple[tuple[Item, Line], ...] = ()


def _expected(
    debit: Item | None, event: PaymentSubmitted | PaymentSettled, at: int, lane: int, seq: int
) -> Item:
    """The debit that the event expects. One whose file the bank refused went out again in a later batch.

    Where a sum that the bank booked has explained it, it stays with that, and the event is known by its time.
    """
    if debit is None:
        return _debit(event, at, lane, seq)
    by_sum = debit.state == MATCHED and debit.match_kind == BATCH_TOTAL
    fixed = debit.state != OPEN and not by_sum
    if fixed or debit.settled_on is not None or instant(at) <= debit.opened_at:
        return debit
    if debit.batch_id == event.batch_id:
        return debit
    batch_id = debit.batch_id if by_sum else event.batch_id
    return debit._replace(batch_id=batch_id, opened_at=instant(at), opened_seq=seq)


def _debit(event: Submission, opened_at: int, lane: int, seq: int) -> Item:
    return Item(
        lane,
        event.payment_id,
        DEBIT,
        event.batch_id,
        -event.amount_minor,
        event.currency,
        event.nostro,
        event.account,
        event.end_to_end_id,
        instant(opened_at),
        seq,
    )


def _credit(event: PaymentReturned, lane: int, seq: int) -> Item:
    return Item(
        lane,
        event.payment_id,
        CREDIT,
        event.batch_id,
        event.amount_minor - event.charges_minor,
        event.currency,
        event.nostro,
        event.account,
        event.end_to_end_id,
        instant(event.returned_at),
        seq,
        settled_on=event.booking_date if event.booking_date > _EPOCH.date() else None,
    )


def _without_match(item: Item, state: int) -> Item:
    return item._replace(state=state, statement_id=None, line_number=0, match_kind="")


def _explains(item: Item, line: Line) -> bool:
    return (
        item.state != CANCELLED
        and item.amount_minor == line.amount_minor
        and item.currency == line.currency
        and item.nostro == line.nostro
    )


def _is_another_lines(item: Item, line: Line, told: ToldMatches) -> bool:
    match = told.get((item.payment_id, item.side))
    return match is not None and match.kind != BATCH_TOTAL and match.place != line.place


def _loose(line: Line) -> Line:
    return line._replace(state=WAITING) if line.state == EXPLAINED else line


def _explained_first(line: Line) -> tuple[bool, bytes, int]:
    return line.state != EXPLAINED, line.statement_id, line.line_number
