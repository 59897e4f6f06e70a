"""`goodfunds prove`: from the databases alone, what is unaccounted for."""

import asyncio
import sys
from pathlib import Path
from time import monotonic

import click
from rich.markup import escape
from rich.table import Table

from goodfunds.cli.reading import readers
from goodfunds.cli.root import CONSOLE, NO, json_option, print_json, table, waiting
from goodfunds.local.stack import Stack, find
from goodfunds.proof import PATIENCE_SECONDS, Proof, judge, read_evidence

_LISTED = 20
_PAUSE = 0.5


async def prove_stack(stack: Stack) -> Proof:
    """The proof of a running stack."""
    async with readers(stack) as connections:
        return judge(await read_evidence(connections))


async def prove_once_counted(stack: Stack) -> Proof:
    """The proof once the second reader has counted all, or as it stands where that one does not move."""
    least, moved = None, monotonic()
    async with readers(stack) as connections:
        while True:
            evidence = await read_evidence(connections)
            behind = sum(each.uncounted for each in evidence.control_totals)
            if least is None or behind < least:
                least, moved = behind, monotonic()
            if behind == 0 or monotonic() - moved > PATIENCE_SECONDS:
                return judge(evidence)
            await asyncio.sleep(_PAUSE)


def proof_table(proof: Proof) -> Table:
    """The rules and what was found, for a person."""
    made = table("rule", "", "found")
    for check in proof.checks:
        mark = "[green]holds[/]" if check.holds else "[bold red]BROKEN[/]"
        made.add_row(check.name, mark, escape(check.detail))
        for line in check.lines:
            made.add_row("", "", f"[red]{escape(line)}[/]")
    return made


def print_proof(proof: Proof) -> None:
    """The proof as a table and a sentence."""
    CONSOLE.print(proof_table(proof))
    for line in proof.open[:_LISTED]:
        CONSOLE.print(f"open: {line}", highlight=False, markup=False)
    if len(proof.open) > _LISTED:
        CONSOLE.print(f"open: and {len(proof.open) - _LISTED} more; --json lists all")
    CONSOLE.print(proof.sentence, style="bold green" if proof.holds else "bold red", highlight=False)


def as_object(proof: Proof) -> dict[str, object]:
    """The proof for programs."""
    return {
        "holds": proof.holds,
        "sentence": proof.sentence,
        "unaccounted_minor": dict(proof.unaccounted),
        "checks": [
            {
                "name": check.name,
                "holds": check.holds,
                "detail": check.detail,
                "minor": dict(check.minor),
                "lines": list(check.lines),
            }
            for check in proof.checks
        ],
        "open": list(proof.open),
    }


@click.command()
@json_option
@click.pass_obj
def prove(folder: Path, as_json: bool) -> None:
    """Prove that every cent is where the books say, or name what is not.

    Exit code 0 only if every rule holds. What is open (breaks, parked events) is explained and listed.

    \b
    goodfunds prove
    goodfunds prove --json | jq '.checks[] | select(.holds | not)'
    """
    stack = find(folder)
    with waiting("proving"):
        proof = asyncio.run(prove_stack(stack))
    if as_json:
        print_json(as_object(proof))
    else:
        print_proof(proof)
    sys.exit(0 if proof.holds else NO)
