"""The topics of all lanes from their first record on, merged by the time at which each was written.

The order between topics and between lanes is recorded nowhere. That of the broker's times is near to how the
live lanes met the records, which matters where a conclusion once drawn stays.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush

from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from goodfunds.errors import Unavailable
from goodfunds.lanes.bystander import bystander
from goodfunds.lanes.records import Record
from goodfunds.rebuild.refusals import CannotRebuild

Places = Mapping[tuple[str, int], int]
"""(topic, lane) → offset"""

_AT_ONCE = 2_000
"""Records that one request to the client may bring, over all partitions that have run dry."""
_FETCH_BYTES = 256 * 1024
"""Of a partition, so that what the client reads ahead of 48 lanes stays below 40 MB."""
_SILENT_SECONDS = 30.0
_SPAN_MS = 60_000
"""Time that one poll may span. Live polls are short where little comes; one of ours could hold days."""


class MergedTopics:
    """Reads partitions to ends that may move on; no group, no commits, only what was committed."""

    def __init__(self, bootstrap: str, topics: Sequence[str], lanes: Sequence[int]) -> None:
        self._places = [TopicPartition(topic, lane) for topic in topics for lane in lanes]
        self._waiting: dict[TopicPartition, deque[Record]] = {place: deque() for place in self._places}
        self._consumer = bystander(bootstrap, most_bytes=_FETCH_BYTES)

    async def start(self) -> None:
        """Stand at offset 0 of every partition. Raises KafkaError, OSError."""
        await self._consumer.start()
        self._consumer.assign(self._places)
        for place in self._places:
            self._consumer.seek(place, 0)

    async def stop(self) -> None:
        """Close the connections."""
        await self._consumer.stop()

    async def bounds(self) -> tuple[Places, Places]:
        """(beginnings, ends) of all partitions. Raises KafkaError."""
        beginnings = await self._consumer.beginning_offsets(self._places)
        ends = await self._consumer.end_offsets(self._places)
        return _by_name(beginnings), _by_name(ends)

    async def next(self, ends: Places, most: int) -> list[Record]:
        """The next records below `ends`, at most so many and of a minute; [] once all are read.

        Raises CannotRebuild where the topics lose them meanwhile, Unavailable where none come.
        """
        found: list[Record] = []
        await self._fill(self._places, ends)
        order = [head for number in range(len(self._places)) if (head := self._head(number, ends))]
        heapify(order)
        while order and len(found) < most:
            time, number = heappop(order)
            if found and time > found[0].timestamp + _SPAN_MS:
                break
            waiting = self._waiting[self._places[number]]
            found.append(waiting.popleft())
            if not waiting:
                await self._fill([self._places[number]], ends)
            if head := self._head(number, ends):
                heappush(order, head)
        return found

    def _head(self, number: int, ends: Places) -> tuple[int, int] | None:
        """(time, number) of the next record of a partition by its number; None where it has ended."""
        place = self._places[number]
        waiting = self._waiting[place]
        if not waiting or waiting[0].offset >= ends[place.topic, place.partition]:
            return None
        return waiting[0].timestamp, number

    async def _fill(self, places: Iterable[TopicPartition], ends: Places) -> None:
        now = asyncio.get_running_loop().time
        moved = now()
        while dry := [place for place in places if not self._waiting[place]]:
            dry = [
                place
                for place in dry
                if await self._consumer.position(place) < ends[place.topic, place.partition]
            ]
            if not dry:
                return
            try:
                fetched = await self._consumer.getmany(*dry, timeout_ms=500, max_records=_AT_ONCE)
            except OffsetOutOfRangeError as fault:
                gone = ", ".join(f"{each.topic}/{each.partition}" for each in fault.args[0])
                raise CannotRebuild([f"{gone}: records went while they were read"]) from fault
            for place, records in fetched.items():
                self._waiting[place].extend(records)
            if fetched:
                moved = now()
            elif now() - moved > _SILENT_SECONDS:
                raise Unavailable(f"the ends of {dry} cannot be read")


def _by_name(offsets: Mapping[TopicPartition, int]) -> Places:
    return {(place.topic, place.partition): offset for place, offset in offsets.items()}
