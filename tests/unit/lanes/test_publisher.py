"""What leaves a lane: in order for each partition, nothing after a failure, and no hole is published over."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from goodfunds.errors import DeliveryFailed, InvariantBroken
from goodfunds.lanes import publisher as of_publisher
from goodfunds.lanes.frame import OutboxRow, number, pack, unpack
from goodfunds.lanes.publisher import Publisher
from goodfunds.lanes.records import Emission
from goodfunds.lanes.state import LaneState

ANSWER_TIMEOUT = 1.0
NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Batch:
    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def append(self, *, timestamp: None, key: bytes, value: bytes, headers: Any) -> object:
        self.bodies.append(value)
        return self

    def close(self) -> None:
        pass


class Producer:
    """Hands out a future for each batch; the test answers. Stopping never ends while `stuck`."""

    def __init__(self, **settings: Any) -> None:
        self.sent: list[tuple[int, list[bytes], asyncio.Future[Any]]] = []
        self.stuck = False
        self.sender: asyncio.Task[Any] | None = None
        self._sender = SimpleNamespace(sender_task=None)
        self.client = SimpleNamespace(close=self._close)
        self.closed = False

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.sent.append((partition, batch.bodies, future))
        return future

    async def stop(self) -> None:
        if self.stuck:
            await asyncio.Event().wait()

    async def _close(self) -> None:
        self.closed = True

    def answer(self, place: int, offset: int) -> None:
        self.sent[place][2].set_result(SimpleNamespace(offset=offset))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> tuple[Publisher, Producer]:
    monkeypatch.setattr(of_publisher, "AIOKafkaProducer", Producer)
    publisher = Publisher("", "copier.1", ANSWER_TIMEOUT)
    producer: Any = publisher._producer
    return publisher, producer


def row(state: LaneState, outbox_seq: int, *partitions: int) -> OutboxRow:
    emissions = [Emission("out", each, b"k", "Copied", b"%d" % outbox_seq, b"") for each in partitions]
    topics, count, frame = pack(number(emissions, state.next_seq))
    return OutboxRow(state.lane, outbox_seq, NOW, topics, count, frame)


async def turns() -> None:
    """Enough turns of the loop for every task to get as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


def bodies(producer: Producer) -> Sequence[tuple[int, list[bytes]]]:
    return [(partition, found) for partition, found, _ in producer.sent]


async def test_a_partitions_next_batch_waits_for_the_answer_to_the_last(
    made: tuple[Publisher, Producer],
) -> None:
    publisher, producer = made
    state = LaneState(0, 1, 1, {})
    publisher.publish(state, [row(state, 1, 0)])
    await turns()
    publisher.publish(state, [row(state, 2, 0), row(state, 3, 0)])
    await turns()
    assert bodies(producer) == [(0, [b"1"])]
    producer.answer(0, 40)
    await turns()
    assert bodies(producer) == [(0, [b"1"]), (0, [b"2", b"3"])]
    assert state.published_seq == 1
    producer.answer(1, 41)
    await publisher.wait_below(1)
    assert state.published_seq == 3
    assert state.acknowledged == {("out", 0): 42}


async def test_what_no_longer_fits_into_a_batch_goes_first_into_the_next(
    made: tuple[Publisher, Producer], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Small(Batch):
        def append(self, **of: Any) -> object:
            return super().append(**of) if len(self.bodies) < 2 else None

    publisher, producer = made
    monkeypatch.setattr(producer, "create_batch", Small)
    state = LaneState(0, 1, 1, {})
    publisher.publish(state, [row(state, 1, 0, 0, 0), row(state, 2, 0)])
    await turns()
    producer.answer(0, 40)
    await turns()
    assert bodies(producer) == [(0, [b"1", b"1"]), (0, [b"1", b"2"])]
    assert state.published_seq == 0
    producer.answer(1, 42)
    await publisher.wait_below(1)
    assert state.published_seq == 2


async def test_few_events_of_many_bytes_are_waited_for_as_many_events_are(
    made: tuple[Publisher, Producer], monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher, producer = made
    state = LaneState(0, 1, 1, {})
    first, second = row(state, 1, 0), row(state, 2, 0)
    monkeypatch.setattr(of_publisher, "_MOST_BYTES", len(first.frame) + 1)
    publisher.publish(state, [first])
    await publisher.wait_below(100)
    publisher.publish(state, [second])
    waiting = asyncio.ensure_future(publisher.wait_below(100))
    await turns()
    assert not waiting.done()
    producer.answer(0, 0)
    await asyncio.wait_for(waiting, 5)


async def test_published_seq_never_passes_a_hole(made: tuple[Publisher, Producer]) -> None:
    publisher, producer = made
    state = LaneState(0, 1, 1, {})
    publisher.publish(state, [row(state, 1, 0, 1), row(state, 2, 2), row(state, 3, 1)])
    await turns()
    by_partition = {partition: place for place, (partition, _, _) in enumerate(producer.sent)}
    producer.answer(by_partition[2], 0)
    producer.answer(by_partition[1], 0)
    await turns()
    assert state.published_seq == 0
    assert publisher.pending(0)
    producer.answer(by_partition[0], 0)
    await publisher.wait_below(1)
    assert state.published_seq == 3
    assert not publisher.pending(0)


async def test_after_a_failed_delivery_nothing_newer_is_handed_over(
    made: tuple[Publisher, Producer],
) -> None:
    publisher, producer = made
    state = LaneState(0, 1, 1, {})
    publisher.publish(state, [row(state, 1, 0), row(state, 2, 1)])
    await turns()
    publisher.publish(state, [row(state, 3, 0), row(state, 4, 1)])
    producer.sent[0][2].set_exception(OSError("refused"))
    await turns()
    producer.answer(1, 0)
    publisher.publish(state, [row(state, 5, 2)])
    await turns()
    assert len(producer.sent) == 2
    assert state.published_seq == 0
    with pytest.raises(DeliveryFailed):
        publisher.check()
    with pytest.raises(DeliveryFailed):
        await publisher.wait_below(1)


async def test_an_answer_that_never_comes_is_a_failed_delivery(
    made: tuple[Publisher, Producer],
) -> None:
    """The client tries an idempotent batch again for ever; a lane must not wait as long."""
    publisher, _ = made
    state = LaneState(0, 1, 1, {})
    publisher.publish(state, [row(state, 1, 0)])
    async with asyncio.timeout(5):
        with pytest.raises(DeliveryFailed):
            await publisher.wait_below(1)


async def test_a_producer_that_does_not_stop_is_ended(
    made: tuple[Publisher, Producer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left alone it would go on sending what its lanes' next owner has published long since."""
    monkeypatch.setattr(of_publisher, "_STOP_SECONDS", 0.05)
    publisher, producer = made
    producer.stuck = True
    sender = asyncio.ensure_future(asyncio.Event().wait())
    producer._sender.sender_task = sender
    async with asyncio.timeout(5):
        await publisher.stop()
    await turns()
    assert sender.cancelled()
    assert producer.closed


async def test_a_repeated_batch_without_a_known_offset_is_acknowledged_all_the_same(
    made: tuple[Publisher, Producer],
) -> None:
    publisher, producer = made
    state = LaneState(0, 1, 1, {}, acknowledged={("out", 0): 9})
    publisher.publish(state, [row(state, 1, 0, 0)])
    await turns()
    producer.answer(0, -1)
    await publisher.wait_below(1)
    assert state.published_seq == 1
    assert state.acknowledged == {("out", 0): 9}


async def test_a_row_that_does_not_follow_the_last_one_is_not_published(
    made: tuple[Publisher, Producer],
) -> None:
    """What lies between would never be sent, and whoever reads would see a gap."""
    publisher, producer = made
    state = LaneState(0, 1, 1, {}, outbox_seq=5, published_seq=2)
    with pytest.raises(InvariantBroken, match="0/4 follows 2"):
        publisher.publish(state, [row(state, 4, 0)])
    publisher.publish(state, [row(state, 3, 0)])
    with pytest.raises(InvariantBroken, match="0/5 follows 3"):
        publisher.publish(state, [row(state, 5, 0)])
    await turns()
    assert bodies(producer) == [(0, [b"3"])]


async def test_a_lane_taken_again_publishes_its_tail_though_an_earlier_ownership_has_it_on_its_way(
    made: tuple[Publisher, Producer],
) -> None:
    publisher, producer = made
    before = LaneState(0, 1, 1, {}, outbox_seq=2, published_seq=0)
    publisher.publish(before, [row(before, 1, 0), row(before, 2, 0)])
    again = LaneState(0, 2, 1, {}, outbox_seq=2, published_seq=0)
    publisher.publish(again, [row(again, 1, 0), row(again, 2, 0), row(again, 3, 0)])
    await turns()
    producer.answer(0, 4)
    await turns()
    assert (before.published_seq, again.published_seq) == (2, 3)


async def test_what_is_published_again_goes_out_in_order_and_moves_nothing_on(
    made: tuple[Publisher, Producer],
) -> None:
    publisher, producer = made
    state = LaneState(0, 1, 1, {}, published_seq=9)
    rows = [row(state, 3, 0, 1), row(state, 4, 0)]
    again = asyncio.ensure_future(
        publisher.publish_again(state, [(each, list(unpack(each))) for each in rows])
    )
    await turns()
    assert bodies(producer) == [(0, [b"3", b"4"])]
    producer.answer(0, 40)
    await turns()
    assert bodies(producer)[1:] == [(1, [b"3"])]
    assert not again.done()
    producer.answer(1, 41)
    await again
    assert (state.published_seq, state.acknowledged, publisher.in_flight) == (9, {}, 0)


async def test_what_cannot_be_published_again_ends_the_publisher_for_all(
    made: tuple[Publisher, Producer],
) -> None:
    publisher, producer = made
    state = LaneState(0, 1, 1, {})
    found = row(state, 1, 0)
    again = asyncio.ensure_future(publisher.publish_again(state, [(found, list(unpack(found)))]))
    await turns()
    producer.sent[0][2].set_exception(TimeoutError("no answer"))
    with pytest.raises(DeliveryFailed, match="no answer"):
        await again
    with pytest.raises(DeliveryFailed):
        publisher.check()
