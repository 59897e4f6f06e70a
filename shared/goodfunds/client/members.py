"""A member of a consumer group: the lanes' own consumer, and the offsets that Kafka keeps for a group."""

import asyncio
from collections.abc import Iterable, Mapping

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from goodfunds.client.positions import Place, Position, read_position
from goodfunds.errors import Unavailable
from goodfunds.lanes.consumer import LaneConsumer

_ANSWER_SECONDS = 15.0
_LONGEST_NOTE = 4_000
"""Bytes: a broker keeps 4,096 beside an offset (offset.metadata.max.bytes)."""


class Member(LaneConsumer):
    """Reads the topics of a subscription; its partitions come as lanes, those of one number together."""

    async def committed(self, places: Iterable[Place]) -> dict[Place, Position]:
        """What the group has committed; places without anything are left out. Raises Unavailable."""
        partitions = [TopicPartition(*place) for place in places]
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                found = await self._consumer._coordinator.fetch_committed_offsets(partitions)
        except TimeoutError as fault:
            raise Unavailable(f"the group's offsets are not told within {_ANSWER_SECONDS:g} s") from fault
        return {
            (place.topic, place.partition): read_position(kept.offset, kept.metadata)
            for place, kept in found.items()
            if kept.offset >= 0
        }

    async def commit(self, positions: Mapping[Place, Position]) -> bool:
        """Commit for the group; False where it has given partitions to others meanwhile.

        Raises Unavailable, KafkaError.
        """
        offsets = {
            TopicPartition(*place): (position.offset, _note(position))
            for place, position in positions.items()
        }
        try:
            # The client asks again for as long as the broker is away.
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError):
            return False
        except TimeoutError as fault:
            raise Unavailable(f"no answer to a commit within {_ANSWER_SECONDS:g} s") from fault
        return True

    async def first(self, places: Iterable[Place], latest: bool) -> dict[Place, Position]:
        """Where to begin: at each partition's end, or at its beginning. Raises KafkaError."""
        partitions = [TopicPartition(*place) for place in places]
        look = self._consumer.end_offsets if latest else self._consumer.beginning_offsets
        found: Mapping[TopicPartition, int] = await look(partitions)
        return {
            (place.topic, place.partition): Position(offset, started_above=offset > 0)
            for place, offset in found.items()
        }


def _note(position: Position) -> str:
    noted = position.noted()
    # Without the numbers a restart sees no gap that falls into its pause; it loses nothing else.
    return noted if len(noted.encode()) <= _LONGEST_NOTE else ""
