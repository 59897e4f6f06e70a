"""`goodfunds payment show`: one payment's way through the three services, as one timeline."""

import asyncio
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from goodfunds import ids
from goodfunds.cli.reading import readers, sql
from goodfunds.cli.root import CONSOLE, ERRORS
from goodfunds.local.stack import Stack, find

_TOPICS = {"ingestion": "payments", "settlement": "settlement-notifications", "reconciliation": ""}


@click.group()
def payment() -> None:
    """Single payments."""


@payment.command()
@click.argument("reference")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def show(folder: Path, reference: str, as_json: bool) -> None:
    """Show the timeline of a payment by its id or its EndToEndId."""
    timelines = asyncio.run(_timelines(find(folder), reference))
    if not timelines:
        ERRORS.print(f"no payment has the id or EndToEndId {reference}")
        sys.exit(1)
    if as_json:
        click.echo(json.dumps(timelines, default=_plain))
        return
    for payment_id, steps in timelines.items():
        table = Table("at (UTC)", "service", "step", "event", "detail", title=f"payment {payment_id}")
        for step in steps:
            event = f"{step['topic']}/{step['lane']} seq {step['seq']}" if step["seq"] else ""
            at = step["at"].strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
            table.add_row(at, step["service"], step["step"], event, str(step["detail"] or ""))
        CONSOLE.print(table)


async def _timelines(stack: Stack, reference: str) -> dict[str, list[dict[str, Any]]]:
    async with readers(stack) as connections:
        ingestion = connections["ingestion"]
        try:
            found = [ids.parse(reference)]
        except ValueError:
            rows = await ingestion.fetch(sql("ingestion")["payments_by_end_to_end"], reference)
            found = [row["payment_id"] for row in rows]
        timelines = {}
        for payment_id in found:
            steps = [
                step
                for name, connection in connections.items()
                for step in await _steps(connection, name, payment_id)
            ]
            if steps:
                timelines[ids.text(payment_id)] = sorted(steps, key=lambda step: step["at"])
        return timelines


async def _steps(connection: Any, service: str, payment_id: bytes) -> list[dict[str, Any]]:
    row = await connection.fetch(sql(service)["payment_timeline"], payment_id)
    steps = []
    for each in map(dict, row):
        each.setdefault("step", each.get("what"))
        each.setdefault("topic", _TOPICS[service])
        each.setdefault("lane", "")
        each["service"] = service
        if each.get("amount_minor") is not None:
            each["detail"] = f"{each['amount_minor']} {each['currency']} {each['detail'] or ''}"
        steps.append(each)
    return steps


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
