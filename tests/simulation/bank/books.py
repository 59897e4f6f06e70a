"""The simulated bank's books: accounts, files, payments, transfers, lines, and faults made on purpose.

Amounts are minor units; an account's balance is what the bank owes its customer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from tests.simulation.bank.orders import Order

PAYMENT, RETURN = "payment", "return"
NOT_PROVIDED = "NOTPROVIDED"


class Booking(StrEnum):
    """How booked payments are shown: a line each, or a line for each PmtInf (BtchBookg)."""

    INDIVIDUAL = "individual"
    WITH_DETAILS = "batch_with_details"
    WITHOUT_DETAILS = "batch_without_details"


class Status(StrEnum):
    """Where a payment stands in the bank's own books, whatever its answers said."""

    PENDING = "pending"
    BOOKED = "booked"
    REJECTED = "rejected"
    RETURNED = "returned"


class Standing(StrEnum):
    """What became of a file."""

    RECEIVED = "received"
    STANDS = "stands"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Terms:
    """How this bank does its business.

    `same_references`: a booking has one AcctSvcrRef on camt.054 and camt.053; else one in each.
    """

    bic: str = "SIMUDEFFXXX"
    booking: Booking = Booking.INDIVIDUAL
    lines_a_notification: int = 100
    duplicate_code: str = "AM05"
    same_references: bool = True


@dataclass(slots=True, eq=False)
class File:
    """A file that was delivered, by its number in order of arrival; `name` as the folders show it."""

    number: int
    name: str
    content: bytes
    message_id: str
    standing: Standing = Standing.RECEIVED
    message_name: str = ""
    created_at: str = ""
    group_status: str = ""
    reason_code: str = ""
    reason: str = ""
    transactions: int = 0


@dataclass(slots=True, eq=False)
class Payment:
    """A payment of a file that was taken. `told_code`: the reason of a RJCT that answers tell.

    `contradicted`: what answers tell and what is booked differ, `told_later`: they tell it after the booking.
    `echo_only`: answers and lines carry its EndToEndId alone. `blind`: its line gives no details. `notified`:
    sides of it (payment, return) that a camt.054 tells; `damaged`: those that a statement has wrong.
    `rejection_lost`: the answer with its RJCT is lost.
    """

    file: File
    order: Order
    status: Status
    reason_code: str = ""
    reason: str = ""
    told_code: str = ""
    contradicted: bool = False
    told_later: bool = False
    rejection_lost: bool = False
    return_code: str = ""
    echo_only: bool = False
    blind: bool = False
    notified: set[str] = field(default_factory=set)
    damaged: set[str] = field(default_factory=set)

    @property
    def instruction_id(self) -> str:
        return self.order.instruction_id


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money that moved: `kind` payment (from our account) or return (back to it)."""

    kind: str
    message_id: str
    instruction_id: str
    end_to_end_id: str
    amount_minor: int
    currency: str
    account: str
    counterparty: str
    ultimate_debtor: str
    booked_on: date


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """What an account shows of transfers that are one entry; `number` is the bank's reference of it."""

    number: int
    account: str
    currency: str
    kind: str
    amount_minor: int
    booked_on: date
    payments: tuple[Payment, ...]
    booking: Booking

    @property
    def signed_minor(self) -> int:
        """As it moves the account."""
        return self.amount_minor if self.kind == RETURN else -self.amount_minor


@dataclass(slots=True, eq=False)
class Account:
    """A customer's account. `stated`: how many of its lines statements have, up to `stated_minor`."""

    account: str
    currency: str
    opened_with_minor: int
    balance_minor: int
    lines: list[Line] = field(default_factory=list)
    stated: int = 0
    stated_minor: int = 0
    statements: int = 0


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault that the bank committed because it was told to.

    `subject`: what it was about, in words. `side`, `statement` and `difference_minor` of a damaged line: the
    movement, the statement's Id, and what its lines lack of its balances by it, in the bank's sign.
    """

    kind: str
    subject: str
    instruction_id: str = ""
    side: str = PAYMENT
    statement: str = ""
    difference_minor: int = 0


class Books:
    """All of it; every movement of money goes through `book`."""

    def __init__(self, day: date) -> None:
        self.day = day
        self.accounts: dict[str, Account] = {}
        self.counterparties: dict[tuple[str, str], int] = {}
        self.files: list[File] = []
        self.payments: list[Payment] = []
        self.transfers: list[Transfer] = []
        self.planted: list[Planted] = []
        self._lines = 0

    def open_account(self, account: str, currency: str, opening_minor: int) -> None:
        """Open a customer's account with a deposit that no statement shows as a line."""
        self.accounts[account] = Account(
            account, currency, opening_minor, opening_minor, stated_minor=opening_minor
        )

    def file(self, message_id: str) -> File | None:
        """The copy of a file that counts: the one that was judged by what it says, else one that waits."""
        rank = (Standing.STANDS, Standing.REFUSED, Standing.RECEIVED, Standing.UNREADABLE, Standing.DUPLICATE)
        copies = [each for each in self.files if each.message_id == message_id]
        return min(copies, key=lambda each: (rank.index(each.standing), -each.number), default=None)

    def payment(self, message_id: str, instruction_id: str) -> Payment | None:
        """A payment of a file that was taken."""
        asked = (message_id, instruction_id)
        return next((p for p in self.payments if (p.file.message_id, p.instruction_id) == asked), None)

    def forget_faults(self, payment: Payment) -> None:
        """A payment that is not made after all can show nothing of what was to go wrong with it."""
        self.planted = [each for each in self.planted if each.instruction_id != payment.instruction_id]
        payment.contradicted = payment.told_later = payment.echo_only = False
        payment.return_code = ""

    def plant(self, kind: str, subject: str, payment: Payment | None = None, side: str = PAYMENT) -> None:
        """Note a fault that is committed now."""
        self.planted.append(Planted(kind, subject, payment.instruction_id if payment else "", side))

    def book(self, kind: str, payments: Sequence[Payment], booking: Booking) -> Line:
        """Move the money of payments of one account, as one line of it."""
        order = payments[0].order
        account = self.accounts[order.debtor_account]
        self._lines += 1
        total = sum(each.order.amount_minor for each in payments)
        line = Line(
            self._lines, account.account, account.currency, kind, total, self.day, tuple(payments), booking
        )
        for each in payments:
            self._move(kind, each, account)
        account.lines.append(line)
        return line

    def _move(self, kind: str, payment: Payment, account: Account) -> None:
        order = payment.order
        sign = 1 if kind == PAYMENT else -1
        place = (order.creditor_account, order.currency)
        account.balance_minor -= sign * order.amount_minor
        self.counterparties[place] = self.counterparties.get(place, 0) + sign * order.amount_minor
        payment.status = Status.BOOKED if kind == PAYMENT else Status.RETURNED
        self.transfers.append(
            Transfer(
                kind, payment.file.message_id, order.instruction_id, order.end_to_end_id, order.amount_minor,
                order.currency, account.account, order.creditor_account, order.ultimate_debtor, self.day,
            )
        )  # fmt: skip
