"""The group member: which lanes are ours, and records from exactly the partitions that were seeked."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import (
    CorruptRecordException,
    IllegalStateError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from goodfunds.errors import GoodfundsError, Misconfigured, Unavailable
from goodfunds.lanes.lenient import read_leniently
from goodfunds.lanes.records import Record

_SHORTEST_WAIT = 0.05
_ALONE_MS = 300
_SESSIONS_TO_JOIN = 3
"""Members that are gone hold a group up for one session, and those that come meanwhile for another."""
_ANSWER_SECONDS = 1.0


class UnreadablePartition(GoodfundsError):
    """Records that the client cannot take apart: they were damaged where they lie."""

    def __init__(self, place: TopicPartition, fault: Exception) -> None:
        super().__init__(f"{place.topic}/{place.partition} cannot be read on: {fault!r}")
        self.place = place


class LaneConsumer(ConsumerRebalanceListener):  # type: ignore[misc]
    """Reads the inputs of a service. Offsets are Postgres' business: it commits none and resets none.

    The rebalance listener only notes the assignment; the loop takes over, seeks and then polls. A lane is
    assigned when its partition of all topics is (range assignor, so that they come together).
    """

    def __init__(
        self, bootstrap: str, group: str, topics: Sequence[str], session_timeout: float = 10.0, **further: Any
    ) -> None:
        self.topics = tuple(topics)
        self.changed = asyncio.Event()
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._seeked: set[TopicPartition] = set()
        self._ends: dict[TopicPartition, int] = {}
        self._joining_seconds = _SESSIONS_TO_JOIN * session_timeout
        read_leniently()
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=group,
            client_id=group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=int(session_timeout * 1000),
            heartbeat_interval_ms=int(session_timeout * 1000 / 5),
            max_poll_interval_ms=300_000,
            fetch_max_bytes=16 * 1024 * 1024,
            max_partition_fetch_bytes=4 * 1024 * 1024,
            # Measured: waiting at the broker for more bytes only adds latency; the loop lingers instead.
            fetch_min_bytes=1,
            fetch_max_wait_ms=250,
            metadata_max_age_ms=30_000,
            **further,
        )

    async def start(self) -> None:
        """Join the group. Raises KafkaError, OSError, TimeoutError."""
        self._consumer.subscribe(self.topics, listener=self)
        # The client waits for its first assignment without end, deaf to whoever wants to stop.
        async with asyncio.timeout(self._joining_seconds):
            await self._consumer.start()

    async def stop(self) -> None:
        """Leave the group."""
        await self._consumer.stop()

    async def abandon(self) -> None:
        """End what `stop`, cut short, has left: a fetcher that goes on reading for nobody, connections."""
        for part in (self._consumer._fetcher, self._consumer._client):
            if part is not None:
                await part.close()

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002 - its interface
        """Note only: a lane that is gone is fenced by its next owner."""
        self._assigned = frozenset()
        self._seeked.clear()
        self.changed.set()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Note only: the loop takes over."""
        self._assigned = frozenset(assigned)
        self._seeked.clear()
        self.changed.set()

    def lanes(self) -> set[int]:
        """The lanes assigned to us with their partition of every topic."""
        shares = [{each.partition for each in self._assigned if each.topic == topic} for topic in self.topics]
        return set.intersection(*shares)

    def partition_counts(self) -> dict[str, int]:
        """topic → partitions as last heard from the cluster, for topics heard of."""
        counts = {topic: self._consumer.partitions_for_topic(topic) for topic in self.topics}
        return {topic: len(found) for topic, found in counts.items() if found}

    def seek(self, lane: int, offsets: dict[str, int], topics: Sequence[str]) -> bool:
        """Stand at the offsets of a lane and read these topics; False where the lane is no longer ours."""
        partitions = [TopicPartition(topic, lane) for topic in self.topics]
        if not self._assigned.issuperset(partitions):
            return False
        read = {partition for partition in partitions if partition.topic in topics}
        try:
            for partition in partitions:
                self._consumer.seek(partition, offsets[partition.topic])
                turn = self._consumer.resume if partition in read else self._consumer.pause
                turn(partition)
        except (IllegalStateError, AssertionError):
            return False
        self._seeked.difference_update(partitions)
        self._seeked.update(read)
        return True

    def pause(self, lane: int) -> None:
        """Fetch nothing more of a lane that is stopped or not yet taken over."""
        for topic in self.topics:
            partition = TopicPartition(topic, lane)
            self._seeked.discard(partition)
            try:
                self._consumer.pause(partition)
            except (IllegalStateError, AssertionError):
                # Not assigned, or nothing is yet (the client asserts that).
                continue

    async def poll(self, wait_seconds: float, most: int) -> dict[int, list[Record]]:
        """Records by lane of the seeked partitions, topics in the order of the inputs.

        Raises OffsetOutOfRangeError and UnreadablePartition (the lane must stop), KafkaError.
        """
        partitions = tuple(self._seeked)
        try:
            found = await self._fetched(
                partitions, max(wait_seconds, 0 if partitions else _SHORTEST_WAIT), most
            )
        except NoOffsetForPartitionError:
            # Said once of a partition whose seek came after the client had looked for a commit.
            return {}
        except CorruptRecordException as fault:
            await self._name_unreadable(partitions)
            raise Unavailable(f"records could not be read, and then they could: {fault!r}") from fault
        by_lane: dict[int, list[Record]] = {}
        for topic in self.topics:
            for partition, records in found.items():
                if partition.topic == topic and partition in self._seeked:
                    by_lane.setdefault(partition.partition, []).extend(records)
        return by_lane

    async def _fetched(
        self, partitions: Sequence[TopicPartition], seconds: float, most: int
    ) -> dict[TopicPartition, list[Record]]:
        """What the client has of the partitions; it is asked though there are none.

        Not seen for minutes it leaves the group for good, and its faults it holds until a poll takes them,
        joining nothing before. A partition that does not exist is named then: none at all would mean every
        one. While the group is rebalanced the client makes a poll wait without end, which nobody here may.
        """
        asked = partitions or (TopicPartition(self.topics[0], -1),)
        found: dict[TopicPartition, list[Record]] = {}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds + _ANSWER_SECONDS):
                found = await self._consumer.getmany(*asked, timeout_ms=int(seconds * 1000), max_records=most)
        return found

    async def _name_unreadable(self, partitions: Iterable[TopicPartition]) -> None:
        """Read the partitions one by one: the client does not say which of them it could not read."""
        for place in partitions:
            try:
                await self._consumer.getmany(place, timeout_ms=_ALONE_MS)
            except CorruptRecordException as fault:
                raise UnreadablePartition(place, fault) from fault

    def reading(self) -> list[TopicPartition]:
        """The partitions that are read now."""
        return list(self._seeked)

    async def ends(self, lanes: Iterable[int]) -> dict[int, dict[str, int]]:
        """lane → topic → the offset that its next record will get. Raises KafkaError."""
        places = [TopicPartition(topic, lane) for lane in lanes for topic in self.topics]
        found: dict[int, dict[str, int]] = {}
        for place, end in (await self._consumer.end_offsets(places)).items():
            found.setdefault(place.partition, {})[place.topic] = end
        return found

    async def passed(self, lane: int, topic: str, offset: int) -> int:
        """How far a topic of a lane was read: `offset`, or beyond it where the client passed over records."""
        try:
            position: int = await self._consumer.position(TopicPartition(topic, lane))
        except (IllegalStateError, AssertionError):
            # Given away meanwhile.
            return offset
        return max(offset, position)

    def hear(self, ends: Mapping[TopicPartition, int]) -> None:
        """Be told where partitions end: fetches that fail are only logged by the client, and tell nothing."""
        self._ends = dict(ends)

    async def lags(self, lane: int, offsets: Mapping[str, int]) -> dict[str, int]:
        """topic → records of the lane that are to be read beyond `offsets`, as far as their end was heard of.

        The end comes with what is fetched: asking costs no round trip. Markers of clients' transactions are
        offsets too, and nothing to handle: what the client has passed over is behind us.
        """
        found = {}
        for topic, offset in offsets.items():
            place = TopicPartition(topic, lane)
            end = self._ends.get(place, 0)
            try:
                end = max(end, self._consumer.highwater(place) or 0)
                if place in self._seeked:
                    offset = max(offset, await self._consumer.position(place))
            except (IllegalStateError, AssertionError):
                # Given away meanwhile.
                end = 0
            found[topic] = max(end - offset, 0)
        return found


def out_of_range(fault: OffsetOutOfRangeError) -> dict[TopicPartition, int]:
    """Partition → the offset that the broker no longer (or not yet) has."""
    return dict(fault.args[0]) if fault.args else {}


def check_partitions(counts: dict[str, int], partitions: int) -> None:
    """Raises Misconfigured where a topic's partition count is not the one this database was made for."""
    for topic, count in counts.items():
        if count != partitions:
            raise Misconfigured(
                f"topic {topic} has {count} partitions, this database was made for {partitions}: the count "
                f"is for life, since it decides every account's lane. Set the topic back, or migrate to a "
                f"new cluster of databases."
            )
