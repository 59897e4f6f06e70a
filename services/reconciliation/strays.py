"""Lines that name no payment and no batch of ours: they wait in the lane of their account.

Once their statement is closed there, the one open item of any lane with the same EndToEndId, amount and
currency is theirs; none or several is a break until that changes.
"""

from collections.abc import Sequence
from typing import NamedTuple

from services.reconciliation.breaks import difference, line_break
from services.reconciliation.model import (
    BROKEN,
    END_TO_END,
    HANDED_OVER,
    WAITING,
    Break,
    Candidate,
    Findings,
    Horizon,
    Line,
)

NO_END_TO_END_ID = ("", "NOTPROVIDED")
"""ISO 20022 customs: the second says that the initiator gave none."""


class StrayVerdict(NamedTuple):
    """The line as it now stands, and the breaks that changed."""

    line: Line
    findings: Findings


def owner(line: Line, candidates: Sequence[Candidate]) -> Candidate | None:
    """The one item that the line can be, or None."""
    if line.end_to_end_id in NO_END_TO_END_ID or len(candidates) != 1:
        return None
    return candidates[0]


def judge_stray(
    line: Line, candidates: Sequence[Candidate], known: Sequence[Break], cover: Break | None, horizon: Horizon
) -> StrayVerdict:
    """What becomes of a stray line. `cover`: settlement's contradiction about the very entry, if any."""
    if line.statement_id not in horizon.closed:
        return StrayVerdict(line._replace(state=WAITING, break_id=None), Findings())
    found = owner(line, candidates)
    if found is not None and found.lane != line.lane:
        _, findings = difference(known, {}, horizon.now)
        handed = line._replace(
            payment_id=found.payment_id,
            state=HANDED_OVER,
            handed_over_to=found.lane,
            found_by=END_TO_END,
            break_id=None,
        )
        return StrayVerdict(handed, findings)
    if cover is not None:
        _, findings = difference(known, {}, horizon.now)
        return StrayVerdict(line._replace(state=BROKEN, break_id=cover.break_id), findings)
    reason, detail = "unknown_line", "no expected item has its EndToEndId, amount and currency"
    if line.end_to_end_id in NO_END_TO_END_ID:
        detail = "it carries no reference of ours"
    elif len(candidates) > 1:
        reason, detail = "ambiguous_line", f"{len(candidates)} expected items could be it"
    opened = line_break(line, reason, detail, horizon.now)
    _, findings = difference(known, {opened.break_id: opened}, horizon.now)
    return StrayVerdict(line._replace(state=BROKEN, break_id=opened.break_id), findings)
