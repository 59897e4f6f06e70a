"""Matching by batch total: a line that books a whole batch as one sum, without naming its payments.

The claim is a joint one, so it is drawn anew from the facts whenever they change: a payment that turns out
rejected, or that has a line of its own, withdraws the match of all.
"""

from typing import NamedTuple

from services.reconciliation.breaks import difference, line_break
from services.reconciliation.decide import NOTHING_TOLD
from services.reconciliation.model import (
    BATCH_TOTAL,
    BROKEN,
    CANCELLED,
    EXPLAINED,
    MATCHED,
    OPEN,
    WAITING,
    Batch,
    Break,
    Findings,
    Horizon,
    Item,
    Line,
    ToldMatches,
)


class BatchVerdict(NamedTuple):
    """The batch after matching, the pairs that are new, and the breaks that changed."""

    batch: Batch
    pairs: tuple[tuple[Item, Line], ...]
    findings: Findings


def match_batch(batch: Batch, horizon: Horizon, told: ToldMatches = NOTHING_TOLD) -> BatchVerdict:
    """Explain the batch's unrejected debits by the one line whose count and sum agree with all of them.

    Debits with a line of their own do not count. Only lines of closed statements are looked at; of several
    the one that was told before a restore goes first.
    """
    expected = [item for item in batch.debits if _counts(item)]
    due = [line for line in batch.lines if line.statement_id in horizon.closed]
    first = {
        told[item.payment_id, item.side].place for item in expected if (item.payment_id, item.side) in told
    }
    due.sort(
        key=lambda line: (
            line.place not in first,
            line.state != EXPLAINED,
            line.statement_id,
            line.line_number,
        )
    )
    taken = next((line for line in due if _agrees(line, expected)), None)
    wanted: dict[bytes, Break] = {}
    after = {line.place: line._replace(state=WAITING, break_id=None) for line in batch.lines}
    for line in due:
        if line is taken:
            after[line.place] = line._replace(state=EXPLAINED, break_id=None)
            continue
        found = line_break(line, *_reason(line, expected, taken), horizon.now)
        wanted[found.break_id] = found
        after[line.place] = line._replace(state=BROKEN, break_id=found.break_id)
    if taken is not None:
        taken = after[taken.place]
    pairs = []
    debits = []
    for item in batch.debits:
        if _counts(item):
            judged = _by(item, taken)
            if taken is not None and judged is not item:
                pairs.append((judged, taken))
            item = judged
        debits.append(item)
    breaks, findings = difference(batch.breaks, wanted, horizon.now)
    judged_batch = Batch(batch.batch_id, tuple(debits), tuple(after.values()), breaks)
    return BatchVerdict(judged_batch, tuple(pairs), findings)


def _counts(item: Item) -> bool:
    return item.state != CANCELLED and (item.state == OPEN or item.match_kind == BATCH_TOTAL)


def _agrees(line: Line, expected: list[Item]) -> bool:
    return (
        len(expected) == line.transaction_count
        and sum(item.amount_minor for item in expected) == line.amount_minor
        and all(item.currency == line.currency and item.nostro == line.nostro for item in expected)
    )


def _reason(line: Line, expected: list[Item], taken: Line | None) -> tuple[str, str]:
    if taken is not None and taken.amount_minor == line.amount_minor:
        return "duplicate_line", "another line is this batch's"
    total = sum(item.amount_minor for item in expected)
    return (
        "batch_total_differs",
        f"the line says {line.transaction_count} payments, {len(expected)} are expected with {total}"
        " (minor units)",
    )


def _by(item: Item, line: Line | None) -> Item:
    if line is None:
        if item.state == OPEN:
            return item
        return item._replace(state=OPEN, statement_id=None, line_number=0, match_kind="")
    if (item.statement_id, item.line_number) == line.place:
        return item
    return item._replace(
        state=MATCHED,
        statement_id=line.statement_id,
        line_number=line.line_number,
        match_kind=BATCH_TOTAL,
    )
