"""Before a lane publishes it looks for events of its own that its database does not know."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from goodfunds.lanes.consumer import LaneConsumer
from goodfunds.lanes.destinations import note_ends, unknown_events
from goodfunds.lanes.state import LaneState


@pytest.fixture
async def topic(kafka: Any, make_topics: Callable[..., Any]) -> str:
    name = f"destination-{uuid4().hex[:8]}"
    await make_topics([name], 1)
    return name


async def send(bootstrap: str, topic: str, producer: bytes, seqs: range, **settings: Any) -> None:
    client = AIOKafkaProducer(bootstrap_servers=bootstrap, **settings)
    await client.start()
    try:
        if settings:
            await client.begin_transaction()
        for seq in seqs:
            headers = [("producer", producer), ("lane", b"3"), ("seq", b"%d" % seq)]
            await client.send_and_wait(topic, b"", b"k", 0, headers=headers)
        if settings:
            await client.commit_transaction()
    finally:
        await client.stop()


async def test_what_others_sent_is_read_once_and_never_again(kafka: Any, topic: str) -> None:
    await send(kafka.bootstrap, topic, b"copier.1", range(1, 3))
    await send(kafka.bootstrap, topic, b"someone.else", range(1, 40))
    state = LaneState(3, 1, 1, {}, next_seq={(topic, 0): 3}, acknowledged={(topic, 0): 1})
    assert await unknown_events(kafka.bootstrap, "copier.1", [topic], {3: state}) == {}
    assert state.acknowledged == {(topic, 0): 40}


async def test_a_lane_that_sent_nothing_for_long_follows_its_destinations_all_the_same(
    kafka: Any, topic: str
) -> None:
    state = LaneState(3, 1, 1, {}, acknowledged={(topic, 0): -1})
    await send(kafka.bootstrap, topic, b"someone.else", range(1, 6))
    await note_ends(kafka.bootstrap, [topic], lambda: [state])
    assert state.acknowledged == {(topic, 0): 4}


async def test_a_lane_is_told_where_its_inputs_end_though_nothing_was_fetched(kafka: Any, topic: str) -> None:
    await send(kafka.bootstrap, topic, b"someone.else", range(1, 6))
    consumer = LaneConsumer(kafka.bootstrap, "group", [topic])
    consumer._seeked = {TopicPartition(topic, 0)}
    await note_ends(kafka.bootstrap, [], list, consumer)
    assert consumer._ends == {TopicPartition(topic, 0): 5}


async def test_an_event_of_its_own_that_the_database_does_not_know_is_found(kafka: Any, topic: str) -> None:
    await send(kafka.bootstrap, topic, b"copier.1", range(1, 6))
    state = LaneState(3, 1, 1, {}, next_seq={(topic, 0): 5}, acknowledged={(topic, 0): 1})
    found = await unknown_events(kafka.bootstrap, "copier.1", [topic], {3: state})
    assert found == {3: f"{topic}/0 offset 4"}


async def test_a_partition_that_ends_in_a_clients_transaction_marker_is_read_to_its_end(
    kafka: Any, topic: str
) -> None:
    await send(kafka.bootstrap, topic, b"client", range(1, 3), transactional_id=uuid4().hex)
    state = LaneState(3, 1, 1, {}, acknowledged={(topic, 0): -1})
    async with asyncio.timeout(20):
        assert await unknown_events(kafka.bootstrap, "copier.1", [topic], {3: state}) == {}
    assert state.acknowledged == {(topic, 0): 2}
