"""The proof's judgement: what holds, what does not, and that what is missing is named to the cent."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.proof.evidence import Counted, Difference, Evidence
from goodfunds.proof.judging import Proof, judge

EUR = "EUR"
NOSTRO = "DE89370400440532013000"

NOTHING = Evidence(
    accepted={}, received={}, accepted_all={}, accepted_differences=(), refunded={}, gave_back={},
    gave_back_all={}, refund_differences=(), transit={}, states=(), told={}, told_all={}, expected=(),
    lines=(), statements=(), closings=(), nostro_movements=(), open_breaks=(), control_totals=(),
    faults={}, parked={}, stopped={},
)  # fmt: skip


def settled(minor: int = 10_000, opening: int = 1_000_000) -> Evidence:
    """Lane 3 accepted, settled and matched `minor`; the bank's statement agrees."""
    place = (3, EUR)
    return replace(
        NOTHING,
        accepted={place: minor},
        received={place: minor},
        accepted_all={place: minor},
        transit={EUR: minor},
        told={place: -minor},
        told_all={place: -minor},
        expected=[
            {"lane": 3, "nostro": NOSTRO, "currency": EUR, "matched_minor": -minor,
             "settled_unmatched_minor": 0, "matched_unsettled_minor": 0},
        ],
        lines=[
            {"nostro": NOSTRO, "currency": EUR, "from_reader_minor": -minor, "handed_out_minor": -minor,
             "handed_in_minor": -minor, "waiting_minor": 0, "broken_minor": 0},
        ],
        statements=[{"nostro": NOSTRO, "currency": EUR, "lines_minor": -minor}],
        closings=[{"nostro": NOSTRO, "currency": EUR, "closing_minor": opening - minor}],
        nostro_movements=[
            {"nostro": NOSTRO, "currency": EUR, "kind": "bank_opening_balance", "amount_minor": opening},
            {"nostro": NOSTRO, "currency": EUR, "kind": "settled", "amount_minor": -minor},
        ],
        control_totals=[Counted("accepted, lane 3", EUR, minor, minor)],
    )  # fmt: skip


def broken(proof: Proof) -> list[str]:
    return [check.name for check in proof.checks if not check.holds]


def test_nothing_at_all_is_accounted_for() -> None:
    assert judge(NOTHING).holds


@given(minor=st.integers(1, 10**17), opening=st.integers(0, 10**17))
def test_a_settled_and_matched_payment_is_accounted_for(minor: int, opening: int) -> None:
    proof = judge(settled(minor, opening))
    assert broken(proof) == []
    assert proof.unaccounted == {EUR: 0}
    assert proof.sentence.startswith("0 unaccounted for")


def test_a_payment_that_settlement_never_received_is_named() -> None:
    evidence = replace(settled(), received={}, accepted_differences=[Difference(3, ["0192-a"])])
    proof = judge(evidence)
    assert broken(proof) == ["what ingestion accepted, settlement received"]
    assert proof.unaccounted == {EUR: 10_000}
    [check] = [check for check in proof.checks if not check.holds]
    assert check.lines == ["lane 3: 100.00 EUR more on the producer's side", "lane 3: payments 0192-a"]
    assert "100.00 EUR unaccounted for" in proof.sentence


def test_amounts_that_cancel_out_between_lanes_are_still_found() -> None:
    evidence = replace(settled(), accepted={(3, EUR): 10_000, (4, EUR): 0}, received={(4, EUR): 10_000})
    assert "what ingestion accepted, settlement received" in broken(judge(evidence))


def test_amounts_that_cancel_out_between_payments_of_one_lane_are_still_found() -> None:
    evidence = replace(settled(), accepted_differences=[Difference(3, ["0192-a", "0192-b"])])
    assert broken(judge(evidence)) == ["what ingestion accepted, settlement received"]


def test_what_is_still_on_its_way_is_in_flight_and_not_missing() -> None:
    evidence = replace(settled(), accepted_all={(3, EUR): 12_500}, transit={EUR: 12_500})
    proof = judge(evidence)
    assert proof.holds
    assert "in flight 25.00 EUR" in proof.checks[1].detail


def test_a_refund_that_the_customer_never_got_is_found() -> None:
    evidence = replace(settled(), gave_back={(3, EUR): 500}, gave_back_all={(3, EUR): 500})
    assert broken(judge(evidence)) == ["what settlement gave back, ingestion refunded"]


def test_a_refund_that_nobody_gave_back_is_found() -> None:
    evidence = replace(settled(), refunded={(3, EUR): 500}, transit={EUR: 9_500})
    assert broken(judge(evidence)) == ["what settlement gave back, ingestion refunded"]


def test_money_taken_out_of_transit_is_found() -> None:
    proof = judge(replace(settled(), transit={EUR: 9_999}))
    assert broken(proof) == ["transit holds what was accepted less what was refunded"]
    assert proof.unaccounted == {EUR: 1}


def test_a_settlement_that_reconciliation_does_not_know_is_found() -> None:
    evidence = settled()
    [item] = evidence.expected
    assert "what settlement settled, reconciliation knows" in broken(
        judge(replace(evidence, expected=[{**item, "matched_minor": -9_999}]))
    )


@pytest.mark.parametrize("gap", [1, -1])
def test_a_nostro_that_is_a_cent_off_the_banks_balance_is_found(gap: int) -> None:
    evidence = settled()
    [opening, moved] = evidence.nostro_movements
    moved = {**moved, "amount_minor": moved["amount_minor"] + gap}
    proof = judge(replace(evidence, nostro_movements=[opening, moved]))
    assert broken(proof) == [f"nostro {NOSTRO} agrees with the bank"]
    assert proof.unaccounted == {EUR: 1}


def test_an_open_break_is_explained_and_listed_with_its_amount() -> None:
    evidence = settled()
    [line] = evidence.lines
    evidence = replace(
        evidence,
        lines=[{**line, "from_reader_minor": -10_700, "handed_out_minor": -10_700, "handed_in_minor": -10_700,
                "broken_minor": -700}],
        statements=[{**evidence.statements[0], "lines_minor": -10_700}],
        closings=[{**evidence.closings[0], "closing_minor": 989_300}],
        open_breaks=[{"nostro": NOSTRO, "reason": "unknown_line", "amount_minor": -700, "currency": EUR,
                      "detail": "REF 9"}],
    )  # fmt: skip
    proof = judge(evidence)
    assert proof.holds
    assert proof.open == ["break unknown_line: -7.00 EUR REF 9"]
    assert proof.sentence.endswith("1 open, each listed.")


@pytest.mark.parametrize("gap", [1, -1])
def test_a_closing_balance_of_the_bank_that_its_lines_do_not_make_is_found(gap: int) -> None:
    evidence = settled()
    [closing] = evidence.closings
    off = {**closing, "closing_minor": closing["closing_minor"] + gap}
    proof = judge(replace(evidence, closings=[off]))
    assert broken(proof) == [f"nostro {NOSTRO} agrees with the bank"]
    assert proof.unaccounted == {EUR: 1}


@pytest.mark.parametrize("reason", ["sum_differs", "opening_differs", "statement_gap"])
def test_an_open_break_of_the_statements_weighs_on_the_nostro_and_is_listed(reason: str) -> None:
    evidence = settled()
    [closing] = evidence.closings
    found = {"nostro": NOSTRO, "reason": reason, "amount_minor": 20, "currency": EUR, "detail": ""}
    off = {**closing, "closing_minor": closing["closing_minor"] + 20}
    proof = judge(replace(evidence, closings=[off], open_breaks=[found]))
    assert proof.holds
    assert len(proof.open) == 1


def test_an_account_that_only_the_bank_knows_is_found_with_its_money() -> None:
    other = {"nostro": "XX1", "currency": "USD", "closing_minor": 700}
    evidence = settled()
    proof = judge(replace(evidence, closings=[*evidence.closings, other]))
    assert broken(proof) == ["nostro XX1 agrees with the bank"]
    assert proof.unaccounted == {EUR: 0, "USD": 700}


def test_a_second_reader_that_counts_otherwise_is_heard() -> None:
    proof = judge(replace(settled(), control_totals=[Counted("accepted, lane 3", EUR, 10_001, 10_000)]))
    assert broken(proof) == ["an independent second reader of the topics counts the same"]
    assert proof.unaccounted == {EUR: 1}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"faults": {"ingestion: overdrawn": [{"account": "A"}]}}, "each database agrees with itself"),
        ({"stopped": {"settlement": [(3, "a gap")]}}, "no lane is stopped"),
    ],
)  # fmt: skip
def test_a_broken_rule_without_an_amount_does_not_hold_either(change: dict[str, Any], name: str) -> None:
    proof = judge(replace(settled(), **change))
    assert broken(proof) == [name]
    assert proof.sentence == f"no amount, but a rule unaccounted for: {name}"


def test_a_second_reader_that_is_a_moment_behind_is_said_to_be_and_holds() -> None:
    behind = Counted("accepted, lane 3", EUR, 4_000, 4_000, uncounted=2, seconds=3.0)
    [check] = [
        each for each in judge(replace(settled(), control_totals=[behind])).checks if "second" in each.name
    ]
    assert check.holds
    assert check.detail == "1 totals compared, 2 events not counted yet"


@pytest.mark.parametrize("counted", [0, 4_000])
def test_a_second_reader_that_stands_still_proves_nothing(counted: int) -> None:
    behind = Counted("accepted, lane 3", EUR, counted, counted, uncounted=2, seconds=31.0)
    proof = judge(replace(settled(), control_totals=[behind]))
    assert broken(proof) == ["an independent second reader of the topics counts the same"]
    assert "accepted, lane 3: 2 not counted, nothing moves for 31 s" in proof.checks[-2].lines


def test_a_row_that_breaks_a_rule_is_shown_with_its_payment_as_people_see_it() -> None:
    row = {"rule": "a line and what it explains", "payment_id": bytes(16), "statement_id": None}
    [shown] = judge(replace(settled(), faults={"sums": [row]})).checks[0].lines
    assert shown == (
        "sums: rule a line and what it explains, payment_id 00000000-0000-0000-0000-000000000000"
    )


def test_parked_events_are_listed_with_their_money() -> None:
    parked = {"settlement": [{"count": 2, "amount_minor": 500, "currency": EUR, "oldest": "2026-11-02"}]}
    assert judge(replace(settled(), parked=parked)).open == [
        "2 parked events in settlement: 5.00 EUR, oldest 2026-11-02"
    ]
