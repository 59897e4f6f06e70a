"""A group member whose client meets what it cannot read, or breaks for good."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaConnectionError, KafkaError, KafkaTimeoutError

from goodfunds.errors import is_retriable
from goodfunds.lanes import consumer as of_consumer
from goodfunds.lanes import loop as of_loop
from goodfunds.lanes.consumer import LaneConsumer, UnreadablePartition
from goodfunds.lanes.loop import LaneLoop
from goodfunds.lanes.tuning import LaneSettings


@pytest.fixture
async def consumer() -> AsyncIterator[LaneConsumer]:
    consumer = LaneConsumer("127.0.0.1:1", "group", ("in",))
    yield consumer
    await consumer.stop()


async def test_a_partition_that_the_client_cannot_read_is_named(
    consumer: LaneConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client does not say which it is, and raising on would end every lane of the process."""
    good, bad = TopicPartition("in", 0), TopicPartition("in", 1)

    async def getmany(*partitions: TopicPartition, **named: Any) -> dict[TopicPartition, list[Any]]:
        if bad in partitions:
            raise CorruptRecordException("crc")
        return {}

    monkeypatch.setattr(consumer._consumer, "getmany", getmany)
    consumer._seeked = {good, bad}
    with pytest.raises(UnreadablePartition) as raised:
        await consumer.poll(0.0, 10)
    assert raised.value.place == bad


async def test_a_lane_is_read_from_its_offsets_and_no_other_partition_is_read(
    consumer: LaneConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was assigned and not taken over yet stands wherever the client happens to stand."""
    ours, assigned = TopicPartition("in", 0), TopicPartition("in", 1)
    seeked: list[tuple[TopicPartition, int]] = []
    asked: list[tuple[TopicPartition, ...]] = []

    async def getmany(*partitions: TopicPartition, **named: Any) -> dict[TopicPartition, list[Any]]:
        asked.append(partitions)
        return {ours: ["of ours"], assigned: ["of a fetch before"]}

    monkeypatch.setattr(consumer._consumer, "seek", lambda *of: seeked.append(of))
    monkeypatch.setattr(consumer._consumer, "resume", lambda *of: None)
    monkeypatch.setattr(consumer._consumer, "getmany", getmany)
    consumer.on_partitions_assigned([ours, assigned])
    assert consumer.seek(0, {"in": 7}, ["in"])
    assert seeked == [(ours, 7)]
    found: Any = await consumer.poll(0.0, 10)
    assert found == {0: ["of ours"]}
    assert asked == [(ours,)]


async def test_a_lane_is_ours_with_its_partition_of_every_topic_alone() -> None:
    consumer = LaneConsumer("127.0.0.1:1", "group", ("in", "other"))
    consumer.on_partitions_assigned(
        [TopicPartition("in", 0), TopicPartition("in", 1), TopicPartition("other", 1)]
    )
    assert consumer.lanes() == {1}
    assert not consumer.seek(0, {"in": 0, "other": 0}, ["in", "other"])
    await consumer.stop()


async def test_neither_a_poll_nor_joining_waits_for_ever_for_a_group_that_is_not_settled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A broker that goes away in the middle of a rebalance: whoever wants to stop would not be heard."""
    consumer = LaneConsumer("127.0.0.1:1", "group", ("in",), session_timeout=0.01)

    async def never(*of: Any, **named: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(of_consumer, "_ANSWER_SECONDS", 0.01)
    monkeypatch.setattr(consumer._consumer, "getmany", never)
    consumer._seeked = {TopicPartition("in", 0)}
    assert await asyncio.wait_for(consumer.poll(0.0, 10), 5) == {}
    monkeypatch.setattr(consumer._consumer, "start", never)
    with pytest.raises(TimeoutError) as raised:
        await asyncio.wait_for(consumer.start(), 5)
    assert is_retriable(raised.value)
    await consumer.stop()


async def test_a_client_that_does_not_stop_in_time_reads_on_for_nobody(
    consumer: LaneConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that swallows everything: it would come back to life with it, beside its successor."""
    closed = []

    class Part:
        def __init__(self, name: str) -> None:
            self._name = name

        async def close(self) -> None:
            closed.append(self._name)

    async def never() -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(of_loop, "_LEAVE_SECONDS", 0.01)
        patched.setattr(consumer._consumer, "stop", never)
        patched.setattr(consumer._consumer, "_fetcher", Part("fetcher"))
        patched.setattr(consumer._consumer, "_client", Part("client"))
        await of_loop.leave(consumer)
    assert closed == ["fetcher", "client"]


@pytest.mark.parametrize("fault", [KafkaTimeoutError(), KafkaConnectionError()])
def test_a_broker_that_is_away_is_waited_for(fault: KafkaError) -> None:
    assert is_retriable(fault)


async def test_after_a_fault_of_the_client_the_group_is_joined_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client whose own tasks have ended says the same for ever."""
    made: list[Any] = []
    stop = asyncio.Event()

    class Client:
        def __init__(self, *of: Any) -> None:
            self.stopped = False
            made.append(self)

        async def start(self) -> None:
            pass

        async def stop(self) -> None:
            self.stopped = True

    async def session(consumer: Client, stop: asyncio.Event) -> None:
        if len(made) == 1:
            raise KafkaTimeoutError("on purpose")
        stop.set()

    async def create_lanes(topics: Any) -> None:
        pass

    class Handler:
        producer = "copier"
        inputs = ()
        outputs = ()

    monkeypatch.setattr(of_loop, "LaneConsumer", Client)
    handler: Any = Handler()
    loop = LaneLoop(handler, LaneSettings("", "", 1, "me"))
    monkeypatch.setattr(loop, "_one_session", session)
    monkeypatch.setattr(loop, "_create_lanes", create_lanes)
    await asyncio.wait_for(loop.run(stop), 10)
    assert [client.stopped for client in made] == [True, True]
