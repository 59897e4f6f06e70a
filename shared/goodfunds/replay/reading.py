"""Reading a lane's ranges again, with a consumer of its own, a little ahead of whoever handles them."""

import asyncio
import contextlib
from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException, NoOffsetForPartitionError, OffsetOutOfRangeError

from goodfunds.errors import Unavailable, Unreadable, is_retriable
from goodfunds.lanes.bystander import bystander, leave
from goodfunds.lanes.records import Record
from goodfunds.replay.slices import Cutter, RecordMissing, Slice

log = structlog.get_logger(__name__)

_AHEAD = 2
"""Slices that lie ready at most, beside the one that is handled and what the client has fetched."""
_AT_ONCE = 2_000
_READ_THROUGH = 5_000
"""Offsets between two ranges that are read and dropped: seeking costs as much as reading so many."""
_FETCH_MS = 100
_STUCK_SECONDS = 30.0
_STOP_SECONDS = 2.0
_PAUSES = (0.2, 1.0, 5.0)


class RangeReader:
    """Reads the ranges of one lane in the background and gives them slice by slice.

    A broker that is away is waited for. Of faults `take` and `next` raise RecordMissing, Unreadable.
    """

    def __init__(self, bootstrap: str, lane: int, cutter: Cutter) -> None:
        self._bootstrap = bootstrap
        self._lane = lane
        self._cutter = cutter
        self._fault: Exception | None = None
        self._moved = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._task = asyncio.create_task(self._read())

    def take(self) -> Slice | None:
        """The next slice, None where it is not there yet; after the last one nothing may be asked."""
        ready = self._cutter.ready
        if not ready:
            if self._fault is not None:
                raise self._fault
            return None
        found = ready.popleft()
        if len(ready) < _AHEAD:
            self._room.set()
        return found

    async def wait(self, seconds: float) -> None:
        """Give the loop away until a slice may be there, no longer than so."""
        if self._cutter.ready or self._fault is not None:
            return
        self._moved.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._moved.wait()

    async def next(self) -> Slice:
        """The next slice, however long it takes."""
        while True:
            found = self.take()
            if found is not None:
                return found
            await self.wait(_STUCK_SECONDS)

    async def stop(self) -> None:
        """Read no further; within a bound."""
        self._task.cancel()
        await asyncio.wait({self._task}, timeout=2 * _STOP_SECONDS)

    async def _read(self) -> None:
        """Until the last range is read; from a broker that was away, on from where the cutter is."""
        faults = 0
        try:
            while not self._cutter.done:
                before = self._cutter.reading
                try:
                    await self._read_on()
                except Exception as fault:
                    if not is_retriable(fault):
                        raise
                    faults = 0 if self._cutter.reading != before else faults + 1
                    log.warning("ranges not read on", lane=self._lane, fault=repr(fault))
                    await asyncio.sleep(_PAUSES[min(faults, len(_PAUSES) - 1)])
        except Exception as fault:
            self._fault = fault
        self._moved.set()

    async def _read_on(self) -> None:
        consumer = bystander(self._bootstrap, _FETCH_MS)
        try:
            await consumer.start()
            while (reading := self._cutter.reading) is not None:
                place = TopicPartition(reading[0], self._lane)
                await self._check_kept(consumer, place, reading[1], reading[2])
                consumer.assign([place])
                consumer.seek(place, reading[1])
                await self._read_topic(consumer, place)
        finally:
            await leave(consumer, _STOP_SECONDS)

    async def _check_kept(
        self, consumer: AIOKafkaConsumer, place: TopicPartition, offset: int, end: int
    ) -> None:
        """Asked first: of a topic that was made anew the client would wait for the offset to come."""
        first = (await consumer.beginning_offsets([place]))[place]
        if first > offset:
            raise RecordMissing(place.topic, place.partition, offset, f"the topic begins with {first} now")
        last = (await consumer.end_offsets([place]))[place]
        if last < end:
            raise RecordMissing(place.topic, place.partition, last, "the topic ends there: it was made anew")

    async def _read_topic(self, consumer: AIOKafkaConsumer, place: TopicPartition) -> None:
        """All ranges of a topic that follow each other."""
        cutter, loop = self._cutter, asyncio.get_running_loop()
        position, moved = -1, loop.time()
        self._reach(place.topic, 0)
        try:
            while (reading := cutter.reading) is not None and reading[0] == place.topic:
                await self._room.wait()
                if 0 <= position < reading[1] - _READ_THROUGH:
                    consumer.seek(place, reading[1])
                found = await consumer.getmany(place, timeout_ms=500, max_records=_AT_ONCE)
                self._cut(found.get(place, ()))
                before, position = position, await consumer.position(place)
                # Markers of clients' transactions are offsets without a record.
                self._reach(place.topic, position)
                if position != before:
                    moved = loop.time()
                elif loop.time() - moved > _STUCK_SECONDS:
                    raise Unavailable(f"{place.topic}/{place.partition} cannot be read beyond {position}")
                if len(cutter.ready) >= _AHEAD and not cutter.done:
                    self._room.clear()
                self._moved.set()
        except NoOffsetForPartitionError:
            # Said once where the seek came after the client had looked for a commit: it is assigned again.
            return
        except OffsetOutOfRangeError as fault:
            raise RecordMissing(
                place.topic, place.partition, _next_of(reading), "it was there when reading began"
            ) from fault
        except CorruptRecordException as fault:
            offset = _next_of(reading)
            raise Unreadable(
                f"{place.topic}/{place.partition} cannot be read from offset {offset} on: {fault!r}"
            ) from fault

    def _cut(self, records: Sequence[Record]) -> None:
        for record in records:
            self._reach(record.topic, record.offset)
            reading = self._cutter.reading
            if reading is not None and reading[0] == record.topic and record.offset >= reading[1]:
                self._cutter.add(record)

    def _reach(self, topic: str, offset: int) -> None:
        """Nothing more comes below an offset: ranges of the topic end there that do, and empty ones."""
        while (
            (reading := self._cutter.reading) is not None
            and reading[0] == topic
            and (reading[1] < offset or reading[1] >= reading[2])
        ):
            self._cutter.reach(min(max(offset, reading[1]), reading[2]))


def _next_of(reading: tuple[str, int, int] | None) -> int:
    return 0 if reading is None else reading[1]
