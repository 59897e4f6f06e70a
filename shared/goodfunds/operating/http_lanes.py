"""HTTP: a service's lanes, how far each is behind in events and in money, what is stopped or parked."""

from typing import Annotated

from fastapi import FastAPI

from goodfunds.access.principals import Principal
from goodfunds.http.documented import problems
from goodfunds.http.door import allowed
from goodfunds.operating.lanes import SQL, lane_view, parked_sums, unread_offsets
from goodfunds.operating.operated import Operated
from goodfunds.operating.scopes import LANES_READ
from goodfunds.operating.shapes import LanesView
from goodfunds.operating.unread import UnreadRecords

Reader = Annotated[Principal, allowed(LANES_READ)]


def add_routes(app: FastAPI, operated: Operated) -> None:
    """Add /v1/lanes."""
    pool, handler = operated.pool, operated.handler
    unread = UnreadRecords(operated.settings.bootstrap, handler.amount_of)

    @app.get("/v1/lanes", responses=problems())
    async def lanes(_: Reader) -> LanesView:
        """Every lane; of what is unread, up to 20,000 records are looked at, for two seconds at most.

        Answered while Kafka is away, too: then nobody knows where the topics end.
        """
        cluster = await pool.fetchrow(SQL["cluster_seen"])
        rows = await pool.fetch(SQL["lanes_seen"])
        parked = await parked_sums(pool)
        found = await unread.look(unread_offsets(rows))
        now = operated.clock.now()
        return LanesView(
            service=handler.producer,
            incarnation=None if cluster is None else cluster["incarnation"],
            at=now,
            broker=found is not None,
            lanes=[lane_view(row, found, parked.get(row["lane"]), now) for row in rows],
        )
