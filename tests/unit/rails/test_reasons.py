"""Reason codes: the table, and the one order in which clients hear of them."""

import re

from goodfunds.rails import reasons
from goodfunds.rails.reasons import PRECEDENCE, Refusal, first

CODES = {value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)}
NEVER_ONE_OF_SEVERAL = {
    "AC01",
    "AC04",
    "AC11",
    "AM09",
    "AM10",
    "AM18",
    "DU01",
    "DU02",
    "DU03",
    "DU04",
    "DU05",
    "ED05",
    "MS03",
    "NARR",
}


def test_every_code_is_explained_in_the_table_of_the_docstring() -> None:
    assert set(re.findall(r"^\| ([A-Z0-9]{4}) \|", reasons.__doc__ or "", re.MULTILINE)) == CODES


def test_precedence_ranks_once_each_code_that_can_be_one_of_several() -> None:
    assert len(set(PRECEDENCE)) == len(PRECEDENCE)
    assert set(PRECEDENCE) == CODES - NEVER_ONE_OF_SEVERAL


def test_precedence_is_form_then_debtor_then_destination_then_money() -> None:
    assert PRECEDENCE == (
        "FF01", "CH21", "CH16", "AM05", "AM11", "AM12", "AM01",
        "AC02", "AC05", "AC06", "AG03", "AG01", "AM03", "AC10", "AM02",
        "AC03", "RC07", "BE22", "BE20", "BE11", "BE04", "BE19", "FF08", "RR07", "RR09", "DT01",
        "AM04",
    )  # fmt: skip


def test_the_first_refusal_is_the_earliest_by_precedence_whatever_the_order_found() -> None:
    found = [Refusal("AM04", "no funds"), Refusal("AC03", "bad IBAN"), Refusal("AM03", "not EUR")]
    assert first(found) == first(reversed(found)) == Refusal("AM03", "not EUR")


def test_of_one_code_the_first_found_is_told() -> None:
    assert first([Refusal("BE04", "one"), Refusal("BE04", "two")]) == Refusal("BE04", "one")


def test_no_refusals_are_no_refusal() -> None:
    assert first([]) is None
