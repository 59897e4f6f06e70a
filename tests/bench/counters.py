"""Waiting by what costs nothing to read: the numbers of the lanes, and the tables' own counters."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

import click

from goodfunds.events.topics import PAYMENTS, RECONCILIATION, SETTLEMENT_NOTIFICATIONS

_T = TypeVar("_T")

_TABLES = """
SELECT relname, pg_table_size(relid) AS table_bytes, pg_indexes_size(relid) AS index_bytes,
       n_live_tup, n_dead_tup, n_tup_ins
FROM pg_stat_user_tables"""
_INSERTED = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = $1"
_TOLD = """
SELECT coalesce(sum(n.value::bigint - 1), 0)::bigint
FROM lanes CROSS JOIN LATERAL jsonb_each_text(destinations) n WHERE split_part(n.key, '/', 1) = $1"""
_HEARD = """
SELECT coalesce(sum(n.value::bigint), 0)::bigint
FROM lanes CROSS JOIN LATERAL jsonb_each_text(watermarks) n WHERE split_part(n.key, '|', 1) = $1"""
_STILL_SECONDS = 120.0
_TELL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Step:
    """Of a payment: where it makes a row, and how many events of the topic number it in that commit."""

    name: str
    service: str
    table: str
    numbers: str
    topic: str
    events: int = 1


DECIDED = Step("decided", "ingestion", "payments", _TOLD, PAYMENTS)
BATCHED = Step("in batches", "settlement", "payments", _HEARD, PAYMENTS)
SETTLED = Step("settled", "settlement", "settlements", _TOLD, SETTLEMENT_NOTIFICATIONS, events=2)
"""Each payment is told of as submitted, then as settled."""
MATCHED = Step("matched", "reconciliation", "statement_lines", _TOLD, RECONCILIATION)


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a step is: the events in the lanes' rows, exact, and the rows that the table's counter knows.

    The counter is behind: a backend tells what it has inserted once a second at most.
    """

    events: int
    rows: int

    def since(self, earlier: "Reached", step: Step) -> int:
        """Payments that reached the step since then."""
        return max((self.events - earlier.events) // step.events, self.rows - earlier.rows)


async def tables(connection: Any) -> dict[str, Any]:
    """Sizes and tuples of a database's tables by name."""
    return {row["relname"]: row for row in await connection.fetch(_TABLES)}


def counted(rows: Mapping[str, Any], table: str) -> int:
    """Rows ever inserted into a table, without counting them."""
    return int(rows[table]["n_tup_ins"]) if table in rows else 0


async def reached(connections: Mapping[str, Any], step: Step) -> Reached:
    """How far a step is now."""
    connection = connections[step.service]
    events = await connection.fetchval(step.numbers, step.topic)
    return Reached(events, await connection.fetchval(_INSERTED, step.table) or 0)


async def until_step(
    connections: Mapping[str, Any], step: Step, base: Reached, payments: int, every: float = 0.05
) -> None:
    """Until so many payments reached the step since `base`; tells how far it is.

    Raises SystemExit where nothing moves for two minutes.
    """
    last, moved, told = -1, monotonic(), monotonic()
    while (found := (await reached(connections, step)).since(base, step)) < payments:
        now = monotonic()
        if found != last:
            last, moved = found, now
        elif now - moved > _STILL_SECONDS:
            raise SystemExit(f"{step.name}: {found:,} of {payments:,}, and nothing moves")
        if now - told > _TELL_SECONDS:
            told = now
            click.echo(f"  {step.name}: {found:,} of {payments:,}", err=True)
        await asyncio.sleep(every)


async def until(connection: Any, table: str, count: int, every: float = 0.1) -> None:
    """Until so many rows were inserted. Raises SystemExit where nothing moves for two minutes."""
    last, moved = -1, monotonic()
    while (found := counted(await tables(connection), table)) < count:
        if found != last:
            last, moved = found, monotonic()
        elif monotonic() - moved > _STILL_SECONDS:
            raise SystemExit(f"{table}: {found:,} of {count:,}, and nothing moves")
        await asyncio.sleep(every)


async def until_quiet(connections: Mapping[str, Any], look: Callable[[], _T]) -> _T:
    """Until no lane moves any more for two seconds: each service has handled what the others told.

    Returns what `look` gave when they had just come to rest, so that the waiting itself is in no figure.
    """
    statement = (
        "SELECT string_agg(offsets::text || outbox_seq || published_seq, ' ' ORDER BY lane) FROM lanes"
    )
    last, rested, since = None, look(), monotonic()
    while monotonic() - since < 2.0:
        now = [await each.fetchval(statement) for each in connections.values()]
        if now != last:
            last, rested, since = now, look(), monotonic()
        await asyncio.sleep(0.25)
    return rested
