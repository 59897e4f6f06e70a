"""A consumer that is no member of any group: it reads what was committed, where it is told."""

import asyncio
import contextlib

from aiokafka import AIOKafkaConsumer

from goodfunds.lanes.lenient import read_leniently


def bystander(bootstrap: str, wait_ms: int = 500, most_bytes: int = 1 << 20) -> AIOKafkaConsumer:
    """It is not started yet, and has nothing assigned. `most_bytes`: of a partition at once.

    `wait_ms`: so long the broker may wait for more than nothing. An offset that is gone raises.
    """
    read_leniently()
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        fetch_max_wait_ms=wait_ms,
        max_partition_fetch_bytes=most_bytes,
    )


async def leave(consumer: AIOKafkaConsumer, seconds: float) -> None:
    """Close its connections, within a bound, whatever became of the broker."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(seconds):
            await consumer.stop()
