"""After a restore: reconciliation's own events, found on its topics, are facts again."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from goodfunds.errors import InvariantBroken
from goodfunds.events import types
from goodfunds.ids import NO_ID
from goodfunds.lanes.records import Connection, OwnEvent
from services.reconciliation.decide import instant
from services.reconciliation.model import CREDIT, DEBIT, END_TO_END
from services.reconciliation.store import SQL

Key = tuple[str, bytes, int]
"""(kind, id, number)"""

_NO_FILE, _NO_DIGEST = "", b""


async def adopt(connection: Connection, lane: int, events: Sequence[OwnEvent]) -> None:
    """Note what the lane had told. Its inputs are handled again later, and told of otherwise or not at all.

    It stands until the lane has read again all that it can have read before the restore (`catching_up`).
    """
    decoded = [(each, types.decode(each.body)) for each in events]
    told = {key: _row(lane, key, each) for each, event in decoded for key in _keys(event)}
    await _put(connection, list(told.values()))
    reconciled = {
        event.statement_id: instant(event.reconciled_at)
        for _, event in decoded
        if isinstance(event, types.StatementReconciled)
    }
    if reconciled:
        lanes = [lane] * len(reconciled)
        await connection.execute(SQL["adopt_reconciled"], lanes, list(reconciled), list(reconciled.values()))


async def know_statements(connection: Connection, lane: int, events: Sequence[OwnEvent]) -> None:
    """Have the statement reader know what it had sent: that is not sent again, and may be corrected since.

    A statement of which some lane was not told the end goes out once more, from its first line, when its
    file is read: the lanes know the lines that they have.
    """
    decoded = [(each, types.decode(each.body)) for each in events]
    times: list[datetime] = []
    headers = []
    for _, event in decoded:
        if isinstance(event, types.StatementOpened):
            times.append(instant(event.opened_at))
            headers.append(event.statement_id)
            await connection.fetchval(
                SQL["take_statement"], event.statement_id, _NO_FILE, _NO_DIGEST, event.nostro,
                event.statement_number, event.bank_statement_id, event.to_date, event.lines_count, 0,
                times[-1], event.currency,
            )  # fmt: skip
        elif isinstance(event, types.StatementClosed):
            times.append(instant(event.closed_at))
    if times:
        await _put(
            connection,
            [
                _row(lane, ("closed", event.statement_id, each.partition), each)
                for each, event in decoded
                if isinstance(event, types.StatementClosed)
            ],
        )
        await connection.execute(SQL["finish_told_statements"], headers, max(times))
        await connection.execute(SQL["forget_closed"])


def _row(lane: int, key: Key, each: OwnEvent) -> tuple[Any, ...]:
    return lane, *key, each.seq, each.partition, each.body


async def _put(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        await connection.execute(SQL["put_told"], *map(list, zip(*rows, strict=True)))


def _keys(event: object) -> Iterator[Key]:
    """What a lane's event is told under; of several the last stands."""
    if isinstance(event, types.PaymentMatched):
        yield "matched", event.payment_id, DEBIT if event.amount_minor < 0 else CREDIT
        if event.kind == END_TO_END:
            yield "owner", event.statement_id, event.line_number
    elif isinstance(event, types.BreakOpened):
        yield "opened", event.break_id, 0
        if event.line_number and event.payment_id != NO_ID:
            yield "owner", event.statement_id, event.line_number
    elif isinstance(event, types.BreakResolved):
        yield "resolved", event.break_id, 0
    elif isinstance(event, types.StatementReconciled):
        yield "reconciled", event.statement_id, 0
    elif isinstance(event, types.StatementLine):
        yield "owner", event.statement_id, event.line_number
    else:
        raise InvariantBroken(f"{type(event).__name__} is no event of reconciliation's lanes")
