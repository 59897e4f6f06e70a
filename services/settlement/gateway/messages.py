"""Bank messages as the gateway uses them: our transfers into a pain.001, a bank's answers out of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from typing import BinaryIO, NamedTuple

from goodfunds.events.passing import decode_instruction
from goodfunds.events.types import BankEntryReported, PaymentInstruction
from goodfunds.files import camt053, camt054, pain001, pain002
from goodfunds.files.records import (
    Address,
    BankFile,
    BankFileBatch,
    BankFilePayment,
    FileError,
    GroupStatus,
    InvalidFile,
    PaymentInformationStatus,
)
from goodfunds.files.reports import Entry, EntryTransaction, Statement
from goodfunds.ids import NO_ID, reference
from goodfunds.rails.rail import Rail
from goodfunds.rails.reasons import CONTENT_INCORRECT, MANDATORY_ELEMENT_MISSING
from services.settlement.gateway.reports import BatchStatus, Statuses, StatusGiven, TransactionStatus

_NAME, _REMITTANCE, _STREET, _BUILDING, _POSTCODE, _TOWN, _LINE = 70, 140, 70, 16, 16, 35, 70
"""Lengths of the EPC customer-to-bank guidelines, in characters."""
_REASON, _REFERENCE = 500, 140
"""The longest of a bank's texts and references that are taken (ISO 20022: Max500Text, Max35Text)."""


@dataclass(frozen=True, slots=True)
class House:
    """Who we are to the bank: the debtor of every transfer, with its account and the bank's BIC."""

    name: str
    nostro: str
    bic: str


class TransferOut(NamedTuple):
    """A payment that goes out; `instruction` is its Avro body."""

    lane: int
    batch_id: bytes
    payment_id: bytes
    amount_minor: int
    end_to_end_id: str
    instruction: bytes


def write(
    message_id: str,
    created_at: datetime,
    requested_date: date,
    currency: str,
    transfers: Sequence[TransferOut],
    rail: Rail,
    house: House,
) -> bytes:
    """The pain.001 of transfers sorted by batch, a PmtInf each; the same bytes for the same input."""
    batches = [
        BankFileBatch(
            payment_information_id=reference(lane, batch_id),
            requested_execution_date=requested_date,
            debtor_name=rail.transliterate(house.name, _NAME),
            debtor_account=house.nostro,
            debtor_agent=house.bic,
            currency=currency,
            payments=[_payment(each, rail) for each in of_batch],
        )
        for (lane, batch_id), of_batch in groupby(transfers, lambda each: each[:2])
    ]
    return pain001.write(BankFile(message_id, created_at, rail.transliterate(house.name, _NAME), batches))


def _payment(transfer: TransferOut, rail: Rail) -> BankFilePayment:
    asked, fit = decode_instruction(transfer.instruction), rail.transliterate
    return BankFilePayment(
        instruction_id=reference(transfer.lane, transfer.payment_id),
        end_to_end_id=transfer.end_to_end_id,
        amount_minor=transfer.amount_minor,
        creditor_name=fit(asked.creditor_name, _NAME),
        creditor_account=asked.creditor_account.replace(" ", ""),
        creditor_agent=asked.creditor_agent,
        creditor_address=_address(asked, rail),
        ultimate_debtor_name=fit(asked.debtor_name, _NAME),
        remittance_unstructured=fit(asked.remittance_unstructured, _REMITTANCE),
        remittance_reference=asked.remittance_reference,
        uetr=asked.uetr,
    )


def _address(asked: PaymentInstruction, rail: Rail) -> Address:
    fit = rail.transliterate
    return Address(
        street=fit(asked.creditor_street, _STREET),
        building=fit(asked.creditor_building, _BUILDING),
        postcode=fit(asked.creditor_postcode, _POSTCODE),
        town=fit(asked.creditor_town, _TOWN),
        country=asked.creditor_country,
        lines=tuple(fit(line, _LINE) for line in asked.creditor_address_lines),
    )


def statuses(source: BinaryIO) -> Statuses:
    """A pain.002 up to its group's status; what it tells of batches and payments is read as it is taken.

    Raises InvalidFile or ValueError, then too.
    """
    records = pain002.read(source)
    group = next(records)
    assert isinstance(group, GroupStatus), "the group's status comes first"
    given = _given(group.status, group.reason_code, group.reason)
    return Statuses(group.original_message_id, given, _statuses(group, records))


def _statuses(
    group: GroupStatus, records: Iterator[pain002.Record]
) -> Iterator[BatchStatus | TransactionStatus]:
    for each in records:
        if isinstance(each, GroupStatus):
            if each != group:
                why = "a second one, and it differs: of which of them is the rest?"
                raise InvalidFile([FileError(CONTENT_INCORRECT, each.line, "OrgnlGrpInfAndSts", why)])
        elif not each.status:
            continue
        elif isinstance(each, PaymentInformationStatus):
            given = _given(each.status, each.reason_code, each.reason)
            yield BatchStatus(each.payment_information_id, given)
        else:
            yield TransactionStatus(
                each.payment_information_id,
                each.instruction_id,
                _reference(each.end_to_end_id),
                _given(each.status, each.reason_code, each.reason),
            )


def _given(status: str, reason_code: str, reason: str) -> StatusGiven:
    return StatusGiven(status, _reference(reason_code), reason[:_REASON])


def _reference(text: str) -> str:
    # Cut short it would name something else; whole, no index and no event may hold it.
    if len(text) > _REFERENCE:
        raise ValueError(f"a reference of {len(text)} characters")
    return text


def entries(kind: str, source: BinaryIO) -> Iterator[tuple[str, BankEntryReported]]:
    """(PmtInfId, entry) of a camt.054 or camt.053, a transaction each where the bank gave details.

    Payment and batch are not filled in yet. Raises InvalidFile or ValueError, also when half of it was read.
    """
    reader = camt053.read if kind == "camt.053" else camt054.read
    statement: Statement | None = None
    for each in reader(source):
        if isinstance(each, Statement):
            statement = each
        elif isinstance(each, Entry) and statement is not None:
            yield from _transactions(kind, statement, each)


def _transactions(kind: str, statement: Statement, entry: Entry) -> Iterator[tuple[str, BankEntryReported]]:
    details = entry.transactions
    if len(details) == 1:
        # What moved on the account is the entry's amount, whatever its detail says.
        yield _report(kind, statement, entry, details[0], entry.amount_minor, entry.bank_reference)
    elif details and _explained(entry):
        for number, given in enumerate(details, 1):
            detail, shared = given, entry.bank_reference
            if shared and not detail.instruction_id and detail.bank_reference in ("", shared):
                # One reference for several payments: the place tells those apart that nothing else does.
                detail, shared = replace(detail, bank_reference=""), f"{shared}/{number}"
            yield _report(kind, statement, entry, detail, detail.amount_minor or 0, shared)
    else:
        named = entry.batches[0] if len(entry.batches) == 1 else None
        count = (named.number_of_transactions or 0) if named is not None else len(details) or 1
        detail = EntryTransaction(payment_information_id=named.payment_information_id if named else "")
        yield _report(kind, statement, entry, detail, entry.amount_minor, entry.bank_reference, count)


def _explained(entry: Entry) -> bool:
    """Whether the details are the entry: each has an amount, in its direction, and they add up."""
    same = all(
        each.amount_minor and each.credit_debit in ("", entry.credit_debit) for each in entry.transactions
    )
    return same and sum(each.amount_minor or 0 for each in entry.transactions) == entry.amount_minor


def _report(
    kind: str,
    statement: Statement,
    entry: Entry,
    detail: EntryTransaction,
    amount_minor: int,
    shared_reference: str,
    count: int = 1,
) -> tuple[str, BankEntryReported]:
    booked = entry.booking_date or entry.value_date or statement.to_date
    if booked is None:
        booked = _created_on(statement)
    # By place, since by name is twice the price; payment, batch and time of report are not known yet.
    return detail.payment_information_id, BankEntryReported(
        NO_ID, NO_ID, amount_minor, 0, entry.currency, entry.credit_debit, entry.status, entry.reversal,
        detail.is_return, statement.account, _reference(detail.end_to_end_id),
        _reference(detail.instruction_id), _reference(detail.bank_reference or shared_reference), booked,
        entry.value_date or booked, _reference(detail.return_code),
        (detail.return_reason or detail.information or entry.information)[:_REASON], kind,
        statement.statement_id, count, _charges(entry, detail, amount_minor),
    )  # fmt: skip


def _created_on(statement: Statement) -> date:
    if not statement.created_at:
        why = "neither the entry nor its message says a day"
        raise InvalidFile([FileError(MANDATORY_ELEMENT_MISSING, statement.line, "Ntry/BookgDt", why)])
    return date.fromisoformat(statement.created_at[:10])


def _charges(entry: Entry, detail: EntryTransaction, amount_minor: int) -> int:
    """What banks kept of a return: as stated, else what it lacks of the original amount."""
    if not (detail.is_return or entry.reversal):
        return 0
    stated = detail.charges_minor or (entry.charges_minor if len(entry.transactions) == 1 else 0)
    if stated or detail.original_minor is None:
        return stated
    return max(detail.original_minor - amount_minor, 0)
