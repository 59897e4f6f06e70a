"""The records of a NACHA (ACH) file, as its readers give them and its writer takes them.

Names are those of the Nacha Operating Rules, Appendix Three (ACH Record Format Specifications). Amounts are
cents, never negative: the transaction code says debit or credit. Text is without its padding. `line`: the
1-based line, or record where the file has no line breaks; records that differ in it alone are equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from goodfunds.files.nacha_addenda_records import Addenda


@dataclass(frozen=True, slots=True)
class FileHeader:
    """Record type 1. `created_on` YYMMDD, `created_at` HHMM or empty: as they stand, in no time zone."""

    immediate_destination: str
    immediate_origin: str
    created_on: str
    created_at: str = ""
    file_id_modifier: str = "A"
    destination_name: str = ""
    origin_name: str = ""
    reference_code: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class BatchHeader:
    """Record type 5 of all classes but IAT. `effective_entry_date` YYMMDD or empty; `settlement_date` Julian.

    `originating_dfi`: the first eight digits of its routing number.
    """

    service_class_code: str
    company_name: str
    company_identification: str
    standard_entry_class: str
    company_entry_description: str
    originating_dfi: str
    batch_number: int
    company_discretionary_data: str = ""
    company_descriptive_date: str = ""
    effective_entry_date: str = ""
    settlement_date: str = ""
    originator_status_code: str = "1"
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class InternationalBatchHeader:
    """Record type 5 of IAT, and of COR about IAT (`iat_indicator` IATCOR)."""

    service_class_code: str
    iat_indicator: str
    foreign_exchange_indicator: str
    foreign_exchange_reference_indicator: str
    foreign_exchange_reference: str
    destination_country: str
    originator_identification: str
    standard_entry_class: str
    company_entry_description: str
    originating_currency: str
    destination_currency: str
    effective_entry_date: str
    settlement_date: str
    originator_status_code: str
    originating_dfi: str
    batch_number: int
    line: int = field(default=0, compare=False)


BatchHead = BatchHeader | InternationalBatchHeader


@dataclass(frozen=True, slots=True)
class EntryDetail:
    """Record type 6 with its addenda. `receiving_dfi`: the routing number, nine digits with its check digit.

    `individual_identification` and `individual_name` stand for what a class has in their places: receiving
    company (CCD, CTX), check serial number and terminal (POP, ARC), expiration date, document and card (SHR).
    """

    transaction_code: str
    receiving_dfi: str
    account_number: str
    amount_minor: int
    individual_name: str
    trace_number: str
    individual_identification: str = ""
    discretionary_data: str = ""
    addenda: tuple[Addenda, ...] = ()
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class InternationalEntryDetail:
    """Record type 6 of IAT with its addenda; US dollars. `receiving_dfi`: the gateway's or RDFI's."""

    transaction_code: str
    receiving_dfi: str
    account_number: str
    amount_minor: int
    gateway_screening_indicator: str
    secondary_screening_indicator: str
    trace_number: str
    addenda: tuple[Addenda, ...] = ()
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class AccountingAdvice:
    """Record type 6 of ADV: what an ACH operator booked for a bank. `julian_day` of its creation."""

    transaction_code: str
    receiving_dfi: str
    account_number: str
    amount_minor: int
    advice_routing_number: str
    file_identification: str
    operator_data: str
    individual_name: str
    discretionary_data: str
    operator_routing_number: str
    julian_day: str
    sequence_number: str
    addenda: tuple[Addenda, ...] = ()
    line: int = field(default=0, compare=False)


Entry = EntryDetail | InternationalEntryDetail | AccountingAdvice


@dataclass(frozen=True, slots=True)
class BatchControl:
    """Record type 8. `company_identification` is the operator's data where the class is ADV."""

    service_class_code: str
    entry_addenda_count: int
    entry_hash: int
    debit_minor: int
    credit_minor: int
    company_identification: str
    originating_dfi: str
    batch_number: int
    message_authentication_code: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class FileControl:
    """Record type 9, not the filler of nines behind it."""

    batch_count: int
    block_count: int
    entry_addenda_count: int
    entry_hash: int
    debit_minor: int
    credit_minor: int
    line: int = field(default=0, compare=False)


# --- files to be written -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AchBatch:
    """A batch to be written; its control is computed. A batch number of 0 is its place in the file."""

    header: BatchHeader
    entries: Sequence[EntryDetail]


@dataclass(frozen=True, slots=True)
class AchFile:
    """A file to be written; its control is computed."""

    header: FileHeader
    batches: Sequence[AchBatch]
