"""The rules of one payment and one batch: the same conclusions from the same facts, whatever their order."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.events import types
from goodfunds.ids import NO_ID
from services.reconciliation.batch_totals import match_batch
from services.reconciliation.breaks import contradiction, find_breaks
from services.reconciliation.decide import decide, match
from services.reconciliation.model import (
    BATCH_TOTAL,
    BROKEN,
    CANCELLED,
    EXPLAINED,
    MATCHED,
    Batch,
    Case,
    Horizon,
    Item,
    Line,
)

PAYMENT, BATCH = bytes(15) + b"\x01", bytes(15) + b"\x02"
STATEMENT, OTHER_BATCH = bytes(15) + b"\x03", bytes(15) + b"\x04"
NOSTRO = "DE89370400440532013000"
DAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
COMMON = ("customer", "EUR", "sepa-credit", NOSTRO, "E1")

SUBMITTED = types.PaymentSubmitted(PAYMENT, BATCH, 100, 5, *COMMON, "GF1", DAY)
SETTLED = types.PaymentSettled(PAYMENT, BATCH, 100, 6, *COMMON, "B1", DAY, "booked")
REJECTED = types.PaymentRejectedByBank(PAYMENT, BATCH, 100, 7, *COMMON, "AC04", "")
RETURNED = types.PaymentReturned(PAYMENT, BATCH, 100, 5, 8, *COMMON, "B2", "AC04", "", DAY)
CLOSED = "closed"


def line(amount: int, number: int, **changes: Any) -> Line:
    made = Line(
        0, STATEMENT, number, PAYMENT, NO_ID, amount, "EUR", NOSTRO, "", "", "", DAY, DAY, 1, False, False,
        "", "", NOW,
    )  # fmt: skip
    return made._replace(**changes)


@dataclass
class Lane:
    """A payment's case as its lane lives through it, concluding after every fact."""

    case: Case = field(default_factory=lambda: Case(PAYMENT))
    closed: bool = False
    opened: int = 0
    resolved: int = 0

    def take(self, fact: Any) -> None:
        if fact is CLOSED:
            self.closed = True
        elif isinstance(fact, Line):
            self.case = self.case._replace(lines=(*self.case.lines, fact))
        else:
            self.case = decide(self.case, fact, 0, 1)
        self.case, _ = match(self.case)
        horizon = Horizon({STATEMENT} if self.closed else (), {NOSTRO: DAY} if self.closed else {}, NOW)
        self.case, findings = find_breaks(self.case, horizon)
        self.opened += len(findings.opened)
        self.resolved += len(findings.resolved)

    def conclusion(self) -> tuple[Any, ...]:
        debit, credit = self.case.debit, self.case.credit
        return (
            debit and (debit.state, debit.settled_on),
            credit and credit.state,
            sorted((each.state, each.amount_minor) for each in self.case.lines),
            sorted((each.reason, each.amount_minor) for each in self.case.breaks if each.is_open),
        )


FACTS = st.lists(
    st.one_of(
        st.sampled_from([SUBMITTED, SETTLED, REJECTED, RETURNED]),
        st.sampled_from([-100, -100, -99, 95, 100]),
    ),
    max_size=7,
).map(lambda found: [
    line(fact, number) if isinstance(fact, int) else fact for number, fact in enumerate(found)
])  # fmt: skip


@given(FACTS, st.data())
def test_any_order_of_a_payments_facts_leads_to_the_same_matches_and_breaks(
    facts: list[Any], data: st.DataObject
) -> None:
    in_order, shuffled = Lane(), Lane()
    for fact in [*facts, CLOSED]:
        in_order.take(fact)
    for fact in data.draw(st.permutations([*facts, CLOSED])):
        shuffled.take(fact)
    assert shuffled.conclusion() == in_order.conclusion()


@given(FACTS, st.data())
def test_the_money_of_lines_is_in_matches_and_breaks_and_nowhere_twice(
    facts: list[Any], data: st.DataObject
) -> None:
    lane = Lane()
    for fact in data.draw(st.permutations([*facts, CLOSED])):
        lane.take(fact)
    items = [item for item in (lane.case.debit, lane.case.credit) if item and item.state == MATCHED]
    open_breaks = [each for each in lane.case.breaks if each.is_open]
    lines = sum(fact.amount_minor for fact in facts if isinstance(fact, Line))
    on_lines = sum(each.amount_minor for each in open_breaks if each.about == "line")
    assert lines == sum(item.amount_minor for item in items) + on_lines
    assert lane.opened - lane.resolved == len(open_breaks)
    assert len({each.break_id for each in lane.case.breaks}) == len(lane.case.breaks)
    pointers = [(item.statement_id, item.line_number) for item in items]
    explained = [each.place for each in lane.case.lines if each.state == EXPLAINED]
    assert sorted(pointers) == sorted(explained)


@pytest.mark.parametrize(
    ("facts", "breaks"),
    [
        ([SETTLED, line(-100, 1)], []),
        ([SETTLED, line(-99, 1)], [("amount_differs", -99), ("missing_line", 100)]),
        ([SETTLED, line(-100, 1), line(-100, 2)], [("duplicate_line", -100)]),
        ([SETTLED], [("missing_line", 100)]),
        ([SUBMITTED], []),
        ([REJECTED, line(-100, 1)], [("line_for_rejected", -100)]),
        ([SETTLED, line(-100, 1), RETURNED, line(95, 2)], []),
        ([SETTLED, line(-100, 1), RETURNED], [("missing_line", -95)]),
        ([SETTLED, line(-100, 1), RETURNED, line(100, 2)], [("amount_differs", 100), ("missing_line", -95)]),
        ([SETTLED, line(-100, 1), line(95, 2)], [("unknown_line", 95)]),
        ([line(-100, 1)], [("unknown_line", -100)]),
        ([SETTLED, line(-100, 1, currency="USD")], [("amount_differs", -100), ("missing_line", 100)]),
        ([SETTLED, line(-100, 1, nostro="other")], [("missing_line", 100), ("unknown_line", -100)]),
    ],
)
def test_each_difference_is_a_break_of_its_kind_and_nothing_else_is(
    facts: list[Any], breaks: list[tuple[str, int]]
) -> None:
    lane = Lane()
    for fact in [*facts, CLOSED]:
        lane.take(fact)
    assert lane.conclusion()[3] == breaks


def test_a_settlement_without_its_submission_is_expected_all_the_same() -> None:
    case = decide(Case(PAYMENT), SETTLED, 0, 9)
    assert case.debit is not None
    assert (case.debit.amount_minor, case.debit.settled_on, case.debit.opened_seq) == (-100, DAY, 9)
    assert decide(case, SUBMITTED, 0, 10) is case


def test_a_debit_is_of_the_batch_that_it_went_out_in_last_until_a_line_explains_it() -> None:
    again = replace(SUBMITTED, batch_id=OTHER_BATCH, submitted_at=SUBMITTED.submitted_at + 1)
    told_first = replace(SETTLED, batch_id=OTHER_BATCH)
    first = decide(Case(PAYMENT), SUBMITTED, 0, 1)
    for later in (again, told_first):
        case = decide(first, later, 0, 2)
        assert case.debit is not None
        assert (case.debit.batch_id, case.debit.opened_seq) == (OTHER_BATCH, 2)
        assert decide(case, SUBMITTED, 0, 3) is case
    matched, _ = match(first._replace(lines=(line(-100, 1),)))
    assert decide(matched, again, 0, 2) is matched


def test_the_same_event_again_gives_the_very_same_case() -> None:
    case = Case(PAYMENT)
    for event in (SUBMITTED, SETTLED, RETURNED, REJECTED):
        case = decide(case, event, 0, 1)
        assert decide(case, event, 0, 2) is case


@pytest.mark.parametrize(
    ("kind", "amount"),
    [
        ("settled_after_rejection", -100),
        ("returned_after_rejection", 100),
        ("settled_amount_differs", -99),
        ("return_amount_differs", 95),
        ("second_settlement", -100),
        ("second_return", 100),
        ("unknown_entry", -7),
    ],
)
def test_a_line_whose_money_is_in_suspense_already_weighs_on_the_books_no_second_time(
    kind: str, amount: int
) -> None:
    event = types.SettlementContradicted(PAYMENT, amount, 9, *COMMON, "B3", kind, "", "")
    case = Case(PAYMENT, lines=(line(amount, 1),), breaks=(contradiction(event, 0),))
    case, findings = find_breaks(case, Horizon({STATEMENT}, {NOSTRO: DAY}, NOW))
    assert findings.opened == ()
    assert (case.lines[0].state, case.lines[0].break_id) == (BROKEN, case.breaks[0].break_id)


def _batch(members: list[str], lines: list[tuple[int, int]]) -> Batch:
    debits = []
    for number, fate in enumerate(members):
        item = Item(0, bytes([number] * 16), -1, BATCH, -100, "EUR", NOSTRO, "a", "", NOW, 1)
        if fate == "rejected":
            item = item._replace(state=CANCELLED)
        if fate == "own line":
            item = item._replace(
                state=MATCHED, statement_id=STATEMENT, line_number=99, match_kind="reference"
            )
        debits.append(item)
    found = tuple(
        line(-100 * total, number, payment_id=NO_ID, batch_id=BATCH, transaction_count=count)
        for number, (count, total) in enumerate(lines)
    )
    return Batch(BATCH, tuple(debits), found)


MEMBERS = st.lists(st.sampled_from(["open", "rejected", "own line"]), max_size=5)
TOTALS = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), max_size=3)
ALL_CLOSED = Horizon({STATEMENT}, {NOSTRO: DAY}, NOW)


@given(MEMBERS, TOTALS)
def test_a_batch_is_matched_by_one_line_whose_count_and_sum_agree_or_by_none(
    members: list[str], totals: list[tuple[int, int]]
) -> None:
    verdict = match_batch(_batch(members, totals), ALL_CLOSED)
    expected = members.count("open")
    agrees = (expected, expected) in totals
    by_total = [item for item in verdict.batch.debits if item.match_kind == BATCH_TOTAL]
    assert len(by_total) == len(verdict.pairs) == (expected if agrees else 0)
    explained = [each for each in verdict.batch.lines if each.state == EXPLAINED]
    broken = [each for each in verdict.batch.lines if each.state == BROKEN]
    assert len(explained) == int(agrees)
    assert len(explained) + len(broken) == len(totals)
    assert sorted(each.amount_minor for each in broken) == sorted(
        each.amount_minor for each in verdict.findings.opened
    )


@given(MEMBERS, TOTALS)
def test_judging_a_batch_again_changes_nothing(members: list[str], totals: list[tuple[int, int]]) -> None:
    once = match_batch(_batch(members, totals), ALL_CLOSED).batch
    again = match_batch(once, ALL_CLOSED)
    assert again.batch == once
    assert (again.pairs, again.findings.opened, again.findings.resolved) == ((), (), ())


def test_a_batch_line_waits_until_its_statement_is_closed() -> None:
    verdict = match_batch(_batch(["open"], [(1, 1)]), Horizon((), {}, NOW))
    assert verdict.pairs == ()
    assert verdict.findings.opened == ()
