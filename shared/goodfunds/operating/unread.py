"""What of a lane's topics is unread: how many offsets, and, as far as there is time to look, what money."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from goodfunds.lanes.bystander import bystander, leave
from goodfunds.lanes.records import Record

log = structlog.get_logger(__name__)

MOST_RECORDS: Final = 20_000
MOST_SECONDS: Final = 2.0
"""Of looking at records, over all lanes; what is left is counted in offsets alone."""
_PATIENCE_SECONDS: Final = 5.0
_PIECE: Final = 500
"""Records between which the lanes of the process get their turn."""
_FETCH_MS: Final = 100
_FETCH_BYTES: Final = 256 * 1024
"""Of a partition at once: all lanes of a service are looked at together."""
AmountOf = Callable[[Record], tuple[int, str] | None]


@dataclass(slots=True)
class Unread:
    """Of one partition. `first` is inclusive, `end` exclusive; `oldest_ms` is the broker's time.

    `events` and `minor` are by currency, None of records without an amount. `whole`: all were looked at.
    """

    first: int
    end: int
    whole: bool = False
    looked_at: int = 0
    oldest_ms: int | None = None
    events: Counter[str | None] = field(default_factory=Counter)
    minor: Counter[str | None] = field(default_factory=Counter)

    def take(self, record: Record, amount: tuple[int, str] | None) -> None:
        """Count a record."""
        if self.oldest_ms is None:
            self.oldest_ms = record.timestamp
        self.looked_at += 1
        minor, currency = amount or (0, None)
        self.events[currency] += 1
        self.minor[currency] += minor


class UnreadRecords:
    """Looks at unread records for one who asks at a time, with a consumer of its own that is no member."""

    def __init__(self, bootstrap: str, amount_of: AmountOf) -> None:
        self._bootstrap = bootstrap
        self._amount_of = amount_of
        self._alone = asyncio.Lock()

    async def look(
        self, offsets: Mapping[TopicPartition, int], most: int = MOST_RECORDS, seconds: float = MOST_SECONDS
    ) -> dict[TopicPartition, Unread] | None:
        """What lies at `offsets` (the next to be handled) and beyond; None where the broker does not say."""
        async with asyncio.timeout(2 * (_PATIENCE_SECONDS + seconds)), self._alone:
            consumer = bystander(self._bootstrap, most_bytes=_FETCH_BYTES)
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await consumer.start()
                    found = await _bounds(consumer, offsets)
            except (KafkaError, OSError) as fault:
                log.warning("where the topics end is not known", fault=repr(fault))
                await leave(consumer, _PATIENCE_SECONDS)
                return None
            try:
                await self._read(consumer, found, most, monotonic() + seconds)
            except (KafkaError, OSError) as fault:
                # What was seen by then counts; whatever stands in the way stands in the lane's, too.
                log.warning("unread records are not looked at", fault=repr(fault))
            finally:
                await leave(consumer, _PATIENCE_SECONDS)
            return found

    async def _read(
        self, consumer: AIOKafkaConsumer, found: Mapping[TopicPartition, Unread], most: int, deadline: float
    ) -> None:
        left = {place for place, unread in found.items() if not unread.whole}
        if not left:
            return
        # Each has its share, so that no lane hides what waits in another.
        share = max(most // len(left), 1)
        consumer.assign(list(left))
        for place in left:
            consumer.seek(place, found[place].first)
        while left and monotonic() < deadline:
            polled = await consumer.getmany(*left, timeout_ms=_FETCH_MS, max_records=_PIECE)
            for place, records in polled.items():
                if not self._take(found[place], records, share):
                    left.remove(place)
            for place in list(left):
                if await consumer.position(place) >= found[place].end:
                    found[place].whole = True
                    left.remove(place)
            await asyncio.sleep(0)

    def _take(self, unread: Unread, records: Sequence[Record], share: int) -> bool:
        """Whether all of them were within the share."""
        for record in records:
            if record.offset < unread.end:
                if unread.looked_at == share:
                    return False
                unread.take(record, self._amount_of(record))
        return True


async def _bounds(
    consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]
) -> dict[TopicPartition, Unread]:
    ends = await consumer.end_offsets(list(offsets)) if offsets else {}
    behind = [place for place, end in ends.items() if end > offsets[place]]
    beginnings = await consumer.beginning_offsets(behind) if behind else {}
    return {
        place: Unread(max(offsets[place], beginnings.get(place, 0)), end, end <= offsets[place])
        for place, end in ends.items()
    }
