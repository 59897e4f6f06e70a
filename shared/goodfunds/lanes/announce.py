"""A restore is announced: the database begins another life, and its lanes adopt before they consume."""

from collections.abc import Sequence
from dataclasses import dataclass

from goodfunds.errors import Misconfigured
from goodfunds.lanes.fence import SQL
from goodfunds.lanes.records import Connection
from goodfunds.lanes.takeover import SET_BACK


@dataclass(frozen=True, slots=True)
class Announced:
    """The new incarnation; the lanes that will adopt, and those that stay stopped with why."""

    incarnation: str
    lanes: Sequence[int]
    stopped: dict[int, str]


async def announce_restore(connection: Connection, own_name: str) -> Announced:
    """Say that this database came back from a backup. `own_name`: of this connection.

    What only the safety net had stopped goes on. Nothing else may work on the database: what it has yet to
    publish could arrive after the lanes have looked. Raises Misconfigured, PostgresError.
    """
    async with connection.transaction():
        workers = await connection.fetch(SQL["workers"], own_name)
        if workers:
            names = ", ".join(sorted({row["application_name"] for row in workers}))
            raise Misconfigured(f"still connected: {names}. Stop every process of the service first")
        incarnation = await connection.fetchval(SQL["begin_incarnation"])
        if incarnation is None:
            raise Misconfigured("nothing has worked on this database yet: there is nothing to adopt")
        rows = await connection.fetch(SQL["restore_lanes"], SET_BACK)
    stopped = {row["lane"]: row["stopped_reason"] for row in rows if row["stopped_reason"] is not None}
    return Announced(incarnation, sorted(row["lane"] for row in rows), stopped)
