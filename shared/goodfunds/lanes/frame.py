"""The outbox row: a lane's events of one transaction in one frame of bytes, readable by SQL as well.

Layout, big-endian: count u32, then for each event: topic u8 (index into the row's topics), partition u16,
seq u64, first_time u64 (ms, 0 unless forwarded), lengths of key u16, type u8, traceparent u8 and body u32,
then these four. The view `outbox_events` reads the same layout.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from goodfunds.errors import InvariantBroken
from goodfunds.lanes.records import Emission

LARGEST_BODY = 1_000_000
"""Bytes of one event. Topics take 4 MiB, so what is framed here is never refused by the broker."""

_COUNT = struct.Struct(">I")
_HEAD = struct.Struct(">BHQQHBBI")


class NumberedEvent(NamedTuple):
    """An event with its place: seq is gapless from 1 per (producer, lane, topic, partition)."""

    topic: str
    partition: int
    seq: int
    key: bytes
    event_type: bytes
    body: bytes
    traceparent: bytes
    first_time: int


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """What one transaction of one lane publishes. `replay_id`: of the replay that caused it, if one did."""

    lane: int
    outbox_seq: int
    decided_at: datetime
    topics: tuple[str, ...]
    events: int
    frame: bytes
    replay_id: bytes | None = None


def number(emissions: Iterable[Emission], next_seq: dict[tuple[str, int], int]) -> Iterator[NumberedEvent]:
    """Give each emission the next number of its destination; `next_seq` is counted on in place."""
    for topic, partition, key, event_type, body, traceparent, first_time in emissions:
        if len(body) > LARGEST_BODY:
            raise ValueError(f"an event of {len(body)} bytes: {LARGEST_BODY} is the most")
        seq = next_seq.get((topic, partition), 1)
        next_seq[topic, partition] = seq + 1
        yield NumberedEvent(topic, partition, seq, key, event_type.encode(), body, traceparent, first_time)


def pack(events: Iterable[NumberedEvent]) -> tuple[tuple[str, ...], int, bytes]:
    """(topics, count, frame) of numbered events."""
    indexes: dict[str, int] = {}
    parts: list[bytes] = [b""]
    count = 0
    for topic, partition, seq, key, event_type, body, traceparent, first_time in events:
        index = indexes.setdefault(topic, len(indexes))
        parts += (
            _HEAD.pack(
                index, partition, seq, first_time, len(key), len(event_type), len(traceparent), len(body)
            ),
            key,
            event_type,
            traceparent,
            body,
        )
        count += 1
    parts[0] = _COUNT.pack(count)
    return tuple(indexes), count, b"".join(parts)


def unpack(row: OutboxRow) -> Iterator[NumberedEvent]:
    """The events of a row in order. Raises InvariantBroken where the frame is not what `pack` writes."""
    frame, at = row.frame, _COUNT.size
    try:
        for _ in range(row.events):
            index, partition, seq, first_time, key, event_type, traceparent, body = _HEAD.unpack_from(
                frame, at
            )
            at += _HEAD.size
            start = at
            at += key + event_type + traceparent + body
            after_type = start + key + event_type
            yield NumberedEvent(
                row.topics[index],
                partition,
                seq,
                frame[start : start + key],
                frame[start + key : after_type],
                frame[at - body : at],
                frame[after_type : at - body],
                first_time,
            )
        whole = at == len(frame) and _COUNT.unpack_from(frame)[0] == row.events
    except (struct.error, IndexError):
        whole = False
    if not whole:
        raise InvariantBroken(f"outbox row {row.lane}/{row.outbox_seq}: its frame does not hold its events")
