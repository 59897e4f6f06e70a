"""The shadow: a schema with the service's tables, made by its migrations, able to take their place."""

import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from goodfunds.errors import Misconfigured
from goodfunds.lanes.fence import SQL as LANES
from goodfunds.lanes.fence import read_state
from goodfunds.lanes.records import Connection
from goodfunds.lanes.state import LaneState
from goodfunds.postgres import migrate, statements
from goodfunds.rebuild.refusals import CannotRebuild

SQL = statements(Path(__file__).parent / "sql")

SHADOW = "rebuilt"
"""The schema that is built in."""
REPLACED = "replaced"
"""The schema that the tables which were live go to; it is dropped with the shadow's."""


def within_shadow(dsn: str) -> str:
    """A DSN whose sessions find the shadow's tables, and no others."""
    parts = urlsplit(dsn)
    query = "&".join(filter(None, (parts.query, f"search_path={SHADOW}")))
    return urlunsplit(parts._replace(query=query))


async def drop_shadow(live: Connection) -> None:
    """Drop what a rebuild leaves, this one or one that was killed."""
    for schema in (SHADOW, REPLACED):
        await live.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


async def make_shadow(
    live: Connection, dsn: str, migrations: Sequence[tuple[str, Path]], swapped: Sequence[str]
) -> None:
    """Make its tables, with functions, settings and grants of the live ones. Raises CannotRebuild.

    Raises Misconfigured where the live database is not as these migrations make it.
    """
    await live.execute(f"CREATE SCHEMA {SHADOW}")
    await migrate(within_shadow(dsn), migrations)
    applied = await live.fetch(SQL["migrations_applied"])
    await live.execute(f"SET search_path = {SHADOW}")
    try:
        if applied != await live.fetch(SQL["migrations_applied"]):
            raise Misconfigured(
                "the database is not as this build's migrations make it: goodfunds db migrate"
            )
        triggers = await live.fetch(SQL["trigger_statements"], swapped)
    finally:
        await live.execute("RESET search_path")
    for row in triggers:
        await live.execute(row[0])
    await take_after(live, swapped)


async def create_shadow_lanes(
    building: Connection, partitions: int, lanes: Sequence[int], topics: Sequence[str]
) -> dict[int, LaneState]:
    """Make the shadow's lanes, each at the beginning of its topics; what their owner remembers of them."""
    await building.execute(LANES["create_cluster"], partitions)
    for lane in lanes:
        await building.execute(LANES["create_lane"], lane, json.dumps(dict.fromkeys(topics, 0)), "[]", "{}")
    return {row["lane"]: read_state(row) for row in await building.fetch(LANES["read_lanes"], lanes)}


async def take_after(live: Connection, swapped: Sequence[str]) -> None:
    """Give the shadow's tables the grants and settings that the live ones have now. Raises CannotRebuild.

    Nothing that the migrations do not make may go with the tables that are replaced.
    """
    for name in ("revoke_statements", "grant_statements"):
        for row in await live.fetch(SQL[name], SHADOW, swapped):
            await live.execute(row[0])
    home = await live.fetchval("SELECT current_schema()")
    ours = {tuple(row) for row in await live.fetch(SQL["shapes"], home, swapped)}
    anew = {tuple(row) for row in await live.fetch(SQL["shapes"], SHADOW, swapped)}
    strange = [f"{of}: {shape} is not of the migrations: it would be gone" for of, shape in ours - anew]
    strange += [f"{of}: {shape} is of the migrations, and not there" for of, shape in anew - ours]
    if strange:
        raise CannotRebuild(sorted(strange))
