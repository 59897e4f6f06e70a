"""`goodfunds demo`: the main job before your eyes, from an instruction file to a proved statement."""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import click

from goodfunds.cli.journey import Faults, Outcome, parse_faults, travel
from goodfunds.cli.progress import progress_table, shown
from goodfunds.cli.prove import print_proof, prove_once_counted
from goodfunds.cli.root import CONSOLE, ERRORS, NO, json_option, print_json, say, waiting
from goodfunds.local import stack as local
from goodfunds.local.demo_file import demo_file
from goodfunds.local.turn import DEMO, turn
from goodfunds.proof import Proof


@click.command()
@click.option("--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None,
              help="A pain.001 instead of the one that goodfunds ships.")  # fmt: skip
@click.option(
    "--payments", type=click.IntRange(1, 1_000_000), default=None, help="So many generated payments."
)
@click.option(
    "--faults", default="", help="Faults of the bank, such as reject=0.02,return=0.01,drop_upload=1."
)
@click.option("--keep", is_flag=True, help="Leave the stack up, with its data.")
@click.option("--stack", "provider", type=click.Choice(["embedded", "docker"]), default=None,
              help="Kafka and Postgres from packages (default) or as containers.")  # fmt: skip
@json_option
@click.pass_obj
def demo(
    folder: Path, file: Path | None, payments: int | None, faults: str, keep: bool, provider: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Take a payment file in, settle it with the sandbox bank, prove it against the bank's statement.

    Exit code 0 only if `prove` holds. Faults: reject, return, lost_answer, doubled_answer, late_answer,
    contradictory_answer, echo_end_to_end_only, drop_upload, timeout_after_upload, short_statement,
    wrong_amount_line; each takes a rate below one, or a count.

    \b
    goodfunds demo
    goodfunds demo --file payments.xml
    goodfunds demo --payments 20000 --faults reject=0.1,return=0.1,drop_upload=1
    goodfunds demo --keep               and look around afterwards
    """
    content, wanted = _content(file, payments), parse_faults(faults)
    with _turn(folder), demo_stack(folder, provider, keep) as stack:
        outcome, proof = _run(stack, content, wanted)
        if not as_json:
            _print(outcome, proof)
    if as_json:
        print_json(_as_object(outcome, proof))
    sys.exit(0 if proof.holds else NO)


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """One demo at a time on a folder. What a killed one has left of its own stack is removed first."""
    while True:
        with turn(folder, say, DEMO):
            left = local.read(folder.resolve())
            if left is None or not left.temporary:
                yield
                return
            say("removing what an earlier demo has left…")
            # The lock's file goes too, so the next round takes a new one.
            local.wipe(folder, say=_silent)


@contextmanager
def demo_stack(
    folder: Path, provider: str | None, keep: bool, extra: Mapping[str, Mapping[str, str]] | None = None
) -> Iterator[local.Stack]:
    """The stack, up. One that was made for a demo alone is wiped at its end, however that comes.

    `extra`: more environment by the process' name.
    """
    # A time-out of whoever started this, or a terminal that is closed, ends it as Ctrl-C does.
    with _on_signals(signal.default_int_handler, signal.SIGTERM, signal.SIGHUP):
        try:
            yield local.up(folder, say=say, extra=extra, provider=provider, temporary=not keep)
        finally:
            # A stack that was there before the demo stays, with its data.
            made = local.read(folder.resolve())
            if made is not None and made.temporary:
                say("stopping the stack…")
                # Half a wipe would leave processes behind.
                with _on_signals(signal.SIG_IGN, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    local.wipe(folder, say=_silent)


@contextmanager
def _on_signals(handler: Any, *numbers: signal.Signals) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, handled in before.items():
            signal.signal(number, handled)


def _silent(_text: str) -> None:
    """Single steps are of no interest here."""


def _content(file: Path | None, payments: int | None) -> bytes:
    if file is not None:
        return file.read_bytes()
    if payments is not None:
        # Measured: more debtors than lanes, so that every lane has work.
        return demo_file(payments, min(60, payments), date.today(), seed=payments)  # noqa: DTZ011 - a local day
    return files("goodfunds.local").joinpath("demo-payments.xml").read_bytes()


def _run(stack: local.Stack, content: bytes, faults: Faults) -> tuple[Outcome, Proof]:
    with shown() as show:
        outcome = asyncio.run(travel(stack, content, faults, show))
    with waiting("proving"):
        return outcome, asyncio.run(prove_once_counted(stack))


def _print(outcome: Outcome, proof: Proof) -> None:
    if outcome.refused:
        ERRORS.print("\n".join(outcome.refused), highlight=False, markup=False)
    else:
        for note in outcome.notes:
            ERRORS.print(note, style="yellow", highlight=False, markup=False)
        CONSOLE.print(progress_table(outcome.after, f"{outcome.items:,} payments in {outcome.seconds:.1f} s"))
        for reason, count in outcome.reasons.items():
            CONSOLE.print(f"{count:,} {reason}", highlight=False)
    print_proof(proof)


def _as_object(outcome: Outcome, proof: Proof) -> dict[str, object]:
    before, after = outcome.before, outcome.after
    gone: Counter[str] = Counter()
    for state in ("settled", "rejected", "returned"):
        gone[state] = after.count(state) - before.count(state)
    # A returned payment was settled first; it is counted as both.
    per_second = outcome.items / outcome.seconds if outcome.seconds else 0.0
    return {
        "instructions": outcome.items,
        "accepted": after.accepted - before.accepted,
        "rejected": after.rejected - before.rejected + gone["rejected"],
        "settled": gone["settled"] + gone["returned"],
        "returned": gone["returned"],
        "matched": after.matched_debits - before.matched_debits,
        "breaks": after.open_breaks - before.open_breaks,
        "unaccounted_minor": dict(proof.unaccounted),
        "seconds": round(outcome.seconds, 2),
        "payments_per_second": round(per_second, 1),
        "refused": outcome.refused,
        "reasons": dict(outcome.reasons),
        "notes": outcome.notes,
        "holds": proof.holds,
    }
