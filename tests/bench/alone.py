"""Parts of the chain by themselves: ingestion and file intake, with the others stopped."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import date
from time import monotonic

import click
import httpx

from goodfunds.cli.passing import passing_token
from goodfunds.cli.reading import readers
from goodfunds.local import house, processes
from goodfunds.local import stack as local
from goodfunds.local.demo_file import demo_file
from tests.bench.counters import DECIDED, reached, until_quiet, until_step
from tests.bench.load import Load
from tests.bench.payments import ACCOUNTS, open_accounts
from tests.bench.spent import cpu_seconds

_LARGEST_MINOR = 250_000
"""Of a payment in a demo file: an account that holds as much for each pays all of them."""
_FULL = 2_000
"""Payments after which ingestion is in its stride: the first transactions wait for caches and connections."""


@asynccontextmanager
async def alone(stack: local.Stack, names: Iterable[str], restart: bool = True) -> AsyncIterator[None]:
    """Only these processes run meanwhile; the others are stopped, and start again afterwards."""
    keep = set(names)
    ending = [each for each in house.PROCESSES if each in stack.running and each not in keep]
    await asyncio.gather(*(asyncio.to_thread(processes.stop, stack.running.pop(name)) for name in ending))
    try:
        yield
    finally:
        if restart:
            await asyncio.to_thread(house.start, stack, _silent, {})


def _silent(_text: str) -> None:
    """Single steps are of no interest here."""


def launch(stack: local.Stack, name: str, process: str) -> None:
    """Start an instance of a process under a name, and do not wait until it is ready."""
    stack.http.setdefault(name, processes.free_port())
    # Whoever starts is told where the bank is, whether it runs or not.
    stack.http.setdefault("sandbox-bank", processes.free_port())
    command = [sys.executable, "-m", *house.PROCESSES[process]]
    told = house.environment(stack, name)
    stack.running[name] = processes.start(command, stack.log(name), told, folder=stack.folder)
    # Whoever takes the stack down reads what runs from its state.
    stack.save()


async def ingestion_alone(
    stack: local.Stack, run: str, payments: int, restart: bool = True
) -> tuple[float, float]:
    """Instructions that wait on the topic until decided: a second, and CPU µs each of ingestion.

    Counted from the moment that the first of them are, so that the start of the process is in neither.
    """
    async with readers(stack) as connections:
        await until_quiet(connections, lambda: None)
        base = await reached(connections, DECIDED)
        async with alone(stack, (), restart):
            await Load(stack, run, rate=1.0).burst(payments)
            launch(stack, "ingestion", "ingestion")
            await until_step(connections, DECIDED, base, _FULL, every=0.01)
            before, started = cpu_seconds(stack)["ingestion"], monotonic()
            first = (await reached(connections, DECIDED)).since(base, DECIDED)
            await until_step(connections, DECIDED, base, payments, every=0.01)
            seconds, after = monotonic() - started, cpu_seconds(stack)["ingestion"]
    rate, spent = (payments - first) / seconds, (after - before) / (payments - first) * 1e6
    click.echo(f"ingestion alone: {rate:,.0f} a second, {spent:.0f} µs each", err=True)
    return rate, spent


async def file_alone(stack: local.Stack, run: str, payments: int) -> float:
    """One pain.001 of so many payments over HTTP, until all are decided; payments a second."""
    today = date.today()  # noqa: DTZ011 - a local day will do
    content = demo_file(payments, ACCOUNTS, today, seed=payments, name=run)
    await open_accounts(stack, run, _LARGEST_MINOR * (payments // ACCOUNTS + 1))
    async with readers(stack) as connections:
        base = await reached(connections, DECIDED)
        async with (
            alone(stack, ("ingestion", "ingestion-intake")),
            httpx.AsyncClient(timeout=600) as http,
            passing_token(stack, "ingestion", "bench", ["payments:write"]) as token,
        ):
            started = monotonic()
            answer = await http.post(
                f"{stack.url('ingestion')}/v1/payment-files",
                content=content,
                headers={"Authorization": f"Bearer {token}"},
            )
            answer.raise_for_status()
            await until_step(connections, DECIDED, base, payments, every=0.02)
            seconds = monotonic() - started
    click.echo(f"file intake alone: {payments / seconds:,.0f} payments a second", err=True)
    return payments / seconds
