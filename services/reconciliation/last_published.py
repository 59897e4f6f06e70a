"""What a partition of the control totals holds: every total as it was last published."""

from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

# Every total is published again each hour, so the last two hours of a partition hold them all.
_RESTORE_MS = 2 * 3600 * 1000


async def last_published(bootstrap: str, topic: str, partition: int) -> list[bytes]:
    """The values of the last hours' records, in their order. Raises KafkaError, OSError."""
    place = TopicPartition(topic, partition)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    found: list[bytes] = []
    try:
        consumer.assign([place])
        end = (await consumer.end_offsets([place]))[place]
        await _seek_to_last_hours(consumer, place, end)
        while await consumer.position(place) < end:
            records = (await consumer.getmany(place, timeout_ms=500)).get(place, ())
            found += [bytes(record.value or b"") for record in records]
    finally:
        await consumer.stop()
    return found


async def _seek_to_last_hours(consumer: Any, place: Any, end: int) -> None:
    begin = (await consumer.beginning_offsets([place]))[place]
    if begin >= end:
        consumer.seek(place, end)
        return
    consumer.seek(place, end - 1)
    newest: Sequence[Any] = ()
    while not newest and await consumer.position(place) < end:
        newest = (await consumer.getmany(place, timeout_ms=500)).get(place, ())
    if not newest:
        consumer.seek(place, begin)
        return
    found = await consumer.offsets_for_times({place: max(newest[-1].timestamp - _RESTORE_MS, 0)})
    consumer.seek(place, found[place].offset if found[place] else begin)
