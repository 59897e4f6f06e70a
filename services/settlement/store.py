"""Reads and writes of a poll, set-based: rows in and out of the tables that the lanes' owners keep."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import asyncpg
import asyncpg.pool

from goodfunds.events.types import BankEntryReported, PaymentStatusReported
from goodfunds.lanes.records import Connection
from goodfunds.postgres import all_written, statements
from services.settlement.model import (
    BLANK,
    UNANSWERED,
    Batch,
    BatchKey,
    Booking,
    Candidate,
    Memory,
    Note,
    Payment,
    Standing,
    remember,
)
from services.settlement.movements import amounts_of

__all__ = ["SQL", "Connection", "Pool", "Reader", "Rows"]

SQL = statements(Path(__file__).parent / "sql")
Pool: TypeAlias = "asyncpg.Pool[Any]"
Reader: TypeAlias = "asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]"
"""A connection that is only read from."""


class PaymentRow(NamedTuple):
    """A row of `payments`, in the order of its columns."""

    payment_id: bytes
    lane: int
    batch_id: bytes
    amount_minor: int
    account: str
    end_to_end_id: str
    accepted_seq: int
    accepted_offset: int
    received_at: datetime
    traceparent: bytes
    instruction: bytes


async def known_payments(connection: Connection, payment_ids: Sequence[bytes]) -> set[bytes]:
    """Those of the ids that are stored."""
    return {row[0] for row in await connection.fetch(SQL["known_payments"], payment_ids)}


async def payments_by_id(
    connection: Connection, payment_ids: Collection[bytes]
) -> list[tuple[Payment, Standing]]:
    """Payments of any lane with how they stand."""
    if not payment_ids:
        return []
    return [_member(row) for row in await connection.fetch(SQL["payments_by_id"], list(payment_ids))]


async def members_of_batches(
    connection: Connection, batch_ids: Collection[bytes]
) -> list[tuple[Payment, Standing]]:
    """The payments that are in these batches now, in the order they were accepted."""
    if not batch_ids:
        return []
    return [_member(row) for row in await connection.fetch(SQL["members_of_batches"], list(batch_ids))]


def _member(row: Any) -> tuple[Payment, Standing]:
    (
        debit_source,
        debit_reference,
        debited_on,
        rejected,
        credit_source,
        credit_reference,
        returned_on,
        charges_minor,
    ) = row[8:16]
    payment = Payment(*row[0:8])
    if debit_source is None and not rejected:
        return payment, UNANSWERED
    return payment, Standing(
        Booking(debit_source, debit_reference, debited_on) if debit_source is not None else None,
        rejected,
        Booking(credit_source, credit_reference, returned_on, charges_minor)
        if credit_source is not None
        else None,
    )


async def batches_by_id(connection: Connection, batch_ids: Collection[bytes]) -> list[Batch]:
    """Batches of any lane."""
    if not batch_ids:
        return []
    return [read_batch(row) for row in await connection.fetch(SQL["batches_by_id"], list(batch_ids))]


async def latest_batches(connection: Connection, lanes: Sequence[int], since: date) -> list[Batch]:
    """The last batch of each key of these lanes, for requested dates from `since` on."""
    return [read_batch(row) for row in await connection.fetch(SQL["latest_batches"], lanes, since)]


def read_batch(row: Any) -> Batch:
    """A batch from its columns, as `batches_by_id` has them."""
    return Batch(row[0], BatchKey(*row[1:6]), *row[6:11])


async def candidates_for_entries(
    connection: Connection, entries: Sequence[BankEntryReported]
) -> list[list[Candidate]]:
    """For each entry the payments of all lanes that the bank may know, with its EndToEndId and money."""
    found: list[list[Candidate]] = [[] for _ in entries]
    if entries:
        for row in await connection.fetch(
            SQL["candidates_for_entries"],
            list(range(len(entries))),
            [each.nostro for each in entries],
            [each.end_to_end_id for each in entries],
            [each.amount_minor for each in entries],
            [each.currency for each in entries],
            [max(amounts_of(each)) for each in entries],
        ):
            found[row[0]].append(Candidate(*row[1:8]))
    return found


async def candidates_for_statuses(
    connection: Connection, statuses: Sequence[PaymentStatusReported]
) -> list[list[Candidate]]:
    """For each status the payments of all lanes with its EndToEndId in the file that it is about."""
    found: list[list[Candidate]] = [[] for _ in statuses]
    if statuses:
        for row in await connection.fetch(
            SQL["candidates_for_statuses"],
            list(range(len(statuses))),
            [each.message_id for each in statuses],
            [each.end_to_end_id for each in statuses],
        ):
            found[row[0]].append(Candidate(*row[1:8]))
    return found


async def memories(connection: Connection, booking_keys: Collection[bytes]) -> dict[bytes, Memory]:
    """What is remembered under each key; keys without a report are left out."""
    found: dict[bytes, Memory] = {}
    if booking_keys:
        for row in await connection.fetch(SQL["noted_reports"], list(booking_keys)):
            found[row[0]] = remember(found.get(row[0], BLANK), Note(*row))
    return found


async def statuses_of_payments(
    connection: Connection, payment_ids: Collection[bytes]
) -> dict[bytes, tuple[str, ...]]:
    """Positive statuses that the bank gave single payments."""
    if not payment_ids:
        return {}
    rows = await connection.fetch(SQL["statuses_of_payments"], list(payment_ids))
    return {row[0]: tuple(row[1]) for row in rows}


async def statuses_of_batches(connection: Connection, batch_ids: Collection[bytes]) -> set[tuple[bytes, str]]:
    """(batch, status) of what the bank said of whole batches."""
    if not batch_ids:
        return set()
    return {tuple(row) for row in await connection.fetch(SQL["statuses_of_batches"], list(batch_ids))}


COLUMNS: Mapping[str, tuple[str, ...]] = {
    "batches": (
        "batch_id", "lane", "rail", "nostro", "currency", "requested_date", "sequence", "cut_off_at",
        "opened_at", "open_payments", "open_minor",
    ),
    "payments": PaymentRow._fields,
    "batch_memberships": (
        "payment_id", "place", "lane", "batch_id", "from_batch", "joined_at", "event_seq",
    ),
    "batch_withdrawals": ("batch_id", "payment_id", "lane", "withdrawn_at"),
    "settlements": (
        "payment_id", "lane", "amount_minor", "source", "bank_reference", "booking_date", "settled_at",
        "event_seq",
    ),
    "rejections": (
        "payment_id", "lane", "amount_minor", "reason_code", "reason", "rejected_at", "event_seq",
    ),
    "returns": (
        "payment_id", "lane", "amount_minor", "charges_minor", "source", "bank_reference", "booking_date",
        "reason_code", "reason", "returned_at", "event_seq",
    ),
    "contradictions": (
        "lane", "event_seq", "payment_id", "amount_minor", "currency", "nostro", "kind", "bank_reference",
        "reason_code", "reason", "found_at", "booking_date",
    ),
    "noted_reports": ("booking_key", "source", "identity", "lane", "effect", "payment_id", "noted_at"),
    "payment_statuses": ("payment_id", "status", "lane", "reason_code", "reason", "reported_at"),
    "batch_statuses": ("batch_id", "status", "lane", "reason_code", "reason", "reported_at"),
}  # fmt: skip
"""The columns that `Rows` gives of each table; a batch comes before its payments."""


class Rows:
    """New rows of one poll, by table; written by COPY."""

    def __init__(self) -> None:
        self._of: dict[str, list[tuple[Any, ...]]] = {table: [] for table in COLUMNS}

    def add(self, table: str, *row: Any) -> None:
        """One row, in the order of COLUMNS."""
        self._of[table].append(row)

    async def write(self, connection: Connection) -> None:
        """Insert all rows. A key that exists already is a fault: whoever decided did not see it."""
        for table, rows in self._of.items():
            if rows:
                await connection.copy_records_to_table(table, records=rows, columns=COLUMNS[table])


async def submit_batches(connection: Connection, batches: Mapping[bytes, str], at: datetime) -> None:
    """Note that the bank has these batches; message id by batch."""
    if batches:
        status = await connection.execute(SQL["submit_batches"], list(batches), at, list(batches.values()))
        all_written(status, len(batches), "submitted batches")


async def add_to_open(connection: Connection, changes: Mapping[bytes, tuple[int, int]]) -> None:
    """Count on what is open of batches; payments and minor units, more or fewer, by batch."""
    if changes:
        payments, minor = zip(*changes.values(), strict=True)
        status = await connection.execute(SQL["add_to_open"], list(changes), payments, minor)
        all_written(status, len(changes), "batches of open payments")


async def refuse_batches(connection: Connection, batches: Mapping[bytes, str], at: datetime) -> None:
    """Note that the bank has refused these batches for good; why, by batch."""
    if batches:
        status = await connection.execute(SQL["refuse_batches"], list(batches), at, list(batches.values()))
        all_written(status, len(batches), "refused batches")
