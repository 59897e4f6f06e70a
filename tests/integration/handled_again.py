"""Records that lanes have read are handed to their handler again, by the lanes' owner: nothing may follow."""

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from aiokafka import AIOKafkaConsumer, TopicPartition

from goodfunds.lanes import Emission, Handler, Poll
from goodfunds.lanes.fence import SQL, unchanged
from goodfunds.lanes.records import Connection, Record
from goodfunds.lanes.state import LaneState
from goodfunds.lanes.takeover import raise_epoch, read_taken
from goodfunds.lanes.transact import Numbering, transact
from goodfunds.postgres import connect
from goodfunds.replay.digest import state_digest

SIZES = (1, 3, 7)
"""Records a lane and poll: alone, and cut where nothing else is."""
Cut = tuple[str, list[list[Record]]]
"""In words, and polls of records."""


@dataclass
class Owner:
    """All lanes of a database, held. What is handed to them moves no offset and no watermark."""

    dsn: str
    connection: Connection
    handler: Handler
    partitions: int
    incarnation: str
    states: Mapping[int, LaneState]

    async def hand_in(self, records: Iterable[Record], now: datetime) -> list[Emission]:
        """One fenced transaction; what it told."""
        by_lane: dict[int, list[Record]] = {}
        for each in records:
            by_lane.setdefault(each.partition, []).append(each)
        shares = [unchanged(self.states[lane]) for lane in sorted(by_lane)]
        poll = Poll(now, self.partitions, Numbering(shares), by_lane)
        told: list[Emission] = []

        async def write(connection: Connection) -> Mapping[int, Sequence[Emission]]:
            found = await self.handler.handle(connection, poll)
            told.extend(each for of_lane in found.values() for each in of_lane)
            return found

        await transact(self.connection, self.incarnation, shares, now, write)
        return told

    async def assert_nothing_follows(self, records: Sequence[Record], now: datetime) -> None:
        """However the records are cut: no event, and every row as it was."""
        before = await state_digest(self.connection, left_out=())
        offsets = {lane: (dict(each.offsets), dict(each.watermarks)) for lane, each in self.states.items()}
        for words, polls in cuts(self.handler, records):
            for poll in polls:
                told = await self.hand_in(poll, now)
                assert [(each.event_type, each.body) for each in told] == [], (words, _named(poll))
            after = await state_digest(self.connection, left_out=())
            changed = [table for table in before if after[table] != before[table]]
            assert changed == [], f"{words}: rows of {changed} are others"
        rows = await self.connection.fetch(SQL["read_lanes"], list(self.states))
        assert {
            row["lane"]: (
                json.loads(row["offsets"]),
                {tuple(name.split("|")): seq for name, seq in json.loads(row["watermarks"]).items()},
            )
            for row in rows
        } == offsets


def _named(records: Iterable[Record]) -> list[str]:
    return [f"{each.topic}/{each.partition}@{each.offset}" for each in records]


def cuts(handler: Handler, records: Sequence[Record]) -> Iterator[Cut]:
    """All at once; topic by topic, there and back; and in slices of each lane, the last of them first."""
    topics = [each.topic for each in handler.inputs]
    # Within a lane: topics in the order of the inputs, each in that of its offsets.
    ordered = sorted(records, key=lambda each: (each.partition, topics.index(each.topic), each.offset))
    yield "all at once", [ordered]
    by_topic = [[each for each in ordered if each.topic == topic] for topic in topics]
    yield "topic by topic", [each for each in by_topic if each]
    yield "the last topic first", [each for each in reversed(by_topic) if each]
    lanes: dict[int, list[Record]] = {}
    for each in ordered:
        lanes.setdefault(each.partition, []).append(each)
    for size in SIZES:
        longest = max(map(len, lanes.values()))
        polls = [
            [each for of_lane in lanes.values() for each in of_lane[first : first + size]]
            for first in range(0, longest, size)
        ]
        yield f"{size} at a time", polls
        yield f"{size} at a time, backwards", polls[::-1]


@asynccontextmanager
async def owner_of(dsn: str, handler: Handler, partitions: int) -> AsyncIterator[Owner]:
    """Takes all lanes over; those of a database that no instance has worked on are made."""
    connection = await connect(dsn, "handled again")
    try:
        await connection.execute(SQL["create_cluster"], partitions)
        topics = json.dumps({each.topic: 0 for each in handler.inputs})
        for lane in range(partitions):
            await connection.execute(SQL["create_lane"], lane, topics, "[]", "{}")
        cluster = await connection.fetchrow(SQL["read_cluster"])
        assert cluster is not None
        epochs = {}
        for lane in range(partitions):
            epoch = await raise_epoch(connection, dsn, lane, "take_over", lane, "handled again")
            assert epoch is not None
            epochs[lane] = epoch
        taken = await read_taken(connection, epochs)
        assert taken.stopped == {}
        yield Owner(dsn, connection, handler, partitions, cluster["incarnation"], taken.states)
    finally:
        await connection.close()


async def read_back(bootstrap: str, topics: Iterable[str], partitions: int) -> list[Record]:
    """All records of these topics, as a consumer hands them over."""
    places = [TopicPartition(topic, lane) for topic in topics for lane in range(partitions)]
    reader = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await reader.start()
    found: list[Record] = []
    try:
        reader.assign(places)
        await reader.seek_to_beginning(*places)
        ends = await reader.end_offsets(places)
        while any([await reader.position(place) < ends[place] for place in places]):
            for records in (await reader.getmany(timeout_ms=500)).values():
                found += records
    finally:
        await reader.stop()
    return found
