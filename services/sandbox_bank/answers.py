"""The bank's messages: pain.002, camt.054 and camt.053, as its books say them. Same rows, same bytes."""

import sqlite3

from goodfunds.files import camt053, camt054, pain002
from goodfunds.files.records import GroupStatus, PaymentInformationStatus, StatusReport, TransactionStatus
from goodfunds.files.reports import AccountReport, Balance, Entry, EntryBatch, EntryTransaction, Statement
from services.sandbox_bank import decide
from services.sandbox_bank.books import SQL
from services.sandbox_bank.lines import entry_reference, lines, told_transactions
from services.sandbox_bank.model import Answer, AnswerKind, BankIdentity, Booking, Line, Transaction

_NOT_PROVIDED = "NOTPROVIDED"
_CODES = {"payment": "PMNT/ICDT/ESCT", "return": "PMNT/ICDT/RRTN"}


def render(connection: sqlite3.Connection, answer: Answer, identity: BankIdentity) -> bytes:
    """The message's bytes."""
    if answer.kind is AnswerKind.STATUS:
        return pain002.write(_status_report(connection, answer, identity))
    report = _account_report(connection, answer, identity)
    return camt053.write(report) if answer.kind is AnswerKind.STATEMENT else camt054.write(report)


def _created(answer: Answer) -> str:
    return answer.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _status_report(connection: sqlite3.Connection, answer: Answer, identity: BankIdentity) -> StatusReport:
    message_id, message_name, created_at, reason, transactions, _ = connection.execute(
        SQL["file"], (answer.file,)
    ).fetchone()
    group = GroupStatus(
        message_id=answer.message_id,
        created_at=_created(answer),
        original_message_id=message_id or _NOT_PROVIDED,
        original_message_name=message_name or "pain.001",
        status=answer.group_status,
        reason_code=answer.reason_code,
        reason=reason if answer.reason_code else "",
        original_created_at=created_at,
        original_number_of_transactions=transactions or None,
        agent=identity.bic,
    )
    told = told_transactions(connection, answer)
    return StatusReport(
        group,
        _information_statuses(connection, answer),
        [
            TransactionStatus(
                payment_information_id=transaction.payment_information_id,
                instruction_id=transaction.instruction_id,
                end_to_end_id=transaction.end_to_end_id,
                status="RJCT",
                reason_code=code,
                reason=decide.TEXTS.get(code, ""),
            )
            for code, transaction in told
        ],
    )


def _information_statuses(connection: sqlite3.Connection, answer: Answer) -> list[PaymentInformationStatus]:
    rows = connection.execute(
        SQL["payment_informations_of_file"],
        {"file": answer.file, "answer": answer.content_of, "day": answer.day.isoformat()},
    )
    # A later report speaks of single payments alone, whatever the first said of their PmtInf.
    return [
        PaymentInformationStatus(information, decide.group_status(total, told, later == 0))
        for information, total, told, later in rows
        if answer.number == 0
    ]


def _account_report(connection: sqlite3.Connection, answer: Answer, identity: BankIdentity) -> AccountReport:
    statement = answer.kind is AnswerKind.STATEMENT
    damages = dict(connection.execute(SQL["damages"], (answer.content_of,)).fetchall())
    shown = (line for line in lines(connection, answer) if damages.get(line.entry) != "missing")
    entries = [
        _entry(number, line, answer.booking, 1 if line.entry in damages else 0)
        for number, line in enumerate(shown, 1)
    ]
    balances = (
        Balance("OPBD", answer.opening_minor, answer.currency, answer.day),
        Balance("CLBD", answer.closing_minor, answer.currency, answer.day),
    )
    part = Statement(
        number=1,
        message_id=answer.message_id,
        statement_id=f"{'STM' if statement else 'NTF'}-{answer.day:%Y%m%d}-{answer.content_of:08d}",
        created_at=_created(answer),
        account=answer.account,
        currency=answer.currency,
        sequence=str(answer.number),
        legal_sequence=str(answer.number) if statement else "",
        from_date=answer.day,
        to_date=answer.day,
        account_servicer=identity.bic,
        balances=balances if statement else (),
    )
    return AccountReport(answer.message_id, answer.created_at, [(part, entries)])


def _entry(number: int, line: Line, booking: Booking, damage_minor: int) -> Entry:
    reference = entry_reference(line.entry)
    batches: tuple[EntryBatch, ...] = ()
    transactions = line.transactions
    if line.kind == "payment" and booking is not Booking.INDIVIDUAL:
        # A batch is named by its PmtInf wherever one of its payments echoes it.
        named = next((each for each in transactions if each.payment_information_id), transactions[0])
        batches = (
            EntryBatch(
                named.message_id,
                named.payment_information_id,
                line.count,
                line.amount_minor,
                line.currency,
            ),
        )
        if booking is Booking.BATCH_WITHOUT_DETAILS:
            transactions = ()
    direction = "CRDT" if line.credit else "DBIT"
    return Entry(
        number=number,
        amount_minor=line.amount_minor + damage_minor,
        currency=line.currency,
        credit_debit=direction,
        booking_date=line.booked_on,
        value_date=line.booked_on,
        entry_reference=reference,
        bank_reference=reference,
        bank_transaction_code=_CODES[line.kind],
        batches=batches,
        transactions=tuple(
            _transaction(each, direction, reference, line.kind == "return") for each in transactions
        ),
    )


def _transaction(paid: Transaction, direction: str, reference: str, returned: bool) -> EntryTransaction:
    return EntryTransaction(
        end_to_end_id=paid.end_to_end_id,
        instruction_id=paid.instruction_id,
        payment_information_id=paid.payment_information_id,
        message_id=paid.message_id,
        bank_reference=reference,
        amount_minor=paid.amount_minor,
        currency=paid.currency,
        credit_debit=direction,
        is_return=returned,
        return_code=paid.return_code if returned else "",
        debtor_account=paid.debtor_account,
        creditor_name=paid.creditor_name,
        creditor_account=paid.creditor_account,
        remittance_unstructured=paid.remittance,
    )
