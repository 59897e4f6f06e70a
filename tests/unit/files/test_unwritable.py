"""Records that their message cannot carry are refused before a bank refuses the whole file for them."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO

import pytest

from goodfunds.files import camt053, pain001, pain002
from goodfunds.files.markup import Unwritable
from goodfunds.files.records import BankFile, BankFileBatch, BankFilePayment, GroupStatus, StatusReport
from goodfunds.files.reports import AccountReport, Balance, Entry, Statement
from goodfunds.money import MAX_MINOR, UnknownCurrency

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
DAY = date(2026, 3, 2)
PAYMENT = BankFilePayment("I1", "E1", 10_00, "Ada", "DE89370400440532013000")


def written(*payments: BankFilePayment, currency: str = "EUR", agent: str = "INGDDEFFXXX") -> bytes:
    batch = BankFileBatch("P1", DAY, "House", "DE89370400440532013000", agent, currency, payments)
    return pain001.write(BankFile("M1", AT, "House", [batch]))


def test_the_largest_amount_is_written_and_a_larger_one_refused() -> None:
    largest = replace(PAYMENT, amount_minor=MAX_MINOR)
    (told,) = pain001.read_whole(BytesIO(written(largest))).transfers
    assert told.amount_minor == MAX_MINOR
    with pytest.raises(Unwritable):
        written(replace(PAYMENT, amount_minor=MAX_MINOR + 1))


def test_a_control_sum_of_more_than_eighteen_digits_is_refused() -> None:
    with pytest.raises(Unwritable, match="CtrlSum"):
        written(replace(PAYMENT, amount_minor=MAX_MINOR), replace(PAYMENT, amount_minor=1))
    group = GroupStatus("A1", "2026-03-02T09:00:00Z", "M1", "pain.001.001.09")
    with pytest.raises(Unwritable, match="OrgnlCtrlSum"):
        pain002.write(StatusReport(replace(group, original_control_sum=Decimal("1" * 17 + ".00"))))


@pytest.mark.parametrize(
    "broken",
    [
        replace(PAYMENT, amount_minor=-1),
        replace(PAYMENT, creditor_name="W" * 141),
        replace(PAYMENT, creditor_name="\0"),
        replace(PAYMENT, creditor_name="\ud800"),
        replace(PAYMENT, creditor_agent="no BIC"),
        replace(PAYMENT, creditor_account="1" * 35),
        replace(PAYMENT, end_to_end_id="E" * 36),
    ],
)
def test_a_field_that_breaks_the_schema_is_refused(broken: BankFilePayment) -> None:
    with pytest.raises(Unwritable):
        written(broken)


def test_an_unknown_currency_and_an_agent_that_is_no_bic_are_refused() -> None:
    with pytest.raises(UnknownCurrency):
        written(PAYMENT, currency="XXX")
    with pytest.raises(Unwritable):
        written(PAYMENT, agent="INGD")


def _statement(account: str = "DE89370400440532013000", statement_id: str = "S1") -> bytes:
    balance = Balance("CLBD", 0, "EUR", DAY)
    statement = Statement(1, "M1", statement_id, "", account, balances=(balance,))
    entry = Entry(1, 1, "EUR", "CRDT", bank_transaction_code="PMNT//", status="the bank's own")
    return camt053.write(AccountReport("M1", AT, [(statement, [entry])]))


def test_a_statement_without_an_account_or_an_identification_is_refused() -> None:
    with pytest.raises(Unwritable):
        _statement(account="")
    with pytest.raises(Unwritable):
        _statement(statement_id="")


def test_a_code_or_a_status_of_the_banks_own_is_written_as_such() -> None:
    (entry,) = [each for each in camt053.read(BytesIO(_statement())) if isinstance(each, Entry)]
    assert (entry.bank_transaction_code, entry.status) == ("PMNT//", "the bank's own")
