"""What time or a person asks of the lanes that are held; one whose question faults stops, and no other."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from goodfunds.lanes.blame import is_of_an_event
from goodfunds.lanes.held import HeldLanes
from goodfunds.lanes.records import Connection, Handler


async def find_due(
    handler: Handler, connection: Connection, held: HeldLanes, now: datetime
) -> Mapping[int, list[Any]]:
    """By lane; asked of all together, and lane by lane where that faults. Raises retriable faults."""
    lanes = sorted(held.states)
    try:
        return await handler.due(connection, lanes, now)
    except Exception as fault:
        if not is_of_an_event(fault):
            raise
    due: dict[int, list[Any]] = {}
    for lane in lanes:
        try:
            due.update(await handler.due(connection, [lane], now))
        except Exception as fault:
            if not is_of_an_event(fault):
                raise
            await held.stop(connection, lane, held.states[lane].epoch, f"what is due: {fault!r}", fault)
    return due
