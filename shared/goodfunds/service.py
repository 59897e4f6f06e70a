"""What a service tells the library of itself through the entry points `goodfunds.services`."""

from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from goodfunds.postgres import migrate


@dataclass(frozen=True, slots=True)
class Service:
    """A service's door plate: its database, its migrations and statements, and the topics it touches.

    `migrations` are folders, applied in order after those of the lanes; `sql` holds its named statements.
    `adopts`: brought back from a backup, it can take its own events since for facts.
    """

    name: str
    database: str
    migrations: tuple[Path, ...]
    sql: Path
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    adopts: bool = False


_LANES = Path(__file__).parent / "lanes" / "migrations"


async def migrate_service(service: Service, postgres: str) -> list[str]:
    """Bring a service's database up to date; safe where two start at once. `postgres` names no database."""
    sources = [("lanes", _LANES)]
    sources += [(folder.parent.name, folder) for folder in service.migrations]
    return await migrate(f"{postgres.rstrip('/')}/{service.database}", sources)


def services() -> dict[str, Service]:
    """Every installed service by its name."""
    found = {entry.name: entry.load() for entry in entry_points(group="goodfunds.services")}
    return dict(sorted(found.items()))
