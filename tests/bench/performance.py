"""docs/performance.md: what a bench found, with the machine that it ran on."""

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil

from tests.bench.findings import Findings


def machine() -> str:
    """What it ran on, in one line."""
    name = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            name = line.partition(":")[2].strip()
            break
    memory = psutil.virtual_memory().total / 1e9
    return (
        f"{os.cpu_count()} cores of {name}, {memory:.0f} GB of memory, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}"
    )


def _aims(found: Findings) -> Iterator[str]:
    """Rows: what is aimed at, what was reached, and whether that is enough."""
    between, steady = found.latencies[:2]
    at = f"p99 at {between.rate:,.0f} a second, ms"
    largest = max(max(each.rss_mb.values()) for each in found.growth)
    least = (
        ("ratio to the floor, whole chain", 0.50, found.ratio),
        ("ingestion alone, payments a second", 15_000.0, found.ingestion[0]),
    )
    most = (
        (f"commit → visible, {at}", 10.0, between.commit_to_visible.p99),
        (f"instruction → accepted, {at}", 60.0, between.instruction_to_accepted.p99),
        (f"commit → visible, {at}, files under way", 10.0, steady.commit_to_visible.p99),
        (f"instruction → accepted, {at}, files under way", 60.0, steady.instruction_to_accepted.p99),
        ("CPU a payment, most in the tables against fewest", 1.3, found.grown),
        ("resident memory of any process of the house, MB", 200.0, largest),
    )
    for name, aim, value in least:
        yield f"| {name} | at least {aim:,g} | {value:,.2f} | {'yes' if value >= aim else '**no**'} |"
    for name, aim, value in most:
        yield f"| {name} | at most {aim:,g} | {value:,.2f} | {'yes' if value <= aim else '**no**'} |"


def page(found: Findings) -> str:
    """The report."""
    last, bare = found.system[-1], found.floor[-1]
    return "\n".join([
        "# Performance",
        "",
        f"`make bench` on {datetime.now(UTC):%Y-%m-%d}: **{found.rate:,.0f} payments a second** through the"
        f" whole chain, from the instruction on its topic to the line of the bank's statement that proves it,"
        f" with Kafka, Postgres, three services, their gateways, the bank and the load on one machine,"
        f" everything durable; **{found.ratio:.2f}** of the floor.",
        "",
        f"The machine: {machine()}. Its speed drifts: the ratio, within one run, is the measure.",
        "",
        "The floor (`tests/bench/floor.py`) is bare aiokafka and COPY: the very records that the run of the"
        " system before it has put on its topics, over the same hops; the very rows, into the same tables"
        " with their keys, in transactions as large; by a process for each of the system's, all at the same"
        " time. It has no logic, updates nothing (balances, lanes, batches, matches), reads nothing from the"
        " database, and has no bank. Its gateways, which in the house wait for the bank's files, write as"
        f" fast as they can. It made {found.floor_rate:,.0f} a second with {bare.payments:,} payments, of"
        f" the {last.payments:,} of the run. Runs took turns, after one of each to warm up; after each run of"
        " the system it was proved, and in the end the auditor passed all that was done.",
        "",
        f"By CPU the ratio is {found.cpu_ratio:.2f}: the system waits for a bank, the floor for nobody.",
        "",
        "| | aimed at | reached | |",
        "|---|---|---|---|",
        *_aims(found),
        "",
        "| run | payments | system, a second | accepted after, s | settled after, s | matched after, s |"
        " floor, a second |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {number} | {ours.payments:,} | {ours.rate:,.0f} | {ours.accepted_seconds:.1f} |"
            f" {ours.settled_seconds:.1f} | {ours.seconds:.1f} | {base.rate:,.0f} |"
            for number, (ours, base) in enumerate(zip(found.system, found.floor, strict=True), 1)
        ),
        "",
        "## Where the time goes",
        "",
        "µs of CPU a payment. A service's part in Postgres and Kafka is theirs; the bank's is the bank's.",
        "",
        "| process | system | floor | MB |",
        "|---|---|---|---|",
        *(
            f"| {name} | {micro:,.1f} | {_or_none(bare.cpu_us, name)} | {last.rss_mb.get(name, '')} |"
            for name, micro in last.cpu_us.items()
        ),
        f"| **all** | {sum(last.cpu_us.values()):,.1f} | {sum(bare.cpu_us.values()):,.1f} | |",
        "",
        *_batch_booked(found),
        "## Parts by themselves",
        "",
        f"- ingestion: {found.ingestion[0]:,.0f} a second in one process, {found.ingestion[1]:.0f} µs each",
        *_over_http(found),
        f"- a pain.001 of 100,000 payments, until all are decided: {found.file:,.0f} payments a second",
        *(
            f"- {what}: {rate:,.0f} a second into batches, {micro:.0f} µs each in all"
            for what, (rate, micro) in found.shapes.items()
        ),
        "",
        "## Latency",
        "",
        "Milliseconds, p50 / p99 / p99.9. Instruction → settled leaves out what lies between the acceptance"
        " and the bank's answer on its topic: the wait for the cut-off, and the bank. A file that goes out at"
        " a cut-off and its answers, some ten thousand payments at once, share the machine's cores with what"
        " comes in meanwhile.",
        "",
        "| at, a second | cut-offs meanwhile | commit → visible | a bare hop | instruction → accepted |"
        " two bare hops | bank's answer → settled | instruction → settled |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {each.rate:,.0f} | {'yes' if each.settled else 'none'} | {each.commit_to_visible} |"
            f" {each.hop} | {each.instruction_to_accepted} | {each.two_hops} | {each.answer_to_settled} |"
            f" {each.instruction_to_settled} |"
            for each in found.latencies
        ),
        "",
        "## Growth",
        "",
        "Finished payments laid by COPY, proved and audited; then rounds in turns on stacks that are up at"
        " the same time (`tests/bench/growth.py`).",
        "",
        *_growth(found),
        "",
        "## Scale",
        "",
        "What a payment costs ingestion, Postgres and Kafka must not rise with lanes or instances; on a"
        " machine of few cores the rate cannot rise.",
        "",
        "| lanes | instances of ingestion | µs CPU a payment | payments a second |",
        "|---|---|---|---|",
        *(
            f"| {each.lanes} | {each.instances} | {each.cpu_us:,.0f} | {each.rate:,.0f} |"
            for each in found.scale
        ),
        "",
        "![Where the time goes, growth, memory and scale](performance.png)",
        "",
    ])  # fmt: skip


def _over_http(found: Findings) -> Iterator[str]:
    if found.http is not None:
        yield (
            f"- payments one by one over HTTP, ingestion in one process: {found.http.rate:,.0f} a second; at"
            f" {found.http.steady:,.0f} a second one is answered after {found.http.answered} ms, and decided,"
            f" for who prefers to wait, after {found.http.decided} ms (p50 / p99 / p99.9)"
        )


def _batch_booked(found: Findings) -> Sequence[str]:
    """What the bank's own files cost: the same with one entry for a file, where it has not one a payment."""
    if found.batch_booked is None:
        return []
    ours, bare = found.batch_booked
    return [
        "That is with a bank that tells every debit by itself, in its notification and again on its"
        " statement. With one that books each file in one entry (`BtchBookg`, as most do for credit"
        f" transfers) it was {ours.rate:,.0f} a second, {ours.rate / bare.rate:.2f} of a floor of"
        f" {bare.rate:,.0f}, at {sum(ours.cpu_us.values()):,.0f} µs a payment; one run on a stack of its own,"
        " proved and audited.",
        "",
    ]


def _or_none(micros: Mapping[str, float], name: str) -> str:
    return f"{micros[name]:,.1f}" if name in micros else ""


def _growth(found: Findings) -> Sequence[str]:
    warm = found.warm.rss_mb if found.warm else {}
    few = found.warm.payments if found.warm else 0
    names = list(found.growth[0].rss_mb)
    return [
        "| payments in the tables | µs CPU a payment |",
        "|---|---|",
        *(f"| {each.payments:,} | {each.cost_us:,.0f} |" for each in found.growth),
        "",
        "Resident memory, MB:",
        "",
        f"| process | after {few:,} | {' | '.join(f'{each.payments:,}' for each in found.growth)} |",
        f"|---|---|{'---|' * len(found.growth)}",
        *(
            f"| {' | '.join(map(str, (name, warm.get(name, ''), *(e.rss_mb[name] for e in found.growth))))} |"
            for name in names
        ),
    ]  # fmt: skip
