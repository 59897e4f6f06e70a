"""Money: the standard's grammar, and nothing more lenient."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.money import (
    CURRENCIES,
    InvalidAmount,
    Money,
    UnknownCurrency,
    format_amount,
    parse_amount,
    readable_amount,
)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("10.50", "EUR", 1050),
        ("10.5", "EUR", 1050),
        ("0.01", "EUR", 1),
        ("00010", "EUR", 1000),
        ("0" * 5_000 + "10.50", "EUR", 1050),
        ("0" * 5_000, "EUR", 0),
        ("10", "JPY", 10),
        ("1.234", "KWD", 1234),
        ("9999999999999999.99", "EUR", 999999999999999999),
    ],
)
def test_amounts_of_the_standard_are_read(text: str, currency: str, minor: int) -> None:
    assert parse_amount(text, currency) == minor


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "10.", ".5", "-1", "+1", " 1", "1 ", "1_000", "1e3", "1E3", "NaN", "Infinity", "0x10",
        "1,00", "1.000", "10.500", "٣", "１０", "true", "99999999999999999.99", "1\n",
    ],
)  # fmt: skip
def test_what_is_no_amount_by_the_standard_is_refused(text: str) -> None:
    with pytest.raises(InvalidAmount):
        parse_amount(text, "EUR")


def test_yen_have_no_decimals() -> None:
    with pytest.raises(InvalidAmount):
        parse_amount("10.0", "JPY")


@pytest.mark.parametrize("currency", ["ZZZ", "eur", "", "XXX", "EU"])
def test_unknown_currencies_are_refused(currency: str) -> None:
    with pytest.raises(UnknownCurrency):
        parse_amount("1", currency)


@given(st.integers(0, 10**18 - 1), st.sampled_from(sorted(CURRENCIES)))
def test_what_is_written_reads_back_the_same(minor: int, currency: str) -> None:
    assert parse_amount(format_amount(minor, currency), currency) == minor


def test_negative_amounts_are_written_with_a_sign() -> None:
    assert format_amount(-5, "EUR") == "-0.05"
    assert str(Money(-1050, "JPY")) == "-1050 JPY"


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (123_456_789, "EUR", "1,234,567.89 EUR"),
        (-100_000, "EUR", "-1,000.00 EUR"),
        (-5, "EUR", "-0.05 EUR"),
        (1_000_000, "JPY", "1,000,000 JPY"),
        (1_234_567, "KWD", "1,234.567 KWD"),
        (0, "EUR", "0.00 EUR"),
    ],
)
def test_people_read_amounts_with_their_thousands_apart(minor: int, currency: str, shown: str) -> None:
    assert readable_amount(minor, currency) == shown


@pytest.mark.parametrize("minor", [True, 1.0, "1", None])
def test_money_is_made_of_integers_alone(minor: object) -> None:
    with pytest.raises(InvalidAmount):
        Money(minor, "EUR")  # type: ignore[arg-type]
