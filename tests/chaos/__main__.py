"""`make chaos`: load and faults on the real thing, then quiet, then the audit; 0 if all is clean."""

import asyncio
import json
import logging
import pickle
import random
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from time import monotonic

import asyncpg
import click
import httpx

from goodfunds.cli.journey import open_house
from goodfunds.cli.progress import read_progress
from goodfunds.cli.prove import prove_once_counted
from goodfunds.cli.reading import readers
from goodfunds.cli.requests import close_cut_off
from goodfunds.errors import GoodfundsError
from tests.auditor.audit import Report, audit
from tests.chaos import report as report_room
from tests.chaos.faults import KINDS, Fault, lay_disks, schedule
from tests.chaos.house import House
from tests.chaos.load import Load
from tests.chaos.quiet import come_to_rest, end_day, gather
from tests.chaos.replays import Replays
from tests.chaos.report import Committed, Run
from tests.chaos.watch import Watch

_BURST = 2_000
_LONGEST_MEASURE = 60.0
_MOST_RATE = 250.0
_CUT_OFF_SECONDS = 8.0
_DAY_SECONDS = 40.0
_PATIENCE_SECONDS = 60.0
_QUIET_SECONDS = 150.0
BANK_FAULTS = {
    "reject": {"rate": 0.02},
    "return": {"rate": 0.02},
    "contradictory_answer": {"rate": 0.003},
    "echo_end_to_end_only": {"rate": 0.01},
    "lost_answer": {"rate": 0.05},
    "doubled_answer": {"rate": 0.05},
    "late_answer": {"rate": 0.05},
    "short_statement": {"rate": 0.001},
    "wrong_amount_line": {"rate": 0.001},
    "drop_upload": {"rate": 0.05},
    "timeout_after_upload": {"rate": 0.05},
}
"""What the bank does wrong meanwhile, of its own."""


def say(text: str) -> None:
    """Progress, with the seconds since the start."""
    click.echo(f"[{monotonic() - _STARTED:5.0f} s] {text}", err=True)


_STARTED = monotonic()


async def chaos(folder: Path, run: Run, rate: float | None, keep: bool) -> tuple[Run, Report]:
    """The whole run on a stack of its own."""
    house = House(folder, run.seed)
    # Ended by whoever started it, it still ends what it started itself.
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    try:
        say("starting three brokers, Postgres and eleven processes…")
        await house.start()
        await open_house(house.stack, BANK_FAULTS)
        await lay_disks(house)
        load = Load(house, run.seed)
        watch = Watch(house, load)
        watching = asyncio.create_task(watch.run())
        await load.open_accounts()
        await end_day(house, 5)
        run.measured = await _measure(house, load, watch)
        run.rate = rate or min(run.measured / 2, _MOST_RATE)
        say(f"measured {run.measured:.0f} payments/s end to end; the load is {run.rate:.0f}/s")
        replays = Replays(house, run.seed)
        run.replayed = replays.replayed
        await replays.enter()
        await _storm(house, load, watch, replays, run)
        run.given, run.surprises = len(load.given), house.surprises
        say("quiet: all is healed, what got no answer is given again…")
        await _tried(run, house.until_ready())
        run.unanswered = await load.finish(_PATIENCE_SECONDS)
        await _tried(run, come_to_rest(house, _QUIET_SECONDS, say))
        async with readers(house.stack) as connections:
            progress = await read_progress(connections)
        run.ended = {"rejected by ingestion": progress.rejected} | {
            state: count for state, (count, _) in sorted(progress.states.items())
        }
        watching.cancel()
        proof = await prove_once_counted(house.stack)
        run.troubles += [f"not proved: {line}" for check in proof.checks for line in check.lines[:5]]
        run.proof_holds, run.proof_says = proof.holds, proof.sentence
        say(f"prove: {proof.sentence}")
        say("auditing…")
        evidence = await gather(house, load)
        found = None
        try:
            found = await asyncio.to_thread(audit, evidence)
        finally:
            # Also where the audit itself breaks off.
            if keep or found is None or not report_room.found_nothing(run, found):
                with (folder / "evidence.pickle").open("wb") as file:
                    pickle.dump(evidence, file)
        say(str(found))
        run.seconds = monotonic() - _STARTED
        return run, found
    finally:
        await house.end()


async def _tried(run: Run, work: Awaitable[object]) -> None:
    """What fails here is told, and the audit still looks at all there is."""
    try:
        await work
    except (RuntimeError, httpx.HTTPError, GoodfundsError) as fault:
        run.troubles.append(repr(fault)[:2000])
        say(f"TROUBLE: {fault}")


async def _measure(house: House, load: Load, watch: Watch) -> float:
    """Payments a second of a burst, from the first given to the last ended at the bank."""
    say(f"measuring with a burst of {_BURST:,} payments…")
    started = monotonic()
    await load.burst(_BURST)
    await watch.until(lambda now: now.received >= _BURST, _LONGEST_MEASURE)
    await close_cut_off(house.stack, "chaos")
    # Of a burst's last payments some answers are lost or late by the bank's own faults.
    await watch.until(lambda now: now.ended >= _BURST * 0.8, _LONGEST_MEASURE)
    return watch.stages.ended / (monotonic() - started)


async def _storm(house: House, load: Load, watch: Watch, replays: Replays, run: Run) -> None:
    """Load, faults and replays for the minutes asked for; cut-offs close and the bank's days pass."""
    stop = asyncio.Event()
    load.rate = run.rate
    chores = [
        asyncio.create_task(load.run(stop)),
        asyncio.create_task(replays.run(stop)),
        asyncio.create_task(_chore(lambda: close_cut_off(house.stack, "chaos"), _CUT_OFF_SECONDS, stop)),
        asyncio.create_task(_chore(lambda: end_day(house), _DAY_SECONDS, stop)),
    ]
    started = monotonic()
    until = started + run.minutes * 60
    source = schedule(run.seed, list(house.instances))
    overlap = random.Random(run.seed)
    recoveries: list[asyncio.Task[None]] = []
    while monotonic() < until - 20:
        wanted = [next(source)] + ([next(source)] if overlap.random() < 0.25 else [])
        await asyncio.gather(*(_commit(house, watch, each, run, started, recoveries) for each in wanted))
        await asyncio.sleep(wanted[0].pause)
    await asyncio.sleep(max(0.0, until - monotonic()))
    stop.set()
    await asyncio.gather(*chores)
    await asyncio.gather(*recoveries)


async def _commit(
    house: House, watch: Watch, fault: Fault, run: Run, started: float, recoveries: list["asyncio.Task[None]"]
) -> None:
    began, in_flight = monotonic(), watch.stages.in_flight
    try:
        what = await KINDS[fault.kind][0](house, fault)
    except (OSError, RuntimeError, asyncpg.PostgresError) as failed:
        # A fault that could not be undone spoils the run, and what it shows is still looked at.
        run.troubles.append(f"{fault}: {failed!r}")
        what = ""
    if not what:
        return
    committed = Committed(fault.kind, what, began - started, monotonic() - began, in_flight)
    run.faults.append(committed)
    say(f"{fault.kind}: {what}; {in_flight:,} payments in flight")
    recoveries.append(asyncio.create_task(_recover(watch, committed, began)))


async def _recover(watch: Watch, committed: Committed, began: float) -> None:
    # Something of the fault may still come; what stood when it ended is read after it.
    ended = monotonic()
    await watch.until(lambda now: now.at >= ended, _PATIENCE_SECONDS)
    healed = watch.stages
    if await watch.until(lambda now: not now.behind(healed), _PATIENCE_SECONDS):
        committed.recovered = monotonic() - began


async def _chore(work: Callable[[], Awaitable[object]], seconds: float, stop: asyncio.Event) -> None:
    """Something that is done again and again, and may fail while the house is in trouble."""
    while not stop.is_set():
        try:
            await asyncio.wait_for(work(), 20)
        except Exception as fault:
            say(f"not now: {fault!r}"[:160])
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            continue


@click.command()
@click.option("--minutes", type=click.FloatRange(0.5, 600), default=5.0, show_default=True)
@click.option("--seed", type=int, default=None, help="Of the faults and the load; drawn if not given.")
@click.option(
    "--rate", type=float, default=None, help="Payments a second, instead of half of what is measured."
)
@click.option("--page", type=click.Path(path_type=Path), default=None, help="Where the Markdown goes.")
@click.option(
    "--keep",
    is_flag=True,
    help="Leave the folder with its logs and the evidence, as is done where something is found.",
)
@click.option("--json", "as_json", is_flag=True, help="One object as the last line.")
def main(
    minutes: float, seed: int | None, rate: float | None, page: Path | None, keep: bool, as_json: bool
) -> None:
    """Run chaos. Exit code 0 only if nothing is lost, doubled, reordered or unaccounted for."""
    # It tells of every try while a broker is away.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    run = Run(random.SystemRandom().randrange(10**6) if seed is None else seed, minutes)
    folder = Path(mkdtemp(prefix="goodfunds-chaos-"))
    folder.chmod(0o755)
    say(f"seed {run.seed}, {minutes:g} minutes, in {folder}")
    try:
        run, found = asyncio.run(chaos(folder, run, rate, keep))
    finally:
        if keep or (folder / "evidence.pickle").exists():
            say(f"logs and evidence are left in {folder}")
        else:
            rmtree(folder, ignore_errors=True)
    told = report_room.as_object(run, found)
    if page is not None:
        page.write_text(report_room.as_markdown(run, found), encoding="utf-8")
    click.echo(report_room.as_markdown(run, found))
    if as_json:
        click.echo(json.dumps(told))
    sys.exit(0 if told["found_nothing"] else 1)


if __name__ == "__main__":
    main()
