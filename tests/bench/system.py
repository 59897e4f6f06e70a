"""The whole chain: payments from instruction to matched statement line, and what they took."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import click
import httpx

from goodfunds.cli.prove import prove_once_counted
from goodfunds.cli.reading import readers, sql
from goodfunds.cli.requests import close_cut_off
from goodfunds.local import stack as local
from goodfunds.service import services
from tests.auditor.at_rest import audit_at_rest
from tests.auditor.bank_at_rest import book_lines
from tests.bench.counters import (
    BATCHED,
    DECIDED,
    MATCHED,
    SETTLED,
    Reached,
    reached,
    until_quiet,
    until_step,
)
from tests.bench.load import Load, advance_day
from tests.bench.spent import cpu_seconds, micros_each, own_cpu_seconds
from tests.bench.written import Written, written

_CUT_OFF_SECONDS = 3.0
"""Batches go to the bank while later payments are still being accepted, as on any day."""

_STILL_SECONDS = 300.0
"""A large file is built, carried and booked before the first of its payments is answered."""
_NOT_ANSWERED = """
SELECT (SELECT count(*) FROM payments) - (SELECT count(*) FROM settlements)
     - (SELECT count(*) FROM rejections)"""
_NOT_MATCHED = "SELECT count(*) FROM expected_items WHERE state = 0"


@dataclass(frozen=True, slots=True)
class Measured:
    """One run. Seconds from its first instruction on; CPU µs a payment by process, the load's own too.

    `written`: bytes a payment. `seconds` ends with the last match. CPU is counted until all is at rest:
    settlement reads the statement, too.
    """

    payments: int
    seconds: float
    accepted_seconds: float
    settled_seconds: float
    cpu_us: Mapping[str, float]
    rss_mb: Mapping[str, int]
    written: Written

    @property
    def rate(self) -> float:
        """Payments a second, from the first instruction to the last statement line."""
        return self.payments / self.seconds


async def run_system(stack: local.Stack, run: str, payments: int) -> Measured:
    """So many payments through the house; afterwards it must be proved, every row of it."""
    click.echo(f"the system, {payments:,} payments ({run})", err=True)
    async with readers(stack) as connections:
        base = {step: await reached(connections, step) for step in (BATCHED, SETTLED, MATCHED)}
        unread = await statements_unread(stack, connections)
        on_disk = await written(stack, connections)
        before, own, started = cpu_seconds(stack), own_cpu_seconds(), monotonic()
        load = asyncio.create_task(Load(stack, run, rate=1.0).burst(payments))
        closing = asyncio.create_task(_close_again_and_again(stack, run))
        await until_step(connections, BATCHED, base[BATCHED], payments)
        accepted = monotonic() - started
        await load
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        await close_cut_off(stack, run)
        await until_step(connections, SETTLED, base[SETTLED], payments)
        settled = monotonic() - started
        await advance_day(stack)
        await until_step(connections, MATCHED, base[MATCHED], payments)
        seconds = monotonic() - started
        await until_read(stack, connections, unread)
        after = await until_quiet(connections, lambda: {**cpu_seconds(stack), "load": own_cpu_seconds()})
        added = (await written(stack, connections)).since(on_disk, payments)
    click.echo(f"{payments:,} payments in {seconds:.1f} s: {payments / seconds:,.0f} a second", err=True)
    await proved(stack)
    return Measured(
        payments, seconds, accepted, settled, micros_each({**before, "load": own}, after, payments),
        {name: round(local.memory_mb(each)) for name, each in stack.running.items()}, added,
    )  # fmt: skip


async def statements_unread(stack: local.Stack, connections: Mapping[str, Any]) -> int:
    """How many statements the bank has written more than settlement's gateway has read to their end.

    Where statements were laid past the bank it is below zero.
    """
    async with httpx.AsyncClient(timeout=60) as http:
        answer = await http.get(f"{stack.url('sandbox-bank')}/statements")
        answer.raise_for_status()
    taken = await connections["settlement"].fetchval(sql("settlement")["statements_taken"])
    return len(answer.json()) - int(taken)


async def until_read(stack: local.Stack, connections: Mapping[str, Any], unread: int) -> None:
    """Until settlement's gateway, too, is through with all but so many of the bank's statements.

    It reads a large one for many seconds before any lane hears of it: that nothing moves says nothing.
    Raises SystemExit where it is not through in five minutes.
    """
    deadline = monotonic() + _STILL_SECONDS
    while await statements_unread(stack, connections) > unread:
        if monotonic() > deadline:
            raise SystemExit("settlement's gateway does not read the bank's statements")
        await asyncio.sleep(0.25)


async def proved(stack: local.Stack) -> None:
    """Every payment has its end, the ledger balances, numbers have no hole, what is matched is all there."""
    proof = await prove_once_counted(stack)
    assert proof.holds, "\n".join(line for check in proof.checks for line in (check.name, *check.lines))


async def answered(stack: local.Stack) -> None:
    """Everything that was accepted goes to the bank, and is settled or rejected."""
    async with readers(stack) as connections:
        await until_quiet(connections, lambda: None)
        # Of what came into a batch after the cut-off nobody would hear.
        decided, none = await reached(connections, DECIDED), Reached(0, 0)
        await until_step(connections, BATCHED, none, decided.events)
        await close_cut_off(stack, "bench")
        await _until_none(connections["settlement"], _NOT_ANSWERED)
        await until_quiet(connections, lambda: None)


async def end(stack: local.Stack) -> None:
    """All that is under way comes to its end; then the proof, and the auditor with the bank's own books.

    Raises SystemExit where the auditor does not pass it.
    """
    click.echo("all payments to their end, the proof and the audit", err=True)
    await answered(stack)
    async with readers(stack) as connections:
        unread = await statements_unread(stack, connections)
        await advance_day(stack)
        await until_read(stack, connections, unread)
        await until_quiet(connections, lambda: None)
        await _until_none(connections["reconciliation"], _NOT_MATCHED)
        await until_quiet(connections, lambda: None)
    await proved(stack)
    found = await audit_at_rest(
        {name: f"{stack.postgres.rstrip('/')}/{each.database}" for name, each in services().items()},
        book_lines(stack.url("sandbox-bank")),
        tell=lambda line: click.echo(line, err=True),
    )
    if not found.clean:
        raise SystemExit(f"the auditor does not pass it: {found.sentence}")


async def _until_none(connection: Any, statement: str) -> None:
    """Raises SystemExit where it stays as it is for five minutes."""
    last, moved = -1, monotonic()
    while left := await connection.fetchval(statement):
        if left != last:
            last, moved = left, monotonic()
        elif monotonic() - moved > _STILL_SECONDS:
            raise SystemExit(f"{left:,} payments do not come to their end")
        click.echo(f"  {left:,} left", err=True)
        await asyncio.sleep(2.0)


async def _close_again_and_again(stack: local.Stack, run: str) -> None:
    while True:
        await asyncio.sleep(_CUT_OFF_SECONDS)
        await close_cut_off(stack, run)
