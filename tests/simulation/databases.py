"""Fresh databases for a story, copied from templates that were migrated once; and Postgres' own clock.

`clock_timestamp()` is the simulated one: `public`, which has one too, stands before pg_catalog on the path.
Commits are not waited for on the disk: no story switches the server off, and nothing here is measured.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from goodfunds.local import postgres as embedded
from goodfunds.postgres import connect, migrate
from goodfunds.service import Service, migrations_of, services

_DAYS = 40
"""Days of the outbox that the templates hold ready, so that no story makes tables."""

_CLOCK = """
CREATE SCHEMA simulated;
CREATE UNLOGGED TABLE simulated.clock (at timestamptz NOT NULL);
INSERT INTO simulated.clock VALUES ('2000-01-01');
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE
    RETURN (SELECT at FROM simulated.clock);
"""


def _template(service: Service) -> str:
    return f"simulation_template_{service.name}"


async def make_templates(server: embedded.Server, first_day: date) -> None:
    """Migrate a database for each service, once for all stories on that server."""
    admin = await embedded.connect(server)
    try:
        for service in services().values():
            await admin.execute(f"DROP DATABASE IF EXISTS {_template(service)}")
            await admin.execute(f"CREATE DATABASE {_template(service)}")
            dsn = server.dsn(_template(service))
            await migrate(dsn, migrations_of(service))
            connection = await connect(dsn)
            for day in range(0, _DAYS, 8):
                await connection.execute("SELECT keep_outbox($1, 1000)", first_day + timedelta(days=day))
            await connection.execute(_CLOCK)
            await connection.close()
    finally:
        await admin.close()


async def create(server: embedded.Server, story: str, now: datetime, partitions: int) -> Mapping[str, str]:
    """The DSN of each service's database for one story. Incarnations are the same in every story."""
    admin = await embedded.connect(server)
    dsns = {}
    try:
        for service in services().values():
            name = f"{story}_{service.name}"
            await admin.execute(f"CREATE DATABASE {name} TEMPLATE {_template(service)} STRATEGY FILE_COPY")
            await admin.execute(f"ALTER DATABASE {name} SET search_path = public, pg_catalog")
            await admin.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
            dsns[service.name] = server.dsn(name)
            connection = await connect(server.dsn(name))
            await connection.execute("UPDATE simulated.clock SET at = $1", now)
            await connection.execute(
                "INSERT INTO public.cluster (incarnation, partitions) VALUES ($1, $2)",
                f"simulated-{service.name}", partitions,
            )  # fmt: skip
            await connection.close()
    finally:
        await admin.close()
    return dsns


async def drop(server: embedded.Server, story: str) -> None:
    """Remove a story's databases."""
    admin = await embedded.connect(server)
    try:
        for service in services().values():
            await admin.execute(f"DROP DATABASE IF EXISTS {story}_{service.name} WITH (FORCE)")
    finally:
        await admin.close()
