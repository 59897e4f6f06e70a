"""What a service tells the library of itself through the entry points `goodfunds.services`."""

from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Service:
    """A service's door plate: its database, its migrations and statements, and the topics it touches.

    `migrations` are folders, applied in order after those of the lanes; `sql` holds its named statements.
    """

    name: str
    database: str
    migrations: tuple[Path, ...]
    sql: Path
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def services() -> dict[str, Service]:
    """Every installed service by its name."""
    found = {entry.name: entry.load() for entry in entry_points(group="goodfunds.services")}
    return dict(sorted(found.items()))
