"""Reconciliation's statements, and its writes: COPY for what is new, set-based updates for what changed."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any

from goodfunds.lanes.records import Connection
from goodfunds.postgres import all_written, statements
from services.reconciliation.model import CREDIT, DEBIT, OPEN, Break, Item, Line, Statement

SQL = statements(Path(__file__).parent / "sql")

Named = Iterable[tuple[int, bytes]]
"""(lane, id) pairs."""

_ITEM_COLUMNS = Item._fields
_LINE_COLUMNS = Line._fields


async def write_items(connection: Connection, new: Sequence[Item], changed: Sequence[Item]) -> None:
    if new:
        await connection.copy_records_to_table("expected_items", records=new, columns=_ITEM_COLUMNS)
    if changed:
        fields = (
            "lane", "payment_id", "side", "batch_id", "opened_at", "opened_seq", "state", "settled_on",
            "statement_id", "line_number", "match_kind",
        )  # fmt: skip
        status = await connection.execute(
            SQL["update_items"], *(list(map(attrgetter(name), changed)) for name in fields)
        )
        all_written(status, len(changed), "expected items")


async def write_lines(connection: Connection, new: Sequence[Line], changed: Sequence[Line]) -> None:
    if new:
        await connection.copy_records_to_table("statement_lines", records=new, columns=_LINE_COLUMNS)
    if changed:
        fields = (
            "lane", "statement_id", "line_number", "state", "break_id", "payment_id", "found_by",
            "handed_over_to",
        )  # fmt: skip
        status = await connection.execute(
            SQL["update_lines"], *(list(map(attrgetter(name), changed)) for name in fields)
        )
        all_written(status, len(changed), "statement lines")


async def write_batches(
    connection: Connection, items: Iterable[tuple[Item | None, Item]], new_lines: Iterable[Line]
) -> None:
    """Keep the open sums of batches with their items, given as (before, after)."""
    deltas: dict[tuple[int, bytes, str, str], list[Any]] = {}

    def of(lane: int, batch_id: bytes, nostro: str, currency: str, at: datetime) -> list[Any]:
        return deltas.setdefault((lane, batch_id, nostro, currency), [at, 0, 0, 0, 0, 0])

    for before, after in items:
        for item, sign in ((before, -1), (after, 1)):
            if item is not None and item.state == OPEN:
                row = of(item.lane, item.batch_id, item.nostro, item.currency, item.opened_at)
                place = {DEBIT: 1, CREDIT: 3}[item.side]
                row[place] += sign
                row[place + 1] += sign * item.amount_minor
    for line in new_lines:
        of(line.lane, line.batch_id, line.nostro, line.currency, line.received_at)[5] += 1
    rows = [key + tuple(delta) for key, delta in sorted(deltas.items()) if any(delta[1:])]
    if rows:
        columns = (list(column) for column in zip(*rows, strict=True))
        await connection.execute(SQL["add_to_batches"], *columns)


async def write_breaks(connection: Connection, opened: Sequence[Break], resolved: Sequence[Break]) -> None:
    if opened:
        await connection.executemany(SQL["open_break"], opened)
    if resolved:
        fields = ("lane", "break_id", "resolved_at", "resolution")
        status = await connection.execute(
            SQL["resolve_breaks"], *(list(map(attrgetter(name), resolved)) for name in fields)
        )
        all_written(status, len({(each.lane, each.break_id) for each in resolved}), "resolved breaks")


async def write_statements(connection: Connection, new: Sequence[Statement], shares: Sequence[Any]) -> None:
    if new:
        columns = tuple(Statement.__dataclass_fields__)
        await connection.copy_records_to_table(
            "statements", records=[tuple(getattr(s, c) for c in columns) for s in new], columns=columns
        )
    if shares:
        await connection.copy_records_to_table(
            "statement_shares",
            records=shares,
            columns=(
                "lane", "statement_id", "nostro", "currency", "to_date", "lane_lines", "lane_sum_minor",
                "closed_at",
            ),
        )  # fmt: skip


async def write_reconciled(connection: Connection, named: Named, now: datetime) -> None:
    wanted = list(named)
    if wanted:
        await connection.execute(
            SQL["reconcile_statements"], [k[0] for k in wanted], [k[1] for k in wanted], now
        )
