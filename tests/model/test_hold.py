"""After a restore no payment reaches the bank twice, each reaches it, and every rule is needed for that."""

import pytest

from tests.model.hold import NOT_IN_TURN, RULES, search, start


@pytest.mark.parametrize(
    ("crashes", "refusals"),
    # The second world has some ten times the states of the first.
    [(1, 0), pytest.param(0, 1, marks=pytest.mark.long)],
)
def test_no_payment_is_at_the_bank_twice_and_each_gets_there_from_every_state(
    crashes: int, refusals: int
) -> None:
    found = search(start(crashes, refusals))
    assert found.broken is None, "\n".join([found.broken or "", *found.trace])


@pytest.mark.parametrize(
    "rule",
    # In the world of refusals, which is the larger one.
    [pytest.param(each, marks=pytest.mark.long if each == NOT_IN_TURN else ()) for each in RULES],
)
def test_a_broken_rule_is_caught(rule: str) -> None:
    first = start(crashes=0, refusals=1 if rule == NOT_IN_TURN else 0)
    assert search(first, frozenset({rule})).broken is not None
