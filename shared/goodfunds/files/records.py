"""The shapes of bank messages: payments, statuses, statements, and what is wrong with a file.

Amounts are positive integers in minor units unless said to be signed; an empty string is an absent field.
`line` is the 1-based line of the file that a record began on, 0 in one that is to be written; records that
differ in it alone are equal. Names spell out those of ISO 20022 (pain.001, pain.002, camt.053, camt.054).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from goodfunds.errors import Unreadable
from goodfunds.frozen import made_fast


@dataclass(frozen=True, slots=True)
class FileError:
    """One thing that is wrong, and where: code of rails.reasons, path such as `PmtInf/CdtTrfTxInf/Amt`."""

    code: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}" + (f", {self.path}" if self.path else "")
        return f"{where}: {self.message} [{self.code}]"


class InvalidFile(Unreadable):
    """A file that is refused whole. `errors`: at least one, in the file's order; `message_id` where known."""

    def __init__(self, errors: Sequence[FileError], message_id: str = "") -> None:
        super().__init__("; ".join(map(str, errors[:3])) + (" …" if len(errors) > 3 else ""))
        self.errors = tuple(errors)
        self.message_id = message_id


@made_fast
@dataclass(frozen=True, slots=True)
class Address:
    """A postal address: elements of its own, free lines, or both. `country`: ISO 3166 alpha-2."""

    street: str = ""
    building: str = ""
    postcode: str = ""
    town: str = ""
    country: str = ""
    lines: tuple[str, ...] = ()


# --- pain.001, as a client sends it ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GroupHeader:
    """pain.001 GrpHdr. `created_at` is the file's own text; `message_name` such as `pain.001.001.09`."""

    message_id: str
    created_at: str
    number_of_transactions: int
    control_sum: Decimal | None
    initiating_party: str
    message_name: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class PaymentInformation:
    """pain.001 PmtInf without its transactions. `index` counts from 1 in the file.

    `debtor_account` is an IBAN, or another identification where `debtor_account_is_iban` is False.
    """

    index: int
    payment_information_id: str
    method: str
    requested_execution_date: date
    debtor_name: str
    debtor_account: str
    debtor_account_is_iban: bool
    debtor_account_currency: str
    debtor_agent: str
    charge_bearer: str
    service_level: str
    ultimate_debtor_name: str
    batch_booking: bool | None
    number_of_transactions: int | None
    control_sum: Decimal | None
    line: int = field(default=0, compare=False)


@made_fast
@dataclass(frozen=True, slots=True)
class CreditTransfer:
    """pain.001 CdtTrfTxInf. Both indices count from 1: of the PmtInf in the file, of this in its PmtInf.

    Charge bearer, service level and ultimate debtor are the transaction's own, else its PmtInf's.
    `remittance_left_out`: its RmtInf/Strd says more than the one creditor reference that is here.
    """

    payment_information_index: int
    transaction_index: int
    end_to_end_id: str
    instruction_id: str
    uetr: str
    amount_minor: int
    currency: str
    creditor_name: str
    creditor_account: str
    creditor_account_is_iban: bool
    creditor_agent: str
    creditor_address: Address
    ultimate_debtor_name: str
    remittance_unstructured: tuple[str, ...]
    remittance_reference: str
    remittance_left_out: bool
    charge_bearer: str
    service_level: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class PaymentFile:
    """A pain.001 that was read whole and holds together: counts, sums, elements and their text."""

    header: GroupHeader
    payment_informations: tuple[PaymentInformation, ...]
    transfers: tuple[CreditTransfer, ...]


# --- pain.001, as we send it to a bank ---------------------------------------------------------------


@made_fast
@dataclass(frozen=True, slots=True)
class BankFilePayment:
    """A payment in a bank file: CdtTrfTxInf. `ultimate_debtor_name` is our customer.

    An empty `end_to_end_id` is written as NOTPROVIDED.
    """

    instruction_id: str
    end_to_end_id: str
    amount_minor: int
    creditor_name: str
    creditor_account: str
    creditor_agent: str = ""
    creditor_address: Address = Address()
    ultimate_debtor_name: str = ""
    remittance_unstructured: str = ""
    remittance_reference: str = ""
    uetr: str = ""


@dataclass(frozen=True, slots=True)
class BankFileBatch:
    """A PmtInf of a bank file: payments of one currency, account and day."""

    payment_information_id: str
    requested_execution_date: date
    debtor_name: str
    debtor_account: str
    debtor_agent: str
    currency: str
    payments: Sequence[BankFilePayment]
    service_level: str = "SEPA"
    charge_bearer: str = "SLEV"
    batch_booking: bool | None = None


@dataclass(frozen=True, slots=True)
class BankFile:
    """A pain.001.001.09 for a bank, at least one batch with at least one payment. `created_at`: UTC."""

    message_id: str
    created_at: datetime
    initiating_party: str
    batches: Sequence[BankFileBatch]


# --- pain.002 ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """pain.002 GrpHdr and OrgnlGrpInfAndSts; `status` is empty where only lower levels have one.

    `created_at` and `original_created_at`: the text of the file, to the second.
    """

    message_id: str
    created_at: str
    original_message_id: str
    original_message_name: str
    status: str = ""
    reason_code: str = ""
    reason: str = ""
    original_created_at: str = ""
    original_number_of_transactions: int | None = None
    original_control_sum: Decimal | None = None
    initiating_party: str = ""
    agent: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class PaymentInformationStatus:
    """pain.002 OrgnlPmtInfAndSts without its transactions; `status` may be empty."""

    payment_information_id: str
    status: str = ""
    reason_code: str = ""
    reason: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class TransactionStatus:
    """pain.002 TxInfAndSts with the PmtInf that it stands in; `status` may be empty."""

    payment_information_id: str
    instruction_id: str
    end_to_end_id: str
    status: str
    reason_code: str = ""
    reason: str = ""
    uetr: str = ""
    bank_reference: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A pain.002. Transactions follow their PmtInf; one that names none of `payment_informations` stands

    under a PmtInf of its own without a status (NOTPROVIDED where its id is empty).
    """

    group: GroupStatus
    payment_informations: Sequence[PaymentInformationStatus] = ()
    transactions: Sequence[TransactionStatus] = ()
