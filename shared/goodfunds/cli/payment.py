"""`goodfunds payment show`: one payment's way through the three services, as one timeline."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from goodfunds.cli.root import CONSOLE, ERRORS
from goodfunds.cli.timeline import Step, timelines
from goodfunds.local.stack import find


@click.group()
def payment() -> None:
    """Single payments."""


@payment.command()
@click.argument("reference")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def show(folder: Path, reference: str, as_json: bool) -> None:
    """Show the timeline of a payment by its id or its EndToEndId.

    An event's place is topic/partition@offset; a step without one is known to its service alone.
    """
    found = asyncio.run(timelines(find(folder), reference))
    if not found:
        ERRORS.print(f"no payment has the id or EndToEndId {reference}", markup=False)
        sys.exit(1)
    if as_json:
        shown = {payment_id: list(map(asdict, steps)) for payment_id, steps in found.items()}
        click.echo(json.dumps(shown, default=_plain))
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


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
