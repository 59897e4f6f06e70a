"""Instances of ingestion over lanes: what a payment costs must not rise with either."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic
from typing import Any

import click

from goodfunds.cli.reading import readers
from goodfunds.local import processes
from goodfunds.local import stack as local
from tests.bench.alone import launch
from tests.bench.counters import DECIDED, reached, until_quiet, until_step
from tests.bench.load import Load
from tests.bench.payments import AMOUNT, open_accounts
from tests.bench.spent import cpu_seconds

LANES = (6, 12, 48)
INSTANCES = (1, 2, 3)
_NAME = "ingestion"
_SHARED_SECONDS = 60.0
_OWNERS = "SELECT DISTINCT owner FROM lanes WHERE lane >= 0"


@dataclass(frozen=True, slots=True)
class Scaled:
    """CPU µs a payment in all (instances, Postgres, Kafka), and payments a second."""

    lanes: int
    instances: int
    cpu_us: float
    rate: float


def measure_scale(payments: int, say: local.Say) -> list[Scaled]:
    """Each count of lanes on a stack of its own, each count of instances in turn."""
    found = []
    for lanes in LANES:
        folder = Path(mkdtemp(prefix="goodfunds-bench-"))
        folder.chmod(0o755)
        try:
            stack = local.up(folder, partitions=lanes, only_infrastructure=True, say=say, temporary=True)
            for instances in INSTANCES:
                with _running(stack, instances) as names:
                    found.append(asyncio.run(_one(stack, names, payments)))
        finally:
            local.wipe(folder, say=say)
    return found


@contextmanager
def _running(stack: local.Stack, instances: int) -> Iterator[Sequence[str]]:
    names = [_NAME, *(f"{_NAME}-{number}" for number in range(2, instances + 1))]
    try:
        for name in names:
            launch(stack, name, _NAME)
        # Whoever wipes the folder finds there what to end.
        stack.save()
        yield names
    finally:
        for name in names:
            if name in stack.running:
                processes.stop(stack.running.pop(name))
        stack.save()


async def _one(stack: local.Stack, names: Sequence[str], payments: int) -> Scaled:
    run = f"scale-{stack.partitions}-{len(names)}"
    async with readers(stack) as connections:
        ingestion = {_NAME: connections[_NAME]}
        await _shared(stack, ingestion, names)
        # Each lane and each connection has worked before.
        await open_accounts(stack, run, AMOUNT * payments)
        await until_quiet(ingestion, lambda: None)
        base = await reached(ingestion, DECIDED)
        before, started = cpu_seconds(stack), monotonic()
        load = asyncio.create_task(Load(stack, run, rate=1.0).burst(payments))
        await until_step(ingestion, DECIDED, base, payments, every=0.02)
        seconds, after = monotonic() - started, cpu_seconds(stack)
        await load
    spent = sum(after[name] - before[name] for name in after) / payments * 1e6
    click.echo(
        f"{stack.partitions} lanes, {len(names)} instances: {spent:.0f} µs, {payments / seconds:,.0f}/s",
        err=True,
    )
    return Scaled(stack.partitions, len(names), spent, payments / seconds)


async def _shared(stack: local.Stack, connections: Mapping[str, Any], names: Sequence[str]) -> None:
    """Until each instance owns lanes: the first to start has all of them for a moment."""
    wanted = {str(stack.running[name].pid) for name in names}
    deadline = monotonic() + _SHARED_SECONDS
    while True:
        local.check_alive(stack)
        rows = await connections[_NAME].fetch(_OWNERS)
        if {str(row["owner"]).rpartition("/")[2] for row in rows} == wanted:
            return
        if monotonic() > deadline:
            raise RuntimeError(f"the lanes are not shared by {len(names)} instances")
        await asyncio.sleep(0.1)
