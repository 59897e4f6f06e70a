"""A restore is announced: the database begins another life, and its lanes adopt before they consume."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from goodfunds.errors import Misconfigured
from goodfunds.lanes.destinations import first_unseen
from goodfunds.lanes.fence import SQL, destinations, to_json
from goodfunds.lanes.guard import FEED
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
        starts = _starts(await connection.fetch(SQL["before_restore"]))
        rows = await connection.fetch(SQL["restore_lanes"], SET_BACK, list(starts), list(starts.values()))
    stopped = {row["lane"]: row["stopped_reason"] for row in rows if row["stopped_reason"] is not None}
    return Announced(incarnation, sorted(row["lane"] for row in rows), stopped)


def _starts(rows: Sequence[Any]) -> dict[int, str]:
    """lane → from where it looks for its own events, as the row keeps it.

    Of lanes alone, or of the feed, the furthest that any has looked: one that does not know a destination
    has told nothing there. A lane that has yet to adopt since an earlier restore keeps its places.
    """
    found = {}
    for of_feed in (True, False):
        mine = [row for row in rows if (row["lane"] == FEED) is of_feed]
        furthest = {(place.topic, place.partition): at for place, at in first_unseen(None, mine).items()}
        for row in mine:
            earlier = {} if row["restored_from"] is None else destinations(row["restored_from"])
            found[row["lane"]] = to_json(furthest | earlier)
    return found
