"""Other shapes of load than an even one: half of all payments from one account, a million small accounts."""

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic

import click

from goodfunds.cli.reading import readers
from goodfunds.local import stack as local
from goodfunds.local.demo_file import iban
from tests.bench.counters import BATCHED, reached, until_quiet, until_step
from tests.bench.load import Load
from tests.bench.payments import ACCOUNTS, AMOUNT, account, open_accounts
from tests.bench.spent import cpu_seconds


async def hot_account(stack: local.Stack, payments: int) -> tuple[float, float]:
    """Half of all payments from one debtor: accepted a second, and CPU µs each in all."""
    names = [account(number) for number in range(ACCOUNTS)]
    await open_accounts(stack, "hot", AMOUNT * payments)
    return await _accepted(
        stack, "hot account", payments, names,
        lambda number: 0 if number % 2 else 1 + number // 2 % (ACCOUNTS - 1),
    )  # fmt: skip


async def many_accounts(stack: local.Stack, accounts: int, payments: int) -> tuple[float, float]:
    """So many accounts with a payment now and then: accepted a second, and CPU µs each in all."""
    click.echo(f"{accounts:,} accounts are opened and funded", err=True)
    names = [iban("DE", f"60010517{number + 1:010d}") for number in range(accounts)]
    await open_accounts(stack, "many", AMOUNT * (payments // accounts + 1), names)
    # Far apart, as customers come: neither in the order of their numbers nor of their lanes.
    return await _accepted(
        stack, f"{accounts:,} accounts", payments, names, lambda number: number * 7_919 % accounts
    )


async def _accepted(
    stack: local.Stack, what: str, payments: int, names: Sequence[str], place_of: Callable[[int], int]
) -> tuple[float, float]:
    async with readers(stack) as connections:
        await until_quiet(connections, lambda: None)
        base = await reached(connections, BATCHED)
        # Before the clock runs: it finds the lane of every account.
        load = Load(stack, what.replace(" ", "-"), 1.0, names, place_of)
        before, started = cpu_seconds(stack), monotonic()
        sending = asyncio.create_task(load.burst(payments))
        await until_step(connections, BATCHED, base, payments)
        seconds, after = monotonic() - started, cpu_seconds(stack)
        await sending
    spent = sum(after[name] - before[name] for name in after) / payments * 1e6
    click.echo(f"{what}: {payments / seconds:,.0f} a second into batches, {spent:.0f} µs each", err=True)
    return payments / seconds, spent
