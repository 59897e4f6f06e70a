"""IBANs: structure, check digits, SEPA's countries, and what one check costs."""

import time
from string import ascii_uppercase

import pytest
from hypothesis import given
from hypothesis import strategies as st
from schwifty import IBAN
from schwifty.exceptions import SchwiftyException
from schwifty.registry import get_iban_spec

from goodfunds.rails import iban

VALID = [
    "DE89370400440532013000",
    "NL91ABNA0417164300",
    "FR1420041010050500013M02606",
    "GB29NWBK60161331926819",
    "MT84MALT011000012345MTLCAST001S",
    "NO9386011117947",
    "AL47212110090000000235698741",
    "MD24AG000225100013104168",
    "ME25505000012345678951",
    "MK07250120000058984",
    "RS35260005601001611379",
    "SA0380000000608010167519",
]


@pytest.mark.parametrize("number", VALID)
def test_examples_of_the_registry_are_valid(number: str) -> None:
    assert iban.is_valid(number)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "DE",
        "DE88370400440532013000",
        "de89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "DE8937040044053201300",
        "DE893704004405320130000",
        "DE89370400440532013000\n",
        "NL91abna0417164300",
        "XX89370400440532013000",
        "ÄÖ89370400440532013000",
        "DE٨٩370400440532013000",
    ],
)
def test_another_country_length_case_space_or_digit_is_refused(number: str) -> None:
    assert not iban.is_valid(number)


@pytest.mark.parametrize("number", VALID)
def test_every_single_wrong_digit_and_every_swap_of_neighbours_is_noticed(number: str) -> None:
    for place, old in enumerate(number[2:], 2):
        if old.isdigit():
            for digit in "0123456789":
                changed = number[:place] + digit + number[place + 1 :]
                assert iban.is_valid(changed) == (digit == old)
        if place + 1 < len(number) and number[place + 1] != old:
            swapped = number[:place] + number[place + 1] + old + number[place + 2 :]
            assert not iban.is_valid(swapped)


def test_check_digits_00_01_and_99_are_none_although_the_sum_would_fit() -> None:
    account, seen = "37040044053201300", set()
    for last in range(10):
        for check in ("00", "01", "99"):
            number = f"DE{check}{account}{last}"
            seen.add(iban.has_check_digits(number))
            assert not iban.is_valid(number)
    for tail in range(100):
        candidate = f"DE99{account[:-1]}{tail:02d}"
        seen.add(iban.has_check_digits(candidate))
        assert not iban.is_valid(candidate)
    assert True in seen


@given(
    st.sampled_from(sorted(iban.STRUCTURES)),
    st.text(ascii_uppercase + "0123456789", min_size=10, max_size=30),
)
def test_what_is_valid_is_valid_to_schwifty(country: str, account: str) -> None:
    shortened = account[: iban_length(country) - 4] if iban_length(country) > 4 else account
    value = int("".join(str(int(c, 36)) for c in f"{shortened}{country}00"))
    number = f"{country}{98 - value % 97:02d}{shortened}"
    if iban.is_valid(number):
        try:
            IBAN(number)
        except SchwiftyException as fault:
            pytest.fail(f"{number}: {fault}")


def iban_length(country: str) -> int:
    return get_iban_spec(country).iban_length


def test_sepa_is_the_41_countries_of_the_list_and_gibraltar() -> None:
    assert len(iban.SEPA_COUNTRIES) == 42
    assert iban.SEPA_COUNTRIES - set(iban.STRUCTURES) == set()


@pytest.mark.parametrize(
    "country", ["AL", "MD", "ME", "MK", "RS", "CH", "GB", "GI", "AD", "MC", "SM", "VA", "BG"]
)
def test_members_outside_the_eea_and_recent_ones_are_reached(country: str) -> None:
    assert iban.is_sepa(country + "00")


@pytest.mark.parametrize("country", ["US", "TR", "UA", "BA", "XK", "IL", "SA", "GE", ""])
def test_other_countries_with_ibans_are_not_reached(country: str) -> None:
    assert not iban.is_sepa(country + "00")


def test_a_check_costs_microseconds_and_remembers_no_value() -> None:
    best = min(_seconds_of_a_thousand() for _ in range(20))
    # 3 µs is the budget on a quiet core; the suite shares its cores.
    assert best / 1000 < 10e-6
    assert not hasattr(iban.is_valid, "cache_info")


def _seconds_of_a_thousand() -> float:
    started = time.perf_counter()
    for _ in range(1000):
        iban.is_valid("DE89370400440532013000")
    return time.perf_counter() - started
