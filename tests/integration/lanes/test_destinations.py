"""Before a lane publishes it looks for events of its own producer that its database does not know."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from goodfunds.lanes.consumer import LaneConsumer
from goodfunds.lanes.destinations import Unknown, note_ends, unknown_events
from goodfunds.lanes.records import Connection
from goodfunds.lanes.state import LaneState
from goodfunds.lanes.takeover import read_taken
from goodfunds.postgres import connect


@pytest.fixture
async def topic(kafka: Any, make_topics: Callable[..., Any]) -> str:
    name = f"destination-{uuid4().hex[:8]}"
    await make_topics([name], 2)
    return name


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    connection = await connect(database)
    yield connection
    await connection.close()


async def lane(
    connection: Connection, number: int, destinations: dict[str, int], acknowledged: dict[str, int]
) -> LaneState:
    """A lane's row, and what its owner reads of it."""
    await connection.execute(
        "INSERT INTO lanes (lane, incarnation, epoch, offsets, destinations, acknowledged) "
        "VALUES ($1, 'i', 7, '{}', $2, $3)",
        number, json.dumps(destinations), json.dumps(acknowledged),
    )  # fmt: skip
    return (await read_taken(connection, {number: 7})).states[number]


async def send(
    bootstrap: str,
    topic: str,
    producer: bytes,
    seqs: range,
    lane: int = 0,
    partition: int = 0,
    **settings: Any,
) -> None:
    client = AIOKafkaProducer(bootstrap_servers=bootstrap, **settings)
    await client.start()
    try:
        if settings:
            await client.begin_transaction()
        for seq in seqs:
            headers = [("producer", producer), ("lane", b"%d" % lane), ("seq", b"%d" % seq)]
            await client.send_and_wait(topic, b"", b"k", partition, headers=headers)
        if settings:
            await client.commit_transaction()
    finally:
        await client.stop()


async def test_what_others_sent_is_read_once_and_never_again(
    kafka: Any, topic: str, connection: Connection
) -> None:
    await send(kafka.bootstrap, topic, b"copier.1", range(1, 3))
    await send(kafka.bootstrap, topic, b"someone.else", range(1, 40))
    state = await lane(connection, 0, {f"{topic}/0": 3}, {f"{topic}/0": 1})
    assert await unknown_events(connection, kafka.bootstrap, "copier.1", [topic], {0: state}) == {}
    assert state.acknowledged == {(topic, 0): 40}


async def test_a_lane_that_sent_nothing_for_long_follows_its_destinations_all_the_same(
    kafka: Any, topic: str
) -> None:
    state = LaneState(0, 1, 1, {}, acknowledged={(topic, 0): -1})
    await send(kafka.bootstrap, topic, b"someone.else", range(1, 6))
    await note_ends(kafka.bootstrap, [topic], lambda: [state])
    assert state.acknowledged == {(topic, 0): 4}


async def test_a_lane_is_told_where_its_inputs_end_though_nothing_was_fetched(kafka: Any, topic: str) -> None:
    await send(kafka.bootstrap, topic, b"someone.else", range(1, 6))
    consumer = LaneConsumer(kafka.bootstrap, "group", [topic])
    consumer._seeked = {TopicPartition(topic, 0)}
    await note_ends(kafka.bootstrap, [], list, consumer)
    assert consumer._ends == {TopicPartition(topic, 0): 5}


async def test_an_event_of_its_own_that_the_database_does_not_know_is_found(
    kafka: Any, topic: str, connection: Connection
) -> None:
    await send(kafka.bootstrap, topic, b"copier.1", range(1, 6))
    state = await lane(connection, 0, {f"{topic}/0": 5}, {f"{topic}/0": 1})
    found = await unknown_events(connection, kafka.bootstrap, "copier.1", [topic], {0: state})
    assert found == {0: Unknown(7, f"{topic}/0 offset 4")}


@pytest.mark.parametrize("taken", [0, 1])
async def test_an_event_for_a_partition_of_which_its_lane_knows_nothing_is_found_by_whoever_takes_a_lane(
    kafka: Any, topic: str, connection: Connection, taken: int
) -> None:
    """Set back to before lane 0 re-keyed its first event to lane 1, which alone has looked there."""
    await send(kafka.bootstrap, topic, b"copier.1", range(1, 3), lane=0, partition=1)
    states = {
        0: await lane(connection, 0, {}, {f"{topic}/0": -1}),
        1: await lane(connection, 1, {}, {f"{topic}/1": -1}),
    }
    found = await unknown_events(connection, kafka.bootstrap, "copier.1", [topic], {taken: states[taken]})
    assert found == {0: Unknown(7, f"{topic}/1 offset 1")}


async def test_what_its_next_owner_has_published_meanwhile_is_known(
    kafka: Any, topic: str, connection: Connection
) -> None:
    state = await lane(connection, 0, {}, {f"{topic}/0": -1})
    await send(kafka.bootstrap, topic, b"copier.1", range(1, 3))
    await connection.execute("UPDATE lanes SET epoch = 8, destinations = $1", json.dumps({f"{topic}/0": 3}))
    assert await unknown_events(connection, kafka.bootstrap, "copier.1", [topic], {0: state}) == {}


async def test_a_feed_looks_for_its_own_events_from_where_it_has_looked_itself(
    kafka: Any, topic: str, connection: Connection
) -> None:
    """The lanes of its database look for theirs: that they have read on says nothing of the feed's."""
    await send(kafka.bootstrap, topic, b"numbers.1", range(1, 3), lane=-1)
    await lane(connection, 0, {}, {f"{topic}/0": 1})
    state = await lane(connection, -1, {}, {f"{topic}/0": -1})
    found = await unknown_events(connection, kafka.bootstrap, "numbers.1", [topic], {-1: state})
    assert found == {-1: Unknown(7, f"{topic}/0 offset 1")}


async def test_a_partition_that_ends_in_a_clients_transaction_marker_is_read_to_its_end(
    kafka: Any, topic: str, connection: Connection
) -> None:
    await send(kafka.bootstrap, topic, b"client", range(1, 3), transactional_id=uuid4().hex)
    state = await lane(connection, 0, {}, {f"{topic}/0": -1})
    async with asyncio.timeout(20):
        assert await unknown_events(connection, kafka.bootstrap, "copier.1", [topic], {0: state}) == {}
    assert state.acknowledged == {(topic, 0): 2}


async def test_an_event_of_another_life_of_the_database_is_found_whatever_its_number(
    kafka: Any, topic: str, connection: Connection
) -> None:
    """Set back a second time, to before the restore that was announced: its own numbers are all known."""
    await send(kafka.bootstrap, topic, b"copier.2", range(1, 3))
    state = await lane(connection, 0, {f"{topic}/0": 5}, {f"{topic}/0": -1})
    found = await unknown_events(connection, kafka.bootstrap, "copier.1", [topic], {0: state})
    assert found == {0: Unknown(7, f"{topic}/0 offset 1")}


async def test_a_lane_that_has_yet_to_adopt_is_left_to_its_next_owner(
    kafka: Any, topic: str, connection: Connection
) -> None:
    await send(kafka.bootstrap, topic, b"copier.1", range(1, 6))
    state = await lane(connection, 0, {f"{topic}/0": 1}, {f"{topic}/0": -1})
    await connection.execute("UPDATE lanes SET restored_at = now()")
    assert await unknown_events(connection, kafka.bootstrap, "copier.2", [topic], {0: state}) == {}


async def test_a_lane_whose_owner_ends_its_adoption_while_others_read_the_topics_is_left_alone(
    kafka: Any, topic: str, connection: Connection
) -> None:
    """Its rows were those of the backup when the reading began, and are not any more when it ends."""
    await send(kafka.bootstrap, topic, b"copier.1", range(1, 6))
    await lane(connection, 0, {f"{topic}/0": 1}, {f"{topic}/0": -1})
    state = await lane(connection, 1, {}, {f"{topic}/1": -1})
    await connection.execute("UPDATE lanes SET restored_at = now() WHERE lane = 0")

    class Meanwhile:
        """Each look at the rows is followed by the end of the adoption."""

        async def fetch(self, *statement: Any) -> Any:
            found = await connection.fetch(*statement)
            await connection.execute(
                "UPDATE lanes SET restored_at = NULL, destinations = $1 WHERE lane = 0",
                json.dumps({f"{topic}/0": 6}),
            )
            return found

    looking: Any = Meanwhile()
    assert await unknown_events(looking, kafka.bootstrap, "copier.2", [topic], {1: state}) == {}
