"""`make bench`: the whole chain against the floor of the machine; parts, latency, shapes, scale, growth."""

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import mkdtemp

import click
import uvloop

from goodfunds.cli.demo import demo_stack
from goodfunds.cli.journey import open_house
from goodfunds.local import stack as local
from services.sandbox_bank.model import Booking
from tests.bench import floor
from tests.bench.alone import file_alone, ingestion_alone
from tests.bench.findings import Findings
from tests.bench.growth import at_sizes
from tests.bench.latency import measure_latencies
from tests.bench.over_http import over_http
from tests.bench.payments import AMOUNT, open_accounts
from tests.bench.performance import page
from tests.bench.performance_chart import chart
from tests.bench.scale import measure_scale
from tests.bench.scale_page import scale_page
from tests.bench.shapes import hot_account, many_accounts
from tests.bench.system import Measured, answered, end, run_system

DOCS = Path("docs")
_STEADY = 1_000.0
_ALONE = 10_000
"""The fewest payments by which ingestion alone is measured: with less it is hardly in its stride."""


async def _quick(stack: local.Stack, payments: int) -> Findings:
    """The chain and the floor once, latency without settling, ingestion alone; nothing runs afterwards."""
    found = Findings()
    await open_house(stack, {})
    await open_accounts(stack, "bench", AMOUNT * payments)
    found.warm = await run_system(stack, "warm", 1_000)
    await _pairs(stack, found, ["run"], payments)
    found.latencies.append(await measure_latencies(stack, "steady", _STEADY, 3, settle=False))
    found.ingestion = await ingestion_alone(stack, "alone", max(payments, _ALONE), restart=False)
    return found


async def _whole(stack: local.Stack, payments: int) -> Findings:
    """All that needs one stack; in the end every payment has its end, and the auditor passes the house."""
    found = Findings()
    await open_house(stack, {})
    # Each account could pay for all.
    await open_accounts(stack, "bench", AMOUNT * payments * 10)
    before = await floor.mark(stack)
    warm = max(payments // 20, 1_000)
    found.warm = await run_system(stack, "warm", warm)
    await floor.measure(stack, warm, before)
    await _pairs(stack, found, [f"run{number}" for number in range(3)], payments)
    found.latencies.append(await measure_latencies(stack, "between", _STEADY, 30, settle=False))
    await answered(stack)
    found.latencies.append(await measure_latencies(stack, "steady", _STEADY, 30))
    found.latencies.append(await measure_latencies(stack, "half", found.rate / 2, 30))
    found.ingestion = await ingestion_alone(stack, "alone", max(payments, _ALONE))
    await answered(stack)
    found.http = await over_http(stack, "http", 3_000)
    found.file = await file_alone(stack, "file", 100_000)
    await answered(stack)
    found.shapes["half of all payments from one account"] = await hot_account(stack, payments // 2)
    await answered(stack)
    found.shapes["a million accounts"] = await many_accounts(stack, 1_000_000, payments // 2)
    await end(stack)
    return found


async def _batch_booked(stack: local.Stack, payments: int) -> tuple[Measured, floor.Run]:
    """A pair on a stack of its own, whose bank books each file's payments of a day as one entry."""
    await open_house(stack, {})
    await open_accounts(stack, "bench", AMOUNT * payments * 2)
    await run_system(stack, "warm", max(payments // 20, 1_000))
    pair = await _pair(stack, "batched", payments)
    await end(stack)
    return pair


async def _pair(stack: local.Stack, run: str, payments: int) -> tuple[Measured, floor.Run]:
    """The system, then the floor of what it did."""
    before = await floor.mark(stack)
    ours = await run_system(stack, run, payments)
    return ours, await floor.measure(stack, payments, before)


async def _pairs(stack: local.Stack, found: Findings, runs: Sequence[str], payments: int) -> None:
    for run in runs:
        ours, bare = await _pair(stack, run, payments)
        found.system.append(ours)
        found.floor.append(bare)


@click.command()
@click.option("--payments", type=click.IntRange(1_000), help="Of a run; 200,000, or 5,000 with --quick.")
@click.option("--quick", is_flag=True, help="A first look, in under a minute: no growth, scale and shapes.")
@click.option("--least-ratio", type=click.FloatRange(0, 1), default=0.0, help="Exit code 1 below it.")
@click.option("--docs", type=click.Path(path_type=Path, file_okay=False), default=DOCS, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One object as the last line.")
def main(payments: int | None, quick: bool, least_ratio: float, docs: Path, as_json: bool) -> None:
    """Measure on fresh stacks of its own, which are removed afterwards. Without --quick writes the report."""
    with _stack() as stack:
        # The loop of the services' processes, for what loads them and the floor.
        found = uvloop.run(_quick(stack, payments or 5_000) if quick else _whole(stack, payments or 200_000))
    if not quick:
        with _stack({"sandbox-bank": {"GOODFUNDS_BANK_BOOKING": Booking.BATCH_WITHOUT_DETAILS}}) as stack:
            found.batch_booked = uvloop.run(_batch_booked(stack, payments or 200_000))
        found.scale = measure_scale(20_000, _tell)
        found.growth = at_sizes((100_000, 1_000_000, 5_000_000))
        (docs / "performance.md").write_text(page(found), encoding="utf-8")
        chart(found, docs / "performance.png")
        (docs / "scale.md").write_text(scale_page(found), encoding="utf-8")
    show(found)
    fast = found.ratio >= least_ratio
    if not fast:
        _tell(f"the ratio to the floor, {found.ratio:.3f}, is below {least_ratio:g}")
    if as_json:
        click.echo(json.dumps(found.figures()))
    sys.exit(0 if fast else 1)


def _stack(extra: Mapping[str, Mapping[str, str]] | None = None) -> AbstractContextManager[local.Stack]:
    folder = Path(mkdtemp(prefix="goodfunds-bench-"))
    folder.chmod(0o755)
    return demo_stack(folder, None, keep=False, extra=extra)


def _tell(text: str) -> None:
    click.echo(text, err=True)


def show(found: Findings) -> None:
    """The figures for a person: the rates, then what each process took of CPU and memory."""
    figures, last = found.figures(), found.system[-1]
    click.echo(f"{last.payments:,} payments, each booked, matched and proved")
    click.echo(f"{'the whole chain':<40}{figures['payments_per_second']:>10,} a second")
    click.echo(f"{'bare aiokafka and COPY, the same work':<40}{figures['floor_payments_per_second']:>10,}")
    click.echo(f"{'ratio':<40}{found.ratio:>10.2f}")
    click.echo(f"{'ratio by CPU':<40}{found.cpu_ratio:>10.2f}")
    click.echo(f"{'ingestion alone':<40}{figures['ingestion_payments_per_second']:>10,}")
    for each in found.latencies:
        click.echo(
            f"at {each.rate:,.0f} a second, p99: commit to visible {each.commit_to_visible.p99:.1f} ms "
            f"(a bare hop {each.hop.p99:.1f}), instruction to accepted "
            f"{each.instruction_to_accepted.p99:.1f} ms (two bare hops {each.two_hops.p99:.1f})"
        )
    click.echo(f"{'process':<28}{'µs CPU a payment':>18}{'the floor':>12}{'MB':>8}")
    bare = found.floor[-1].cpu_us
    for name, micro in last.cpu_us.items():
        click.echo(f"{name:<28}{micro:>18,.1f}{bare.get(name, 0.0):>12,.1f}{last.rss_mb.get(name, 0):>8,}")


if __name__ == "__main__":
    main()
