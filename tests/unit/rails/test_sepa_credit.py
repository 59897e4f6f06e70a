"""The rules of `sepa-credit`, one by one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from goodfunds.rails import RAILS, rail
from goodfunds.rails.sepa_address import creditor_address
from goodfunds.rails.sepa_credit import (
    SEPA_CREDIT,
    batch_date,
    cut_off,
    day_of,
    effective_date,
    is_creditor_reference,
    refusals,
)


@dataclass(frozen=True)
class Asked:
    amount_minor: int = 1050
    currency: str = "EUR"
    end_to_end_id: str = "E2E-1"
    debtor_account: str = "customer 17"
    debtor_name: str = "Ada"
    creditor_account: str = "NL91ABNA0417164300"
    creditor_name: str = "Bob"
    creditor_agent: str = ""
    charge_bearer: str = ""
    remittance_unstructured: str = ""
    remittance_reference: str = ""
    creditor_street: str = ""
    creditor_building: str = ""
    creditor_postcode: str = ""
    creditor_town: str = ""
    creditor_country: str = ""
    creditor_address_lines: Sequence[str] = ()


def code(**changed: object) -> str | None:
    refusal = refusals(replace(Asked(), **changed))  # type: ignore[arg-type] # fields by name
    return refusal.code if refusal else None


def test_a_plain_transfer_is_taken_whatever_our_own_account_id() -> None:
    assert code() is None
    assert code(debtor_account="any id of ours") is None


@pytest.mark.parametrize("currency", ["USD", "JPY", "eur", "", "EURO"])
def test_a_currency_other_than_euro_is_am03(currency: str) -> None:
    assert code(currency=currency) == "AM03"


@pytest.mark.parametrize(
    ("amount", "answer"),
    [(1, None), (99_999_999_999, None), (0, "AM02"), (-1, "AM02"), (100_000_000_000, "AM02")],
)
def test_an_amount_outside_one_cent_to_999999999_99_is_am02(amount: int, answer: str | None) -> None:
    assert code(amount_minor=amount) == answer


@pytest.mark.parametrize(
    "account", ["", "NL92ABNA0417164300", "nl91ABNA0417164300", "0417164300", "US64SVBKUS6S3300958879"]
)
def test_a_creditor_account_that_is_no_valid_iban_is_ac03(account: str) -> None:
    assert code(creditor_account=account) == "AC03"


def test_a_valid_iban_outside_sepa_is_ac03() -> None:
    refusal = refusals(Asked(creditor_account="SA0380000000608010167519"))
    assert refusal is not None
    assert refusal.code == "AC03"
    assert "outside SEPA" in refusal.text


def test_a_valid_iban_of_a_recent_member_is_taken() -> None:
    assert code(creditor_account="RS35260005601001611379") is None


@pytest.mark.parametrize(
    ("bearer", "answer"), [("", None), ("SLEV", None), ("DEBT", "BE19"), ("SHAR", "BE19"), ("CRED", "BE19")]
)
def test_charges_are_borne_as_the_scheme_says_and_nothing_given_means_that(
    bearer: str, answer: str | None
) -> None:
    assert code(charge_bearer=bearer) == answer


@pytest.mark.parametrize("who", ["creditor_name", "debtor_name"])
def test_a_name_of_70_is_taken_and_one_of_71_is_be20(who: str) -> None:
    assert code(**{who: "n" * 70}) is None
    assert code(**{who: "n" * 71}) == "BE20"


@pytest.mark.parametrize("name", ["", "   ", "\u200b", "/"])
def test_a_creditor_without_a_name_is_be22(name: str) -> None:
    assert code(creditor_name=name) == "BE22"


def test_remittance_of_140_is_taken_and_of_141_is_rr07() -> None:
    assert code(remittance_unstructured="r" * 140) is None
    assert code(remittance_unstructured="r" * 141) == "RR07"


def test_remittance_of_both_kinds_is_rr07() -> None:
    assert code(remittance_unstructured="invoice 7", remittance_reference="RF18539007547034") == "RR07"


@pytest.mark.parametrize(
    ("reference", "valid"),
    [
        ("RF18539007547034", True),
        ("RF18000000000539007547034", True),
        ("RF712348231", True),
        ("RF19539007547034", False),
        ("RF185390075470341234567890", False),
        ("RF18", False),
        ("RF18 5390 0754 7034", False),
        ("rf18539007547034", True),
        ("+++090/9337/55493+++", True),
        ("a//b", False),
        ("x" * 36, False),
        ("ä", False),
    ],
)
def test_a_creditor_reference_of_iso_11649_has_its_check_digits_and_others_fit_the_field(
    reference: str, valid: bool
) -> None:
    assert is_creditor_reference(reference) == valid
    assert code(remittance_reference=reference) == (None if valid else "RR09")


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ("", None),
        ("NOTPROVIDED", None),
        ("e" * 35, None),
        ("e" * 36, "FF08"),
        ("a//b", "FF08"),
        ("ü", "FF08"),
    ],
)
def test_an_end_to_end_id_passes_unchanged_or_not_at_all(given: str, answer: str | None) -> None:
    assert code(end_to_end_id=given) == answer


@pytest.mark.parametrize(
    ("bic", "answer"),
    [("", None), ("ABNANL2A", None), ("ABNANL2AXXX", None), ("ABNANL2", "RC07"), ("abnanl2a", "RC07")],
)
def test_a_creditor_agent_is_a_bic(bic: str, answer: str | None) -> None:
    assert code(creditor_agent=bic) == answer


def test_several_faults_are_told_by_precedence() -> None:
    assert code(currency="USD", amount_minor=0, creditor_account="?") == "AM03"
    assert code(amount_minor=0, creditor_account="?", charge_bearer="DEBT") == "AM02"
    assert code(creditor_account="?", creditor_name="n" * 71) == "AC03"


STRUCTURED = {
    "creditor_street": "Damrak",
    "creditor_building": "1",
    "creditor_postcode": "1012",
    "creditor_town": "Amsterdam",
    "creditor_country": "NL",
}
HYBRID = {"creditor_town": "Amsterdam", "creditor_country": "NL"}


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        ({}, None),
        (STRUCTURED, None),
        (HYBRID, None),
        ({**HYBRID, "creditor_address_lines": ("Damrak 1", "3rd floor")}, None),
        ({**STRUCTURED, "creditor_town": ""}, "BE04"),
        ({**STRUCTURED, "creditor_country": ""}, "BE04"),
        ({**STRUCTURED, "creditor_country": "Netherlands"}, "BE11"),
        ({**STRUCTURED, "creditor_country": "nl"}, "BE11"),
        ({**STRUCTURED, "creditor_street": "s" * 71}, "BE04"),
        ({**STRUCTURED, "creditor_building": "s" * 17}, "BE04"),
        ({**STRUCTURED, "creditor_postcode": "s" * 17}, "BE04"),
        ({**STRUCTURED, "creditor_town": "s" * 36}, "BE04"),
        ({**STRUCTURED, "creditor_address_lines": ("a", "b", "c")}, "BE04"),
        ({**STRUCTURED, "creditor_address_lines": ("a" * 71,)}, "BE04"),
        ({**STRUCTURED, "creditor_address_lines": ("",)}, "BE04"),
    ],
)  # fmt: skip
def test_an_address_is_structured_or_hybrid_with_town_and_country(
    address: dict[str, object], answer: str | None
) -> None:
    assert code(**address) == answer


LINES_ALONE = Asked(creditor_country="NL", creditor_address_lines=("Damrak 1", "1012 LG Amsterdam"))


def test_an_unstructured_address_is_taken_while_the_rulebook_has_no_end_date_for_it() -> None:
    assert creditor_address(LINES_ALONE, unstructured=True) is None


def test_an_unstructured_address_is_be04_once_the_rulebook_admits_it_no_more() -> None:
    refusal = creditor_address(LINES_ALONE, unstructured=False)
    assert refusal is not None
    assert refusal.code == "BE04"
    assert creditor_address(Asked(), unstructured=False) is None
    assert creditor_address(replace(Asked(), **STRUCTURED), unstructured=False) is None  # type: ignore[arg-type] # by name


def test_a_past_requested_date_becomes_the_next_target_day() -> None:
    good_friday = date(2026, 4, 3)
    assert effective_date(date(2020, 1, 1), good_friday) == date(2026, 4, 7)
    assert effective_date(date(2020, 1, 1), date(2026, 4, 2)) == date(2026, 4, 2)


def test_a_requested_date_on_a_closing_day_becomes_the_next_target_day() -> None:
    assert effective_date(date(2026, 12, 25), date(2026, 11, 23)) == date(2026, 12, 28)


def test_the_cut_off_is_15_00_in_berlin_in_winter_and_in_summer() -> None:
    assert cut_off(date(2026, 11, 23)) == datetime(2026, 11, 23, 14, tzinfo=UTC)
    assert cut_off(date(2026, 7, 1)) == datetime(2026, 7, 1, 13, tzinfo=UTC)
    assert cut_off(date(2026, 10, 26)) - cut_off(date(2026, 10, 23)) == timedelta(days=3, hours=1)


def test_what_comes_before_the_cut_off_joins_its_batch_and_at_the_cut_off_the_next() -> None:
    friday, monday = date(2026, 11, 20), date(2026, 11, 23)
    sealed = cut_off(friday)
    assert batch_date(friday, sealed - timedelta(microseconds=1)) == (friday, sealed)
    assert batch_date(friday, sealed) == (monday, cut_off(monday))


def test_today_is_the_day_in_berlin_not_in_utc() -> None:
    late_sunday_utc = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert batch_date(date(2026, 1, 1), late_sunday_utc)[0] == date(2026, 11, 23)
    assert day_of(late_sunday_utc) == date(2026, 11, 23)


def test_a_future_date_waits_for_its_own_cut_off() -> None:
    day = date(2026, 12, 1)
    assert batch_date(day, datetime(2026, 11, 23, 8, tzinfo=UTC)) == (day, cut_off(day))


def test_the_rail_is_found_by_its_name_and_an_unknown_one_is_none() -> None:
    assert rail("sepa-credit") is SEPA_CREDIT is RAILS["sepa-credit"]
    assert rail("sepa-debit") is None


def test_finality_is_booked_and_duplicates_say_that_the_first_copy_stands() -> None:
    assert SEPA_CREDIT.finality == "booked"
    assert SEPA_CREDIT.duplicate_codes == {"AM05", "DU01", "DU02", "DU03", "DU04", "DU05"}
    assert SEPA_CREDIT.unknown_after > timedelta(0)
