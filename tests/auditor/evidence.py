"""What the auditor is given: instructions, the log, the databases' rows, and the bank's books."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Headers = tuple[tuple[str, bytes], ...]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Given:
    """An instruction as it was handed to the house.

    `place`: (topic, partition) where it was put, None where HTTP or a file carried it. `acknowledged`: the
    house has answered for it; one without an answer may have been taken or not. `digest`: SHA-256 of its
    Avro body without the wire prefix, empty where somebody else encodes it.
    """

    client: str
    idempotency_key: str
    debtor_account: str
    creditor_account: str
    amount_minor: int
    currency: str
    requested_date: date
    end_to_end_id: str
    digest: bytes = b""
    place: tuple[str, int] | None = None
    acknowledged: bool = True


@dataclass(frozen=True, slots=True)
class GivenAccount:
    """A wish to open a customer's account."""

    client: str
    idempotency_key: str
    account: str
    currency: str
    acknowledged: bool = True


@dataclass(frozen=True, slots=True)
class GivenFunding:
    """A wish to fund a customer's account."""

    client: str
    idempotency_key: str
    account: str
    amount_minor: int
    currency: str
    acknowledged: bool = True


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A record of a topic. Of the headers at least producer, lane, seq and ce_type."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @property
    def place(self) -> str:
        """topic/partition@offset, as people write it."""
        return f"{self.topic}/{self.partition}@{self.offset}"


@dataclass(frozen=True, slots=True)
class BankTransfer:
    """Money that the bank moved: `kind` is `payment` (it left us) or `return` (it came back).

    `account` is ours at the bank, `counterparty` where the money went to or came from.
    """

    kind: str
    instruction_id: str
    end_to_end_id: str
    amount_minor: int
    currency: str
    account: str
    counterparty: str
    booked_on: date


@dataclass(frozen=True, slots=True)
class BankFile:
    """A file that the bank took in; `standing` is `stands` of the one copy that it acted on."""

    message_id: str
    sha256: str
    standing: str
    transactions: int


@dataclass(frozen=True, slots=True)
class BankAccount:
    """An account of ours at the bank. Minor units, positive where the bank owes us."""

    account: str
    currency: str
    opened_with_minor: int
    balance_minor: int


@dataclass(frozen=True, slots=True)
class PlantedFault:
    """What the bank did wrong on purpose to one payment, or to one line of a statement.

    `kind`: as `checks_breaks` explains them. `side`: `payment` or `return`, the movement that a statement's
    line was about. `statement`: the bank's id of the damaged statement. `difference_minor`: what the
    statement's lines lack of its balances by it, in the bank's sign.
    """

    kind: str
    instruction_id: str = ""
    side: str = "payment"
    statement: str = ""
    difference_minor: int = 0


@dataclass(frozen=True, slots=True)
class Database:
    """A service's rows by table; ids are bytes, jsonb is parsed."""

    service: str
    tables: Mapping[str, Sequence[Row]]

    def rows(self, table: str) -> Sequence[Row]:
        """A table's rows; none where the reader left it out."""
        return self.tables.get(table, ())


@dataclass(frozen=True, slots=True)
class Allowed:
    """An exception that is known beforehand: the finding's rule and subject, and why in words."""

    rule: str
    subject: str
    why: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of it, taken when nothing moves any more.

    `ends`: (topic, partition) → the offset that the next record would get; where it is not given, one past
    the last record.
    """

    partitions: int
    given: Sequence[Given]
    accounts: Sequence[GivenAccount]
    fundings: Sequence[GivenFunding]
    log: Sequence[LogRecord]
    ingestion: Database
    settlement: Database
    reconciliation: Database
    transfers: Sequence[BankTransfer]
    files: Sequence[BankFile] = ()
    bank_accounts: Sequence[BankAccount] = ()
    faults: Sequence[PlantedFault] = ()
    allowed: Sequence[Allowed] = ()
    ends: Mapping[tuple[str, int], int] = field(default_factory=dict)

    @property
    def databases(self) -> tuple[Database, Database, Database]:
        """The three, in the order in which a payment passes them."""
        return self.ingestion, self.settlement, self.reconciliation


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that is broken: its name, what it is broken by, and in words."""

    rule: str
    subject: str
    words: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject}: {self.words}"
