"""A moment of the live state: its lanes with their offsets, whether it can be rebuilt, what is due in it."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from goodfunds.clock import SystemClock
from goodfunds.lanes.fence import read_watermarks
from goodfunds.lanes.records import Connection, Handler
from goodfunds.rebuild.reading import Places
from goodfunds.rebuild.refusals import CannotRebuild, LiveLane, lane_refusals, row_refusals
from goodfunds.rebuild.shadow import SQL
from goodfunds.rebuild.tables import Rebuild


@dataclass(frozen=True, slots=True)
class Moment:
    """The live lanes as one transaction sees them; `settled`: nothing is due in any of them."""

    lanes: Sequence[LiveLane]
    settled: bool

    @property
    def ends(self) -> Places:
        """Where each of their topics stands, exclusive."""
        return ends_of(self.lanes)


def ends_of(lanes: Sequence[LiveLane]) -> Places:
    """(topic, lane) → the offset that the lane handles next."""
    return {(topic, each.lane): offset for each in lanes for topic, offset in each.offsets.items()}


async def live_lanes(live: Connection) -> list[LiveLane]:
    """The live lanes in order."""
    return [
        LiveLane(
            row["lane"],
            json.loads(row["offsets"]),
            read_watermarks(row["watermarks"]),
            frozenset(json.loads(row["started_above"])),
            json.loads(row["catch_up"]),
            row["restored"],
            row["stopped_reason"],
            row["parked"],
        )
        for row in await live.fetch(SQL["live_lanes"])
    ]


async def moment(live: Connection, plan: Rebuild, handler: Handler) -> Moment:
    """This transaction's moment. Raises CannotRebuild where the live state has become none of the topics'."""
    lanes = await live_lanes(live)
    reasons = lane_refusals(lanes) + row_refusals(plan.empty, await _rows(live, list(plan.empty)))
    if reasons:
        raise CannotRebuild(reasons)
    due = await handler.due(live, [each.lane for each in lanes], SystemClock().now())
    return Moment(lanes, not due)


@asynccontextmanager
async def snapshot(live: Connection) -> AsyncIterator[None]:
    """What is read within is of one moment, and nobody waits."""
    async with live.transaction(isolation="repeatable_read"):
        yield


async def _rows(live: Connection, tables: Sequence[str]) -> dict[str, int]:
    if not tables:
        return {}
    statement = await live.fetchval(SQL["rows_statement"], tables)
    return {row["table_name"]: row["rows"] for row in await live.fetch(statement)}
