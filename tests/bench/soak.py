"""`make soak`: hours at 80 % of the top rate; memory, tables, outbox, lags and latencies must stay flat."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from shutil import disk_usage
from tempfile import mkdtemp
from time import monotonic
from typing import Any

import click
import matplotlib as mpl
from aiokafka import AIOKafkaConsumer

from goodfunds.cli.demo import demo_stack
from goodfunds.cli.journey import open_house
from goodfunds.cli.prove import prove_once_counted
from goodfunds.cli.reading import readers
from goodfunds.cli.requests import close_cut_off
from goodfunds.local import stack as local
from goodfunds.service import services
from tests.auditor.at_rest import audit_at_rest
from tests.auditor.bank_at_rest import book_lines
from tests.bench.counters import until, until_quiet
from tests.bench.flat import Verdict, judge
from tests.bench.load import CUT_OFF_SECONDS, DAY_SECONDS, Load, advance_day, calendar, fund
from tests.bench.memory import Peaks
from tests.bench.payments import AMOUNT, open_accounts
from tests.bench.processor import Processor
from tests.bench.samples import Listener, Series, sample
from tests.bench.system import run_system, until_read

_EVERY_SECONDS = 10.0
_SHARE = 0.8
_FOR_TOP = 20_000
_BYTES_A_PAYMENT = 16_000
"""Of disk, with the topics, the bank's files and books: measured 12 to 14 kB."""
DOCS = Path("docs")


async def soak(stack: local.Stack, minutes: float) -> dict[str, Any]:
    """Load for so long, with the samples; then all payments to their end, and the proof."""
    click.echo(f"measuring the top rate with {_FOR_TOP:,} payments", err=True)
    await open_house(stack, {})
    await open_accounts(stack, "top", AMOUNT * _FOR_TOP)
    top = await run_system(stack, "top", _FOR_TOP)
    rate = top.rate * _SHARE
    wanted = int(rate * minutes * 60)
    needed, free = wanted * _BYTES_A_PAYMENT, disk_usage(stack.folder).free
    if needed > free:
        raise SystemExit(
            f"{wanted:,} payments need {needed / 1e9:.0f} GB of disk, {free / 1e9:.0f} GB are free"
        )
    await fund(stack, "soak", wanted + int(rate * 60))
    click.echo(f"{rate:,.0f} payments a second for {minutes:g} minutes: {wanted:,}", err=True)
    series, stop = Series(), asyncio.Event()
    load, listener = Load(stack, "soak", rate), Listener(stack.kafka)
    peaks, processor = Peaks(stack, DAY_SECONDS), Processor(stack)
    ends = AIOKafkaConsumer(bootstrap_servers=stack.kafka)
    await ends.start()
    used = -_bytes_of(stack.folder)
    watching = [asyncio.create_task(listener.run()), asyncio.create_task(peaks.run())]
    working = [asyncio.create_task(load.run(stop)), asyncio.create_task(calendar(stack, stop))]
    started = monotonic()
    try:
        async with readers(stack) as connections:
            while (elapsed := monotonic() - started) < minutes * 60:
                await asyncio.sleep(min(_EVERY_SECONDS, minutes * 60 - elapsed))
                for task in (*working, *watching):
                    if task.done():
                        task.result()
                at = await sample(peaks, connections, ends, listener, series, rate)
                processor.sample(series, at["accepted"])
                click.echo(f"{elapsed / 60:5.1f} min  {_said(at)}  behind {load.behind:.1f} s", err=True)
            stop.set()
            await asyncio.gather(*working)
            seconds = monotonic() - started
            await _until_all_ended(stack, connections, _FOR_TOP + load.sent)
        used += _bytes_of(stack.folder)
    finally:
        stop.set()
        for task in (*watching, *working):
            task.cancel()
        await asyncio.gather(*watching, *working, return_exceptions=True)
        await ends.stop()
    proof = await prove_once_counted(stack)
    audit = await audit_at_rest(
        {name: f"{stack.postgres.rstrip('/')}/{each.database}" for name, each in services().items()},
        book_lines(stack.url("sandbox-bank")),
        instructions=_FOR_TOP + load.sent,
        tell=lambda line: click.echo(line, err=True),
    )
    return {
        "minutes": minutes, "top": round(top.rate), "rate": rate, "seconds": seconds,
        "payments": load.sent, "behind": load.behind, "disk": used / max(load.sent, 1), "series": series,
        "proof": proof, "audit": audit, "others": processor.said(),
    }  # fmt: skip


def _bytes_of(folder: Path) -> int:
    """What a stack's files take of disk: others use the disk as well."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            # Segments of logs come and go.
            with contextlib.suppress(OSError):
                total += (Path(parent) / name).stat().st_blocks * 512
    return total


def _said(at: Mapping[str, int]) -> str:
    return "  ".join(f"{what} {count:,}" for what, count in at.items())


async def _until_all_ended(stack: local.Stack, connections: Mapping[str, Any], payments: int) -> None:
    """Every payment settled and on a statement; by the tables' counters, which cost nothing to read."""
    await until(connections["settlement"], "payments", payments)
    await close_cut_off(stack, "soak")
    await until(connections["settlement"], "settlements", payments)
    await advance_day(stack)
    await until(connections["reconciliation"], "statement_lines", payments)
    # The audit is of a house at rest.
    await until_read(stack, connections, 0)
    await until_quiet(connections, lambda: None)


def verdicts(series: Series) -> dict[str, Verdict]:
    """Each series judged by its own bound."""
    return {
        name: judge(series.times[name], values, series.bounds[name]) for name, values in series.values.items()
    }


def report(found: Mapping[str, Any], judged: Mapping[str, Verdict]) -> str:
    """docs/soak.md."""
    uneven = [name for name, verdict in judged.items() if not verdict.flat]
    said = "all series are flat" if not uneven else f"not flat: {', '.join(uneven)}"
    rows = [
        f"| {name} | {v.samples} | {v.first:,.2f} | {v.middle:,.2f} | {v.last:,.2f} | {v.rise:+,.2f} |"
        f" {v.allowed:,.2f} | {'flat' if v.flat else '**rises**'} |"
        for name, v in judged.items()
    ]
    return "\n".join([
        "# Soak",
        "",
        f"`make soak MINUTES={found['minutes']:g}` on {datetime.now(UTC):%Y-%m-%d}: **{said}**;"
        f" {found['proof'].sentence}; the auditor: {found['audit'].sentence}",
        "",
        f"- {found['payments']:,} payments in {found['seconds']:,.0f} s,"
        f" {found['payments'] / found['seconds']:,.0f} a second: {_SHARE:.0%} of the {found['top']:,}"
        " a second that a short run measured at the start. Each was settled, matched and proved at the end.",
        f"- A cut-off every {CUT_OFF_SECONDS:.0f} s, a day of the bank every {DAY_SECONDS:.0f} s. The sender"
        f" was at most {found['behind']:.1f} s late.",
        f"- Others took {found['others']}: with a machine four fifths full, latencies are theirs as well.",
        f"- {found['disk']:,.0f} bytes of disk a payment, with topics, bank files and the bank's own books.",
        "",
        f"The rule: a sample every {_EVERY_SECONDS:.0f} s; a Theil-Sen line (median of all slopes) through"
        " the last two thirds; flat where it rises over them by no more than the series' bound, the larger of"
        " a share of the median and a floor (`tests/bench/samples.py`). Bytes are a payment's, since payments"
        " are kept.",
        "",
        "![The series over time](soak.png)",
        "",
        "| series | samples | first | median | last | rise | allowed | |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
        "",
    ])  # fmt: skip


def chart(series: Series, path: Path) -> None:
    """A panel for each kind of series, its values over minutes."""
    mpl.use("Agg")
    from matplotlib import pyplot

    panels = {
        "memory, MB": lambda name: name.startswith("memory"),
        "bytes a payment": lambda name: "bytes a payment" in name,
        "hot tables, MB": lambda name: name.endswith(", MB") and ":" in name,
        "dead tuples, share": lambda name: name.endswith("share"),
        "records behind, rows not published": lambda name: name.startswith(("lag", "outbox")),
        "payments under way": lambda name: name.startswith(("accepted and", "settled and")),
        "latency, ms": lambda name: name.endswith(" ms"),
        "seconds of a file": lambda name: name.endswith(", s"),
        "CPU of a payment, µs": lambda name: name.startswith("CPU"),
    }
    figure, axes = pyplot.subplots(5, 2, figsize=(14, 22), sharex=True)
    *used, spare = axes.flat
    spare.axis("off")
    for axis, (title, belongs) in zip(used, panels.items(), strict=True):
        for name in filter(belongs, series.values):
            minutes = [seconds / 60 for seconds in series.times[name]]
            axis.plot(minutes, series.values[name], label=name, linewidth=1)
        axis.set_title(title)
        axis.set_ylim(bottom=0)
        axis.legend(fontsize=7)
        axis.grid(alpha=0.3)
    for axis in axes[-1]:
        axis.set_xlabel("minutes")
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


@click.command()
@click.option("--minutes", type=click.FloatRange(min=0.5), default=60, show_default=True)
@click.option("--docs", type=click.Path(path_type=Path, file_okay=False), default=DOCS, show_default=True)
def main(minutes: float, docs: Path) -> None:
    """Soak a stack of its own, which is removed afterwards; exit code 1 where a series rises."""
    # A JVM takes its heap bit by bit, up to the most that it may: taken at once, what rises is a leak.
    os.environ.setdefault("JAVA_TOOL_OPTIONS", "-Xms512m -XX:+AlwaysPreTouch")
    folder = Path(mkdtemp(prefix="goodfunds-soak-"))
    folder.chmod(0o755)
    with demo_stack(folder, None, keep=False) as stack:
        found = asyncio.run(soak(stack, minutes))
    judged = verdicts(found["series"])
    (docs / "soak.md").write_text(report(found, judged), encoding="utf-8")
    chart(found["series"], docs / "soak.png")
    for name, verdict in judged.items():
        word = "flat " if verdict.flat else "RISES"
        click.echo(
            f"{word} {name:<42}{verdict.middle:>14,.2f}{verdict.rise:>+12,.2f} of {verdict.allowed:,.2f}"
        )
    click.echo(found["proof"].sentence)
    click.echo(found["audit"].sentence)
    sound = found["proof"].holds and found["audit"].clean
    sys.exit(0 if sound and all(each.flat for each in judged.values()) else 1)


if __name__ == "__main__":
    main()
