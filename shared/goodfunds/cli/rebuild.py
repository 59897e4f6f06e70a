"""`goodfunds rebuild`: a service's state made anew from the topics, compared, and swapped where it agrees."""

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape

from goodfunds.cli.root import CONSOLE, ERRORS, NO, json_option, print_json, table
from goodfunds.cli.stages import staged
from goodfunds.local.stack import find
from goodfunds.rebuild import CannotRebuild, Outcome
from goodfunds.rebuild import rebuild as run_rebuild
from goodfunds.service import services


@click.command()
@click.option("--service", "name", required=True, help="Whose state is made anew.")
@click.option("--check", is_flag=True, help="Compare, and change nothing.")
@json_option
@click.pass_obj
def rebuild(folder: Path, name: str, check: bool, as_json: bool) -> None:
    """Make a service's state anew from the topics, and put it in place if it agrees with the live one.

    It is built beside the live state while the service works on. Where a row differs it is named, and
    nothing is swapped. A swap lets the lanes stand for a second or two.

    \b
    goodfunds rebuild --service reconciliation --check
    goodfunds rebuild --service reconciliation --json
    """
    service = services().get(name)
    if service is None:
        raise click.UsageError(f"no service is called {name}: {', '.join(services())}")
    stack = find(folder)
    try:
        with staged("reading the topics") as tell:
            outcome = asyncio.run(run_rebuild(service, stack.postgres, stack.kafka, check, tell))
    except CannotRebuild as cannot:
        if as_json:
            print_json({"service": name, "refused": list(cannot.reasons), "swapped": False})
        for reason in cannot.reasons:
            ERRORS.print(f"[bold red]refused:[/] {escape(reason)}", highlight=False)
        sys.exit(NO)
    if as_json:
        print_json({**asdict(outcome), "agrees": outcome.agrees, "records_per_second": rate(outcome)})
    else:
        _print(outcome, check)
    sys.exit(0 if outcome.agrees else NO)


def rate(outcome: Outcome) -> int:
    """Records handled anew a second."""
    return round(outcome.records / outcome.seconds) if outcome.seconds else 0


def _print(outcome: Outcome, check: bool) -> None:
    made = table("table", "rows", "", right=["rows"])
    differing = {each.table: each for each in outcome.different}
    for each in outcome.compared:
        found = differing.get(each.table)
        mark = (
            f"[bold red]differs[/]: {found.only_live:,} rows only live, {found.only_anew:,} only anew"
            if found
            else "[green]agrees[/]"
        )
        made.add_row(each.table, f"{each.rows:,}", mark)
    CONSOLE.print(made)
    for difference in outcome.different:
        for side, rows in (("live", difference.live_rows), ("anew", difference.anew_rows)):
            for row in rows:
                CONSOLE.print(f"{difference.table}, {side}: {json.dumps(row)}", highlight=False, markup=False)
    CONSOLE.print(f"{outcome.records:,} records handled anew, {rate(outcome):,} a second", highlight=False)
    if outcome.swapped:
        told = f"swapped {', '.join(outcome.tables)}; the lanes stood for {outcome.stood:.1f} s"
    elif not outcome.agrees:
        told = "it differs: nothing was swapped"
    else:
        told = "it agrees" + (": nothing was to be swapped" if check else "")
    CONSOLE.print(told, style="bold green" if outcome.agrees else "bold red", highlight=False)
