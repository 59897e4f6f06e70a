"""Two lanes on a real database under the real handling: one breaks something, the other goes on."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from goodfunds.clock import SystemClock
from goodfunds.lanes import Emission, Poll
from goodfunds.lanes.frame import OutboxRow
from goodfunds.lanes.handling import Handling
from goodfunds.lanes.held import HeldLanes
from goodfunds.lanes.records import Connection
from goodfunds.lanes.state import LaneState
from goodfunds.lanes.takeover import raise_epoch, read_taken
from goodfunds.postgres import connect
from tests.integration.tampering import unguarded
from tests.stand_ins import Consumer, Record, Service

INCARNATION = "first"
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

Fault = str | Callable[[Connection], Awaitable[None]]
"""What a handler does wrong within its transaction: a statement, or anything."""


class Faulty(Service):
    """Does what is wrong on lane 0; a mark in the outbox for every record besides."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    async def handle(self, connection: Connection, poll: Poll) -> Mapping[int, list[Emission]]:
        emissions: dict[int, list[Emission]] = {}
        for lane, records in poll.records.items():
            for record in records:
                await connection.execute("INSERT INTO marks VALUES ($1, $2)", lane, record.offset)
                emissions.setdefault(lane, []).append(Emission("out", lane, b"k", "Marked", b"1", b""))
        if 0 in poll.records:
            if isinstance(self._fault, str):
                await connection.execute(self._fault)
            else:
                await self._fault(connection)
        return emissions


@dataclass
class Publisher:
    """Keeps what it is given."""

    lanes: list[int] = field(default_factory=list)

    def publish(self, state: LaneState, rows: Sequence[OutboxRow]) -> None:
        self.lanes += [row.lane for row in rows]


@dataclass(frozen=True)
class Outcome:
    """What is in the database once a poll of both lanes was handled."""

    stopped: dict[int, str]
    stops: list[dict[str, Any]]
    marks: list[tuple[int, int]]
    parked: int
    published: list[int]
    held: set[int]


async def prepare(dsn: str, seeds: Sequence[str]) -> None:
    """Give a service's database two lanes, and rows to break."""
    connection = await connect(dsn)
    async with AsyncExitStack() as held:
        held.push_async_callback(connection.close)
        await connection.execute("CREATE TABLE marks (lane integer, source_offset bigint)")
        await connection.execute(f"INSERT INTO cluster (incarnation, partitions) VALUES ('{INCARNATION}', 2)")
        await connection.execute(
            "INSERT INTO lanes (lane, incarnation, offsets, watermarks, outbox_seq, published_seq,"
            " destinations)"
            f" SELECT lane, '{INCARNATION}', '{{\"in\": 7}}', '{{\"in|other|0\": 5}}', 3, 3,"
            " jsonb_build_object('out/' || lane, 4) FROM generate_series(0, 1) AS lane"
        )
        async with unguarded(connection):
            for seed in seeds:
                await connection.execute(seed)


async def break_on(dsn: str, fault: Fault, value: bytes | None = b"1") -> Outcome:
    """Have a record of each lane handled in one poll, the one of lane 0 with a fault; then set all free."""
    connection = await connect(dsn, "invariant tests")
    try:
        epochs: dict[int, int] = {}
        for lane in (0, 1):
            epoch = await raise_epoch(connection, dsn, lane, "take_over", lane, "owner")
            assert epoch is not None
            epochs[lane] = epoch
        consumer: Any = Consumer()
        held, publisher = HeldLanes(consumer), Publisher()
        taken = await read_taken(connection, epochs)
        for state in taken.states.values():
            held.hold(state)
        start = {lane: state.offsets["in"] for lane, state in taken.states.items()}
        sending: Any = publisher
        handling = Handling(Faulty(fault), held, connection, sending, INCARNATION, 2, SystemClock())
        records = {
            lane: [Record(start[lane], value, partition=lane, headers=[("h", b"x")])] for lane in (0, 1)
        }
        await handling.handle(records, {})
        rows = await connection.fetch(
            "SELECT lane, stopped_reason FROM lanes WHERE stopped_reason IS NOT NULL"
        )
        stops = [dict(row) for row in await connection.fetch("SELECT * FROM lane_stops ORDER BY stop_id")]
        for stop in stops:
            for name in ("ranges", "records", "work", "memory", "database_fault"):
                stop[name] = None if stop[name] is None else json.loads(stop[name])
        marks = await connection.fetch("SELECT * FROM marks ORDER BY lane")
        parked = await connection.fetchval("SELECT count(*) FROM parked")
        await connection.execute("UPDATE lanes SET stopped_reason = NULL, stopped_at = NULL")
        await connection.execute("TRUNCATE lane_stops, marks, parked")
        return Outcome(
            {row[0]: row[1] for row in rows}, stops, [tuple(row) for row in marks], parked,
            publisher.lanes, set(held.states),
        )  # fmt: skip
    finally:
        await connection.close()


def assert_stopped_with_evidence(outcome: Outcome, constraint: str | None, says: str = "") -> None:
    """Lane 0 is rolled back, stopped and its evidence written; lane 1 went on; nothing was parked."""
    assert set(outcome.stopped) == {0}
    assert outcome.held == {1}
    assert [lane for lane, _ in outcome.marks] == [1]
    assert outcome.published == [1]
    assert outcome.parked == 0
    (stop,) = outcome.stops
    assert stop["lane"] == 0
    assert stop["reason"] == outcome.stopped[0]
    assert says in stop["reason"]
    (record,) = stop["records"]
    offset = record["offset"]
    assert stop["ranges"] == [
        {"topic": "in", "partition": 0, "first_offset": offset, "last_offset": offset, "count": 1}
    ]
    assert bytes.fromhex(record["key"]) == b"account"
    assert stop["memory"]["offsets"] == {"in": offset}
    assert stop["memory"]["watermarks"] == {"in|other|0": 5}
    assert stop["memory"]["outbox_seq"] == 3
    assert "Traceback" in stop["traceback"]
    if constraint is not None:
        assert stop["database_fault"]["constraint"] == constraint
        assert stop["database_fault"]["sqlstate"].startswith("23")
