"""`goodfunds db migrate`: brings the services' databases up to date."""

import asyncio
from pathlib import Path

import click

from goodfunds.cli.root import CONSOLE
from goodfunds.local.postgres import create_databases
from goodfunds.local.stack import find
from goodfunds.service import migrate_service, services


@click.group()
def db() -> None:
    """The services' databases."""


@db.command()
@click.option(
    "--create-databases", "create", is_flag=True, help="Create the databases that are missing first."
)
@click.pass_obj
def migrate(folder: Path, create: bool) -> None:
    """Apply what is new; safe to run while instances start."""
    stack = find(folder)
    if create:
        names = [service.database for service in services().values()]
        asyncio.run(create_databases(stack.postgres, names))
    for service in services().values():
        applied = asyncio.run(migrate_service(service, stack.postgres))
        CONSOLE.print(f"{service.database}: {', '.join(applied) or 'up to date'}")
