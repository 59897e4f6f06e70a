"""`make growth`: what a payment costs with N finished ones in the tables, against 100,000, side by side."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import disk_usage
from statistics import median
from tempfile import mkdtemp
from time import monotonic

import click
import httpx

from goodfunds.cli.demo import demo_stack
from goodfunds.cli.journey import BANK_HOLDS
from goodfunds.cli.prove import prove_once_counted
from goodfunds.cli.reading import readers
from goodfunds.cli.requests import close_cut_off, open_nostro
from goodfunds.lanes import lane_of
from goodfunds.local import house
from goodfunds.local import stack as local
from goodfunds.service import services
from tests.auditor.at_rest import AtRest, audit_at_rest
from tests.auditor.bank_at_rest import PastTheBank, book_lines
from tests.bench.counters import BATCHED, MATCHED, SETTLED, reached, until_quiet, until_step
from tests.bench.lay import Laid, lay
from tests.bench.load import Load, advance_day
from tests.bench.payments import ACCOUNTS, AMOUNT, open_accounts
from tests.bench.spent import cpu_seconds
from tests.bench.system import statements_unread, until_read

_SMALL = 100_000
_TEMPLATE = 20_000
_ROUND = 20_000
_ROUNDS = 3
_BOUND = 1.3
_TEMPLATE_RUN, _WARM_RUN, _MEASURED_RUN = "template", "warming0", "round-{:02}"
"""Of one length, so that what is laid and what comes later are rows of one length: see `lay`."""
DOCS = Path("docs")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one round: CPU µs a payment by process, and payments a second from instruction to statement.

    `rss_mb`: resident memory of the house's processes after it.
    """

    cpu_us: Mapping[str, float]
    rate: float
    rss_mb: Mapping[str, float]

    @property
    def whole(self) -> float:
        """CPU µs a payment in all."""
        return sum(self.cpu_us.values())


@dataclass(frozen=True, slots=True)
class Grown:
    """A stack with that many finished payments: what they take, how long they took, what a payment costs.

    `audits`: before the rounds, and after them.
    """

    payments: int
    laid: Laid
    seconds: float
    proof_seconds: float
    audits: list[AtRest]
    costs: list[Cost]

    @property
    def cost_us(self) -> float:
        """CPU µs a payment in all, the median of the rounds."""
        return median(each.whole for each in self.costs)

    @property
    def rss_mb(self) -> Mapping[str, int]:
        """Resident memory by process, the highest of the rounds."""
        return {name: round(max(each.rss_mb[name] for each in self.costs)) for name in self.costs[0].rss_mb}


async def open_books(stack: local.Stack, more_minor: int, reserve: int) -> None:
    """The house's account at the bank, and in our books what it held before the laid payments left it."""
    bank = stack.url("sandbox-bank")
    async with httpx.AsyncClient(timeout=30) as http:
        terms = {"currency": "EUR", "balance_minor": BANK_HOLDS, "name": "goodfunds house"}
        (await http.put(f"{bank}/accounts/{local.NOSTRO}", json=terms)).raise_for_status()
    held = {
        "nostro": local.NOSTRO,
        "currency": "EUR",
        "balance_minor": BANK_HOLDS + more_minor,
        "source": "equity",
    }
    await open_nostro(stack, lane_of(local.NOSTRO, stack.partitions), "growth", json.dumps(held))
    await open_accounts(stack, "growth", reserve)


async def one_round(stack: local.Stack, run: str, payments: int) -> Cost:
    """So many payments from instruction to statement line; what they took."""
    async with readers(stack) as connections:
        base = {step: await reached(connections, step) for step in (BATCHED, SETTLED, MATCHED)}
        unread = await statements_unread(stack, connections)
        before, started = cpu_seconds(stack), monotonic()
        await Load(stack, run, rate=1.0).burst(payments)
        await until_step(connections, BATCHED, base[BATCHED], payments)
        await close_cut_off(stack, run)
        await until_step(connections, SETTLED, base[SETTLED], payments)
        await advance_day(stack)
        await until_step(connections, MATCHED, base[MATCHED], payments)
        seconds = monotonic() - started
        await until_read(stack, connections, unread)
        after = await until_quiet(connections, lambda: cpu_seconds(stack))
    return Cost(
        {name: (after[name] - before[name]) / payments * 1e6 for name in after},
        payments / seconds,
        {name: local.memory_mb(stack.running[name]) for name in local.PROCESSES if name in stack.running},
    )


async def prepare(stack: local.Stack, payments: int) -> tuple[Laid, float, float]:
    """A real run, and copies of it up to `payments`; proved. Also the seconds of laying, and of the proof."""
    copies = max(payments // _TEMPLATE - 1, 0)
    moved = _TEMPLATE * AMOUNT
    # Payments do not divide evenly among the accounts, and every copy has the same that pay one more.
    of_account = -(-_TEMPLATE // ACCOUNTS) * (copies + 1) + -(-_ROUND // ACCOUNTS) * (_ROUNDS + 2)
    share = AMOUNT * of_account
    await open_books(stack, copies * moved, share)
    await one_round(stack, _TEMPLATE_RUN, _TEMPLATE)
    # The second reader publishes once a second.
    await asyncio.sleep(3)
    await asyncio.to_thread(house.stop, stack, click.echo)
    started = monotonic()
    dsns = {name: f"{stack.postgres.rstrip('/')}/{each.database}" for name, each in services().items()}
    laid = await lay(dsns, _TEMPLATE, copies, moved, stack.kafka)
    seconds = monotonic() - started
    await asyncio.to_thread(house.start, stack, click.echo, {})
    # What is cached by the first payments after a start is no cost of theirs.
    await one_round(stack, _WARM_RUN, _ROUND)
    started = monotonic()
    proof = await prove_once_counted(stack)
    assert proof.holds, "\n".join(line for check in proof.checks for line in (check.name, *check.lines))
    return laid, seconds, monotonic() - started


def past_the_bank(laid: Laid) -> PastTheBank:
    """What the auditor is told of copies: the bank never saw them."""
    return PastTheBank(laid.payments, laid.payments * AMOUNT, local.NOSTRO)


async def audited(stack: local.Stack, laid: Laid, rounds: int) -> AtRest:
    """The stack at rest by the auditor, after so many rounds; it must be clean."""
    dsns = {name: f"{stack.postgres.rstrip('/')}/{each.database}" for name, each in services().items()}
    found = await audit_at_rest(
        dsns,
        book_lines(stack.url("sandbox-bank")),
        laid=past_the_bank(laid),
        instructions=laid.payments + _TEMPLATE + rounds * _ROUND,
        tell=lambda line: click.echo(line, err=True),
    )
    click.echo(found.sentence, err=True)
    if not found.clean:
        raise SystemExit("the auditor does not pass it")
    return found


async def grow(stacks: Sequence[local.Stack], sizes: Sequence[int]) -> list[Grown]:
    """Lay each, the smallest first, then let them take turns."""
    found: list[Grown] = []
    for stack, count in zip(stacks, sizes, strict=True):
        laid, seconds, proof_seconds = await prepare(stack, count)
        size = sum(laid.bytes_of.values()) / max(laid.payments, 1)
        click.echo(f"{count:,} payments: laid in {seconds:,.0f} s, {size:,.0f} bytes each, proved", err=True)
        audits = [await audited(stack, laid, rounds=1)]
        if not found:
            wanted, free = size * sum(sizes[1:]) * 1.1, disk_usage(stack.folder).free
            if wanted > free:
                raise SystemExit(f"that needs {wanted / 1e9:.0f} GB of disk, {free / 1e9:.0f} GB are free")
        found.append(Grown(count, laid, seconds, proof_seconds, audits, []))
    for turn in range(_ROUNDS):
        for stack, grown in zip(stacks, found, strict=True):
            cost = await one_round(stack, _MEASURED_RUN.format(turn), _ROUND)
            grown.costs.append(cost)
            click.echo(f"{grown.payments:>12,}: {cost.whole:,.0f} µs, {cost.rate:,.0f}/s", err=True)
    for stack, grown in zip(stacks, found, strict=True):
        proof = await prove_once_counted(stack)
        assert proof.holds, proof.sentence
        grown.audits.append(await audited(stack, grown.laid, rounds=1 + _ROUNDS))
    return found


def at_sizes(sizes: Sequence[int]) -> list[Grown]:
    """What a payment costs with so many finished ones in the tables, each size on a stack of its own.

    The machine's speed drifts, so they are up at the same time and take turns.
    """
    with ExitStack() as opened:
        stacks = []
        for _ in sizes:
            folder = Path(mkdtemp(prefix="goodfunds-growth-"))
            folder.chmod(0o755)
            stacks.append(opened.enter_context(demo_stack(folder, None, keep=False)))
        return asyncio.run(grow(stacks, sizes))


def ratio(small: Grown, large: Grown, process: str = "") -> float:
    """Of the medians of CPU µs a payment, of one process or of all."""
    few, many = (
        median(each.cpu_us[process] if process else each.whole for each in grown.costs)
        for grown in (small, large)
    )
    return many / few if few else 1.0


def report(small: Grown, large: Grown) -> str:
    """docs/growth.md."""
    whole, database = ratio(small, large), ratio(small, large, "postgres")
    rows = []
    for process in (*small.costs[0].cpu_us, ""):
        few, many = (
            median(each.cpu_us[process] if process else each.whole for each in grown.costs)
            for grown in (small, large)
        )
        rows.append(
            f"| {process or '**all**'} | {few:,.1f} | {many:,.1f} | {ratio(small, large, process):.2f} |"
        )
    sizes = [
        f"| {service} | {small.laid.bytes_of[service] / small.laid.payments:,.0f} |"
        f" {large.laid.bytes_of[service] / large.laid.payments:,.0f} |"
        for service in large.laid.bytes_of
    ]
    rates = [median(each.rate for each in grown.costs) for grown in (small, large)]
    return "\n".join([
        "# Growth",
        "",
        f"`make growth N={large.payments}` on {datetime.now(UTC):%Y-%m-%d}: a payment costs **{whole:.2f}**"
        f" times the CPU with {large.payments:,} finished payments in the tables that it costs with"
        f" {small.payments:,}, and Postgres alone {database:.2f} times; the bound of both is {_BOUND}.",
        "",
        f"Two stacks on one machine took turns, {_ROUNDS} rounds of {_ROUND:,} payments each, from"
        " instruction to statement line; medians. The finished payments were laid by COPY from what a real"
        " run had left (`tests/bench/lay.py`), and the proof held over them before the rounds and after.",
        "",
        "| µs CPU a payment | with few | with many | ratio |",
        "|---|---|---|---|",
        *rows,
        "",
        f"Payments a second: {rates[0]:,.0f} with few, {rates[1]:,.0f} with many.",
        "",
        "| resident memory after a round, MB | with few | with many |",
        "|---|---|---|",
        *(f"| {name} | {small.rss_mb[name]:,} | {large.rss_mb[name]:,} |" for name in small.rss_mb),
        "",
        "| bytes a payment | few | many |",
        "|---|---|---|",
        *sizes,
        "",
        f"{large.laid.payments:,} payments were laid in {large.seconds:,.0f} s; the proof over them took"
        f" {large.proof_seconds:,.0f} s.",
        "",
        "The auditor, which shares no code with the house, passed both stacks before the rounds and after"
        " (`tests/auditor/at_rest.py`); those laid never passed the bank, and it accounts for exactly them."
        f" The larger one, before: {large.audits[0].sentence}. After: {large.audits[1].sentence}.",
        "",
    ])  # fmt: skip


@click.command()
@click.option("--payments", type=click.IntRange(_SMALL), default=10_000_000, show_default=True)
@click.option("--docs", type=click.Path(path_type=Path, file_okay=False), default=DOCS, show_default=True)
def main(payments: int, docs: Path) -> None:
    """Compare on two stacks of their own, which are removed afterwards; exit code 1 above the bound."""
    small, large = at_sizes((_SMALL, payments))
    told = report(small, large)
    (docs / "growth.md").write_text(told, encoding="utf-8")
    click.echo(told)
    sys.exit(0 if max(ratio(small, large), ratio(small, large, "postgres")) <= _BOUND else 1)


if __name__ == "__main__":
    main()
