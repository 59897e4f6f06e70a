"""The simulated log: topics of partitions, groups that assign them, and what can delay or refuse a record.

As Kafka does it, seen from its clients: a record has its offset when it is acknowledged, a group gives a
partition to one member, and a member that is silent for a session loses its partitions without hearing it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from aiokafka import ConsumerRecord, TopicPartition

from goodfunds.clock import millis
from tests.simulation.instances import Instance

Message = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
"""Key, value and headers of a record that is sent."""


@dataclass(slots=True, eq=False)
class Member:
    """A consumer in a group; `revoke` and `assign` tell it."""

    name: str
    instance: Instance | None
    topics: tuple[str, ...]
    session_seconds: float
    revoke: Callable[[], None]
    assign: Callable[[frozenset[TopicPartition]], None]
    left: bool = False


@dataclass(slots=True)
class Group:
    """Members in the order of their names, as the range assignor sorts them."""

    members: list[Member] = field(default_factory=list)
    generation: int = 0


class Log:
    """All topics. `random` decides delays; `now` is the broker's clock."""

    def __init__(self, now: Callable[[], datetime], random: Random, tell: Callable[[str], None]) -> None:
        self.away_until = 0.0
        self.grown = asyncio.Event()
        self.hidden: dict[TopicPartition, tuple[float, int]] = {}
        self._now = now
        self._random = random
        self._tell = tell
        self._partitions: dict[TopicPartition, list[ConsumerRecord]] = {}
        self._groups: dict[str, Group] = {}
        self._late: dict[str, float] = {}

    def create(self, topic: str, partitions: int) -> None:
        for partition in range(partitions):
            self._partitions[TopicPartition(topic, partition)] = []

    def partitions(self, topic: str) -> set[int] | None:
        return {each.partition for each in self._partitions if each.topic == topic} or None

    def end(self, place: TopicPartition) -> int:
        return len(self._partitions[place])

    def records(self) -> list[ConsumerRecord]:
        """Every record, by topic and partition in order."""
        return [record for place in sorted(self._partitions) for record in self._partitions[place]]

    @property
    def away(self) -> bool:
        return _seconds() < self.away_until

    def append(self, place: TopicPartition, messages: Sequence[Message]) -> int:
        """Append at once; the offset of the first."""
        partition = self._partitions[place]
        first = len(partition)
        for key, value, headers in messages:
            partition.append(
                ConsumerRecord(
                    place.topic, place.partition, len(partition), millis(self._now()), 1, key, value, None,
                    len(key or b""), len(value or b""), tuple(headers),
                )
            )  # fmt: skip
        grown, self.grown = self.grown, asyncio.Event()
        grown.set()
        return first

    def read(self, place: TopicPartition, offset: int, most: int) -> list[ConsumerRecord]:
        """Some of the records from an offset on: how many a fetch brings is chance. [] where none is seen."""
        available = min(self.seen_end(place) - offset, most)
        if available <= 0 or self.away:
            return []
        count = available if self._random.random() < 0.6 else self._random.randint(1, available)
        return self._partitions[place][offset : offset + count]

    def first_since(self, place: TopicPartition, ms: int) -> ConsumerRecord | None:
        """The first record that is of a time (ms) or later."""
        return next((record for record in self._partitions[place] if record.timestamp >= ms), None)

    def seen_end(self, place: TopicPartition) -> int:
        """Where a partition ends for who reads it now."""
        until, seen = self.hidden.get(place, (0.0, 0))
        return min(self.end(place), seen) if _seconds() < until else self.end(place)

    def hide(self, place: TopicPartition, seconds: float) -> None:
        """Let what is appended from now on be seen only later."""
        self.hidden[place] = (_seconds() + seconds, self.end(place))

    def send_late(self, instance: str, seconds: float) -> None:
        """Let the next batch of an instance arrive late, whatever becomes of the instance meanwhile."""
        self._late[instance] = seconds

    def delay(self, instance: Instance | None) -> float:
        """How long a batch is under way."""
        late = self._late.pop(instance.name, None) if instance is not None else None
        if late is not None and instance is not None:
            self._tell(f"{instance.name}: a batch is under way for {late:.0f} s")
            return late
        return self._random.choice((0.001, 0.002, 0.01, 0.05))

    def calm(self) -> None:
        """No more delays, and the broker answers."""
        self.away_until = 0.0
        self.hidden.clear()
        self._late.clear()

    def join(self, group: str, member: Member) -> None:
        found = self._groups.setdefault(group, Group())
        found.members.append(member)
        found.members.sort(key=lambda each: each.name)
        self._rebalance(group)

    def leave(self, group: str, member: Member) -> None:
        member.left = True
        found = self._groups[group]
        if member in found.members:
            found.members.remove(member)
            self._rebalance(group)

    def silence(self, instance: Instance) -> None:
        """A member that beats no more is put out of its group when its session ends."""
        for name, group in self._groups.items():
            for member in group.members:
                if member.instance is instance:
                    asyncio.get_running_loop().call_later(member.session_seconds, self._expire, name, member)

    def deafen(self, instance: Instance, seconds: float) -> None:
        """Put an instance out of its groups at once; it goes on, and hears of it only later."""
        for name, group in self._groups.items():
            for member in list(group.members):
                if member.instance is instance:
                    group.members.remove(member)
                    self._rebalance(name)
                    asyncio.get_running_loop().call_later(seconds, self._come_back, name, member)

    def _expire(self, name: str, member: Member) -> None:
        group, instance = self._groups[name], member.instance
        if member not in group.members or instance is None or not (instance.dead or instance.frozen):
            return
        group.members.remove(member)
        self._rebalance(name)
        if not instance.dead:
            asyncio.get_running_loop().create_task(self._rejoin_when_thawed(name, member, instance))

    async def _rejoin_when_thawed(self, name: str, member: Member, instance: Instance) -> None:
        await instance.thawed.wait()
        # Until its next heartbeat is refused, it believes in what it had.
        await asyncio.sleep(self._random.uniform(0.0, 2.0))
        self._come_back(name, member)

    def _come_back(self, name: str, member: Member) -> None:
        group, instance = self._groups[name], member.instance
        if instance is None or instance.dead or member.left or member in group.members:
            return
        group.members.append(member)
        group.members.sort(key=lambda each: each.name)
        self._rebalance(name)

    def _rebalance(self, name: str) -> None:
        group = self._groups[name]
        group.generation += 1
        for member in group.members:
            self._hear_revoked(member)
            delay = self._random.choice((0.01, 0.1, 0.5))
            asyncio.get_running_loop().call_later(delay, self._assign, name, group.generation, member)

    def _hear_revoked(self, member: Member) -> None:
        instance = member.instance
        if instance is None or not (instance.dead or instance.frozen):
            member.revoke()

    def _assign(self, name: str, generation: int, member: Member) -> None:
        group, instance = self._groups[name], member.instance
        if group.generation != generation or member not in group.members:
            return
        if instance is not None and instance.dead:
            return
        if instance is not None and instance.frozen:
            asyncio.get_running_loop().create_task(
                self._assign_when_thawed(name, generation, member, instance)
            )
            return
        member.assign(self._range(group, member))

    async def _assign_when_thawed(
        self, name: str, generation: int, member: Member, instance: Instance
    ) -> None:
        await instance.thawed.wait()
        await asyncio.sleep(self._random.uniform(0.0, 2.0))
        self._assign(name, generation, member)

    def _range(self, group: Group, member: Member) -> frozenset[TopicPartition]:
        """KIP-64's range: each topic's partitions in consecutive shares, the first members' one larger."""
        place, members = group.members.index(member), len(group.members)
        found: set[TopicPartition] = set()
        for topic in member.topics:
            partitions = sorted(self.partitions(topic) or ())
            share, rest = divmod(len(partitions), members)
            start = share * place + min(place, rest)
            found |= {TopicPartition(topic, p) for p in partitions[start : start + share + (place < rest)]}
        return frozenset(found)


def _seconds() -> float:
    return asyncio.get_running_loop().time()
