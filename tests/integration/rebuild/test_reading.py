"""Topics are read by the times of their records, whatever partition each is in, to ends that may move on."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from goodfunds.rebuild.reading import MergedTopics, Places
from tests.conftest import MakeTopics

Written = Sequence[tuple[str, int, int]]
"""(topic, partition, time in ms), in the order in which they are sent."""


@pytest.fixture
async def topics(kafka: Any, make_topics: MakeTopics) -> AsyncIterator[tuple[MergedTopics, Any]]:
    names = [f"{name}-{uuid4().hex[:8]}" for name in ("a", "b")]
    await make_topics(names, 2)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()

    async def write(written: Written) -> None:
        for name, partition, time in written:
            topic = names["ab".index(name)]
            await producer.send_and_wait(topic, b"%d" % time, partition=partition, timestamp_ms=time)

    merged = MergedTopics(kafka.bootstrap, names, [0, 1])
    await merged.start()
    yield merged, write
    await merged.stop()
    await producer.stop()


async def times(merged: MergedTopics, ends: Places, most: int = 100) -> list[list[int]]:
    """The polls to these ends, each as its records' times."""
    polls = []
    while records := await merged.next(ends, most):
        polls.append([each.timestamp for each in records])
    return polls


DAY = 1_700_000_000_000


async def test_records_come_by_their_time_and_not_beyond_the_ends(topics: Any) -> None:
    merged, write = topics
    await write([("a", 0, DAY + 1), ("a", 0, DAY + 4), ("a", 1, DAY + 5)])
    await write([("b", 1, DAY + 2), ("b", 0, DAY + 3)])
    _, ends = await merged.bounds()
    (a, b) = sorted({topic for topic, _ in ends})
    first = {**ends, (a, 0): 1}
    assert await times(merged, first, 2) == [[DAY + 1, DAY + 2], [DAY + 3, DAY + 5]]
    await write([("b", 0, DAY + 6)])
    assert await times(merged, {**ends, (b, 0): 2}) == [[DAY + 4, DAY + 6]]
    assert await times(merged, {**ends, (b, 0): 2}) == []


async def test_a_poll_spans_a_minute_at_most(topics: Any) -> None:
    merged, write = topics
    await write([("a", 0, DAY), ("b", 0, DAY + 60_000), ("a", 0, DAY + 60_001), ("a", 1, DAY + 120_001)])
    _, ends = await merged.bounds()
    assert await times(merged, ends) == [[DAY, DAY + 60_000], [DAY + 60_001, DAY + 120_001]]
