"""From the records of a camt.053 to statements for the lanes: header, numbered lines, shares."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import BinaryIO, Final, NamedTuple

from goodfunds.clock import micros
from goodfunds.events.types import StatementClosed, StatementLine, StatementOpened
from goodfunds.files import camt053
from goodfunds.files.records import InvalidFile
from goodfunds.files.reports import Entry, Statement
from goodfunds.ids import NO_ID, derived_id
from goodfunds.lanes import lane_of
from goodfunds.money import MAX_MINOR
from goodfunds.spool import Spool
from services.reconciliation.entry_lines import Lanes, parts
from services.reconciliation.spooled_lines import SpooledLines


class Unusable(Exception):
    """A statement that is well-formed and still cannot be reconciled; the message says why."""


UNREADABLE: Final = (InvalidFile, Unusable, ValueError, ArithmeticError)
"""Why nothing can be taken from a file; any other fault is ours."""


@dataclass(frozen=True, slots=True)
class Share:
    """What of a statement goes to one lane."""

    lines: int = 0
    sum_minor: int = 0


_NO_SHARE: Final = Share()


@dataclass(frozen=True, slots=True)
class ReadStatement:
    """A statement ready to be sent. `shares` by lane; `ignored`: entries that are not booked (PDNG, INFO)."""

    opened: StatementOpened
    lines: SpooledLines
    shares: tuple[Share, ...]
    ignored: int

    @property
    def statement_id(self) -> bytes:
        return self.opened.statement_id

    def closings(self, now: datetime) -> Iterator[tuple[int, StatementClosed]]:
        """For each lane what was sent to it."""
        for lane, share in enumerate(self.shares):
            yield (
                lane,
                StatementClosed(
                    statement_id=self.statement_id,
                    lane_sum_minor=share.sum_minor,
                    closed_at=micros(now),
                    nostro=self.opened.nostro,
                    currency=self.opened.currency,
                    lane_lines=share.lines,
                    to_date=self.opened.to_date,
                ),
            )


def read_file(source: BinaryIO, partitions: int, spool: Spool) -> tuple[ReadStatement, ...]:
    """The statements of a camt.053, their lines in `spool`, which is emptied first and not closed.

    In memory that does not grow with the lines. `source` can be sought in. Raises what is in UNREADABLE.
    """
    days: dict[int, date] = {}
    found = _read_all(source, partitions, spool, days)
    if any(each.late_day for each in found):
        # A line had to say the statement's day before the bank did.
        days = {number: each.whole.opened.to_date for number, each in enumerate(found)}
        found = _read_all(source, partitions, spool, days)
    return tuple(each.whole for each in found)


def _read_all(source: BinaryIO, partitions: int, spool: Spool, days: Mapping[int, date]) -> list["_Read"]:
    """`days` that the statements are for, by their number in the file, where they are known."""
    source.seek(0)
    spool.clear()
    found: list[_Read] = []
    reading: _Reading | None = None
    for record in camt053.read(source):
        if isinstance(record, Statement):
            reading = _Reading(record, days.get(len(found)), partitions, spool)
        else:
            assert reading is not None
            if isinstance(record, Entry):
                reading.add(record)
            else:
                found.append(reading.end(record.statement))
    return found


class _Read(NamedTuple):
    """A statement; `late_day`: that it is for another day than lines without a date were told."""

    whole: ReadStatement
    late_day: bool


class _Reading:
    """A statement that is being read: what its entries came to so far."""

    def __init__(self, statement: Statement, day: date | None, partitions: int, spool: Spool) -> None:
        closing = statement.closing
        self._nostro = statement.account
        self._lanes = Lanes(partitions, lane_of(statement.account, partitions))
        self._day = day or statement.to_date or (closing.on if closing else None)
        self._day_is_told = False
        self._lines = SpooledLines(spool)
        self._number = 0
        self._counts, self._sums = [0] * partitions, [0] * partitions
        self._currencies: set[str] = set()
        self._first_day, self._last_day = date.max, date.min
        self._ignored = 0

    def add(self, entry: Entry) -> None:
        """The next entry, whose lines go to the spool."""
        self._currencies.add(entry.currency)
        if entry.status != "BOOK":
            self._ignored += 1
            return
        booking_date = entry.booking_date
        if booking_date is None:
            self._day_is_told = True
            booking_date = self._day or date.min
        else:
            self._first_day = min(booking_date, self._first_day)
            self._last_day = max(booking_date, self._last_day)
        value_date = entry.value_date or booking_date
        for lane, payment_id, batch_id, amount, count, detail in parts(entry, self._lanes):
            self._number += 1
            line = StatementLine(
                statement_id=NO_ID,
                payment_id=payment_id,
                batch_id=batch_id,
                amount_minor=amount,
                line_number=self._number,
                currency=entry.currency,
                nostro=self._nostro,
                end_to_end_id=detail.end_to_end_id,
                instruction_id=detail.instruction_id,
                bank_reference=detail.bank_reference or entry.bank_reference or entry.entry_reference,
                status=entry.status,
                reversal=entry.reversal,
                is_return=detail.is_return,
                booking_date=booking_date,
                value_date=value_date,
                reason_code=detail.return_code,
                transaction_count=count,
                information=detail.information or entry.information,
            )
            self._lines.put(lane, line.encode())
            self._counts[lane] += 1
            self._sums[lane] += amount

    def end(self, whole: Statement) -> _Read:
        """The statement. Raises Unusable without balances or dates, of several currencies, past all sums."""
        opening, closing = whole.opening, whole.closing
        if opening is None or closing is None:
            raise Unusable("it has no opening or no closing booked balance")
        currencies = {opening.currency, closing.currency, *self._currencies}
        if len(currencies) != 1:
            raise Unusable(f"it has several currencies: {', '.join(sorted(currencies))}")
        has_days = self._first_day <= self._last_day
        to_date = whole.to_date or closing.on or (self._last_day if has_days else None)
        if to_date is None:
            raise Unusable("it says nowhere what day it is for")
        from_date = whole.from_date or opening.on or (self._first_day if has_days else to_date)
        total = sum(self._sums)
        if max(map(abs, (total, *self._sums))) > MAX_MINOR:
            raise Unusable("its entries make a sum that no amount can have")
        opened = StatementOpened(
            statement_id=NO_ID,
            opening_minor=opening.amount_minor,
            closing_minor=closing.amount_minor,
            lines_sum_minor=total,
            opened_at=0,
            currency=opening.currency,
            nostro=self._nostro,
            statement_number=whole.sequence or whole.legal_sequence,
            bank_statement_id=whole.statement_id,
            from_date=min(from_date, to_date),
            to_date=to_date,
            lines_count=self._number,
        )
        opened = replace(opened, statement_id=_identity(opened, self._lines))
        shares = tuple(
            Share(count, total) if count else _NO_SHARE
            for count, total in zip(self._counts, self._sums, strict=True)
        )
        late_day = self._day_is_told and self._day != to_date
        return _Read(ReadStatement(opened, self._lines, shares, self._ignored), late_day)


def _identity(opened: StatementOpened, lines: SpooledLines) -> bytes:
    """From what the statement says, not from its file: delivered anew in another file it is the same."""
    content = sha256(opened.encode())
    lines.end(content)
    milliseconds = (opened.to_date - date(1970, 1, 1)).days * 86_400_000
    return derived_id(
        max(milliseconds, 0),
        opened.nostro.encode(),
        opened.bank_statement_id.encode(),
        opened.statement_number.encode(),
        content.digest(),
    )
