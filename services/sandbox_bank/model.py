"""What the bank's books hold: orders, verdicts, movements, answers. Amounts in minor units, times in UTC."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from goodfunds.frozen import made_fast

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


@made_fast
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


@made_fast
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


@made_fast
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


@made_fast
@dataclass(frozen=True, slots=True)
class Transaction:
    """A payment as answers and lines show it; the ids are empty where they are not echoed."""

    payment: int
    payment_information_id: str
    instruction_id: str
    end_to_end_id: str
    amount_minor: int
    currency: str
    debtor_account: str
    creditor_account: str
    creditor_agent: str
    creditor_name: str
    remittance: str
    return_code: str
    message_id: str


@made_fast
@dataclass(frozen=True, slots=True)
class Line:
    """An entry on an account: `credit` or debit, booked on a day, of so many transactions.

    `transactions`: all of them, or where no details are shown the one that names their batch.
    """

    entry: int
    kind: str
    credit: bool
    amount_minor: int
    currency: str
    booked_on: date
    count: int
    transactions: tuple[Transaction, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A message that the bank owes; with the rows that it points at it has one content for ever.

    `from_transfer` and `to_transfer` inclusive. `number`: a statement's sequence number, a notification's
    within its file; of status reports 0 for the first, 1 for later ones on single payments. Fields that a
    kind does not have are empty or zero.
    """

    kind: AnswerKind
    created_at: datetime
    day: date
    file: int = 0
    group_status: str = ""
    reason_code: str = ""
    account: str = ""
    currency: str = ""
    booking: Booking = Booking.INDIVIDUAL
    from_transfer: int = 0
    to_transfer: int = 0
    number: int = 0
    opening_minor: int = 0
    closing_minor: int = 0
    answer: int = 0
    content_of: int = 0
    name: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """A file that could be read whole. `message_name` as pain.002 gives it back (OrgnlMsgNmId)."""

    message_id: str
    message_name: str
    created_at: str
    orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class Unread:
    """A file refused whole, with the reason code of its group's RJCT; an empty id could not be found."""

    message_id: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class BankIdentity:
    """How the bank names itself in its messages."""

    bic: str
    name: str
