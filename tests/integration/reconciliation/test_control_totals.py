"""Control totals on a real Kafka: counted once each, repeats dropped, gone on with after a restart."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from goodfunds.events import types
from services.reconciliation import control_totals
from services.reconciliation.control_totals import ControlTotals
from services.reconciliation.totals import Schemas
from tests.integration.reconciliation.scene import rejected, submitted

SCHEMAS = Path(__file__).parents[3] / "schemas"
PARTITIONS = 2


class Running:
    """The second reader, started and stopped by the test."""

    def __init__(self, bootstrap: str) -> None:
        self.totals = ControlTotals(bootstrap, Schemas(SCHEMAS))
        self.stop = asyncio.Event()
        self.task = asyncio.create_task(self.totals.run(self.stop))

    async def end(self) -> None:
        self.stop.set()
        await asyncio.wait_for(self.task, 30)


async def test_each_event_counts_once_through_repeats_and_a_restart(
    kafka: Any, make_topics: Callable[..., Any], monkeypatch: Any
) -> None:
    unique = str(id(kafka))
    read = (f"payments-{unique}", f"settlement-{unique}")
    written = f"totals-{unique}"
    monkeypatch.setattr(control_totals, "READ", read)
    monkeypatch.setattr(control_totals, "WRITTEN", written)
    monkeypatch.setattr(control_totals, "GROUP", f"group-{unique}")
    await make_topics([*read, written], PARTITIONS)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()

    async def send(partition: int, seq: int, value: bytes, topic: str = read[1]) -> None:
        headers = [("producer", b"settlement.a"), ("lane", b"%d" % partition), ("seq", b"%d" % seq)]
        await producer.send_and_wait(topic, value, partition=partition, headers=headers)

    running = Running(kafka.bootstrap)
    try:
        for seq in (1, 2, 3):
            await send(0, seq, submitted(seq, 100).encode())
        await send(0, 2, submitted(2, 100).encode())
        await send(0, 4, rejected(1, 100).encode())
        await send(1, 1, submitted(9, 7).encode())
        await send(1, 2, b"garbage")
        await send(0, 1, _accepted(250), read[0])
        await _until(kafka.bootstrap, written, {
            (read[1], 0, "PaymentSubmitted"): (3, 300, 3),
            (read[1], 0, "PaymentRejectedByBank"): (1, 100, 4),
            (read[1], 1, "PaymentSubmitted"): (1, 7, 1),
            (read[0], 0, "PaymentAccepted"): (1, 250, 1),
        })  # fmt: skip
        await running.end()
        await send(0, 3, submitted(3, 100).encode())
        await send(0, 5, submitted(4, 11).encode())
        running = Running(kafka.bootstrap)
        await _until(kafka.bootstrap, written, {(read[1], 0, "PaymentSubmitted"): (4, 311, 5)})
    finally:
        with suppress(asyncio.CancelledError):
            await running.end()
        await producer.stop()


def _accepted(amount: int) -> bytes:
    from datetime import date

    texts = {name: "" for name, kind in types.PaymentInstruction.__annotations__.items() if kind is str}
    instruction = types.PaymentInstruction(
        amount_minor=amount,
        requested_execution_date=date(2026, 11, 23),
        creditor_address_lines=("x",),
        **texts,
    )
    return types.PaymentAccepted(bytes(16), replace(instruction, currency="EUR"), 0).encode()


async def _until(
    bootstrap: str, topic: str, wanted: dict[tuple[str, int, str], tuple[int, int, int]]
) -> None:
    """Read totals until the latest are those wanted; a minute at most."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    latest: dict[tuple[str, int, str], tuple[int, int, int]] = {}
    try:
        consumer.assign([TopicPartition(topic, partition) for partition in range(PARTITIONS)])
        async with asyncio.timeout(60):
            while any(latest.get(key) != value for key, value in wanted.items()):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        total = types.decode(record.value)
                        assert isinstance(total, types.ControlTotal)
                        assert total.total_partition == record.partition
                        key = total.topic, total.total_partition, total.event_type
                        latest[key] = total.count, total.amount_minor, total.last_seq
    except TimeoutError:
        raise AssertionError(f"after a minute the totals are {latest}") from None
    finally:
        await consumer.stop()
