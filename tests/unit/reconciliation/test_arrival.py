"""What the reader says it sent to a lane, held against what came."""

from datetime import UTC, date, datetime

import pytest

from goodfunds.events.types import StatementClosed
from services.reconciliation.books import Books
from services.reconciliation.conclusions import conclude

STATEMENT = bytes(15) + b"\x03"
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
CLOSED = StatementClosed(
    statement_id=STATEMENT, lane_sum_minor=-300, closed_at=0, nostro="DE89370400440532013000",
    currency="EUR", lane_lines=2, to_date=date(2026, 11, 23),
)  # fmt: skip


@pytest.mark.parametrize(
    ("came", "missing"),
    [((2, -300), []), ((1, -100), [-200]), ((2, -299), [-1]), ((3, -300), [0])],
    ids=["all", "one line less", "another amount", "another line of nothing"],
)
def test_lines_that_are_not_as_many_and_as_much_as_were_sent_are_a_break(
    came: tuple[int, int], missing: list[int]
) -> None:
    outcome = conclude(Books(0, closings=[CLOSED], received={STATEMENT: came}), NOW)
    assert [each.amount_minor for each in outcome.opened] == missing
    assert {each.reason for each in outcome.opened} <= {"lines_missing"}
