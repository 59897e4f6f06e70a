"""The simulated log and a real broker: the same questions, the same answers."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, OffsetOutOfRangeError
from aiokafka.structs import OffsetAndTimestamp

from tests.conftest import Kafka, MakeTopics
from tests.simulation import virtual_time
from tests.simulation.clients import Clients
from tests.simulation.instances import Gates
from tests.simulation.log import Log

PARTITIONS = 4


class Cluster:
    """A broker with two topics: the real one, or the simulated."""

    def __init__(
        self, consumer: Any, producer: Any, admin: Any, bootstrap: str, names: tuple[str, str]
    ) -> None:
        self.consumer_class, self.producer_class, self.admin_class = consumer, producer, admin
        self.bootstrap = bootstrap
        self.first, self.second = names

    async def producer(self) -> Any:
        producer = self.producer_class(
            bootstrap_servers=self.bootstrap, acks="all", enable_idempotence=True, max_batch_size=10_000
        )
        await producer.start()
        return producer

    async def reader(self, *places: TopicPartition) -> Any:
        reader = self.consumer_class(bootstrap_servers=self.bootstrap, auto_offset_reset="none")
        await reader.start()
        reader.assign(list(places))
        return reader

    async def member(self, listener: "Listener") -> Any:
        member = self.consumer_class(
            bootstrap_servers=self.bootstrap, group_id=f"group of {self.first}", enable_auto_commit=False,
            auto_offset_reset="none", partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=6_000, heartbeat_interval_ms=300,
        )  # fmt: skip
        member.subscribe((self.first, self.second), listener=listener)
        await member.start()
        return member

    async def send(self, partition: int, *values: bytes) -> Any:
        producer = await self.producer()
        try:
            batch = producer.create_batch()
            for value in values:
                batch.append(timestamp=None, key=b"key", value=value, headers=[("name", value)])
            batch.close()
            return await (await producer.send_batch(batch, self.first, partition=partition))
        finally:
            await producer.stop()


class Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes what it is told."""

    def __init__(self) -> None:
        self.assigned: frozenset[TopicPartition] = frozenset()
        self.told: list[str] = []

    def on_partitions_revoked(self, revoked: Any) -> None:
        self.told.append("revoked")
        self.assigned = frozenset()

    def on_partitions_assigned(self, assigned: Any) -> None:
        self.told.append("assigned")
        self.assigned = frozenset(assigned)


Scene = Callable[[Cluster], Awaitable[None]]
Play = Callable[[Scene], None]


@pytest.fixture(params=["real", "simulated"])
def play(request: pytest.FixtureRequest) -> Play:
    """Plays a scene on one of the two clusters."""
    names = (
        f"{request.node.name.partition('[')[0]}_1"[-40:],
        f"{request.node.name.partition('[')[0]}_2"[-40:],
    )
    if request.param == "real":
        kafka: Kafka = request.getfixturevalue("kafka")
        make_topics: MakeTopics = request.getfixturevalue("make_topics")

        async def really(scene: Scene) -> None:
            await make_topics(names, PARTITIONS)
            await scene(
                Cluster(AIOKafkaConsumer, AIOKafkaProducer, AIOKafkaAdminClient, kafka.bootstrap, names)
            )

        return lambda scene: asyncio.run(really(scene))

    async def in_simulation(scene: Scene) -> None:
        gates = Gates(lambda line: None)
        log = Log(lambda: datetime(2026, 3, 2, tzinfo=UTC), Random(1), lambda line: None)
        for name in names:
            log.create(name, PARTITIONS)
        clients = Clients(log, gates, Random(1))
        await scene(Cluster(clients.consumer, clients.producer, clients.admin, "simulated", names))

    return lambda scene: virtual_time.run(lambda: in_simulation(scene))


async def read(reader: Any, place: TopicPartition, count: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(100):
        for records in (await reader.getmany(place, timeout_ms=200, max_records=100)).values():
            found += records
        if len(found) >= count:
            break
    return found


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(300):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never held")


def test_a_batch_lies_at_the_offset_that_its_answer_names_in_order_with_its_headers(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        first = await cluster.send(1, b"a", b"b")
        second = await cluster.send(1, b"c")
        assert (first.topic, first.partition, first.offset, second.offset) == (cluster.first, 1, 0, 2)
        place = TopicPartition(cluster.first, 1)
        reader = await cluster.reader(place)
        reader.seek(place, 0)
        records = await read(reader, place, 3)
        await reader.stop()
        assert [(r.offset, r.key, r.value) for r in records] == [
            (0, b"key", b"a"), (1, b"key", b"b"), (2, b"key", b"c"),
        ]  # fmt: skip
        assert [tuple(r.headers) for r in records] == [
            (("name", b"a"),),
            (("name", b"b"),),
            (("name", b"c"),),
        ]
        assert records[0].timestamp > 0

    play(scene)


def test_a_full_batch_takes_no_more_and_a_first_message_is_always_taken(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        producer = await cluster.producer()
        batch = producer.create_batch()
        took = [batch.append(timestamp=None, key=b"k", value=b"x" * 4_000, headers=[]) for _ in range(4)]
        assert [each is not None for each in took] == [True, True, False, False]
        await producer.stop()

    play(scene)


def test_beginnings_and_ends_of_partitions(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.send(0, b"a", b"b")
        places = [TopicPartition(cluster.first, 0), TopicPartition(cluster.first, 1)]
        reader = await cluster.reader(*places)
        assert await reader.beginning_offsets(places) == {places[0]: 0, places[1]: 0}
        assert await reader.end_offsets(places) == {places[0]: 2, places[1]: 0}
        await reader.stop()

    play(scene)


def test_the_first_record_since_a_time_is_named_and_none_where_there_is_none(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.send(0, b"a", b"b")
        places = [TopicPartition(cluster.first, 0), TopicPartition(cluster.first, 1)]
        reader = await cluster.reader(*places)
        reader.seek(places[0], 0)
        first, second = await read(reader, places[0], 2)
        found = await reader.offsets_for_times(dict.fromkeys(places, 0))
        assert found == {places[0]: OffsetAndTimestamp(0, first.timestamp), places[1]: None}
        found = await reader.offsets_for_times({places[0]: second.timestamp + 1})
        assert found == {places[0]: None}
        await reader.stop()

    play(scene)


def test_a_reader_goes_from_one_partition_to_another_and_back_without_a_group(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.send(0, b"a", b"b")
        await cluster.send(1, b"c")
        reader = await cluster.reader()
        for partition, offset, values in ((0, 1, [b"b"]), (1, 0, [b"c"]), (0, 0, [b"a", b"b"])):
            place = TopicPartition(cluster.first, partition)
            reader.assign([place])
            reader.seek(place, offset)
            assert [r.value for r in await read(reader, place, len(values))] == values
            assert await reader.position(place) == offset + len(values)
        await reader.stop()

    play(scene)


def test_position_and_high_water_follow_what_was_read(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.send(0, b"a", b"b", b"c")
        place = TopicPartition(cluster.first, 0)
        reader = await cluster.reader(place)
        reader.seek(place, 1)
        assert await reader.position(place) == 1
        assert [r.value for r in await read(reader, place, 2)] == [b"b", b"c"]
        assert await reader.position(place) == 3
        assert reader.highwater(place) == 3
        reader.seek(place, 0)
        assert len(await read(reader, place, 3)) == 3
        await reader.stop()

    play(scene)


def test_a_paused_partition_gives_nothing_until_it_is_resumed(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.send(0, b"a")
        place = TopicPartition(cluster.first, 0)
        reader = await cluster.reader(place)
        reader.seek(place, 0)
        reader.pause(place)
        assert await reader.getmany(place, timeout_ms=300) == {}
        reader.resume(place)
        assert [r.value for r in await read(reader, place, 1)] == [b"a"]
        await reader.stop()

    play(scene)


def test_an_offset_beyond_the_end_is_out_of_range_and_says_where(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.send(0, b"a")
        place = TopicPartition(cluster.first, 0)
        reader = await cluster.reader(place)
        reader.seek(place, 7)
        with pytest.raises(OffsetOutOfRangeError) as raised:
            await read(reader, place, 1)
        assert dict(raised.value.args[0]) == {place: 7}
        await reader.stop()

    play(scene)


def test_what_is_not_assigned_cannot_be_seeked(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        place = TopicPartition(cluster.first, 0)
        reader = await cluster.reader(place)
        reader.seek(place, 0)
        assert await reader.getmany(place, timeout_ms=200) == {}
        with pytest.raises(IllegalStateError):
            reader.seek(TopicPartition(cluster.first, 1), 0)
        await reader.stop()

    play(scene)


def test_two_members_share_the_partitions_of_both_topics_alike_and_one_gets_all_when_the_other_leaves(
    play: Play,
) -> None:
    async def scene(cluster: Cluster) -> None:
        ours, theirs = Listener(), Listener()
        one = await cluster.member(ours)
        await until(lambda: len(ours.assigned) == 2 * PARTITIONS)
        other = await cluster.member(theirs)
        await until(lambda: len(ours.assigned) == PARTITIONS and len(theirs.assigned) == PARTITIONS)
        assert not ours.assigned & theirs.assigned
        for listener in (ours, theirs):
            lanes = [{each.partition for each in listener.assigned if each.topic == topic}
                     for topic in (cluster.first, cluster.second)]  # fmt: skip
            assert lanes[0] == lanes[1]
        assert ours.told == ["revoked", "assigned"] * 2
        await other.stop()
        await until(lambda: len(ours.assigned) == 2 * PARTITIONS)
        await one.stop()

    play(scene)


def test_the_admin_names_every_partition_of_a_topic(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        admin = cluster.admin_class(bootstrap_servers=cluster.bootstrap)
        await admin.start()
        described = await admin.describe_topics([cluster.first])
        await admin.close()
        assert [(each["topic"], len(each["partitions"])) for each in described] == [
            (cluster.first, PARTITIONS)
        ]

    play(scene)
