"""`goodfunds db migrate`: brings the services' databases up to date."""

import asyncio
from pathlib import Path

import click

from goodfunds.cli.root import CONSOLE
from goodfunds.local.stack import find
from goodfunds.service import migrate_service, services


@click.group()
def db() -> None:
    """The services' databases."""


@db.command()
@click.pass_obj
def migrate(folder: Path) -> None:
    """Apply what is new; safe to run while instances start."""
    stack = find(folder)
    for service in services().values():
        applied = asyncio.run(migrate_service(service, stack.postgres))
        CONSOLE.print(f"{service.database}: {', '.join(applied) or 'up to date'}")
