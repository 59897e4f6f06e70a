"""The named statements of each service and of the library's rooms in its schema, for tests of all of them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import goodfunds.lanes
from goodfunds import access, audit, ledger, operating, replay
from goodfunds.postgres import statements
from goodfunds.rebuild import shadow
from goodfunds.service import Service, migrate_service, services

SERVICES = services()
LANES = Path(goodfunds.lanes.__file__).parent / "sql"


async def migrated(service: Service, dsn: str) -> list[str]:
    """Migrate the database at `dsn` as the service's; the files that were applied."""
    server, _, database = dsn.rpartition("/")
    return await migrate_service(replace(service, database=database), server)


def folders(service: Service) -> Mapping[str, Path]:
    """Name → folder: the service's own, and those of the library's rooms that its schema has."""
    found = {
        service.name: service.sql,
        "lanes": LANES,
        "access": access.STATEMENTS,
        "replay": replay.STATEMENTS,
        "audit": audit.STATEMENTS,
        "operating": operating.STATEMENTS,
        "rebuild": Path(shadow.__file__).parent / "sql",
    }
    if ledger.MIGRATIONS in service.migrations:
        found["ledger"] = ledger.STATEMENTS
    return found


def statements_of(service: Service) -> Mapping[str, Mapping[str, str]]:
    """Name of the folder → its statements."""
    return {name: statements(folder) for name, folder in folders(service).items()}
