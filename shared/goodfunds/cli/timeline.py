"""One payment's way through the three services: the steps of their databases, with their places in Kafka."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from goodfunds import ids
from goodfunds.cli.reading import readers, sql
from goodfunds.errors import Unreadable
from goodfunds.events import types
from goodfunds.lanes.headers import header
from goodfunds.local.stack import Stack
from goodfunds.money import readable_amount

_LOOK_BACK_MILLISECONDS = 60_000
"""A step's time is its service's clock, a record's may be the broker's."""
_SEARCH_SECONDS = 5.0
"""The longest that one event's place in Kafka is looked for: the timeline is worth showing without it."""


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to a payment, when (UTC), and where it stands: an event is topic/lane at offset.

    `seq` is the event's number of its producer to that place, `event` what it says of itself where its number
    was not kept (`StatementLine/…/7`); None and "" where no event tells of the step. `offset` is None where
    the broker has it no more.
    """

    at: datetime
    service: str
    step: str
    producer: str
    topic: str
    lane: int
    seq: int | None
    offset: int | None
    event: str
    postings: tuple[str, ...]
    detail: str


async def timelines(stack: Stack, reference: str) -> dict[str, list[Step]]:
    """payment id → its steps in order, of the payments with that id or EndToEndId; {} where there is none."""
    async with readers(stack) as connections:
        found = {}
        for payment_id in await _payment_ids(connections, reference):
            steps = [
                step
                for name, connection in connections.items()
                for step in await _steps(connection, name, payment_id)
            ]
            if steps:
                found[ids.text(payment_id)] = sorted(steps, key=lambda step: step.at)
    return await _placed(stack, found) if found else {}


async def _payment_ids(connections: Mapping[str, Any], reference: str) -> list[bytes]:
    try:
        return [ids.parse(reference)]
    except ValueError:
        rows = await connections["ingestion"].fetch(sql("ingestion")["payments_by_end_to_end"], reference)
        return [row["payment_id"] for row in rows]


async def _steps(connection: Any, service: str, payment_id: bytes) -> list[Step]:
    rows = await connection.fetch(sql(service)["payment_timeline"], payment_id)
    return [
        Step(
            at=row["at"],
            service=service,
            step=row["step"],
            producer=row["producer"],
            topic=row["topic"],
            lane=row["lane"],
            seq=row["seq"],
            offset=row["record_offset"],
            event=row.get("event") or "",
            postings=tuple(map(_posting, json.loads(row["posting"] or "[]"))),
            detail=(row["detail"] or "").strip(),
        )
        for row in rows
    ]


def _posting(row: Mapping[str, Any]) -> str:
    return f"Dr {row['debit']} / Cr {row['credit']} {readable_amount(row['amount_minor'], row['currency'])}"


async def _placed(stack: Stack, found: Mapping[str, Sequence[Step]]) -> dict[str, list[Step]]:
    """The steps with the offsets of their events, which only the broker knows."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka, enable_auto_commit=False)
    try:
        await consumer.start()
        return {
            payment_id: [
                replace(step, offset=await _offset(consumer, step))
                if step.offset is None and (step.seq is not None or step.event)
                else step
                for step in steps
            ]
            for payment_id, steps in found.items()
        }
    finally:
        await consumer.stop()


async def _offset(consumer: AIOKafkaConsumer, step: Step) -> int | None:
    place = TopicPartition(step.topic, step.lane)
    consumer.assign([place])
    since = int(step.at.timestamp() * 1000) - _LOOK_BACK_MILLISECONDS
    first = (await consumer.offsets_for_times({place: since}))[place]
    if first is None:
        return None
    end = (await consumer.end_offsets([place]))[place]
    consumer.seek(place, first.offset)
    try:
        async with asyncio.timeout(_SEARCH_SECONDS):
            while await consumer.position(place) < end:
                for record in (await consumer.getmany(place, timeout_ms=200)).get(place, []):
                    if _tells_of(step, record):
                        return int(record.offset)
    except TimeoutError:
        pass
    return None


def _tells_of(step: Step, record: Any) -> bool:
    if step.seq is not None:
        name = (header(record, "producer") or b"").decode("utf-8", "replace").partition(".")[0]
        return name == step.producer and header(record, "seq") == str(step.seq).encode()
    try:
        event = types.decode(record.value)
    except Unreadable:
        return False
    match event:
        case types.StatementLine():
            own = f"StatementLine/{ids.text(event.statement_id)}/{event.line_number}"
        case types.BreakOpened() | types.BreakResolved():
            own = f"{type(event).__name__}/{ids.text(event.break_id)}"
        case _:
            return False
    return own == step.event
