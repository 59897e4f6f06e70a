"""What reconciliation knows: expected items, statement lines, batches, breaks, and their states.

Amounts are minor units in the bank's sign: a debit of our account is negative, a credit positive. Items and
lines are tuples in the order of their table's columns: they are copied to and from Postgres as they stand.
What each payment changes is made by place: `_replace` cost a tenth of the lanes' time.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from goodfunds.ids import NO_ID

DEBIT = -1
CREDIT = 1

OPEN = 0
MATCHED = 1
CANCELLED = 2

WAITING = 0
EXPLAINED = 1
BROKEN = 2
HANDED_OVER = 3

REFERENCE = "reference"
END_TO_END = "end_to_end"
BATCH_TOTAL = "batch_total"


class Item(NamedTuple):
    """A movement that our books expect on a statement. `opened_seq`: settlement's seq of its event."""

    lane: int
    payment_id: bytes
    side: int
    batch_id: bytes
    amount_minor: int
    currency: str
    nostro: str
    account: str
    end_to_end_id: str
    opened_at: datetime
    opened_seq: int
    state: int = OPEN
    settled_on: date | None = None
    statement_id: bytes | None = None
    line_number: int = 0
    match_kind: str = ""

    def settled(self, on: date) -> "Item":
        """Booked by the bank on that day."""
        return Item(*self[:12], on, *self[13:])

    def matched(self, line: "Line") -> "Item":
        """Explained by that line."""
        return Item(*self[:11], MATCHED, self.settled_on, line.statement_id, line.line_number, line.found_by)


class Line(NamedTuple):
    """A booked line of a statement. `found_by` names the kind of match that its payment id came by."""

    lane: int
    statement_id: bytes
    line_number: int
    payment_id: bytes
    batch_id: bytes
    amount_minor: int
    currency: str
    nostro: str
    end_to_end_id: str
    instruction_id: str
    bank_reference: str
    booking_date: date
    value_date: date
    transaction_count: int
    reversal: bool
    is_return: bool
    reason_code: str
    information: str
    received_at: datetime
    found_by: str = REFERENCE
    handed_over_from: int | None = None
    handed_over_to: int | None = None
    state: int = WAITING
    break_id: bytes | None = None

    @property
    def place(self) -> tuple[bytes, int]:
        """(statement id, line number): unique in all lanes together, but for a line handed over."""
        return self.statement_id, self.line_number

    def explaining(self) -> "Line":
        """It explains an item, and no break is about it."""
        return Line(*self[:22], EXPLAINED, None)


class Break(NamedTuple):
    """A difference. `about`: line, item, statement or contradiction; only the first two weigh on the books.

    `amount_minor`: what the bank shows and our books do not, signed.
    """

    lane: int
    break_id: bytes
    about: str
    reason: str
    amount_minor: int
    currency: str
    nostro: str
    payment_id: bytes
    batch_id: bytes
    statement_id: bytes
    line_number: int
    bank_reference: str
    detail: str
    opened_at: datetime
    resolved_at: datetime | None = None
    resolution: str = ""

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None


class Case(NamedTuple):
    """All that one payment's lane knows of it: what is expected, and the lines that explain nothing yet."""

    payment_id: bytes
    debit: Item | None = None
    credit: Item | None = None
    lines: tuple[Line, ...] = ()
    breaks: tuple[Break, ...] = ()

    def with_item(self, item: Item) -> "Case":
        """What is expected on that item's side is that item."""
        if item.side == DEBIT:
            return Case(self.payment_id, item, self.credit, self.lines, self.breaks)
        return Case(self.payment_id, self.debit, item, self.lines, self.breaks)

    def with_lines(self, lines: tuple[Line, ...]) -> "Case":
        """The same with these lines."""
        return Case(self.payment_id, self.debit, self.credit, lines, self.breaks)


class Batch(NamedTuple):
    """A batch whose statement line names no payment: its debits and its lines, explained or not."""

    batch_id: bytes
    debits: tuple[Item, ...]
    lines: tuple[Line, ...]
    breaks: tuple[Break, ...] = ()


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far the statements reach in a lane: closed statements, and the last day covered of each nostro."""

    closed: Collection[bytes]
    covered_to: Mapping[str, date]
    now: datetime


class Findings(NamedTuple):
    """What became of breaks: those to open (again), and those explained with how."""

    opened: tuple[Break, ...] = ()
    resolved: tuple[Break, ...] = ()


NOTHING = Findings()


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement's header and what was found of it. `year`: of its last day; numbering may restart then."""

    lane: int
    statement_id: bytes
    nostro: str
    currency: str
    statement_number: str
    bank_statement_id: str
    opening_minor: int
    closing_minor: int
    lines_sum_minor: int
    lines_count: int
    from_date: date
    to_date: date
    opened_at: datetime
    corrects: bytes | None = None
    reconciled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An expected item, in any lane, that a line with nothing but an EndToEndId could be."""

    lane: int
    payment_id: bytes


class Told(NamedTuple):
    """A match that was told before a restore: the line's place, and its kind."""

    place: tuple[bytes, int]
    kind: str


ToldMatches = Mapping[tuple[bytes, int], Told]
"""(payment id, side) → what was told of it and not found again yet; empty unless a lane catches up."""


def empty(identifier: bytes) -> bool:
    """True where an event named no payment, batch or statement."""
    return identifier == NO_ID
