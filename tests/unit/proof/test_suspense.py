"""What is in suspense is shown by a line of its own amount, or it is named as unaccounted for."""

from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from goodfunds.ids import NO_ID, text
from goodfunds.proof.judging import judge
from goodfunds.proof.suspense import hold
from tests.unit.proof.test_judging import EUR, NOSTRO, settled

DAY, NEXT = date(2026, 11, 23), date(2026, 11, 24)
PAYMENT = bytes([7] * 16)
ACCOUNT = {"nostro": NOSTRO, "currency": EUR}
STATED = [{**ACCOUNT, "from_date": DAY, "to_date": DAY}]


def suspended(minor: int, **about: Any) -> dict[str, Any]:
    found = {"amount_minor": minor, "booking_date": DAY, "kind": "second_settlement",
             "payment_id": PAYMENT, "bank_reference": "R1"}  # fmt: skip
    return {**ACCOUNT, **found, **about}


def shown(minor: int, lines: int = 1) -> dict[str, Any]:
    return {**ACCOUNT, "amount_minor": minor, "lines": lines}


def test_a_booking_that_is_in_suspense_twice_and_on_the_statement_once_is_named() -> None:
    evidence = settled()
    [line], [closing], [stated] = evidence.lines, evidence.closings, evidence.statements
    moved = {**ACCOUNT, "kind": "contradicted", "amount_minor": -1_400}
    evidence = replace(
        evidence,
        lines=[{**line, "from_reader_minor": -10_700, "broken_minor": -700}],
        statements=[{**stated, "lines_minor": -10_700}],
        closings=[{**closing, "closing_minor": closing["closing_minor"] - 700}],
        nostro_movements=[*evidence.nostro_movements, moved],
        suspended=[suspended(-700), suspended(-700, payment_id=NO_ID, bank_reference="R2")],
        unsettled_lines=[shown(-700)],
        stated_days=STATED,
    )
    proof = judge(evidence)
    assert proof.unaccounted == {EUR: 700}
    [check] = [each for each in proof.checks if not each.holds]
    assert check.lines == [
        "7.00 EUR less in our books",
        "-7.00 EUR is 2 times in suspense, on statements 1: "
        f"second_settlement payment {text(PAYMENT)} the bank's R1 of 2026-11-23; "
        "second_settlement the bank's R2 of 2026-11-23",
    ]


def test_a_booking_of_a_day_without_a_statement_is_not_yet_on_one() -> None:
    rows = [suspended(-700, booking_date=NEXT), suspended(-3, booking_date=None)]
    found = hold(rows, [], STATED, EUR)
    assert (found.awaited, found.unbacked, found.lines) == (-703, 0, [])


def test_amounts_that_cancel_each_other_out_are_named_both() -> None:
    found = hold([suspended(-700), suspended(700)], [], STATED, EUR)
    assert (found.unbacked, len(found.lines)) == (0, 2)


AMOUNTS = st.lists(st.sampled_from([-100, -99, 100]), max_size=6)


@given(AMOUNTS, AMOUNTS)
def test_whatever_is_in_suspense_beyond_the_lines_of_its_amount_is_unbacked(
    booked: list[int], on_lines: list[int]
) -> None:
    lines = [shown(minor, on_lines.count(minor)) for minor in set(on_lines)]
    found = hold([suspended(minor) for minor in booked], lines, STATED, EUR)
    expected = {minor: booked.count(minor) - on_lines.count(minor) for minor in set(booked)}
    assert found.unbacked == sum(minor * max(0, beyond) for minor, beyond in expected.items())
    assert len(found.lines) == sum(beyond > 0 for beyond in expected.values())


def test_bookings_that_no_line_shows_are_named_though_their_amounts_cancel_out() -> None:
    evidence = replace(settled(), suspended=[suspended(-700), suspended(700)], stated_days=STATED)
    [check] = [check for check in judge(evidence).checks if not check.holds]
    assert check.name == f"nostro {NOSTRO} agrees with the bank"
    assert len(check.lines) == 2
