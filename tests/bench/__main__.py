"""`make bench`: payments a second through the whole house, everything durable, every row checked."""

import asyncio
import json
import sys
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic
from typing import Any

import click
import httpx
import psutil
from aiokafka import AIOKafkaProducer

from goodfunds.cli.asking import Wish, ask
from goodfunds.cli.demo import demo_stack
from goodfunds.cli.journey import open_house
from goodfunds.cli.progress import Progress, read_progress
from goodfunds.cli.prove import prove_once_counted
from goodfunds.cli.reading import readers
from goodfunds.cli.requests import close_cut_off
from goodfunds.events.topics import PAYMENT_INSTRUCTIONS
from goodfunds.events.types import AccountFundRequested, AccountOpenRequested, PaymentInstruction
from goodfunds.lanes import lane_of
from goodfunds.local import stack as local
from goodfunds.local.demo_file import iban

ACCOUNTS = 240
AMOUNT = 1_05
_STILL_SECONDS = 60.0


def instructions(count: int, today: date) -> list[tuple[int, PaymentInstruction]]:
    """(lane's account number, instruction), spread evenly over the accounts."""
    creditor = iban("DE", "500105170000000001")
    return [
        (
            number % ACCOUNTS,
            PaymentInstruction(
                AMOUNT, today, "EUR", "sepa-credit", "bench", f"bench-{number}", f"E2E-{number}", "",
                account(number % ACCOUNTS), "Ada Almeida", creditor, "Bruno Bauer", "", "SLEV",
                f"Invoice {number}", "", "", "", "", "", "", (),
            ),
        )
        for number in range(count)
    ]  # fmt: skip


def account(number: int) -> str:
    """A customer's account of the bench."""
    return iban("DE", f"50010517{number + 1:010d}")


async def publish(stack: local.Stack, count: int) -> float:
    """Publish the instructions in batches; seconds that it took."""
    by_lane: dict[int, list[tuple[bytes, bytes]]] = {}
    for number, instruction in instructions(count, date.today()):  # noqa: DTZ011 - a local day will do
        lane = lane_of(account(number), stack.partitions)
        by_lane.setdefault(lane, []).append((instruction.debtor_account.encode(), instruction.encode()))
    producer = AIOKafkaProducer(
        bootstrap_servers=stack.kafka, acks="all", enable_idempotence=True, max_batch_size=500_000
    )
    await producer.start()
    started = monotonic()
    try:

        async def send_lane(lane: int, events: list[tuple[bytes, bytes]]) -> None:
            batch = producer.create_batch()
            for key, value in events:
                if batch.append(key=key, value=value, timestamp=None) is None:
                    await (await producer.send_batch(batch, PAYMENT_INSTRUCTIONS, partition=lane))
                    batch = producer.create_batch()
                    batch.append(key=key, value=value, timestamp=None)
            await (await producer.send_batch(batch, PAYMENT_INSTRUCTIONS, partition=lane))

        await asyncio.gather(*(send_lane(lane, events) for lane, events in by_lane.items()))
    finally:
        await producer.stop()
    return monotonic() - started


def cpu_seconds(stack: local.Stack) -> dict[str, float]:
    """CPU seconds so far of each process, Postgres with its backends."""
    found = {}
    for name, running in stack.running.items():
        process = psutil.Process(running.pid)
        # Before the children: one that ends meanwhile counts as neither, for the moment, never twice.
        own = process.cpu_times()
        seconds = own.user + own.system + own.children_user + own.children_system
        for child in process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                times = child.cpu_times()
                seconds += times.user + times.system
        found[name] = seconds
    return found


async def measure(stack: local.Stack, count: int) -> dict[str, object]:
    """One run: rates of each stage and of the whole, CPU µs a payment by process."""
    async with readers(stack) as connections:
        await open_house(stack, {})
        wishes: list[Wish] = []
        for number in range(ACCOUNTS):
            name = account(number)
            wishes.append(AccountOpenRequested("bench", f"open-{number}", name, "EUR", "Ada Almeida"))
            wishes.append(
                AccountFundRequested(AMOUNT * count, "bench", f"fund-{number}", name, "EUR", "bench")
            )
        assert await ask(stack, wishes) == []
        before = cpu_seconds(stack)
        started = monotonic()
        load = asyncio.create_task(publish(stack, count))
        marks = {}
        await _until(connections, "accepted", lambda p: p.accepted >= count)
        marks["accepted"] = monotonic() - started
        await load
        await _until(connections, "in batches", lambda p: sum(n for n, _ in p.states.values()) >= count)
        await close_cut_off(stack, "bench")
        await _until(connections, "settled", lambda p: p.count("settled") >= count)
        marks["settled"] = monotonic() - started
        async with httpx.AsyncClient(timeout=300) as http:
            bank = stack.url("sandbox-bank")
            day = date.fromisoformat((await http.get(f"{bank}/business-day")).json()["business_day"])
            to = {"to": (day + timedelta(days=1)).isoformat()}
            (await http.post(f"{bank}/business-day/advance", json=to)).raise_for_status()
        await _until(connections, "matched", lambda p: p.matched >= count)
        seconds = monotonic() - started
        after = cpu_seconds(stack)
    proof = await prove_once_counted(stack)
    assert proof.holds, proof.sentence
    return {
        "payments": count,
        "seconds": round(seconds, 2),
        "payments_per_second": round(count / seconds),
        "accepted_per_second": round(count / marks["accepted"]),
        "settled_per_second": round(count / marks["settled"]),
        "cpu_us": {name: round((after[name] - before[name]) / count * 1e6, 1) for name in after},
        "rss_mb": {name: round(local.memory_mb(each)) for name, each in stack.running.items()},
        "unaccounted_minor": dict(proof.unaccounted),
    }


async def _until(connections: dict[str, object], what: str, holds: object) -> Progress:
    last, moved = Progress(), monotonic()
    while True:
        progress = await read_progress(connections)
        if holds(progress):  # type: ignore[operator]
            click.echo(f"{what}: done", err=True)
            return progress
        if progress != last:
            last, moved = progress, monotonic()
        elif monotonic() - moved > _STILL_SECONDS:
            raise SystemExit(f"{what}: nothing has moved for {_STILL_SECONDS:.0f} s: {progress}")
        await asyncio.sleep(0.25)


def show(found: dict[str, Any]) -> None:
    """The figures for a person: the rates, then what each process took of CPU and memory."""
    click.echo(f"{found['payments']:,} payments in {found['seconds']:.1f} s, each booked, matched and proved")
    for stage in ("accepted_per_second", "settled_per_second", "payments_per_second"):
        click.echo(f"{stage.replace('_', ' '):<28}{found[stage]:>8,}")
    click.echo(f"{'process':<28}{'µs CPU a payment':>18}{'MB':>8}")
    for name, micro in found["cpu_us"].items():
        click.echo(f"{name:<28}{micro:>18,.1f}{found['rss_mb'][name]:>8,}")


@click.command()
@click.option("--payments", type=click.IntRange(1), default=20_000, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(payments: int, as_json: bool) -> None:
    """Measure on a fresh stack of its own, which is removed afterwards."""
    folder = Path(mkdtemp(prefix="goodfunds-bench-"))
    folder.chmod(0o755)
    with demo_stack(folder, None, keep=False) as stack:
        found = asyncio.run(measure(stack, payments))
    show(found)
    if as_json:
        click.echo(json.dumps(found))


if __name__ == "__main__":
    sys.exit(main())
