"""Counting and adding up events by its own means: fastavro and the schema files, no code of the lanes.

A total belongs to (topic, partition, producer, its lane, event type, currency) and carries the last seq that
it holds: an event at or below that is a repeat. So a total alone is a state that counting can go on from.
"""

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import fastavro

from services.reconciliation.way_to_money import read_money, way_to_money

HEADER_BYTES = 5
_LARGEST = (1 << 63) - 1
"""Of Avro's long."""


class Unreadable(Exception):
    """Bytes or headers that are no event of ours."""


class TotalKey(NamedTuple):
    """What a total is about."""

    topic: str
    partition: int
    producer: str
    producer_lane: int
    event_type: str
    currency: str


@dataclass(slots=True)
class Total:
    """Events and minor units so far, up to and with seq and offset `last_*`."""

    count: int = 0
    amount_minor: int = 0
    last_seq: int = 0
    last_offset: int = -1


class Schemas:
    """The event schemas by their id on the wire, read from a folder such as the project's `schemas`."""

    def __init__(self, folder: Path) -> None:
        lock = json.loads((folder / "registry.lock.json").read_text(encoding="utf-8"))["schemas"]
        # An id on the wire names the schema that wrote it, perhaps an earlier one; a name's last writes.
        self._ids = {each["name"]: int(each["id"]) for each in lock}
        # Amounts stay bytes until they are added.
        self._by_id = {int(each["id"]): _read(folder, each["id"], each["name"]) for each in lock}
        self._to_money = {number: way_to_money(schema) for number, (_, schema) in self._by_id.items()}

    def decode(self, value: bytes) -> tuple[str, dict[str, Any]]:
        """(event type, fields) of an event on the wire. Raises Unreadable."""
        name, number = self._named(value)
        try:
            body = io.BytesIO(value[HEADER_BYTES:])
            fields = fastavro.schemaless_reader(body, self._by_id[number][1], None)
        except (EOFError, IndexError, ValueError, TypeError, OverflowError) as fault:
            raise Unreadable(f"no {name}: {fault}") from fault
        if not isinstance(fields, dict):
            raise Unreadable(f"no {name}: not a record")
        return name, fields

    def _named(self, value: bytes) -> tuple[str, int]:
        if len(value) < HEADER_BYTES or value[0] != 0:
            raise Unreadable("not in the wire format")
        number = int.from_bytes(value[1:HEADER_BYTES], "big")
        if number not in self._by_id:
            raise Unreadable(f"schema id {number} is not known")
        return self._by_id[number][0], number

    def money(self, value: bytes) -> tuple[str, int, str]:
        """(event type, minor units, currency) of an event on the wire; 0 and "" without. Raises Unreadable.

        Reads no further than the currency, which stands near the beginning: a tenth of decoding it all.
        """
        name, number = self._named(value)
        way = self._to_money[number]
        if way is None:
            return name, *money(self.decode(value)[1])
        try:
            return name, *read_money(value, HEADER_BYTES, way)
        except (IndexError, UnicodeDecodeError) as fault:
            raise Unreadable(f"no {name}: {fault}") from fault

    def encode(self, name: str, fields: Mapping[str, Any]) -> bytes:
        """An event on the wire. Amounts are given as integers."""
        number = self._ids[name]
        target = io.BytesIO()
        target.write(b"\x00" + number.to_bytes(4, "big"))
        fastavro.schemaless_writer(target, self._by_id[number][1], dict(fields))
        return target.getvalue()


class Book:
    """The totals of the partitions that this process reads; those that moved are given out once."""

    def __init__(self) -> None:
        self.totals: dict[TotalKey, Total] = {}
        self._moved: set[TotalKey] = set()

    def restore(self, key: TotalKey, total: Total) -> None:
        """Go on from a published total; an older one than is known changes nothing."""
        known = self.totals.get(key)
        if known is None or known.last_seq < total.last_seq:
            self.totals[key] = total

    def add(self, key: TotalKey, seq: int, offset: int, amount_minor: int) -> bool:
        """Count an event; False where it is a repeat."""
        total = self.totals.setdefault(key, Total())
        if seq <= total.last_seq:
            return False
        total.count += 1
        total.amount_minor += amount_minor
        total.last_seq = seq
        total.last_offset = offset
        self._moved.add(key)
        return True

    def moved(self) -> list[TotalKey]:
        """The totals to publish, in order."""
        return sorted(self._moved)

    def published(self, keys: Sequence[TotalKey]) -> None:
        self._moved.difference_update(keys)

    def touch(self, partition: int) -> None:
        """Have the totals of a partition published again."""
        self._moved.update(key for key in self.totals if key.partition == partition)

    def touch_all(self) -> None:
        """Have every total published again, so that the topic's retention does not lose one at rest."""
        self._moved.update(self.totals)

    def forget(self, partitions: set[int]) -> None:
        """Drop what belongs to partitions that another instance reads now."""
        for key in [key for key in self.totals if key.partition in partitions]:
            del self.totals[key]
            self._moved.discard(key)


def money(fields: Mapping[str, Any]) -> tuple[int, str]:
    """(minor units, currency) of an event; (0, "") where it names no money."""
    holder = fields if "amount_minor" in fields else fields.get("instruction") or {}
    amount = holder.get("amount_minor")
    if amount is None:
        return 0, ""
    return int.from_bytes(amount, "big", signed=True), str(holder.get("currency", ""))


def origin(headers: Mapping[str, bytes]) -> tuple[str, int, int]:
    """(producer, its lane, seq) from an event's headers. Raises Unreadable."""
    try:
        producer, lane, seq = headers["producer"].decode(), int(headers["lane"]), int(headers["seq"])
    except (KeyError, ValueError, AttributeError) as fault:
        raise Unreadable("producer, lane or seq is missing") from fault
    if not 0 <= seq <= _LARGEST:
        raise Unreadable(f"{seq} is no seq")
    return producer, lane, seq


def total_event(key: TotalKey, total: Total, service: str, computed_at: int) -> dict[str, Any]:
    """The fields of a ControlTotal; `computed_at` in µs since 1970 UTC."""
    return {
        "amount_minor": total.amount_minor.to_bytes(8, "big", signed=True),
        "computed_at": computed_at,
        "service": service,
        "topic": key.topic,
        "total_partition": key.partition,
        "producer": key.producer,
        "producer_lane": key.producer_lane,
        "last_seq": total.last_seq,
        "last_offset": total.last_offset,
        "currency": key.currency,
        "event_type": key.event_type,
        "count": total.count,
    }


def from_total_event(fields: Mapping[str, Any]) -> tuple[TotalKey, Total]:
    """The total that a ControlTotal of ours carries."""
    key = TotalKey(
        fields["topic"], fields["total_partition"], fields["producer"], fields["producer_lane"],
        fields["event_type"], fields["currency"],
    )  # fmt: skip
    amount = int.from_bytes(fields["amount_minor"], "big", signed=True)
    return key, Total(fields["count"], amount, fields["last_seq"], fields["last_offset"])


def _read(folder: Path, number: int, name: str) -> tuple[str, Any]:
    """(event type, schema) of an id."""
    written = json.loads((folder / "history" / f"{number}.avsc").read_text(encoding="utf-8"))
    return name, fastavro.parse_schema(_alone(written, set()))


def _alone(schema: Any, seen: set[str]) -> Any:
    """The schema with each name told once, and logical types left to the reader of bytes."""
    if isinstance(schema, str):
        return schema
    if isinstance(schema, list):
        return [_alone(each, seen) for each in schema]
    plain = {key: value for key, value in schema.items() if key not in _LOGICAL}
    if plain.get("type") in ("record", "fixed", "enum"):
        if plain["name"] in seen:
            return plain["name"]
        seen.add(plain["name"])
    if plain.get("type") == "record":
        plain["fields"] = [
            {"name": each["name"], "type": _alone(each["type"], seen)} for each in plain["fields"]
        ]
    elif "items" in plain:
        plain["items"] = _alone(plain["items"], seen)
    return plain


_LOGICAL = frozenset({"logicalType", "precision", "scale", "doc"})
_NOT_IN_A_KEY = re.compile(r"[|]")


def record_key(key: TotalKey) -> bytes:
    """The key of a total's record: what it is about, in one line."""
    return "|".join(_NOT_IN_A_KEY.sub("_", str(part)) for part in key).encode()
