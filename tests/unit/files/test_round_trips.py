"""What is written is read back the same: payments, statuses, statements, in any text that XML can hold."""

from dataclasses import replace
from decimal import Decimal
from io import BytesIO

from hypothesis import HealthCheck, given, settings

from goodfunds.files import camt053, camt054, pain001, pain002
from goodfunds.files.records import (
    BankFile,
    GroupStatus,
    PaymentInformationStatus,
    StatusReport,
    TransactionStatus,
)
from goodfunds.files.reports import AccountReport, Entry, Statement, StatementEnd
from goodfunds.money import exponent
from tests.unit.files.made import BANK_FILES, STATUS_REPORTS, account_reports

bounded = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@bounded
@given(BANK_FILES)
def test_a_payment_file_comes_back_as_it_was_written(made: BankFile) -> None:
    found = pain001.read_whole(BytesIO(pain001.write(made)))
    payments = [(batch, payment) for batch in made.batches for payment in batch.payments]
    header = found.header
    assert (header.message_id, header.initiating_party) == (made.message_id, made.initiating_party)
    assert header.number_of_transactions == len(payments)
    assert header.control_sum == sum(
        (Decimal(payment.amount_minor).scaleb(-exponent(batch.currency)) for batch, payment in payments),
        Decimal(0),
    )
    for batch, told in zip(made.batches, found.payment_informations, strict=True):
        assert told.payment_information_id == batch.payment_information_id
        assert told.requested_execution_date == batch.requested_execution_date
        assert (told.debtor_name, told.debtor_account) == (batch.debtor_name, batch.debtor_account)
        assert (told.debtor_agent, told.service_level) == (batch.debtor_agent, batch.service_level)
        assert (told.charge_bearer, told.batch_booking) == (batch.charge_bearer, batch.batch_booking)
    for (batch, payment), transfer in zip(payments, found.transfers, strict=True):
        assert transfer.instruction_id == payment.instruction_id
        assert transfer.end_to_end_id == (payment.end_to_end_id or "NOTPROVIDED")
        assert (transfer.amount_minor, transfer.currency) == (payment.amount_minor, batch.currency)
        assert (transfer.creditor_name, transfer.creditor_account) == (
            payment.creditor_name,
            payment.creditor_account,
        )
        assert (transfer.creditor_agent, transfer.uetr) == (payment.creditor_agent, payment.uetr)
        assert transfer.creditor_address == payment.creditor_address
        assert transfer.ultimate_debtor_name == payment.ultimate_debtor_name
        assert "".join(transfer.remittance_unstructured) == payment.remittance_unstructured
        assert transfer.remittance_reference == payment.remittance_reference
        assert not transfer.remittance_left_out


@bounded
@given(STATUS_REPORTS)
def test_a_status_report_comes_back_as_it_was_written(made: StatusReport) -> None:
    group, *rest = list(pain002.read(BytesIO(pain002.write(made))))
    assert isinstance(group, GroupStatus)
    assert group == made.group
    batches = [record for record in rest if isinstance(record, PaymentInformationStatus)]
    stated = {batch.payment_information_id: batch for batch in made.payment_informations}
    named = {transaction.payment_information_id for transaction in made.transactions}
    assert {batch.payment_information_id for batch in batches} == {*stated, *named}
    for batch in batches:
        assert batch == stated.get(
            batch.payment_information_id, PaymentInformationStatus(batch.payment_information_id)
        )
    found = [record for record in rest if isinstance(record, TransactionStatus)]
    order = [batch.payment_information_id for batch in batches]
    assert found == sorted(made.transactions, key=lambda each: order.index(each.payment_information_id))


def _same(made: AccountReport, records: list[Statement | Entry | StatementEnd]) -> None:
    wanted: list[Statement | Entry] = []
    for statement, entries in made.statements:
        wanted += [statement, *entries]
    assert [record for record in records if not isinstance(record, StatementEnd)] == wanted
    ends = [record for record in records if isinstance(record, StatementEnd)]
    assert [end.statement for end in ends] == [statement for statement, _ in made.statements]
    assert [end.entries for end in ends] == [len(entries) for _, entries in made.statements]


@bounded
@given(account_reports(balances=True))
def test_a_statement_comes_back_as_it_was_written(made: AccountReport) -> None:
    _same(made, list(camt053.read(BytesIO(camt053.write(made)))))


@bounded
@given(account_reports(balances=False))
def test_a_notification_comes_back_as_it_was_written(made: AccountReport) -> None:
    _same(made, list(camt054.read(BytesIO(camt054.write(made)))))


@bounded
@given(BANK_FILES)
def test_the_same_records_make_the_same_bytes(made: BankFile) -> None:
    assert pain001.write(made) == pain001.write(replace(made))
