"""`goodfunds prove`: from the databases alone, what is unaccounted for."""

import asyncio
import json
import sys
from pathlib import Path
from time import monotonic

import click
from rich.markup import escape
from rich.table import Table

from goodfunds.cli.reading import readers
from goodfunds.cli.root import CONSOLE
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


def print_proof(proof: Proof) -> None:
    """The proof as a table and a sentence."""
    table = Table("rule", "", "found")
    for check in proof.checks:
        mark = "[green]holds[/]" if check.holds else "[bold red]BROKEN[/]"
        table.add_row(check.name, mark, escape(check.detail))
        for line in check.lines:
            table.add_row("", "", f"[red]{escape(line)}[/]")
    CONSOLE.print(table)
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
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def prove(folder: Path, as_json: bool) -> None:
    """Prove that every cent is where the books say, or name what is not.

    Exit code 0 only if every rule holds. What is open (breaks, parked events) is explained and listed.
    """
    proof = asyncio.run(prove_stack(find(folder)))
    if as_json:
        click.echo(json.dumps(as_object(proof)))
    else:
        print_proof(proof)
    sys.exit(0 if proof.holds else 1)
