"""The horizon: from where to where topics still hold records, and what stood there at a time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from goodfunds.errors import Unavailable
from goodfunds.lanes.bystander import bystander, leave

Place: TypeAlias = tuple[str, int]
"""(topic, partition)."""

_ANSWER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Held:
    """Of a partition: offsets from `first` (inclusive) to `end` (exclusive); the oldest record's ms."""

    first: int
    end: int
    oldest_ms: int | None


class Horizon(Protocol):
    """Asks the broker. Both raise Unavailable where it does not say."""

    async def held(self, places: Collection[Place]) -> Mapping[Place, Held]:
        """What each partition holds now."""

    async def at(self, times: Mapping[Place, int]) -> Mapping[Place, int | None]:
        """The offset of the first record that is of this time (ms) or later; None where there is none."""


class KafkaHorizon:
    """Asks a real broker, with a consumer of its own that is no member of any group."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    async def held(self, places: Collection[Place]) -> Mapping[Place, Held]:
        async with self._asking() as consumer:
            asked = [TopicPartition(*place) for place in places]
            beginnings = await consumer.beginning_offsets(asked)
            ends = await consumer.end_offsets(asked)
            oldest = await consumer.offsets_for_times(dict.fromkeys(asked, 0))
        return {
            (each.topic, each.partition): Held(
                beginnings[each], ends[each], oldest[each].timestamp if oldest.get(each) else None
            )
            for each in asked
        }

    async def at(self, times: Mapping[Place, int]) -> Mapping[Place, int | None]:
        if not times:
            return {}
        async with self._asking() as consumer:
            found = await consumer.offsets_for_times(
                {TopicPartition(*place): ms for place, ms in times.items()}
            )
        return {
            (each.topic, each.partition): None if there is None else there.offset
            for each, there in found.items()
        }

    @contextlib.asynccontextmanager
    async def _asking(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = bystander(self._bootstrap)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await consumer.start()
                yield consumer
        except (KafkaError, OSError, TimeoutError) as fault:
            raise Unavailable(f"the broker does not say what its topics hold: {fault!r}") from fault
        finally:
            await leave(consumer, _ANSWER_SECONDS)
