"""Parked events as records again, as they were when they were set aside."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """A row of `parked` as a handler reads a record. `key` is the account; `timestamp` in ms."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]

    @property
    def place(self) -> tuple[str, int, int]:
        """(topic, partition, offset)."""
        return self.topic, self.partition, self.offset


def parked_events(rows: Iterable[Any]) -> list[ParkedEvent]:
    """The events of rows, in their order."""
    return [
        ParkedEvent(
            row["topic"], row["source_partition"], row["source_offset"], row["broker_time_ms"], row["key"],
            row["value"], _headers(row["headers"]),
        )
        for row in rows
    ]  # fmt: skip


def of_one_poll(events: Sequence[ParkedEvent], topics: Sequence[str]) -> list[ParkedEvent]:
    """As many of the first as a handler takes at once: topics in their order, offsets of each rising."""
    found: list[ParkedEvent] = []
    for event in events:
        if found and (topics.index(event.topic), event.offset) < (
            topics.index(found[-1].topic),
            found[-1].offset,
        ):
            break
        found.append(event)
    return found


def discarded_digest(rows: Iterable[Any]) -> bytes:
    """Of parked events that are given up together: their places, accounts and amounts, in whatever order."""
    told = sorted(
        [*(row[name] for name in ("topic", "source_partition", "source_offset")), row["key"].hex(),
         row["amount_minor"], row["currency"]]
        for row in rows
    )  # fmt: skip
    return sha256(json.dumps(told).encode()).digest()


def _headers(text: str) -> list[tuple[str, bytes]]:
    # A null value stays one, whatever the client's own types say.
    found: list[tuple[str, Any]] = [
        (name, None if value is None else bytes.fromhex(value)) for name, value in json.loads(text)
    ]
    return found
