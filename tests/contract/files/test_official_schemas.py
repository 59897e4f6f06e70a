"""What is written is valid by the official schemas of ISO 20022, whatever characters the records hold."""

from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from goodfunds.files import camt053, camt054, pain001, pain002
from goodfunds.files.records import BankFile, StatusReport
from goodfunds.files.reports import AccountReport
from goodfunds.local.demo_file import demo_file
from goodfunds.rails.sepa_credit import SEPA_CREDIT
from services.settlement.gateway.messages import House, TransferOut, write
from tests.contract.files.corpus import folder
from tests.unit.files.made import BANK_FILES, STATUS_REPORTS, account_reports
from tests.unit.ingestion.requests import instruction

pytestmark = pytest.mark.corpus

bounded = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@cache
def official(message: str) -> etree.XMLSchema:
    """The official schema of a message; skips where the corpus has none."""
    root = folder()
    if root is None:
        pytest.skip("set CORPUS to a folder of real bank files")
    path = root / "xsd" / f"{message}.xsd"
    if not path.is_file():
        pytest.skip(f"CORPUS has no xsd/{message}.xsd")
    return etree.XMLSchema(etree.parse(str(path)))


def broken(message: str, written: bytes) -> list[str]:
    """What the official schema says against a message; nothing if it is valid."""
    schema = official(message)
    schema.validate(etree.fromstring(written, etree.XMLParser(huge_tree=True)))
    return str(schema.error_log).splitlines()


@bounded
@given(BANK_FILES)
def test_payment_files_to_banks_are_valid(made: BankFile) -> None:
    assert broken("pain.001.001.09", pain001.write(made)) == []


HOSTILE = st.text(
    st.sampled_from("aB /.\0\x1f\x85\t\nßЩ😀&<>]\u0301\u202e\u2028\ufffe\uffff\ue000\ufdfa"), max_size=70
)


@settings(max_examples=300)
@given(st.data())
def test_whatever_the_rail_takes_is_written_and_is_valid(data: st.DataObject) -> None:
    def drawn(most: int) -> str:
        return data.draw(HOSTILE)[:most]

    asked = instruction(
        creditor_name=f"N{drawn(69)}", debtor_name=drawn(70), remittance_unstructured=drawn(140),
        creditor_street=drawn(70), creditor_building=drawn(16), creditor_postcode=drawn(16),
        creditor_town=f"T{drawn(34)}", creditor_country=data.draw(st.sampled_from(["FR", "ZZ"])),
        creditor_address_lines=(f"L{drawn(69)}",), end_to_end_id=data.draw(st.sampled_from(["", "a b"])),
    )  # fmt: skip
    assert SEPA_CREDIT.refusals(asked) is None
    transfer = TransferOut(1, b"b" * 16, b"p" * 16, asked.amount_minor, asked.end_to_end_id, asked.body())
    house = House("The house", "DE89370400440532013000", "COBADEFFXXX")
    day = date(2026, 3, 3)
    written = write("M1", datetime(2026, 3, 2, tzinfo=UTC), day, "EUR", [transfer], SEPA_CREDIT, house)
    assert broken("pain.001.001.09", written) == []


@bounded
@given(STATUS_REPORTS)
def test_status_reports_are_valid(made: StatusReport) -> None:
    assert broken("pain.002.001.10", pain002.write(made)) == []


@bounded
@given(account_reports(balances=True))
def test_statements_are_valid(made: AccountReport) -> None:
    assert broken("camt.053.001.08", camt053.write(made)) == []


@bounded
@given(account_reports(balances=False))
def test_notifications_are_valid(made: AccountReport) -> None:
    assert broken("camt.054.001.08", camt054.write(made)) == []


def test_the_demo_file_that_is_shipped_is_valid() -> None:
    shipped = files("goodfunds.local").joinpath("demo-payments.xml").read_bytes()
    assert broken("pain.001.001.09", shipped) == []


@settings(max_examples=15)
@given(st.integers(1, 300), st.integers(1, 60), st.integers())
def test_generated_demo_files_are_valid(payments: int, debtors: int, seed: int) -> None:
    made = demo_file(payments, debtors, date(2026, 3, 2), abs(seed) % 10**9)
    assert broken("pain.001.001.09", made) == []
