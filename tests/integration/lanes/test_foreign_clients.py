"""What other clients than ours may write and the broker takes: no lane stops for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.producer import message_accumulator, producer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from goodfunds.lanes.consumer import LaneConsumer
from goodfunds.lanes.destinations import own_event, reading
from goodfunds.lanes.records import Record
from tests.integration.lanes.stage import Stage


class NotUtf8(str):
    """A header's name as librdkafka would send it: any bytes."""

    def encode(self, *of: Any) -> bytes:
        return b"\xff\xfe" + super().encode()


@pytest.fixture
async def stage(kafka: Any, make_topics: Callable[..., Any]) -> Stage:
    name = uuid4().hex[:8]
    await make_topics([f"in-{name}"], 1)
    return Stage(kafka.bootstrap, "", f"in-{name}", "", 1)


@pytest.fixture
async def consumer(stage: Stage) -> AsyncIterator[LaneConsumer]:
    consumer = LaneConsumer(stage.bootstrap, f"group-{stage.source}", (stage.source,), 2.5)
    await consumer.start()
    yield consumer
    await consumer.stop()


async def send(stage: Stage, values: range, header: str, compression: str | None = None) -> None:
    client = AIOKafkaProducer(bootstrap_servers=stage.bootstrap, compression_type=compression, linger_ms=20)
    await client.start()
    try:
        headers = [(header, b"1"), ("traceparent", b"kept")]
        async with asyncio.TaskGroup() as tasks:
            for value in values:
                tasks.create_task(
                    client.send_and_wait(stage.source, b"%d" % value * 50, b"k", 0, headers=headers)
                )
    finally:
        await client.stop()


async def read(stage: Stage, consumer: LaneConsumer, count: int) -> list[Record]:
    await stage.until("assigned", lambda: consumer.seek(0, {stage.source: 0}, [stage.source]))
    found: list[Record] = []

    async def enough() -> bool:
        found.extend((await consumer.poll(0.2, 3)).get(0, []))
        return len(found) >= count

    await stage.until(f"{count} records", enough, 15)
    return found


@pytest.mark.parametrize("compression", [None, "gzip", "snappy", "lz4", "zstd"])
async def test_records_are_read_however_a_client_compresses_them(
    stage: Stage, consumer: LaneConsumer, compression: str | None
) -> None:
    await send(stage, range(5), "name", compression)
    assert sorted((await read(stage, consumer, 5))[0].headers) == [("name", b"1"), ("traceparent", b"kept")]


@pytest.mark.parametrize("compression", [None, "lz4"])
async def test_a_headers_name_that_is_no_utf_8_neither_hides_nor_holds_up_a_record(
    stage: Stage, consumer: LaneConsumer, monkeypatch: pytest.MonkeyPatch, compression: str | None
) -> None:
    await send(stage, range(3), "name")
    with monkeypatch.context() as patched:
        # The client's fast builder takes nothing but text.
        for module in (producer, message_accumulator):
            patched.setattr(module, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)
        await send(stage, range(3, 6), NotUtf8("name"), compression)
    await send(stage, range(6, 9), "name")
    found = await read(stage, consumer, 9)
    assert [record.offset for record in found] == list(range(9))
    assert sorted(bytes(record.value or b"")[:1] for record in found) == [b"%d" % n for n in range(9)]
    assert found[4].headers == (("\ufffd\ufffdname", b"1"), ("traceparent", b"kept"))
    async with reading(stage.bootstrap, {TopicPartition(stage.source, 0): 0}) as looked:
        there = [record async for records in looked.records() for record in records]
    assert len(there) == 9, "whoever looks for his own events there reads on as well"
    assert [own_event(record, "copier.1") for record in there] == [None] * 9
