"""A database that came back from a backup: its lanes adopt what they had told since, and then go on."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from goodfunds.clock import SystemClock
from goodfunds.errors import Misconfigured, Unavailable
from goodfunds.lanes import Emission, LaneLoop, LaneSettings, Poll, lane_of
from goodfunds.lanes.announce import announce_restore
from goodfunds.lanes.frame import number, pack, unpack
from goodfunds.lanes.records import Adopt, Connection, OwnEvent
from goodfunds.lanes.restore import NOT_BUILT, Adopted, adopt_own
from goodfunds.lanes.takeover import read_taken
from goodfunds.postgres import connect
from tests.integration.lanes.copier import Copier
from tests.integration.lanes.stage import PROVE_EVERY, SESSION_TIMEOUT, Stage

PARTITIONS = 4
NOW = datetime.now(UTC)


class Restorable(Copier):
    """A copier that knows what it has copied by key and number, and adopts what it has told."""

    async def handle(self, connection: Connection, poll: Poll) -> Mapping[int, list[Emission]]:
        rows = await connection.fetch("SELECT key, number FROM handled")
        known = {(row["key"], row["number"]) for row in rows}
        new = {
            lane: [
                each for each in records if ((each.key or b"").decode(), int(each.value or b"")) not in known
            ]
            for lane, records in poll.records.items()
        }
        return await super().handle(connection, replace(poll, records=new))

    async def adopt(self, connection: Connection, lane: int, events: Sequence[OwnEvent]) -> None:
        await connection.executemany(
            "INSERT INTO handled SELECT $1, $2, $3, $4 "
            "WHERE NOT EXISTS (SELECT FROM handled WHERE key = $3 AND number = $4)",
            [(lane, -1, each.key.decode(), int(each.body)) for each in events],
        )


@pytest.fixture
async def stage(kafka: Any, database: str, make_topics: Callable[..., Any]) -> Stage:
    name = uuid4().hex[:8]
    stage = Stage(kafka.bootstrap, database, f"in-{name}", f"out-{name}", PARTITIONS)
    await make_topics([stage.source, stage.target], PARTITIONS)
    return stage


@asynccontextmanager
async def running(stage: Stage, handler: Copier, adopt: Adopt | None) -> AsyncIterator[LaneLoop]:
    """A loop of its own, stopped in good order."""
    settings = LaneSettings(
        stage.dsn, stage.bootstrap, PARTITIONS, owner=uuid4().hex, session_timeout=SESSION_TIMEOUT,
        prove_every=PROVE_EVERY,
    )  # fmt: skip
    loop = LaneLoop(handler, settings, adopt=adopt)
    stop = asyncio.Event()
    task = asyncio.create_task(loop.run(stop))
    try:
        yield loop
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)


async def copy_database(postgres: Any, dsn: str, name: str) -> str:
    """A copy of a database that nobody works on."""
    await postgres.drop(name)
    return str(await postgres.create(name, like=dsn.rpartition("/")[2]))


@pytest.fixture
async def backup(postgres: Any, stage: Stage) -> AsyncIterator[str]:
    """The name of a database to keep a backup in."""
    name = f"backup_{uuid4().hex[:12]}"
    yield name
    await postgres.drop(name)


async def work(stage: Stage, handler: Restorable) -> None:
    async with running(stage, handler, handler.adopt):
        await stage.until_handled()
        await stage.until_published()


async def announce(stage: Stage) -> Any:
    connection = await connect(stage.dsn, "goodfunds test")
    try:
        return await announce_restore(connection, "goodfunds test")
    finally:
        await connection.close()


async def assert_each_once_and_gapless(stage: Stage) -> set[bytes]:
    """Each record is one row, and by number one event of the service; the names it went by."""
    rows = await stage.fetch("SELECT key, number FROM handled")
    assert sorted((row["key"], row["number"]) for row in rows) == sorted(
        (key, number) for key, numbers in stage.sent.items() for number in numbers
    )
    last: dict[tuple[int, bytes], int] = {}
    heard: dict[str, list[int]] = {}
    names = set()
    for partition, key, found, headers in await stage.events():
        names.add(headers["producer"])
        of, seq = (partition, headers["lane"]), int(headers["seq"])
        if seq > last.get(of, 0):
            assert seq == last.get(of, 0) + 1
            last[of] = seq
            heard.setdefault(key, []).append(found)
    assert heard == stage.sent
    return names


async def test_lanes_stop_then_the_restore_is_announced_and_all_is_complete_and_nothing_told_twice(
    stage: Stage, postgres: Any, backup: str
) -> None:
    handler = Restorable(stage.source, stage.target)
    await stage.publish(keys=10, each=10)
    await work(stage, handler)
    await copy_database(postgres, stage.dsn, backup)
    await stage.publish(keys=10, each=10)
    await work(stage, handler)
    await copy_database(postgres, postgres.dsn(backup), stage.dsn.rpartition("/")[2])
    busy = {lane_of(key, PARTITIONS) for key in stage.sent}
    async with running(stage, handler, handler.adopt):

        async def all_stopped() -> bool:
            found = await stage.fetch("SELECT lane FROM lanes WHERE stopped_reason LIKE '%older state?'")
            return {row["lane"] for row in found} == busy

        await stage.until("every busy lane stopped", all_stopped)
        with pytest.raises(Misconfigured, match="still connected: goodfunds copier lanes"):
            await announce(stage)
    announced = await announce(stage)
    assert (announced.lanes, announced.stopped) == (list(range(PARTITIONS)), {})
    await stage.publish(keys=10, each=5)
    await work(stage, handler)
    names = await assert_each_once_and_gapless(stage)
    assert f"copier.{announced.incarnation}".encode() in names
    assert len(names) == 2
    assert await stage.fetchval("SELECT count(*) FROM lanes WHERE restored_at IS NOT NULL") == 0
    assert await stage.fetchval("SELECT count(*) FROM handled WHERE source_offset = -1") == 100


async def test_a_database_set_back_twice_to_one_backup_adopts_both_lives(
    stage: Stage, postgres: Any, backup: str
) -> None:
    handler = Restorable(stage.source, stage.target)
    await stage.publish(keys=5, each=4)
    await work(stage, handler)
    await copy_database(postgres, stage.dsn, backup)
    for _ in range(2):
        await stage.publish(keys=5, each=4)
        await work(stage, handler)
        await copy_database(postgres, postgres.dsn(backup), stage.dsn.rpartition("/")[2])
        await announce(stage)
    await work(stage, handler)
    await stage.publish(keys=5, each=4)
    await work(stage, handler)
    assert len(await assert_each_once_and_gapless(stage)) == 3


async def test_a_crash_in_the_middle_of_adopting_does_no_harm(
    stage: Stage, postgres: Any, backup: str
) -> None:
    handler = Restorable(stage.source, stage.target)
    await stage.publish(keys=10, each=10)
    await work(stage, handler)
    await copy_database(postgres, stage.dsn, backup)
    await stage.publish(keys=10, each=10)
    await work(stage, handler)
    await copy_database(postgres, postgres.dsn(backup), stage.dsn.rpartition("/")[2])
    await announce(stage)
    calls = 0

    async def adopt(connection: Connection, lane: int, events: Sequence[OwnEvent]) -> None:
        nonlocal calls
        calls += 1
        await handler.adopt(connection, lane, events)
        if calls % 2 == 0 and calls < 6:
            raise Unavailable("the connection is lost")

    async with running(stage, handler, adopt):
        await stage.until_handled()
        await stage.until_published()
    await assert_each_once_and_gapless(stage)
    assert calls > 5


async def test_a_service_that_cannot_adopt_stops_its_lanes_and_says_so(stage: Stage) -> None:
    handler = Restorable(stage.source, stage.target)
    await stage.publish(keys=10, each=2)
    await work(stage, handler)
    await announce(stage)
    async with running(stage, handler, None):

        async def all_stopped() -> bool:
            return bool(
                await stage.fetchval("SELECT bool_and(stopped_reason LIKE $1) FROM lanes", f"%{NOT_BUILT}")
            )

        await stage.until("every lane stopped", all_stopped)


async def test_announcing_sets_free_only_what_the_safety_net_has_stopped(stage: Stage) -> None:
    await work(stage, Restorable(stage.source, stage.target))
    await stage.fetch("UPDATE lanes SET stopped_reason = 'a gap' WHERE lane = 1")
    await stage.fetch(
        "UPDATE lanes SET stopped_reason = 'x: was the database set back to an older state?' WHERE lane = 2"
    )
    announced = await announce(stage)
    assert announced.stopped == {1: "a gap"}
    rows = await stage.fetch("SELECT lane FROM lanes WHERE stopped_reason IS NOT NULL")
    assert [row["lane"] for row in rows] == [1]


async def test_a_database_on_which_nothing_worked_has_nothing_to_adopt(stage: Stage) -> None:
    with pytest.raises(Misconfigured, match="nothing has worked on this database"):
        await announce(stage)


async def send(stage: Stage, *seqs: int, lane: int = 0) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stage.bootstrap)
    await producer.start()
    try:
        for seq in seqs:
            headers = [("producer", b"copier.old"), ("lane", b"%d" % lane), ("seq", b"%d" % seq)]
            await producer.send_and_wait(stage.target, b"%d" % seq, b"k%d" % lane, 0, headers=headers)
    finally:
        await producer.stop()


@asynccontextmanager
async def set_back(
    stage: Stage, *lanes: int, next_seq: int, tail: Sequence[int] = ()
) -> AsyncIterator[Connection]:
    """Lanes whose backup knows numbers up to `next_seq` of one destination, with a `tail` yet to publish."""
    connection = await connect(stage.dsn, "goodfunds test")
    try:
        await connection.execute("INSERT INTO cluster (partitions) VALUES ($1)", PARTITIONS)
        for lane in lanes:
            await connection.execute(
                "INSERT INTO lanes (lane, incarnation, offsets, destinations, acknowledged, outbox_seq) "
                "VALUES ($1, 'old', '{}', $2, $3, $4)",
                lane, json.dumps({f"{stage.target}/0": next_seq}), json.dumps({f"{stage.target}/0": 0}),
                len(tail),
            )  # fmt: skip
            for place, seq in enumerate(tail, 1):
                emission = Emission(stage.target, 0, b"k", "Copied", b"%d" % seq, b"")
                topics, events, frame = pack(number([emission], {(stage.target, 0): seq}))
                await connection.execute(
                    "INSERT INTO outbox VALUES ($1, $2, $3, $4, $5, $6)",
                    lane,
                    place,
                    NOW,
                    topics,
                    events,
                    frame,
                )
        await announce_restore(connection, "goodfunds test")
        yield connection
    finally:
        await connection.close()


async def adopted(stage: Stage, connection: Connection, lane: int = 0) -> Adopted:
    """What a lane adopts that is taken over alone."""
    incarnation = await connection.fetchval("SELECT incarnation FROM cluster")
    epoch = await connection.fetchval("SELECT epoch FROM lanes WHERE lane = $1", lane)
    taken = await read_taken(connection, {lane: epoch})
    handler = Restorable(stage.source, stage.target)
    return await adopt_own(
        connection, stage.bootstrap, f"copier.{incarnation}", [stage.target], taken.states, taken.tails,
        handler.adopt, SystemClock(), {},
    )  # fmt: skip


@pytest.mark.parametrize("standing", [(), (1,), (1, 2), (1, 2, 1, 2, 3)])
async def test_of_what_the_backup_had_yet_to_publish_only_what_is_missing_goes_out_under_its_own_numbers(
    stage: Stage, standing: tuple[int, ...]
) -> None:
    """Some of it stands before the offset that the backup remembers, and counts all the same."""
    await send(stage, *standing)
    async with set_back(stage, 0, next_seq=4, tail=[1, 2, 3]) as connection:
        found = await adopted(stage, connection)
    assert found.faults == {}
    again = [event for row in found.rows[0] for event in unpack(row)]
    missing = [seq for seq in (1, 2, 3) if seq not in standing]
    assert [(event.seq, event.body) for event in again] == [(seq, b"%d" % seq) for seq in missing]
    (row,) = await stage.fetch("SELECT destinations, outbox_seq, published_seq, restored_at FROM lanes")
    assert json.loads(row["destinations"]) == {f"{stage.target}/0": 4}
    assert (row["outbox_seq"], row["published_seq"]) == (3 + bool(missing), 3)
    assert row["restored_at"] is None


async def test_facts_of_which_some_are_gone_from_the_topic_are_not_adopted(stage: Stage) -> None:
    await send(stage, 1, 2, 4, 5)
    async with set_back(stage, 0, next_seq=3) as connection:
        found = await adopted(stage, connection)
    assert found.rows == {}
    assert "is seq 4, and 3 is gone" in str(found.faults[0])
    assert await stage.fetchval("SELECT count(*) FROM handled") == 0
    assert await stage.fetchval("SELECT count(*) FROM lanes WHERE restored_at IS NOT NULL") == 1


async def test_a_lane_that_adopts_later_looks_from_where_the_backup_stood_though_others_have_looked_further(
    stage: Stage,
) -> None:
    """They share a destination; a crash, or another restore that is announced, comes between the two."""
    await send(stage, 1, 2, 3, lane=0)
    await send(stage, 1, 2, 3, lane=1)
    async with set_back(stage, 0, 1, next_seq=2) as connection:
        assert (await adopted(stage, connection, 0)).faults == {}
        await announce_restore(connection, "goodfunds test")
        assert (await adopted(stage, connection, 1)).faults == {}
    rows = await stage.fetch("SELECT lane, number FROM handled ORDER BY lane, number")
    assert [tuple(row) for row in rows] == [(0, 2), (0, 3), (1, 2), (1, 3)]
