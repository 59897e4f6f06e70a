"""A chain of statements without a break, and each way in which one does not follow the last."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.reconciliation.continuity import chain_breaks
from services.reconciliation.model import Statement

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
FIRST = Statement(
    lane=0, statement_id=bytes(15) + b"\x01", nostro="DE89370400440532013000", currency="EUR",
    statement_number="7", bank_statement_id="S7", opening_minor=1_000, closing_minor=900,
    lines_sum_minor=-100, lines_count=2, from_date=date(2026, 11, 20), to_date=date(2026, 11, 20),
    opened_at=NOW,
)  # fmt: skip
SECOND = replace(
    FIRST, statement_id=bytes(15) + b"\x02", statement_number="8", bank_statement_id="S8",
    opening_minor=900, closing_minor=850, lines_sum_minor=-50, from_date=date(2026, 11, 23),
    to_date=date(2026, 11, 23),
)  # fmt: skip


def found(second: Statement) -> list[tuple[str, int]]:
    breaks = chain_breaks([FIRST, second], {FIRST.statement_id, second.statement_id}, [], NOW)
    assert breaks[FIRST.statement_id] == {}
    return [(each.reason, each.amount_minor) for each in breaks[second.statement_id].values()]


@pytest.mark.parametrize(
    ("second", "breaks"),
    [
        (SECOND, []),
        (replace(SECOND, opening_minor=901, closing_minor=851), [("opening_differs", 1)]),
        (replace(SECOND, lines_sum_minor=-49), [("sum_differs", -1)]),
        (replace(SECOND, lines_sum_minor=0, lines_count=0), [("sum_differs", -50)]),
        (replace(SECOND, statement_number="9"), [("statement_gap", 0)]),
        (replace(SECOND, statement_number="9", opening_minor=870, closing_minor=820),
         [("statement_gap", -30)]),
        (replace(SECOND, statement_number="7"), [("statement_gap", 0)]),
        (replace(SECOND, statement_number="1"), [("statement_gap", 0)]),
        (replace(SECOND, statement_number="1", to_date=date(2027, 1, 4)), []),
        (replace(SECOND, statement_number=""), []),
    ],
    ids=["sound", "opening", "sum", "no lines", "gap", "gap and opening", "same number", "from one again",
         "from one in a new year", "no number"],
)  # fmt: skip
def test_what_does_not_follow_is_a_break_with_the_amount_that_it_is_out_by(
    second: Statement, breaks: list[tuple[str, int]]
) -> None:
    assert found(second) == breaks
