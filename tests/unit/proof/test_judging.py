"""The proof's judgement: what holds, what does not, and that what is missing is named to the cent."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.ids import NO_ID
from goodfunds.proof.evidence import Counted, Difference, Evidence, Handed
from goodfunds.proof.judging import Proof, judge

EUR = "EUR"
NOSTRO = "DE89370400440532013000"

NOTHING = Evidence()


def settled(minor: int = 10_000, opening: int = 1_000_000) -> Evidence:
    """Lane 3 accepted, settled and matched `minor`; the bank's statement agrees."""
    place = (3, EUR)
    return replace(
        NOTHING,
        accepted=Handed({place: minor}, {place: minor}, {place: minor}),
        transit={place: minor},
        told=Handed({place: -minor}, {place: -minor}, {place: -minor}),
        expected=[
            {"lane": 3, "nostro": NOSTRO, "currency": EUR, "settled_unmatched_minor": 0,
             "matched_unsettled_minor": 0},
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


def open_break(reason: str, minor: int, **about: Any) -> dict[str, Any]:
    """An open break about nothing in particular but what is given."""
    found = {
        "nostro": NOSTRO, "reason": reason, "amount_minor": minor, "currency": EUR, "payment_id": NO_ID,
        "statement_id": NO_ID, "line_number": 0, "bank_reference": "", "detail": "",
    }  # fmt: skip
    return found | about


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


PLACE = (3, EUR)


def test_a_payment_that_settlement_never_received_is_named() -> None:
    handed = Handed({PLACE: 10_000}, {}, {PLACE: 10_000}, differences=[Difference(3, ["0192-a"])])
    proof = judge(replace(settled(), accepted=handed))
    assert broken(proof) == ["what ingestion accepted, settlement received"]
    assert proof.unaccounted == {EUR: 10_000}
    [check] = [check for check in proof.checks if not check.holds]
    assert check.lines == ["lane 3: the first has 100.00 EUR more", "lane 3: payments 0192-a"]
    assert proof.sentence == f"100.00 EUR unaccounted for: {check.name}"


@pytest.mark.parametrize("direction", ["accepted", "given_back", "told"])
def test_amounts_that_cancel_out_between_lanes_are_still_found(direction: str) -> None:
    handed = Handed({PLACE: 10_000, (4, EUR): 0}, {(4, EUR): 10_000}, {PLACE: 10_000})
    changes: dict[str, Any] = {direction: handed}
    proof = judge(replace(settled(), **changes))
    assert len(broken(proof)) == 1
    assert proof.unaccounted == {EUR: 20_000}, "what one lane lacks another does not make good"


@pytest.mark.parametrize("direction", ["accepted", "given_back", "told"])
def test_payments_whose_amounts_cancel_out_in_a_lane_are_still_found_and_named(direction: str) -> None:
    whole = getattr(settled(), direction)
    changes: dict[str, Any] = {direction: replace(whole, differences=[Difference(3, ["0192-a", "0192-b"])])}
    proof = judge(replace(settled(), **changes))
    [check] = [check for check in proof.checks if not check.holds]
    assert check.lines == ["lane 3: payments 0192-a, 0192-b"]
    assert proof.sentence == f"not proved: {check.name}"


def test_what_is_still_on_its_way_is_in_flight_and_not_missing() -> None:
    handed = Handed({PLACE: 10_000}, {PLACE: 10_000}, {PLACE: 12_500})
    proof = judge(replace(settled(), accepted=handed, transit={PLACE: 12_500}))
    assert proof.holds
    assert "in flight 25.00 EUR" in proof.checks[1].detail


def test_what_was_parked_is_said_to_be_and_is_not_missing() -> None:
    handed = Handed({PLACE: 10_000}, {PLACE: 10_000}, {PLACE: 10_000}, {EUR: 300})
    proof = judge(replace(settled(), accepted=handed))
    assert proof.holds
    assert proof.checks[1].detail == "100.00 EUR, in flight 0.00 EUR, parked 3.00 EUR"


def test_a_movement_that_is_parked_in_reconciliation_is_in_our_books_and_not_missing() -> None:
    evidence = settled()
    [opening, moved] = evidence.nostro_movements
    evidence = replace(
        evidence,
        nostro_movements=[opening, {**moved, "amount_minor": moved["amount_minor"] - 300}],
        parked_moves={(NOSTRO, EUR): -300},
    )
    proof = judge(evidence)
    assert proof.holds
    assert "parked in reconciliation -3.00 EUR" in proof.checks[-3].detail


def test_a_refund_that_the_customer_never_got_is_found() -> None:
    evidence = replace(settled(), given_back=Handed({PLACE: 500}, {}, {PLACE: 500}))
    assert broken(judge(evidence)) == ["what settlement gave back, ingestion refunded"]


def test_a_refund_that_nobody_gave_back_is_found() -> None:
    evidence = replace(
        settled(), given_back=Handed({}, {PLACE: 500}, {}), refunded={PLACE: 500}, transit={PLACE: 9_500}
    )
    assert broken(judge(evidence)) == ["what settlement gave back, ingestion refunded"]


def test_money_taken_out_of_transit_is_found_in_its_lane() -> None:
    proof = judge(replace(settled(), transit={PLACE: 9_999}))
    assert broken(proof) == ["transit holds what was accepted less what was refunded"]
    assert proof.unaccounted == {EUR: 1}
    moved = judge(replace(settled(), transit={(4, EUR): 10_000}))
    assert broken(moved) == ["transit holds what was accepted less what was refunded"]


def test_a_fault_that_several_rules_find_is_unaccounted_for_once() -> None:
    lost = Handed({PLACE: 10_000}, {PLACE: 9_000}, {PLACE: 10_000})
    proof = judge(replace(settled(), accepted=lost, told=lost))
    assert len(broken(proof)) == 2
    assert proof.unaccounted == {EUR: 1_000}


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
        open_breaks=[open_break("unknown_line", -700, statement_id=bytes([1] * 16), line_number=4,
                                bank_reference="REF 9", detail="no such movement")],
    )  # fmt: skip
    proof = judge(evidence)
    assert proof.holds
    assert proof.open == [
        "break unknown_line: -7.00 EUR, statement 01010101-0101-0101-0101-010101010101, line 4, "
        "the bank's REF 9: no such movement"
    ]
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
    found = open_break(reason, 20, payment_id=bytes([2] * 16))
    off = {**closing, "closing_minor": closing["closing_minor"] + 20}
    proof = judge(replace(evidence, closings=[off], open_breaks=[found]))
    assert proof.holds
    assert proof.open == [f"break {reason}: 0.20 EUR, payment 02020202-0202-0202-0202-020202020202"]


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
    assert proof.sentence == f"not proved: {name}"


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


def test_a_statement_file_that_was_refused_is_listed_with_its_problem() -> None:
    refused = {"file_name": "camt053-1.xml", "problem": "it has no closing balance"}
    assert judge(replace(settled(), refused_files=[refused])).open == [
        "statement file camt053-1.xml is refused, nothing of it was taken: it has no closing balance"
    ]
