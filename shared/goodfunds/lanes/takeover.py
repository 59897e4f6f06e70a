"""Taking lanes over: the epoch first and confirmed, then what is true, then a look for events of our own."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from goodfunds.errors import Unreadable
from goodfunds.lanes import metrics
from goodfunds.lanes.fence import SQL, read_state
from goodfunds.lanes.frame import OutboxRow
from goodfunds.lanes.headers import origin
from goodfunds.lanes.records import Connection, Record
from goodfunds.lanes.state import LaneState
from goodfunds.postgres import connect

_PATIENCE_SECONDS = 2.0
_READ_SECONDS = 30.0


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
    free a client that is frozen inside COPY. Any error leaves the outcome unknown: take again.
    """
    taking = asyncio.ensure_future(connection.fetchval(SQL[statement], *arguments))
    while True:
        done, _ = await asyncio.wait({taking}, timeout=_PATIENCE_SECONDS)
        if done:
            epoch: int | None = taking.result()
            return epoch
        freeing = await connect(dsn, "goodfunds free a lane")
        try:
            await freeing.fetch(SQL["terminate_owner"], lane)
        finally:
            await freeing.close()


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
                row["events"], row["frame"],
            ))  # fmt: skip
    metrics.TAKEOVERS.inc(len(states))
    return Taken(states, tails, stopped)


async def unknown_events(
    bootstrap: str, producer: str, outputs: Sequence[str], states: dict[int, LaneState]
) -> dict[int, str]:
    """Lanes whose own events stand on a topic without their database knowing them → what was found.

    Such a database was set back to an older state: it would give old numbers to new events. Each
    destination is read from the last acknowledged offset that the lane remembers to its end.
    """
    wanted: dict[TopicPartition, int] = {}
    for state in states.values():
        for topic, partition in {*state.acknowledged, *state.next_seq}:
            if topic in outputs:
                place = TopicPartition(topic, partition)
                start = state.acknowledged.get((topic, partition), -1) + 1
                wanted[place] = min(start, wanted.get(place, start))
    if not wanted:
        return {}
    reader = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await reader.start()
    found: dict[int, str] = {}
    try:
        ends = await reader.end_offsets(list(wanted))
        beginnings = await reader.beginning_offsets(list(wanted))
        unread = {place for place, start in wanted.items() if max(start, beginnings[place]) < ends[place]}
        if not unread:
            return {}
        reader.assign(list(unread))
        for place in unread:
            reader.seek(place, max(wanted[place], beginnings[place]))
        async with asyncio.timeout(_READ_SECONDS):
            while unread:
                for place, records in (await reader.getmany(*unread, timeout_ms=500)).items():
                    for record in records:
                        lane = _unknown(record, producer.encode(), states)
                        if lane is not None:
                            found.setdefault(lane, f"{place.topic}/{place.partition} offset {record.offset}")
                for place in list(unread):
                    if await reader.position(place) >= ends[place]:
                        unread.discard(place)
    finally:
        await reader.stop()
    return found


def _unknown(record: Record, producer: bytes, states: dict[int, LaneState]) -> int | None:
    try:
        name, lane_text, seq = origin(record)
        lane = int(lane_text)
    except (Unreadable, ValueError):
        return None
    state = states.get(lane)
    if name != producer or state is None:
        return None
    next_seq = state.next_seq.get((record.topic, record.partition), 1)
    return lane if seq >= next_seq else None


def set_back(found: str) -> str:
    """Why a lane stops where an event of its own is found that its database does not know."""
    return (
        f"{found} holds an event of this lane that its database does not know: "
        "was the database set back to an older state?"
    )


async def stop_lane(connection: Connection, lane: int, epoch: int, reason: str) -> None:
    """Stop a lane durably, if it is still ours: every later owner honours it. Raises PostgresError."""
    await connection.execute(SQL["stop_lane"], lane, epoch, reason[:2000])
