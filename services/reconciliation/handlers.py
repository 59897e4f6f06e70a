"""The lanes' handler: read → decide → write for a whole poll."""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Any

from goodfunds.events.subject import payment_of
from goodfunds.events.topics import (
    BANK_STATEMENTS,
    CONTROL_TOTALS,
    RECONCILIATION,
    SETTLEMENT_NOTIFICATIONS,
)
from goodfunds.events.types import ControlTotal
from goodfunds.lanes import Emission, Input, Poll
from goodfunds.lanes.records import Connection, Record
from services.reconciliation import catching_up, incoming, store
from services.reconciliation.books import Books, Outcome
from services.reconciliation.conclusions import conclude
from services.reconciliation.decide import instant
from services.reconciliation.emissions import emissions
from services.reconciliation.loading import load
from services.reconciliation.model import CREDIT, DEBIT, Item, Line, empty
from services.reconciliation.store import SQL

Totals = list[tuple[int, ControlTotal]]


class ReconciliationHandler:
    """Reconciliation as the lanes see it."""

    producer = "reconciliation"
    # Control totals come from outside the lanes, so their numbers count for nothing here.
    inputs = (
        Input(SETTLEMENT_NOTIFICATIONS),
        Input(BANK_STATEMENTS),
        Input(CONTROL_TOTALS, client_writable=True),
    )
    outputs = (RECONCILIATION, BANK_STATEMENTS)

    async def handle(self, connection: Connection, poll: Poll) -> Mapping[int, list[Emission]]:
        """Handle a poll inside its transaction; the emissions of each lane, in order."""
        lanes = {lane: Books(lane) for lane in poll.lanes}
        totals: Totals = []
        refused: list[tuple[int, Record]] = []
        traces: dict[tuple[bytes, int], bytes] = {}
        for lane, records in poll.records.items():
            books = lanes[lane]
            for record in records:
                if record.topic == SETTLEMENT_NOTIFICATIONS:
                    incoming.take_settlement(books, record)
                elif record.topic == BANK_STATEMENTS:
                    before = len(books.lines)
                    incoming.take_statement(books, record, poll.now)
                    trace = incoming.traceparent(record)
                    if trace and len(books.lines) > before:
                        traces[books.lines[-1].place] = trace
                else:
                    total = incoming.read_total(record)
                    if total is None:
                        refused.append((lane, record))
                    else:
                        totals.append((lane, total))
        for lane, due in poll.due.items():
            lanes[lane].due.extend(due)
        await _write_totals(connection, totals, refused, poll.now)
        restored = await catching_up.begin(connection, lanes)
        working = {lane: books for lane, books in lanes.items() if _has_work(books)}
        outcomes = await _conclude(connection, working, restored, poll.now)
        if restored:
            await catching_up.end(connection, restored, outcomes, poll.now)
        return {lane: emissions(each, lane, poll.now, traces) for lane, each in outcomes.items()}

    async def due(
        self,
        connection: Connection,
        lanes: Sequence[int],
        now: datetime,  # noqa: ARG002 - time decides nothing here
    ) -> Mapping[int, list[Any]]:
        """Lines of unknown payments for which exactly one expected item has turned up since.

        Nothing while a lane has yet to handle settlement's events again: another item may turn up there.
        A lane that has caught up after a restore is named too: it has to say so.
        """
        found: dict[int, list[Any]] = {
            row["lane"]: []
            for row in await connection.fetch(SQL["caught_up"], list(lanes), catching_up.FACTS)
        }
        found_since = await connection.fetch(
            SQL["lines_with_a_candidate"], list(lanes), SETTLEMENT_NOTIFICATIONS
        )
        for row in found_since:
            found.setdefault(row["lane"], []).append((row["statement_id"], row["line_number"]))
        return found

    def key_of(self, record: Record) -> bytes:
        """The account or nostro whose later events wait behind a parked record."""
        return incoming.key_of(record)

    def amount_of(self, record: Record) -> tuple[int, str] | None:
        """(minor units, currency) at stake in a record, None where unknown."""
        return incoming.amount_of(record)

    def payment_of(self, record: Record) -> bytes | None:
        """The payment that a parked record is about."""
        return payment_of(record.value)


def _has_work(books: Books) -> bool:
    return bool(books.events or books.lines or books.opened or books.closings or books.due)


async def _conclude(
    connection: Connection, lanes: dict[int, Books], restored: Set[int], now: datetime
) -> dict[int, Outcome]:
    """Load, draw the conclusions and write them; what of them those who listen are to hear."""
    outcomes: dict[int, Outcome] = {}
    if not lanes:
        return outcomes
    await load(connection, lanes)
    if restored:
        await catching_up.load_matches(connection, lanes, restored)
    for lane, books in lanes.items():
        for event, seq in books.events:
            books.take_event(event, seq)
        books.assign_strays()
        for line in books.lines:
            books.take_line(line)
        outcomes[lane] = conclude(books, now)
    for lane in outcomes.keys() & restored:
        await catching_up.note(connection, lanes[lane], outcomes[lane])
    await _write(connection, lanes, outcomes, now)
    for lane in outcomes.keys() & restored:
        await catching_up.hold_back(connection, lanes[lane], outcomes[lane])
    return outcomes


async def _write(
    connection: Connection, lanes: Mapping[int, Books], outcomes: Mapping[int, Outcome], now: datetime
) -> None:
    new_items: list[Item] = []
    changed_items: list[tuple[Item, Item]] = []
    new_lines: list[Line] = []
    changed_lines: list[Line] = []
    for books in lanes.values():
        before = books.items_before
        for case in books.cases.values():
            for side, item in ((DEBIT, case.debit), (CREDIT, case.credit)):
                if item is None:
                    continue
                known = before.get((item.payment_id, side))
                if known is None:
                    new_items.append(item)
                elif known is not item and known != item:
                    changed_items.append((known, item))
        for line in books.lines_after():
            was = books.lines_before.get(line.place)
            if was is None:
                new_lines.append(line)
            elif was is not line and was != line:
                changed_lines.append(line)
    await store.write_items(connection, new_items, [item for _, item in changed_items])
    await store.write_lines(connection, new_lines, changed_lines)
    await store.write_batches(
        connection,
        [*((None, item) for item in new_items), *changed_items],
        (line for line in new_lines if empty(line.payment_id) and not empty(line.batch_id)),
    )
    opened = [each for outcome in outcomes.values() for each in outcome.opened]
    resolved = [each for outcome in outcomes.values() for each in outcome.resolved]
    await store.write_breaks(connection, opened, resolved)
    statements = [each for outcome in outcomes.values() for each in outcome.statements]
    shares = [
        (
            lane, each.statement_id, each.nostro, each.currency, each.to_date, each.lane_lines,
            each.lane_sum_minor, now,
        )
        for lane, outcome in outcomes.items()
        for each in outcome.shares
    ]  # fmt: skip
    await store.write_statements(connection, statements, shares)
    await store.write_reconciled(
        connection,
        ((each.lane, each.statement_id) for outcome in outcomes.values() for each in outcome.reconciled),
        now,
    )


async def _write_totals(
    connection: Connection, totals: Totals, refused: Sequence[tuple[int, Record]], now: datetime
) -> None:
    latest: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for lane, each in sorted(totals, key=lambda total: (total[1].last_offset, total[1].computed_at)):
        key = (
            lane, each.topic, each.total_partition, each.producer, each.producer_lane, each.event_type,
            each.currency,
        )  # fmt: skip
        computed_at = instant(each.computed_at)
        latest[key] = (*key, each.count, each.amount_minor, each.last_seq, each.last_offset, computed_at)
    if latest:
        columns = (list(column) for column in zip(*latest.values(), strict=True))
        await connection.execute(SQL["put_control_totals"], *columns)
    for lane, record in refused:
        await connection.execute(
            SQL["put_refused_record"], lane, record.topic, record.partition, record.offset,
            "not a control total that can be read", now,
        )  # fmt: skip
