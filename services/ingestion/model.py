"""What ingestion decides on: accounts, known keys, payments, and the working set of one poll."""

from dataclasses import dataclass, field

from goodfunds.ledger.posting import Balances, Posting
from goodfunds.rails.reasons import Refusal

Key = tuple[str, str]
"""(client, idempotency key)"""
Place = tuple[int, int]
"""(lane, offset) of a record on the clients' topic."""


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's account; `state` is open, blocked or closed."""

    account: str
    lane: int
    currency: str
    name: str
    state: str = "open"


@dataclass(frozen=True, slots=True)
class Refundable:
    """An accepted payment, as far as giving it back needs to know it."""

    payment_id: bytes
    lane: int
    account: str
    amount_minor: int
    currency: str
    rail: str
    refunded: bool


@dataclass(frozen=True, slots=True)
class Accepted:
    """The payment is ours to move: the posting takes it from the customer."""

    posting: Posting


@dataclass(frozen=True, slots=True)
class Rejected:
    """The payment is not taken; no money moved."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Refused:
    """The record is no payment at all, or a key used again with another body: nothing changes."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same key with the same body, or what was done already: nothing changes, nothing is emitted."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The account that was asked for is there already: the key is kept, and nothing is emitted."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The account exists from now on."""

    account: Account


@dataclass(frozen=True, slots=True)
class Funded:
    """Money for a customer that no rail brought."""

    posting: Posting


@dataclass(frozen=True, slots=True)
class Refunded:
    """Money that went out in vain is the customer's again, or unapplied."""

    posting: Posting
    credited_account: str


Decision = Accepted | Rejected | Refused | Repeated | Granted | Opened | Funded | Refunded
REPEATED = Repeated()
GRANTED = Granted()


@dataclass(slots=True)
class State:
    """The working set of one poll. What was decided is applied, so that later events see it.

    `refused`, `forwarded`: records of this poll of which that was decided before.
    """

    accounts: dict[str, Account] = field(default_factory=dict)
    balances: Balances = field(default_factory=Balances)
    payment_keys: dict[Key, bytes] = field(default_factory=dict)
    account_keys: dict[Key, bytes] = field(default_factory=dict)
    refundable: dict[bytes, Refundable] = field(default_factory=dict)
    refused: set[Place] = field(default_factory=set)
    forwarded: set[Place] = field(default_factory=set)
