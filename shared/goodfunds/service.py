"""What a service tells the library of itself through the entry points `goodfunds.services`."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import structlog

from goodfunds.errors import is_retriable
from goodfunds.postgres import migrate

if TYPE_CHECKING:
    from goodfunds.rebuild import Rebuild

log = structlog.get_logger(__name__)

_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Service:
    """A service's door plate: its database, its migrations and statements, and the topics it touches.

    `migrations` are folders, applied in order after those of the lanes; `sql` holds its named statements.
    `adopts`: brought back from a backup, it can take its own events since for facts. `scopes`: what tokens
    may allow over its HTTP, and in words what that opens. `beside_lanes`: tables that feeds and people write
    while lanes stand still, and for what: no digest of what lanes have written has them. `rebuild`: gives
    how its state is made anew from its topics; None where they do not hold all of it, and `not_rebuilt` says
    what they lack.
    """

    name: str
    database: str
    migrations: tuple[Path, ...]
    sql: Path
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    adopts: bool = False
    scopes: Mapping[str, str] = field(default_factory=dict)
    beside_lanes: Mapping[str, str] = field(default_factory=dict)
    rebuild: "Callable[[], Rebuild] | None" = None
    not_rebuilt: str = ""


LANES = ("lanes", Path(__file__).parent / "lanes" / "migrations")
"""(Name, folder) of the tables that every service's database begins with."""
OPERATING = tuple((name, Path(__file__).parent / name / "migrations") for name in ("audit", "replay"))
"""(Name, folder) of the tables that it ends with."""


def migrations_of(service: Service) -> tuple[tuple[str, Path], ...]:
    """(Name, folder) of what a service's database is brought up to date by, in order."""
    return LANES, *((folder.parent.name, folder) for folder in service.migrations), *OPERATING


async def migrate_service(service: Service, postgres: str) -> list[str]:
    """Bring a service's database up to date; safe where two start at once. `postgres` names no database."""
    return await migrate(f"{postgres.rstrip('/')}/{service.database}", migrations_of(service))


async def migrated(service: Service, postgres: str) -> None:
    """As `migrate_service`, for a process that starts while its database does: waits, but not for ever.

    Raises what stood in the way after a minute.
    """
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + _PATIENCE_SECONDS, 0.2
    while True:
        try:
            await migrate_service(service, postgres)
            return
        except Exception as fault:
            if not is_retriable(fault) or loop.time() + pause > deadline:
                raise
            log.warning("database not reached yet", database=service.database, fault=repr(fault))
            await asyncio.sleep(pause)
            pause = min(2 * pause, 5.0)


@cache
def services() -> Mapping[str, Service]:
    """Every installed service by its name; what is installed is looked through once a process."""
    found = {entry.name: entry.load() for entry in entry_points(group="goodfunds.services")}
    return MappingProxyType(dict(sorted(found.items())))
