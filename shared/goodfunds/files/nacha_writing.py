"""Writes NACHA files of PPD, CCD, CTX, WEB, TEL and COR: entries, returns, changes, all controls.

Nacha Operating Rules, Appendix Three: numbers to the right and filled with zeros, text to the left and filled
with blanks, the file filled with nines to blocks of ten records.
"""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Final

from goodfunds.files.markup import Unwritable
from goodfunds.files.nacha_addenda_records import (
    Addenda,
    ContestedReturn,
    DishonoredReturn,
    NotificationOfChange,
    PaymentRelatedInformation,
    Return,
)
from goodfunds.files.nacha_codes import TRANSACTION_CODES, is_digits
from goodfunds.files.nacha_lines import BLOCK, RECORD
from goodfunds.files.nacha_reading import Reading
from goodfunds.files.nacha_records import AchBatch, AchFile, BatchHeader, EntryDetail, FileHeader
from goodfunds.files.nacha_totals import Totals
from goodfunds.files.records import InvalidFile

WRITTEN: Final = frozenset({"PPD", "CCD", "CTX", "WEB", "TEL", "COR"})
"""The Standard Entry Classes that are written."""


def write(file: AchFile) -> bytes:
    """The file with a line feed behind each record. Raises Unwritable for what `read` would refuse.

    Numbered here: batches without a number, entries without a trace number (the originating DFI and their
    place in the file), and the addenda of all.
    """
    records = list(_file(file))
    records += ["9" * RECORD] * (-len(records) % BLOCK)
    raw = "".join(f"{record}\n" for record in records).encode("ascii")
    _check(raw)
    return raw


def _check(raw: bytes) -> None:
    """What keeps to its fields may still break the rules of its class: the reader knows them all."""
    reading = Reading(BytesIO(raw))
    try:
        for _ in reading.records():
            pass
    except InvalidFile as fault:
        raise Unwritable(str(fault)) from None
    if reading.findings.errors:
        raise Unwritable(str(reading.findings.errors[0]))


def _file(file: AchFile) -> Iterator[str]:
    totals, records, place = Totals(), 0, 0
    yield _file_header(file.header)
    for index, batch in enumerate(file.batches, 1):
        header = batch.header
        if not header.batch_number:
            header = replace(header, batch_number=index)
        mine = Totals()
        for record in _batch(replace(batch, header=header), mine, place):
            records += 1
            yield record
        place += mine.entries
        totals.add(mine)
    # Header and control stand beside the batches' records.
    blocks = -(-(records + 2) // BLOCK)
    yield (
        "9"
        + _number(len(file.batches), 6, "BatchCount")
        + _number(blocks, 6, "BlockCount")
        + _number(totals.count, 8, "EntryAddendaCount")
        + _number(totals.entry_hash, 10, "EntryHash")
        + _number(totals.debit_minor, 12, "TotalDebitEntryDollarAmount")
        + _number(totals.credit_minor, 12, "TotalCreditEntryDollarAmount")
        + " " * 39
    )


def _batch(batch: AchBatch, totals: Totals, place: int) -> Iterator[str]:
    header = batch.header
    yield _batch_header(header)
    for entry in batch.entries:
        code = TRANSACTION_CODES.get(entry.transaction_code)
        totals.add_entry(entry.receiving_dfi, code.direction if code else "", entry.amount_minor)
        totals.addenda += len(entry.addenda)
        place += 1
        trace = entry.trace_number or header.originating_dfi + _number(place, 7, "TraceNumber")
        yield _entry(entry, header.standard_entry_class, trace)
        for sequence, each in enumerate(entry.addenda, 1):
            yield _addenda(each, sequence, trace)
    yield (
        "8"
        + header.service_class_code
        + _number(totals.count, 6, "EntryAddendaCount")
        + _number(totals.entry_hash, 10, "EntryHash")
        + _number(totals.debit_minor, 12, "TotalDebitEntryDollarAmount")
        + _number(totals.credit_minor, 12, "TotalCreditEntryDollarAmount")
        + _text(header.company_identification, 10, "CompanyIdentification")
        + " " * 25
        + _digits(header.originating_dfi, 8, "OriginatingDFIIdentification")
        + _number(header.batch_number, 7, "BatchNumber")
    )


def _file_header(header: FileHeader) -> str:
    return (
        "101"
        + _text(header.immediate_destination.rjust(10), 10, "ImmediateDestination")
        + _text(header.immediate_origin.rjust(10), 10, "ImmediateOrigin")
        + _digits(header.created_on, 6, "FileCreationDate")
        + _text(header.created_at, 4, "FileCreationTime")
        + _text(header.file_id_modifier, 1, "FileIDModifier")
        + "094101"
        + _text(header.destination_name, 23, "ImmediateDestinationName")
        + _text(header.origin_name, 23, "ImmediateOriginName")
        + _text(header.reference_code, 8, "ReferenceCode")
    )


def _batch_header(header: BatchHeader) -> str:
    if header.standard_entry_class not in WRITTEN:
        raise Unwritable(f"{header.standard_entry_class!r} is none of the classes that are written")
    return (
        "5"
        + _digits(header.service_class_code, 3, "ServiceClassCode")
        + _text(header.company_name, 16, "CompanyName")
        + _text(header.company_discretionary_data, 20, "CompanyDiscretionaryData")
        + _text(header.company_identification, 10, "CompanyIdentification")
        + header.standard_entry_class
        + _text(header.company_entry_description, 10, "CompanyEntryDescription")
        + _text(header.company_descriptive_date, 6, "CompanyDescriptiveDate")
        + _text(header.effective_entry_date, 6, "EffectiveEntryDate")
        + _text(header.settlement_date, 3, "SettlementDate")
        + _text(header.originator_status_code, 1, "OriginatorStatusCode")
        + _digits(header.originating_dfi, 8, "OriginatingDFIIdentification")
        + _number(header.batch_number, 7, "BatchNumber")
    )


def _entry(entry: EntryDetail, entry_class: str, trace: str) -> str:
    if entry_class == "CTX":
        count = _number(len(entry.addenda), 4, "NumberOfAddendaRecords")
        name = count + _text(entry.individual_name, 16, "ReceivingCompanyName") + "  "
    else:
        name = _text(entry.individual_name, 22, "IndividualName")
    return (
        "6"
        + _digits(entry.transaction_code, 2, "TransactionCode")
        + _digits(entry.receiving_dfi, 9, "ReceivingDFIIdentification")
        + _text(entry.account_number, 17, "DFIAccountNumber")
        + _number(entry.amount_minor, 10, "Amount")
        + _text(entry.individual_identification, 15, "IndividualIdentificationNumber")
        + name
        + _text(entry.discretionary_data, 2, "DiscretionaryData")
        + ("1" if entry.addenda else "0")
        + _digits(trace, 15, "TraceNumber")
    )


def _addenda(each: Addenda, sequence: int, trace: str) -> str:
    if isinstance(each, PaymentRelatedInformation):
        information = _text(each.information, 80, "PaymentRelatedInformation")
        return "705" + information + _number(sequence, 4, "SequenceNumber") + trace[-7:]
    if isinstance(each, NotificationOfChange):
        return _original("798" + _text(each.change_code, 3, "ChangeCode"), each, "") + _change(each) + trace
    if isinstance(each, Return | DishonoredReturn | ContestedReturn):
        return _return(each) + trace
    raise Unwritable(f"{type(each).__name__} is no addenda of the classes that are written")


def _original(
    start: str, each: Return | DishonoredReturn | ContestedReturn | NotificationOfChange, day: str
) -> str:
    """Up to position 35: the entry that this one is about."""
    return (
        start
        + _digits(each.original_trace_number, 15, "OriginalEntryTraceNumber")
        + _text(day, 6, "Date")
        + _digits(each.original_receiving_dfi, 8, "OriginalReceivingDFIIdentification")
    )


def _change(each: NotificationOfChange) -> str:
    return (
        _text(each.corrected_data, 29, "CorrectedData")
        + _text(each.refused_change_code, 3, "ChangeCode")
        + _text(each.refused_sequence, 7, "TraceSequenceNumber")
        + " " * 5
    )


def _return(each: Return | DishonoredReturn | ContestedReturn) -> str:
    start = "799" + _text(each.return_reason_code, 3, "ReturnReasonCode")
    if isinstance(each, Return):
        return _original(start, each, each.date_of_death) + _text(each.information, 44, "AddendaInformation")
    returned = (
        _digits(each.return_trace_number, 15, "ReturnTraceNumber")
        + _text(each.return_settlement_date, 3, "ReturnSettlementDate")
        + _digits(each.return_reason, 2, "ReturnReasonCode")
    )
    if isinstance(each, DishonoredReturn):
        return (
            _original(start, each, "") + "   " + returned + _text(each.information, 21, "AddendaInformation")
        )
    return (
        _original(start, each, each.original_returned_on)
        + _text(each.original_settlement_date, 3, "OriginalSettlementDate")
        + returned
        + _digits(each.dishonored_trace_number, 15, "DishonoredReturnTraceNumber")
        + _text(each.dishonored_settlement_date, 3, "DishonoredReturnSettlementDate")
        + _digits(each.dishonored_reason, 2, "DishonoredReturnReasonCode")
        + " "
    )


def _number(value: int, size: int, name: str) -> str:
    text = str(value)
    if not is_digits(text) or len(text) > size:
        raise Unwritable(f"{name} takes {size} digits, not {text[:40]!r}")
    return text.rjust(size, "0")


def _digits(text: str, size: int, name: str) -> str:
    if not is_digits(text) or len(text) != size:
        raise Unwritable(f"{name} has {size} digits, not {text[:40]!r}")
    return text


def _text(text: str, size: int, name: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise Unwritable(f"{name} takes printable ASCII alone, not {text[:40]!r}")
    if len(text) > size:
        raise Unwritable(f"{name} takes {size} characters, not {len(text)}")
    return text.ljust(size)
