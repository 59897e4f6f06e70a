"""What the bank's books hold: orders, verdicts on them, payments, accounts, answers. Minor units, dates UTC."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

OPENING_BALANCES = "opening-balances"
"""The account that stands against the deposits with which accounts were opened."""


class Booking(StrEnum):
    """How the bank shows booked payments: an entry each, or one entry for each PmtInf (BtchBookg)."""

    INDIVIDUAL = "individual"
    BATCH_WITH_DETAILS = "batch_with_details"
    BATCH_WITHOUT_DETAILS = "batch_without_details"


class Status(StrEnum):
    """Where a payment stands in the bank's own books, whatever its answers said."""

    PENDING = "pending"
    BOOKED = "booked"
    REJECTED = "rejected"
    RETURNED = "returned"


class Standing(StrEnum):
    """What became of an uploaded file."""

    RECEIVED = "received"
    STANDS = "stands"
    DUPLICATE = "duplicate"
    UNREADABLE = "unreadable"


class AnswerKind(StrEnum):
    """The messages that the bank writes."""

    STATUS = "pain.002"
    NOTIFICATION = "camt.054"
    STATEMENT = "camt.053"


@dataclass(frozen=True, slots=True)
class Order:
    """One credit transfer as a file asks for it (pain.001 CdtTrfTxInf with what its PmtInf adds)."""

    payment_information_id: str
    instruction_id: str
    end_to_end_id: str
    amount_minor: int
    currency: str
    execution_date: date
    debtor_account: str
    creditor_account: str
    creditor_agent: str
    creditor_name: str
    remittance: str

    @property
    def subject(self) -> str:
        """The id that faults are drawn for."""
        return self.instruction_id or self.end_to_end_id


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the bank does with an order.

    `told_code` is the reason of a RJCT in the pain.002: equal to `reason_code` unless the bank contradicts
    itself. `contradicted_later`: the RJCT follows the booking. `return_code`: it will come back on the next
    business day. `echoes_end_to_end_only`: answers and lines leave our InstrId and PmtInfId out.
    """

    status: Status
    reason_code: str = ""
    reason: str = ""
    told_code: str = ""
    contradicted_later: bool = False
    return_code: str = ""
    echoes_end_to_end_only: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """A warehoused payment whose day has come."""

    payment: int
    file: int
    payment_information_id: str
    amount_minor: int
    currency: str
    debtor_account: str
    creditor_account: str
    told_code: str
    contradicted_later: bool


@dataclass(frozen=True, slots=True)
class Movement:
    """A transfer to book. Movements of one `entry` (a number, in order) appear as one line."""

    entry: int
    payment: int
    kind: str
    debit_account: str
    credit_account: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class PlantedFault:
    """A fault that the bank committed on purpose; `subject` is the id it was drawn for."""

    kind: str
    subject: str
    detail: str
    payment: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer leaves the bank: written now, never, twice, or only later."""

    lost: bool = False
    doubled: bool = False
    late_seconds: float | None = None
    late_until_advance: bool = False


ON_TIME = Delivery()
