"""From the records of a camt.053 to statements for the lanes: header, numbered lines, shares. Pure."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Final, NamedTuple

from goodfunds.clock import micros
from goodfunds.events.types import StatementClosed, StatementLine, StatementOpened
from goodfunds.files import camt053
from goodfunds.files.records import InvalidFile
from goodfunds.files.reports import Entry, EntryTransaction, Statement, StatementEnd
from goodfunds.ids import NO_ID, derived_id, read_reference
from goodfunds.lanes import lane_of
from services.reconciliation.strays import NO_END_TO_END_ID


class Unusable(Exception):
    """A statement that is well-formed and still cannot be reconciled; the message says why."""


UNREADABLE: Final = (InvalidFile, Unusable, ValueError, ArithmeticError)
"""Why nothing can be taken from a file; any other fault is ours."""


class LaneLine(NamedTuple):
    """A line as the lane that its reference names is told of it; its statement's id stands for now at none.

    Encoded at once and once: a statement's lines are many, and its id is made of them.
    """

    lane: int
    amount_minor: int
    event: bytes


@dataclass(frozen=True, slots=True)
class ReadStatement:
    """A statement ready to be sent. `ignored`: entries that are not booked (PDNG, INFO)."""

    opened: StatementOpened
    lines: tuple[LaneLine, ...]
    ignored: int

    @property
    def statement_id(self) -> bytes:
        return self.opened.statement_id

    def closings(self, partitions: int, now: datetime) -> Iterator[tuple[int, StatementClosed]]:
        """For each lane what was sent to it."""
        counts, sums = [0] * partitions, [0] * partitions
        for each in self.lines:
            counts[each.lane] += 1
            sums[each.lane] += each.amount_minor
        for lane in range(partitions):
            yield (
                lane,
                StatementClosed(
                    statement_id=self.statement_id,
                    lane_sum_minor=sums[lane],
                    closed_at=micros(now),
                    nostro=self.opened.nostro,
                    currency=self.opened.currency,
                    lane_lines=counts[lane],
                    to_date=self.opened.to_date,
                ),
            )


@dataclass(frozen=True, slots=True)
class Lanes:
    """Where lines go: the lane of their reference, else that of the statement's account."""

    partitions: int
    account_lane: int

    def payment(self, instruction_id: str) -> tuple[int, bytes] | None:
        """(lane, payment id) of an InstrId of ours, (lane, batch id) of a PmtInfId of ours."""
        found = read_reference(instruction_id)
        return found if found is not None and found[0] < self.partitions else None


def read_file(content: bytes, partitions: int) -> tuple[ReadStatement, ...]:
    """The statements of a camt.053. Raises what is in UNREADABLE."""
    found: list[ReadStatement] = []
    entries: list[Entry] = []
    statement: Statement | None = None
    for record in camt053.read(io.BytesIO(content)):
        if isinstance(record, Statement):
            statement, entries = record, []
        elif isinstance(record, Entry):
            entries.append(record)
        elif isinstance(record, StatementEnd):
            assert statement is not None
            lanes = Lanes(partitions, lane_of(statement.account, partitions))
            found.append(read_statement(statement, entries, record, lanes))
    return tuple(found)


def read_statement(
    statement: Statement, entries: Sequence[Entry], end: StatementEnd, lanes: Lanes
) -> ReadStatement:
    """One statement. Raises Unusable without balances or dates, or with several currencies."""
    whole = end.statement
    opening, closing = whole.opening, whole.closing
    if opening is None or closing is None:
        raise Unusable("it has no opening or no closing booked balance")
    currencies = {opening.currency, closing.currency, *(entry.currency for entry in entries)}
    if len(currencies) != 1:
        raise Unusable(f"it has several currencies: {', '.join(sorted(currencies))}")
    booked = [entry for entry in entries if entry.status == "BOOK"]
    days = [entry.booking_date for entry in booked if entry.booking_date is not None]
    to_date = whole.to_date or closing.on or max(days, default=None)
    if to_date is None:
        raise Unusable("it says nowhere what day it is for")
    from_date = whole.from_date or opening.on or min(days, default=to_date)
    lines = tuple(_numbered(booked, statement.account, to_date, lanes))
    opened = StatementOpened(
        statement_id=NO_ID,
        opening_minor=opening.amount_minor,
        closing_minor=closing.amount_minor,
        lines_sum_minor=sum(each.amount_minor for each in lines),
        opened_at=0,
        currency=opening.currency,
        nostro=statement.account,
        statement_number=statement.sequence or statement.legal_sequence,
        bank_statement_id=statement.statement_id,
        from_date=min(from_date, to_date),
        to_date=to_date,
        lines_count=len(lines),
    )
    identity = _identity(opened, lines)
    return ReadStatement(
        replace(opened, statement_id=identity),
        lines,
        len(entries) - len(booked),
    )


def _identity(opened: StatementOpened, lines: Iterable[LaneLine]) -> bytes:
    """From what the statement says, not from its file: delivered anew in another file it is the same."""
    content = sha256(opened.encode())
    for each in lines:
        content.update(each.event)
    milliseconds = (opened.to_date - date(1970, 1, 1)).days * 86_400_000
    return derived_id(
        max(milliseconds, 0),
        opened.nostro.encode(),
        opened.bank_statement_id.encode(),
        opened.statement_number.encode(),
        content.digest(),
    )


def _numbered(entries: Iterable[Entry], nostro: str, to_date: date, lanes: Lanes) -> Iterator[LaneLine]:
    number = 0
    for entry in entries:
        for lane, payment_id, batch_id, amount, count, detail in _parts(entry, lanes):
            number += 1
            booking_date = entry.booking_date or to_date
            line = StatementLine(
                statement_id=NO_ID,
                payment_id=payment_id,
                batch_id=batch_id,
                amount_minor=amount,
                line_number=number,
                currency=entry.currency,
                nostro=nostro,
                end_to_end_id=detail.end_to_end_id,
                instruction_id=detail.instruction_id,
                bank_reference=detail.bank_reference or entry.bank_reference or entry.entry_reference,
                status=entry.status,
                reversal=entry.reversal,
                is_return=detail.is_return,
                booking_date=booking_date,
                value_date=entry.value_date or booking_date,
                reason_code=detail.return_code,
                transaction_count=count,
                information=detail.information or entry.information,
            )
            yield LaneLine(lane, amount, line.encode())


_Part = tuple[int, bytes, bytes, int, int, EntryTransaction]


def _parts(entry: Entry, lanes: Lanes) -> Iterator[_Part]:
    """(lane, payment id, batch id, signed amount, transactions, details) of each line that an entry is."""
    details = entry.transactions
    amounts = [_signed(entry, each) for each in details]
    if len(details) == 1:
        yield _single(details[0], entry.signed_minor, lanes)
    elif details and None not in amounts and sum(a or 0 for a in amounts) == entry.signed_minor:
        for each, amount in zip(details, amounts, strict=True):
            yield _single(each, amount or 0, lanes)
    else:
        # One sum: no details, or details whose amounts do not make it.
        names = {each.payment_information_id for each in entry.batches}
        names |= {each.payment_information_id for each in details}
        found = lanes.payment(names.pop()) if len(names) == 1 else None
        counts = [each.number_of_transactions for each in entry.batches if each.number_of_transactions]
        count = sum(counts) or len(details) or 1
        lane, batch_id = found or (lanes.account_lane, NO_ID)
        yield lane, NO_ID, batch_id, entry.signed_minor, count, EntryTransaction()


def _single(detail: EntryTransaction, amount: int, lanes: Lanes) -> _Part:
    found = lanes.payment(detail.instruction_id)
    if found is not None:
        return found[0], found[1], NO_ID, amount, 1, detail
    batch = lanes.payment(detail.payment_information_id)
    if batch is not None and detail.end_to_end_id in NO_END_TO_END_ID:
        return batch[0], NO_ID, batch[1], amount, 1, detail
    return lanes.account_lane, NO_ID, NO_ID, amount, 1, detail


def _signed(entry: Entry, detail: EntryTransaction) -> int | None:
    if detail.amount_minor is None or detail.currency not in ("", entry.currency):
        return None
    return (
        detail.amount_minor if (detail.credit_debit or entry.credit_debit) == "CRDT" else -detail.amount_minor
    )
