"""`goodfunds db`: brings the services' databases up to date, and back into service after a restore."""

import asyncio
from dataclasses import asdict
from pathlib import Path

import click

from goodfunds.cli.root import CONSOLE, json_option, print_json, waiting
from goodfunds.lanes.announce import Announced, announce_restore
from goodfunds.local.postgres import create_databases
from goodfunds.local.stack import dead, find, read
from goodfunds.postgres import connect
from goodfunds.service import Service, migrate_service, services

_OWN_NAME = "goodfunds db restored"


@click.group()
def db() -> None:
    """The services' databases."""


@db.command()
@click.option(
    "--create-databases", "create", is_flag=True, help="Create the databases that are missing first."
)
@json_option
@click.pass_obj
def migrate(folder: Path, create: bool, as_json: bool) -> None:
    """Apply what is new; safe to run while instances start.

    \b
    goodfunds db migrate
    GOODFUNDS_POSTGRES=… GOODFUNDS_KAFKA=… goodfunds db migrate --create-databases
    """
    stack = find(folder)
    if create:
        names = [service.database for service in services().values()]
        asyncio.run(create_databases(stack.postgres, names))
    applied = {}
    for service in services().values():
        with waiting(f"migrating {service.database}"):
            applied[service.database] = asyncio.run(migrate_service(service, stack.postgres))
        if not as_json:
            CONSOLE.print(f"{service.database}: {', '.join(applied[service.database]) or 'up to date'}")
    if as_json:
        print_json({"applied": applied})


@db.command()
@click.option("--service", "name", required=True, help="Whose database came back from a backup.")
@json_option
@click.pass_obj
def restored(folder: Path, name: str, as_json: bool) -> None:
    """Say that a database came back from a backup, before its service starts again.

    The service's lanes then read their own topics from where the backup stood, and take for facts what they
    had decided since; only then they go on. Every process of the service has to be stopped.

    \b
    goodfunds db restored --service settlement
    """
    service = services().get(name)
    if service is None:
        raise click.UsageError(f"no service is called {name}: {', '.join(services())}")
    if not service.adopts:
        raise click.UsageError(
            f"{name} cannot adopt its own events yet: its database can only be replaced by one that was not "
            "set back. Its lanes stay stopped, and nothing was changed."
        )
    postgres = _postgres(folder)
    with waiting("giving it a new incarnation"):
        announced = asyncio.run(_announce(postgres, service))
    if as_json:
        print_json({"service": name, **asdict(announced)})
        return
    count = len(announced.lanes) - len(announced.stopped)
    CONSOLE.print(f"{name} has a new incarnation, {announced.incarnation}")
    CONSOLE.print(f"{count} lanes and feeds will adopt their own events when it starts")
    for lane, reason in sorted(announced.stopped.items()):
        CONSOLE.print(f"lane {lane} stays stopped: {reason}", markup=False)


def _postgres(folder: Path) -> str:
    """The server's address; the service itself is stopped, which is all the same to this command."""
    stack = read(folder)
    if stack is not None and stack.running and "postgres" not in dead(stack):
        return stack.postgres
    return find(folder).postgres


async def _announce(postgres: str, service: Service) -> Announced:
    await migrate_service(service, postgres)
    connection = await connect(f"{postgres.rstrip('/')}/{service.database}", _OWN_NAME)
    try:
        return await announce_restore(connection, _OWN_NAME)
    finally:
        await connection.close()
