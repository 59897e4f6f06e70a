"""HTTP: the events of a lane's outbox, by their row or by their number on a topic."""

from typing import Annotated, Final

from fastapi import FastAPI, Query

from goodfunds.access.principals import Principal
from goodfunds.http.documented import problems
from goodfunds.http.door import allowed
from goodfunds.http.paging import Cursor, Limit, Page, cursor_of, number_in, place_of
from goodfunds.observability.http import Problem
from goodfunds.operating.http_parameters import MOST_LANES, AnyPartition, AnyTopic
from goodfunds.operating.lanes import SQL
from goodfunds.operating.operated import Operated
from goodfunds.operating.outbox import (
    LARGEST,
    Destination,
    event_view,
    events_of,
    is_beyond,
    is_wanted,
    row_of_seq,
    rows_between,
    source_of,
)
from goodfunds.operating.scopes import LANES_READ
from goodfunds.operating.shapes import OutboxEvent

Reader = Annotated[Principal, allowed(LANES_READ)]
Lane = Annotated[int, Query(ge=-1, lt=MOST_LANES, description="−1 is the feed of the database.")]
Number = Annotated[int | None, Query(ge=1, le=LARGEST)]
_ALL_PLACES: Final = 2**32


def add_routes(app: FastAPI, operated: Operated) -> None:
    """Add /v1/outbox."""
    pool = operated.pool

    @app.get("/v1/outbox", responses=problems(404))
    async def outbox(
        _: Reader,
        lane: Lane,
        limit: Limit = 100,
        cursor: Cursor = None,
        from_outbox_seq: Number = None,
        to_outbox_seq: Number = None,
        topic: AnyTopic = None,
        partition: AnyPartition = None,
        from_seq: Number = None,
        to_seq: Number = None,
    ) -> Page[OutboxEvent]:
        """Events in the order in which they were decided; `from_…` is inclusive, `to_…` exclusive.

        With a topic those that went there alone, to the lane's own partition unless another is named; `seq`
        counts in that destination.
        """
        place = place_of(cursor, 2)
        after = (0, _ALL_PLACES) if place is None else (number_in(place[0]), number_in(place[1]))
        wanted = _wanted(lane, topic, partition, from_seq, to_seq)
        own = await pool.fetchrow(SQL["lane_published"], lane)
        cluster = await pool.fetchrow(SQL["cluster_seen"])
        if own is None or cluster is None:
            raise Problem(404, "this service has no such lane")
        first = from_outbox_seq or 1
        if wanted is not None and from_seq is not None and place is None:
            first = max(first, await row_of_seq(pool, lane, wanted))
        last = (to_outbox_seq or LARGEST) - 1
        source = source_of(operated.handler.producer, lane, own, cluster)
        rows = await rows_between(pool, lane, max(first, after[0]), last)
        items: list[OutboxEvent] = []
        for row, number, event in events_of(rows, after):
            if len(items) == limit:
                return Page(items=items, next_cursor=cursor_of(tuple(map(str, after))))
            if wanted is not None and is_beyond(event, wanted):
                return Page(items=items, next_cursor=None)
            after = (row.outbox_seq, number)
            if is_wanted(event, wanted):
                items.append(event_view(source, row, number, event))
        ended = not rows or rows[-1].outbox_seq >= min(last, own["outbox_seq"])
        return Page(items=items, next_cursor=None if ended else cursor_of(tuple(map(str, after))))


def _wanted(
    lane: int, topic: str | None, partition: int | None, from_seq: int | None, to_seq: int | None
) -> Destination | None:
    """Where the events went that are asked for; None: wherever. Raises Problem 422."""
    if topic is None:
        if (partition, from_seq, to_seq) != (None, None, None):
            raise Problem(422, "partition, from_seq and to_seq are of a topic: name it")
        return None
    to_partition = max(lane, 0) if partition is None else partition
    return Destination(topic, to_partition, from_seq or 1, to_seq or LARGEST)
