"""aiokafka's consumer, producer and admin, over the simulated log: what the lanes use of them, no more.

`test_log_contract` holds them to the real ones on a real broker.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import (
    IllegalStateError,
    KafkaConnectionError,
    KafkaTimeoutError,
    OffsetOutOfRangeError,
)
from aiokafka.structs import OffsetAndTimestamp, RecordMetadata

from tests.simulation.instances import CURRENT, Gates, Struck
from tests.simulation.log import Log, Member, Message

_BATCH_OVERHEAD = 80


class Clients:
    """The three clients of one log, as classes of the names that the lanes call."""

    def __init__(self, log: Log, gates: Gates, random: Random) -> None:
        self.log = log
        self.gates = gates
        self.random = random
        self.members = 0

    def consumer(self, *topics: str, **settings: Any) -> "Consumer":
        assert not topics
        return Consumer(self, settings)

    def producer(self, **settings: Any) -> "Producer":
        return Producer(self, settings)

    def admin(self, **settings: Any) -> "Admin":
        return Admin(self)

    async def pass_gate(self, point: str) -> None:
        """Raises KafkaConnectionError where the broker is away, or the story says so."""
        try:
            await self.gates(f"log:{point}")
        except Struck as struck:
            raise KafkaConnectionError(f"the connection to the broker was cut at {struck}") from None
        if self.log.away:
            await asyncio.sleep(0.5)
            if self.log.away:
                raise KafkaConnectionError("no broker answers")


class Consumer:
    """AIOKafkaConsumer: in a group, or with partitions of its own choice."""

    def __init__(self, clients: Clients, settings: dict[str, Any]) -> None:
        self._clients = clients
        self._log = clients.log
        self._group: str | None = settings.get("group_id")
        self._session = settings.get("session_timeout_ms", 10_000) / 1000
        self._topics: tuple[str, ...] = ()
        self._listener: Any = None
        self._member: Member | None = None
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._highwater: dict[TopicPartition, int] = {}
        self._first = asyncio.Event()
        self._fetcher = None
        self._client = None

    def subscribe(self, topics: Sequence[str], listener: Any = None) -> None:
        self._topics, self._listener = tuple(topics), listener

    async def start(self) -> None:
        await self._clients.pass_gate("join:before")
        if self._group is None:
            return
        instance = CURRENT.get()
        self._clients.members += 1
        name = f"{instance.name if instance else 'test'}-{self._clients.members:06}"
        self._member = Member(name, instance, self._topics, self._session, self._revoke, self._assign)
        self._log.join(self._group, self._member)
        await self._first.wait()
        await self._clients.pass_gate("join:after")

    async def stop(self) -> None:
        instance = CURRENT.get()
        if self._member is not None and self._group is not None and not (instance and instance.dead):
            self._log.leave(self._group, self._member)
            self._member = None

    def _revoke(self) -> None:
        revoked, self._assigned = self._assigned, frozenset()
        self._listener.on_partitions_revoked(revoked)

    def _assign(self, assigned: frozenset[TopicPartition]) -> None:
        self._assigned = assigned
        self._positions, self._paused = {}, set()
        self._first.set()
        self._listener.on_partitions_assigned(assigned)

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        self._assigned = frozenset(partitions)
        self._positions, self._paused = {}, set()

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return self._log.partitions(topic)

    def seek(self, place: TopicPartition, offset: int) -> None:
        self._must_be_assigned(place)
        self._positions[place] = offset

    def pause(self, place: TopicPartition) -> None:
        self._must_be_assigned(place)
        self._paused.add(place)

    def resume(self, place: TopicPartition) -> None:
        self._must_be_assigned(place)
        self._paused.discard(place)

    async def position(self, place: TopicPartition) -> int:
        self._must_be_assigned(place)
        return self._positions[place]

    def highwater(self, place: TopicPartition) -> int | None:
        assert place in self._assigned, "Partition is not assigned"
        return self._highwater.get(place)

    async def getmany(
        self, *places: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Any]]:
        await self._clients.pass_gate("fetch:before")
        deadline = asyncio.get_running_loop().time() + timeout_ms / 1000
        while not self._is_seen(places) and (left := deadline - asyncio.get_running_loop().time()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._log.grown.wait(), min(left, 0.5))
        await self._clients.pass_gate("fetch:after")
        # Handed over at once: who is cancelled while he waits has lost nothing, as with the real client.
        return self._fetch(places, max_records or 10_000)

    def _is_seen(self, places: Sequence[TopicPartition]) -> bool:
        """Whether there is something to fetch, or a place beyond the end; what is hidden is waited for."""
        return any(
            place in self._positions
            and not self._log.seen_end(place) <= self._positions[place] <= self._log.end(place)
            for place in places
            if place in self._assigned - self._paused
        )

    def _fetch(self, places: Sequence[TopicPartition], most: int) -> dict[TopicPartition, list[Any]]:
        found: dict[TopicPartition, list[Any]] = {}
        wanted = [place for place in sorted(places) if place in self._assigned - self._paused]
        self._clients.random.shuffle(wanted)
        for place in wanted:
            if place not in self._positions:
                continue
            offset, end = self._positions[place], self._log.end(place)
            if offset > end:
                raise OffsetOutOfRangeError({place: offset})
            self._highwater[place] = end
            records = self._log.read(place, offset, most - sum(map(len, found.values())))
            if records:
                found[place] = records
                self._positions[place] = records[-1].offset + 1
        return found

    async def beginning_offsets(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        await self._clients.pass_gate("offsets:before")
        return dict.fromkeys(places, 0)

    async def end_offsets(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        await self._clients.pass_gate("offsets:before")
        return {place: self._log.end(place) for place in places}

    async def offsets_for_times(
        self, times: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, OffsetAndTimestamp | None]:
        await self._clients.pass_gate("offsets:before")
        found = {place: self._log.first_since(place, ms) for place, ms in times.items()}
        return {
            place: None if record is None else OffsetAndTimestamp(record.offset, record.timestamp)
            for place, record in found.items()
        }

    def _must_be_assigned(self, place: TopicPartition) -> None:
        if place not in self._assigned:
            raise IllegalStateError(f"No current assignment for partition {place}")


class Batch:
    """A batch that fills up; `append` gives None once it is full."""

    def __init__(self, most: int) -> None:
        self.messages: list[Message] = []
        self._left = most
        self._closed = False

    def append(
        self, *, timestamp: int | None, key: bytes | None, value: bytes | None, headers: Any = ()
    ) -> Any:
        size = _BATCH_OVERHEAD + len(key or b"") + len(value or b"")
        if self._closed or (self.messages and size > self._left):
            return None
        self._left -= size
        self.messages.append((key, value, tuple(headers)))
        return self

    def close(self) -> None:
        self._closed = True


class Producer:
    """AIOKafkaProducer with whole batches. What was sent arrives, even if its sender is gone by then."""

    def __init__(self, clients: Clients, settings: dict[str, Any]) -> None:
        self._clients = clients
        self._most = settings.get("max_batch_size", 16_384)

    async def start(self) -> None:
        await self._clients.pass_gate("connect:before")

    async def stop(self) -> None:
        return

    def create_batch(self) -> Batch:
        return Batch(self._most)

    async def send_batch(
        self, batch: Batch, topic: str, *, partition: int
    ) -> "asyncio.Future[RecordMetadata]":
        await self._clients.pass_gate("send:before")
        loop, instance = asyncio.get_running_loop(), CURRENT.get()
        answer: asyncio.Future[RecordMetadata] = loop.create_future()
        place, seconds = TopicPartition(topic, partition), self._clients.log.delay(instance)
        lost = False

        def arrive() -> None:
            offset = self._clients.log.append(place, batch.messages)
            if answer.done():
                return
            if lost:
                answer.set_exception(KafkaTimeoutError("a batch was not answered"))
            else:
                answer.set_result(RecordMetadata(topic, partition, place, offset, None, 0, 0))

        loop.call_later(seconds, arrive)
        # Struck here, the batch is under way and its answer is lost.
        try:
            await self._clients.gates("log:send:after")
        except Struck:
            lost = True
        return answer


class Admin:
    """AIOKafkaAdminClient, as far as the lanes ask it."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def start(self) -> None:
        await self._clients.pass_gate("connect:before")

    async def close(self) -> None:
        return

    async def describe_topics(self, topics: Sequence[str]) -> list[dict[str, Any]]:
        await self._clients.pass_gate("describe:before")
        return [
            {"topic": topic, "partitions": [{} for _ in self._clients.log.partitions(topic) or ()]}
            for topic in topics
        ]
