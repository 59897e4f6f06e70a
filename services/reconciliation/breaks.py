"""What stays unexplained: breaks of lines, of expected items and of settlement's findings. Pure.

A break's id follows from what it is about and its reason, so that deciding again gives the same.
"""

from collections.abc import Iterable
from datetime import datetime

from goodfunds.events.types import SettlementContradicted
from goodfunds.ids import NO_ID, derived_id
from services.reconciliation.decide import instant
from services.reconciliation.model import (
    BROKEN,
    CANCELLED,
    DEBIT,
    EXPLAINED,
    NOTHING,
    OPEN,
    Break,
    Case,
    Findings,
    Horizon,
    Item,
    Line,
)

ENTRY_CONTRADICTIONS = frozenset(
    {
        "settled_after_rejection",
        "returned_after_rejection",
        "settled_amount_differs",
        "return_amount_differs",
        "second_settlement",
        "second_return",
        "ambiguous_entry",
        "unknown_entry",
    }
)
"""Contradictions that an entry of the bank caused: the same entry's line needs no break of its own."""


def find_breaks(case: Case, horizon: Horizon) -> tuple[Case, Findings]:
    """What of the case is a break now; the case with its lines' and breaks' states, and what changed."""
    wanted: dict[bytes, Break] = {}
    lines = case.lines
    if lines:
        lines = tuple(_judge_lines(case, horizon, wanted))
    for item in (case.debit, case.credit):
        if item is None or item.state != OPEN or item.settled_on is None:
            continue
        covered_to = horizon.covered_to.get(item.nostro)
        if covered_to is not None and covered_to >= item.settled_on:
            found = _missing(item, horizon.now)
            wanted[found.break_id] = found
    if not wanted and not case.breaks:
        return (case if lines is case.lines else case.with_lines(lines)), NOTHING
    breaks, findings = difference(case.breaks, wanted, horizon.now)
    return case._replace(lines=lines, breaks=breaks), findings


def difference(
    known: Iterable[Break], wanted: dict[bytes, Break], now: datetime
) -> tuple[tuple[Break, ...], Findings]:
    """Known breaks brought in line with those wanted; contradictions stay until a person resolves them."""
    after: list[Break] = []
    opened: list[Break] = []
    resolved: list[Break] = []
    for each in known:
        if each.about == "contradiction":
            after.append(each)
        elif each.break_id in wanted:
            fresh = wanted.pop(each.break_id)
            if not each.is_open:
                opened.append(fresh)
                each = fresh
            after.append(each)
        elif each.is_open:
            gone = each._replace(resolved_at=now, resolution="explained")
            resolved.append(gone)
            after.append(gone)
        else:
            after.append(each)
    opened.extend(wanted.values())
    after.extend(wanted.values())
    return tuple(after), Findings(tuple(opened), tuple(resolved))


def line_break(line: Line, reason: str, detail: str, now: datetime) -> Break:
    """The break of a line that nothing explains; its id follows from the line and the reason."""
    return Break(
        lane=line.lane,
        break_id=_break_id(line.statement_id, line.line_number.to_bytes(4, "big"), reason.encode()),
        about="line",
        reason=reason,
        amount_minor=line.amount_minor,
        currency=line.currency,
        nostro=line.nostro,
        payment_id=line.payment_id,
        batch_id=line.batch_id,
        statement_id=line.statement_id,
        line_number=line.line_number,
        bank_reference=line.bank_reference,
        detail=detail,
        opened_at=now,
    )


def contradiction(event: SettlementContradicted, lane: int) -> Break:
    """The break that settlement's finding opens at once. Its money is in settlement's suspense, if any."""
    found = (
        event.kind.encode(),
        event.amount_minor.to_bytes(16, "big", signed=True),
        event.bank_reference.encode(),
        event.end_to_end_id.encode(),
        event.currency.encode(),
        b"" if event.payment_id != NO_ID else event.found_at.to_bytes(8, "big"),
    )
    return Break(
        lane=lane,
        break_id=_break_id(event.payment_id, *found),
        about="contradiction",
        reason=event.kind,
        amount_minor=event.amount_minor,
        currency=event.currency,
        nostro=event.nostro,
        payment_id=event.payment_id,
        batch_id=NO_ID,
        statement_id=NO_ID,
        line_number=0,
        bank_reference=event.bank_reference,
        detail=" ".join(filter(None, (event.reason_code, event.reason))),
        opened_at=instant(event.found_at),
    )


def _judge_lines(case: Case, horizon: Horizon, wanted: dict[bytes, Break]) -> Iterable[Line]:
    # In an order of their own, so that of two alike each covers the same line whenever they are judged.
    covers = sorted(b for b in case.breaks if b.is_open and b.reason in ENTRY_CONTRADICTIONS)
    for line in case.lines:
        if line.state == EXPLAINED or line.statement_id not in horizon.closed:
            yield line
            continue
        cover = next((b for b in covers if covers_line(b, line)), None)
        if cover is not None:
            covers.remove(cover)
            yield line._replace(state=BROKEN, break_id=cover.break_id)
            continue
        found = line_break(line, *_reason(case, line), horizon.now)
        wanted[found.break_id] = found
        yield line._replace(state=BROKEN, break_id=found.break_id)


def covers_line(found: Break, line: Line) -> bool:
    """Whether a contradiction is about the entry that this line shows."""
    return (
        found.reason in ENTRY_CONTRADICTIONS
        and found.amount_minor == line.amount_minor
        and found.currency == line.currency
        and (found.payment_id != NO_ID or found.bank_reference == line.bank_reference != "")
    )


def _reason(case: Case, line: Line) -> tuple[str, str]:
    item = case.debit if line.amount_minor < 0 else case.credit
    if item is None:
        return "unknown_line", "no such movement of this payment is expected"
    if item.state == CANCELLED:
        return "line_for_rejected", "the bank had rejected this payment"
    if item.amount_minor != line.amount_minor or item.currency != line.currency:
        return "amount_differs", f"expected {item.amount_minor} {item.currency} (minor units)"
    if item.nostro != line.nostro:
        return "unknown_line", f"expected on account {item.nostro}"
    return "duplicate_line", "another line is this payment's"


def _missing(item: Item, now: datetime) -> Break:
    what, fate = (b"missing_line", "settled") if item.side == DEBIT else (b"missing_return", "returned")
    return Break(
        lane=item.lane,
        break_id=_break_id(item.payment_id, what),
        about="item",
        reason="missing_line",
        amount_minor=-item.amount_minor,
        currency=item.currency,
        nostro=item.nostro,
        payment_id=item.payment_id,
        batch_id=item.batch_id,
        statement_id=NO_ID,
        line_number=0,
        bank_reference="",
        detail=f"{fate}, booked on {item.settled_on}, on no statement that covers the day",
        opened_at=now,
    )


def _break_id(about: bytes, *parts: bytes) -> bytes:
    # The time within the id is that of what the break is about, so that deciding again gives the same id.
    return derived_id(int.from_bytes(about[:6], "big"), about, *parts)
