"""Parked events as operators see them: what each says, why it is there, and what waits behind it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from goodfunds import ids
from goodfunds.events.readable import decoded
from goodfunds.lanes.headers import header
from goodfunds.lanes.records import Handler
from goodfunds.operating.lanes import SQL, broker_time, money_of
from goodfunds.operating.shapes import Behind, ParkedEvent, ParkedView, Place

_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A parked row as the record that it was."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


def record_of(row: Any) -> ParkedRecord:
    """The record of a row of `parked`; `key` is its account's."""
    told = json.loads(row["headers"])
    return ParkedRecord(
        row["topic"], row["source_partition"], row["source_offset"], row["broker_time_ms"], row["key"],
        row["value"], tuple((name, bytes.fromhex(value or "")) for name, value in told),
    )  # fmt: skip


def parked_view(row: Any, handler: Handler, now: datetime) -> ParkedView:
    """A row of `parked_page`."""
    return ParkedView(**_facts(row, handler, now))


async def parked_event(pool: "asyncpg.Pool[Any]", row: Any, handler: Handler, now: datetime) -> ParkedEvent:
    """A row of `parked_event`, with what it says and what waits behind it."""
    record, of = record_of(row), (row["lane"], row["key"])
    behind = await pool.fetch(SQL["parked_behind"], *of, row["parked_seq"])
    following = await pool.fetch(SQL["parked_of_key"], *of, row["parked_seq"], _NAMED)
    first = place_of_row((await pool.fetch(SQL["parked_of_key"], *of, 0, 1) or [row])[0])
    event_type, event = decoded(record.value, _event_type(record), _in_json(record))
    facts = _facts(row, handler, now)
    own = Place(topic=record.topic, partition=record.partition, offset=record.offset)
    return ParkedEvent(
        **{**facts, "event_type": event_type},
        event=event,
        headers={name: _shown(value) for name, value in json.loads(row["headers"])},
        waits_for=None if first == own else first,
        behind=Behind(
            events=sum(each["events"] for each in behind),
            money=[money_of(each) for each in behind],
            next=[place_of_row(each) for each in following],
        ),
    )


def place_of_row(row: Any) -> Place:
    """Where a parked row's record stands."""
    return Place(topic=row["topic"], partition=row["source_partition"], offset=row["source_offset"])


def _facts(row: Any, handler: Handler, now: datetime) -> dict[str, Any]:
    record = record_of(row)
    payment_id, at = handler.payment_of(record), broker_time(row["broker_time_ms"])
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "lane": row["lane"],
        "parked_seq": row["parked_seq"],
        "key": row["key"].decode("utf-8", "replace"),
        "event_type": _event_type(record),
        "payment_id": None if payment_id is None else ids.text(payment_id),
        "amount_minor": row["amount_minor"],
        "currency": row["currency"],
        "poison": row["poison"],
        "fault": row["fault"],
        "broker_time": at,
        "parked_at": row["parked_at"],
        "age_seconds": max((now - at).total_seconds(), 0.0),
    }


def _event_type(record: ParkedRecord) -> str:
    return (header(record, "ce_type") or b"").decode("utf-8", "replace")


def _in_json(record: ParkedRecord) -> bool:
    return (header(record, "content-type") or b"").startswith(b"application/json")


def _shown(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        text = bytes.fromhex(value).decode()
    except UnicodeDecodeError:
        return f"0x{value}"
    return text if text.isprintable() else f"0x{value}"
