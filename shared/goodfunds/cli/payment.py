"""`goodfunds payment show`: one payment's way through the three services, as one timeline."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from goodfunds.cli.root import CONSOLE, json_option, print_json, refuse, waiting
from goodfunds.cli.timeline import Step, timelines
from goodfunds.local.stack import find


@click.group()
def payment() -> None:
    """Single payments."""


@payment.command()
@click.argument("reference")
@json_option
@click.pass_obj
def show(folder: Path, reference: str, as_json: bool) -> None:
    """Show the timeline of a payment by its id or its EndToEndId.

    An event's place is topic/partition@offset; a step without one is known to its service alone.
    Exit code 1 where no payment has it.

    \b
    goodfunds payment show E2E-4711
    goodfunds payment show 01a2205b-2ff4-7479-a43d-5c704910db65 --json
    """
    stack = find(folder)
    with waiting("reading"):
        found = asyncio.run(timelines(stack, reference))
    if as_json:
        shown = {payment_id: list(map(asdict, steps)) for payment_id, steps in found.items()}
        print_json(shown)
    if not found:
        refuse(f"no payment has the id or EndToEndId {reference}")
    if as_json:
        return
    for payment_id, steps in found.items():
        CONSOLE.print(timeline_table(payment_id, steps))


def timeline_table(payment_id: str, steps: Sequence[Step]) -> Table:
    """The steps for a person. Nothing of them is cut off where the terminal is narrow."""
    table = Table(title=f"payment {payment_id}", title_justify="left", title_style="bold", box=None)
    table.add_column("at (UTC)", no_wrap=True)
    table.add_column("service", no_wrap=True)
    table.add_column("step", overflow="fold")
    day = None
    for step in steps:
        if step.at.date() != day:
            day = step.at.date()
            table.add_row(day.isoformat())
        at = step.at.strftime("%H:%M:%S.%f")[:-3]
        table.add_row(at, step.service, f"[bold]{escape(step.step)}[/]  {_place(step)}")
        for line in (*step.postings, *filter(None, [step.detail])):
            table.add_row("", "", escape(line))
    return table


def _place(step: Step) -> str:
    if not step.topic:
        return ""
    offset = "" if step.offset is None else f"@{step.offset}"
    return f"{step.topic}/{step.lane}{offset}"
