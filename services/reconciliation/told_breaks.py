"""After a restore: a break as it was told, held against the break as it is. Pure."""

from datetime import datetime
from typing import NamedTuple

from goodfunds.events.types import BreakOpened, BreakResolved
from goodfunds.ids import NO_ID
from services.reconciliation.decide import instant
from services.reconciliation.model import Break

NEVER = -1


class ToldBreak(NamedTuple):
    """What was told of a break, of each kind the last: its seq, and the event.

    0 and no event where that was before the backup.
    """

    opened_seq: int = NEVER
    opened: BreakOpened | None = None
    resolved_seq: int = NEVER
    resolved: BreakResolved | None = None

    @property
    def is_open(self) -> bool:
        return self.opened_seq > self.resolved_seq


def judge(lane: int, told: ToldBreak, known: Break | None, now: datetime) -> tuple[Break | None, bool]:
    """The break as it is to stand, None where there is none, and whether that is to be told.

    It keeps the times that were told as far as they still hold; a contradiction's is settlement's. One that
    was told to be open and that nothing wants any more, or that never came up again, is resolved. One that
    came up and went while the lane caught up, and that nobody was told of, was none.
    """
    if told.opened_seq == told.resolved_seq == NEVER and not (known and known.is_open):
        return None, False
    if known is None:
        if told.opened is None:
            return None, False
        known = _adopted(lane, told.opened, now)
    times_hold = told.is_open or not known.is_open
    if told.opened is not None and times_hold and known.about != "contradiction":
        known = known._replace(opened_at=instant(told.opened.opened_at))
    if told.resolved is not None and not told.is_open and not known.is_open:
        known = known._replace(
            resolved_at=instant(told.resolved.resolved_at), resolution=told.resolved.reason
        )
    return known, known.is_open != told.is_open


def _adopted(lane: int, event: BreakOpened, now: datetime) -> Break:
    """A break that did not come up again: explained by now, and of what its event does not say nothing."""
    if event.reason == "missing_line":
        about = "item"
    elif event.line_number:
        about = "line"
    else:
        about = "statement"
    return Break(
        lane=lane,
        break_id=event.break_id,
        about=about,
        reason=event.reason,
        amount_minor=event.amount_minor,
        currency=event.currency,
        nostro=event.nostro,
        payment_id=event.payment_id,
        batch_id=NO_ID,
        statement_id=event.statement_id,
        line_number=event.line_number,
        bank_reference="",
        detail=event.detail,
        opened_at=instant(event.opened_at),
        resolved_at=now,
        resolution="explained",
    )
