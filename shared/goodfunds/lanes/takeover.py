"""Taking lanes over: the epoch first and confirmed, then what is true; and stopping them."""

import asyncio
from dataclasses import dataclass

from goodfunds.errors import Unavailable
from goodfunds.lanes import metrics
from goodfunds.lanes.evidence import NO_EVIDENCE, Evidence, columns, storable
from goodfunds.lanes.fence import SQL, read_state
from goodfunds.lanes.frame import OutboxRow
from goodfunds.lanes.records import Connection
from goodfunds.lanes.state import LaneState
from goodfunds.postgres import connect

_PATIENCE_SECONDS = 2.0
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Taken:
    """Lanes that are ours now, the tail of each (committed, not known to be published), and the stopped."""

    states: dict[int, LaneState]
    tails: dict[int, list[OutboxRow]]
    stopped: dict[int, str]


async def raise_epoch(
    connection: Connection, dsn: str, lane: int, statement: str, *arguments: object
) -> int | None:
    """Raise the epoch of a lane by that statement, committed and confirmed; None where it found no row.

    A transaction of a frozen owner that blocks for 2 s loses its connection: Postgres time-outs do not
    free a client that is frozen inside COPY. Any error leaves the outcome unknown: take again. Raises
    Unavailable where somebody else's transaction holds the row.
    """
    taking = asyncio.ensure_future(connection.fetchval(SQL[statement], *arguments))
    try:
        for _ in range(_ROUNDS):
            done, _ = await asyncio.wait({taking}, timeout=_PATIENCE_SECONDS)
            if done:
                epoch: int | None = taking.result()
                return epoch
            freeing = await connect(dsn, "goodfunds free a lane")
            try:
                await freeing.fetch(SQL["terminate_owner"], lane, connection.get_server_pid())
            finally:
                await freeing.close()
        raise Unavailable(f"lane {lane} is locked by a transaction that is not its owner's")
    finally:
        if not taking.done():
            taking.cancel()
            await asyncio.wait({taking}, timeout=_PATIENCE_SECONDS)


async def read_taken(connection: Connection, epochs: dict[int, int]) -> Taken:
    """State and tail of lanes whose epochs are committed; a lane taken by another since is left out."""
    lanes = sorted(epochs)
    states, stopped = {}, {}
    for row in await connection.fetch(SQL["read_lanes"], lanes):
        lane = row["lane"]
        if row["epoch"] != epochs[lane]:
            continue
        if row["stopped_reason"] is not None:
            stopped[lane] = row["stopped_reason"]
        else:
            states[lane] = read_state(row)
    for row in await connection.fetch(SQL["read_parked_keys"], lanes):
        if row["lane"] in states:
            states[row["lane"]].parked_keys.add(row["key"])
    tails: dict[int, list[OutboxRow]] = {lane: [] for lane in states}
    for row in await connection.fetch(SQL["read_tails"], lanes):
        if row["lane"] in states:
            tails[row["lane"]].append(OutboxRow(
                row["lane"], row["outbox_seq"], row["decided_at"], tuple(row["topics"]),
                row["events"], row["frame"], row["replay_id"],
            ))  # fmt: skip
    metrics.TAKEOVERS.inc(len(states))
    return Taken(states, tails, stopped)


SET_BACK = "was the database set back to an older state?"


def set_back(found: str) -> str:
    """Why a lane stops where an event of its own is found that its database does not know."""
    return f"{found} holds an event of this lane that its database does not know: {SET_BACK}"


async def stop_lane(
    connection: Connection, lane: int, epoch: int, reason: str, evidence: Evidence = NO_EVIDENCE
) -> bool:
    """Stop a lane durably: every later owner honours it. False where it is no longer ours to stop.

    The evidence goes with the reason, in the same statement. Raises PostgresError.
    """
    stopped = await connection.fetchval(SQL["stop_lane"], lane, epoch, storable(reason), *columns(evidence))
    return stopped is not None
