"""From a NACHA record's characters to its fields: which position is which, in every class's layout.

Nacha Operating Rules, Appendix Three, Sequence of Records.
"""

from typing import Final

from goodfunds.files.nacha_codes import CLASSES, SERVICE_CLASSES, check_digit, is_digits, is_routing_number
from goodfunds.files.nacha_fields import Fields, is_date, is_time
from goodfunds.files.nacha_records import (
    AccountingAdvice,
    BatchControl,
    BatchHead,
    BatchHeader,
    EntryDetail,
    FileControl,
    FileHeader,
    InternationalBatchHeader,
    InternationalEntryDetail,
)
from goodfunds.money import CURRENCIES
from goodfunds.rails.reasons import (
    CONTENT_INCORRECT,
    INCORRECT_ACCOUNT_NUMBER,
    INVALID_DATE,
    INVALID_FILE_FORMAT,
    MANDATORY_ELEMENT_MISSING,
)

_KNOWN_CLASSES: Final = frozenset(CLASSES)
_CURRENCIES: Final = frozenset(CURRENCIES)
_EXCHANGES: Final = frozenset({"FF", "FV", "VF"})
_ORIGINATOR_STATUSES: Final = frozenset("012")
_MODIFIERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ")
_CONSTANTS: Final = ((2, 3, "01", "PriorityCode"), (35, 37, "094", "RecordSize"))
_MORE_CONSTANTS: Final = ((38, 39, "10", "BlockingFactor"), (40, 40, "1", "FormatCode"))


def file_header(found: Fields, line: int) -> FileHeader:
    """Record type 1."""
    for first, last, constant, name in _CONSTANTS + _MORE_CONSTANTS:
        text = found.record[first - 1 : last]
        if text != constant:
            found.findings.error(INVALID_FILE_FORMAT, f"FileHeader/{name}", f"{text!r} is not {constant!r}")
    destination = found.mandatory(4, 13, "FileHeader/ImmediateDestination")
    if destination and not is_routing_number(destination[-9:]):
        why = f"{destination!r} is no routing number"
        found.findings.warning(CONTENT_INCORRECT, "FileHeader/ImmediateDestination", why)
    created_on, created_at = found.record[23:29], found.text(30, 33)
    if not is_date(created_on):
        found.findings.error(INVALID_DATE, "FileHeader/FileCreationDate", f"{created_on!r} is no day, YYMMDD")
    if created_at and not is_time(created_at):
        found.findings.warning(
            INVALID_DATE, "FileHeader/FileCreationTime", f"{created_at!r} is no time, HHMM"
        )
    modifier = found.one_of(34, 34, _MODIFIERS, "FileHeader/FileIDModifier")
    if modifier == " ":
        found.findings.warning(
            MANDATORY_ELEMENT_MISSING, "FileHeader/FileIDModifier", "the modifier is blank"
        )
    return FileHeader(
        immediate_destination=destination,
        immediate_origin=found.mandatory(14, 23, "FileHeader/ImmediateOrigin"),
        created_on=created_on,
        created_at=created_at,
        file_id_modifier=modifier.strip(),
        destination_name=found.text(41, 63),
        origin_name=found.text(64, 86),
        reference_code=found.text(87, 94),
        line=line,
    )


def batch_header(found: Fields, line: int) -> BatchHead:
    """Record type 5. Instead of an effective entry date that is none operators take the next day."""
    service = found.one_of(2, 4, SERVICE_CLASSES, "ServiceClassCode")
    entry_class = found.one_of(51, 53, _KNOWN_CLASSES, "StandardEntryClassCode")
    effective = found.text(70, 75)
    if effective.strip("0") and not is_date(effective):
        found.findings.warning(INVALID_DATE, "EffectiveEntryDate", f"{effective!r} is no day, YYMMDD")
    status = found.one_of(79, 79, _ORIGINATOR_STATUSES, "OriginatorStatusCode")
    if (status == "0") != (entry_class == "ADV"):
        # It says who answers for the batch; the operator puts its own in.
        why = f"{status} with {entry_class}: 0 is for ADV, and it alone"
        found.findings.warning(CONTENT_INCORRECT, "OriginatorStatusCode", why)
    originating_dfi = found.digits(80, 87, "OriginatingDFIIdentification")
    number = found.number(88, 94, "BatchNumber")
    description = found.named(54, 63, "CompanyEntryDescription")
    if entry_class == "IAT" or found.text(5, 20) == "IATCOR":
        return InternationalBatchHeader(
            service_class_code=service,
            iat_indicator=found.text(5, 20),
            foreign_exchange_indicator=found.one_of(21, 22, _EXCHANGES, "ForeignExchangeIndicator"),
            foreign_exchange_reference_indicator=found.text(23, 23),
            foreign_exchange_reference=found.text(24, 38),
            destination_country=found.mandatory(39, 40, "ISODestinationCountryCode"),
            originator_identification=found.named(41, 50, "OriginatorIdentification"),
            standard_entry_class=entry_class,
            company_entry_description=description,
            originating_currency=found.one_of(64, 66, _CURRENCIES, "ISOOriginatingCurrencyCode"),
            destination_currency=found.one_of(67, 69, _CURRENCIES, "ISODestinationCurrencyCode"),
            effective_entry_date=effective,
            settlement_date=found.text(76, 78),
            originator_status_code=status,
            originating_dfi=originating_dfi,
            batch_number=number,
            line=line,
        )
    return BatchHeader(
        service_class_code=service,
        company_name=found.named(5, 20, "CompanyName"),
        company_identification=found.named(41, 50, "CompanyIdentification"),
        standard_entry_class=entry_class,
        company_entry_description=description,
        originating_dfi=originating_dfi,
        batch_number=number,
        company_discretionary_data=found.text(21, 40),
        company_descriptive_date=found.text(64, 69),
        effective_entry_date=effective,
        settlement_date=found.text(76, 78),
        originator_status_code=status,
        line=line,
    )


def entry_detail(found: Fields, entry_class: str, line: int) -> EntryDetail:
    """Record type 6 of all classes but IAT and ADV."""
    rules = CLASSES.get(entry_class)
    in_name, in_identification = found.left(55, 76), found.left(40, 54)
    if rules is not None and rules.name_first:
        in_name, in_identification = in_identification, in_name
    elif rules is not None and rules.counted:
        # Some write the whole name where the number of addenda and a shorter name belong.
        in_name = found.left(59, 74) if is_digits(found.record[54:58]) else in_name
    return EntryDetail(
        transaction_code=found.record[1:3],
        receiving_dfi=_receiving_dfi(found),
        account_number=_account(found, 13, 29),
        amount_minor=found.amount(30, 39),
        individual_name=in_name,
        trace_number=found.digits(80, 94, "TraceNumber"),
        individual_identification=in_identification,
        discretionary_data=found.left(77, 78),
        line=line,
    )


def international_entry(found: Fields, line: int) -> InternationalEntryDetail:
    """Record type 6 of IAT."""
    return InternationalEntryDetail(
        transaction_code=found.record[1:3],
        receiving_dfi=_receiving_dfi(found),
        account_number=_account(found, 40, 74),
        amount_minor=found.amount(30, 39),
        gateway_screening_indicator=found.text(77, 77),
        secondary_screening_indicator=found.text(78, 78),
        trace_number=found.digits(80, 94, "TraceNumber"),
        line=line,
    )


def accounting_advice(found: Fields, line: int) -> AccountingAdvice:
    """Record type 6 of ADV."""
    return AccountingAdvice(
        transaction_code=found.record[1:3],
        receiving_dfi=_receiving_dfi(found),
        account_number=_account(found, 13, 27),
        amount_minor=found.amount(28, 39),
        advice_routing_number=found.text(40, 48),
        file_identification=found.text(49, 53),
        operator_data=found.text(54, 54),
        individual_name=found.left(55, 76),
        discretionary_data=found.left(77, 78),
        operator_routing_number=found.digits(80, 87, "ACHOperatorRoutingNumber"),
        julian_day=found.digits(88, 90, "JulianDay"),
        sequence_number=found.digits(91, 94, "SequenceNumber"),
        line=line,
    )


def batch_control(found: Fields, advices: bool, line: int) -> BatchControl:
    """Record type 8; of ADV the totals have twenty digits."""
    debit, credit, company = ((21, 40), (41, 60), (61, 79)) if advices else ((21, 32), (33, 44), (45, 54))
    return BatchControl(
        service_class_code=found.record[1:4],
        entry_addenda_count=found.number(5, 10, "EntryAddendaCount"),
        entry_hash=found.number(11, 20, "EntryHash"),
        debit_minor=found.number(*debit, "TotalDebitEntryDollarAmount"),
        credit_minor=found.number(*credit, "TotalCreditEntryDollarAmount"),
        company_identification=found.text(*company),
        originating_dfi=found.digits(80, 87, "OriginatingDFIIdentification"),
        batch_number=found.number(88, 94, "BatchNumber"),
        message_authentication_code="" if advices else found.text(55, 73),
        line=line,
    )


def file_control(found: Fields, advices: bool, line: int) -> FileControl:
    """Record type 9; of ADV the totals have twenty digits."""
    debit, credit = ((32, 51), (52, 71)) if advices else ((32, 43), (44, 55))
    return FileControl(
        batch_count=found.number(2, 7, "FileControl/BatchCount"),
        block_count=found.number(8, 13, "FileControl/BlockCount"),
        entry_addenda_count=found.number(14, 21, "FileControl/EntryAddendaCount"),
        entry_hash=found.number(22, 31, "FileControl/EntryHash"),
        debit_minor=found.number(*debit, "FileControl/TotalDebitEntryDollarAmount"),
        credit_minor=found.number(*credit, "FileControl/TotalCreditEntryDollarAmount"),
        line=line,
    )


def _receiving_dfi(found: Fields) -> str:
    text = found.record[3:12]
    if not is_digits(text):
        found.findings.error(CONTENT_INCORRECT, "ReceivingDFIIdentification", f"{text!r} is not 9 digits")
    elif check_digit(text) != text[8]:
        why = f"{text!r} is no routing number: its check digit would be {check_digit(text)}"
        found.findings.error(CONTENT_INCORRECT, "ReceivingDFIIdentification", why)
    return text


def _account(found: Fields, first: int, last: int) -> str:
    text = found.text(first, last)
    if not text:
        found.findings.error(INCORRECT_ACCOUNT_NUMBER, "DFIAccountNumber", "the account must be there")
    return text
