"""HTTP: the parked events of a service, listed, and each in full with what waits behind it."""

from typing import Annotated

from fastapi import FastAPI, Query

from goodfunds.access.principals import Principal
from goodfunds.http.documented import problems
from goodfunds.http.door import allowed
from goodfunds.http.paging import Cursor, Limit, Page, number_in, page, place_of
from goodfunds.observability.http import Problem
from goodfunds.operating.http_parameters import MOST_LANES, AnyPartition, Offset, Partition, Topic
from goodfunds.operating.lanes import SQL
from goodfunds.operating.operated import Operated
from goodfunds.operating.parked import parked_event, parked_view
from goodfunds.operating.scopes import LANES_READ
from goodfunds.operating.shapes import ParkedEvent, ParkedView

Reader = Annotated[Principal, allowed(LANES_READ)]
Text = Annotated[str | None, Query(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


def add_routes(app: FastAPI, operated: Operated) -> None:
    """Add /v1/parked and what is below it."""
    pool, clock, handler = operated.pool, operated.clock, operated.handler

    @app.get("/v1/parked", responses=problems())
    async def parked(
        _: Reader,
        limit: Limit = 100,
        cursor: Cursor = None,
        lane: AnyPartition = None,
        key: Annotated[Text, Query(description="The account.")] = None,
        topic: Text = None,
        fault: Annotated[Text, Query(description="A part of the fault's text.")] = None,
        poison: Annotated[bool, Query(description="Only those that faulted themselves.")] = False,
    ) -> Page[ParkedView]:
        """Parked events, lane by lane, in the order in which they would have been handled."""
        place = place_of(cursor, 2)
        after = (-1, 0) if place is None else (_lane_in(place[0]), number_in(place[1]))
        account = None if key is None else key.encode()
        rows = await pool.fetch(SQL["parked_page"], *after, limit + 1, lane, account, topic, fault, poison)
        kept, more = page(rows, limit, limit + 1, lambda row: (str(row["lane"]), str(row["parked_seq"])))
        now = clock.now()
        return Page(items=[parked_view(row, handler, now) for row in kept], next_cursor=more)

    @app.get("/v1/parked/{topic}/{partition}/{offset}", responses=problems(404))
    async def one(_: Reader, topic: Topic, partition: Partition, offset: Offset) -> ParkedEvent:
        """A parked event: what it says, its headers and its fault."""
        row = await pool.fetchrow(SQL["parked_event"], topic, partition, offset)
        if row is None:
            raise Problem(404, "no event of that place is parked here")
        return await parked_event(pool, row, handler, clock.now())


def _lane_in(part: str) -> int:
    # Past the last lane the list is at its end.
    return min(number_in(part), MOST_LANES)
