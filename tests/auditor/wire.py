"""Reading what the house writes, by its documents alone: Avro events, outbox frames, references, lanes."""

import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import fastavro

SCHEMAS = Path(__file__).parents[2] / "schemas"
_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_HEAD = struct.Struct(">BHQQHBBI")
NO_ID = bytes(16)


class Event(NamedTuple):
    """A decoded event; ids are bytes, amounts integers in minor units."""

    name: str
    fields: Mapping[str, Any]


class Framed(NamedTuple):
    """An event in an outbox row."""

    lane: int
    outbox_seq: int
    topic: str
    partition: int
    seq: int
    key: bytes
    event_type: bytes
    body: bytes


@cache
def schemas() -> dict[int, tuple[str, Any]]:
    """Schema id → (name, schema), of every version that the lock names."""
    locked = json.loads((SCHEMAS / "registry.lock.json").read_text())["schemas"]
    return {each["id"]: (each["name"], _schema(each["id"])) for each in locked}


def _schema(number: int) -> Any:
    text = (SCHEMAS / "history" / f"{number}.avsc").read_text()
    return fastavro.parse_schema(_as_bytes(json.loads(text)), named_schemas={})


def _as_bytes(schema: Any) -> Any:
    """The schema without its logical types over `fixed`: an id is its 16 bytes, an amount its 8.

    Measured: that takes half of the time of reading a log.
    """
    if isinstance(schema, list):
        return [_as_bytes(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: _as_bytes(value) for name, value in schema.items()}
    if kept.get("type") == "fixed":
        kept.pop("logicalType", None)
    return kept


@cache
def _amounts(number: int) -> tuple[str, ...]:
    """The fields of a schema that are amounts."""
    return tuple(each["name"] for each in schemas()[number][1]["fields"] if each["name"].endswith("_minor"))


def decode(value: bytes | None) -> Event | None:
    """The event of a record in Confluent's wire format; None where it is none."""
    if value is None or len(value) < 5 or value[0] != 0:
        return None
    number = int.from_bytes(value[1:5], "big")
    known = schemas().get(number)
    if known is None:
        return None
    name, schema = known
    stream = BytesIO(value)
    stream.seek(5)
    try:
        fields: Any = fastavro.schemaless_reader(stream, schema, None)
    except Exception:  # whatever an Avro reader raises on bytes that are no event
        return None
    if stream.tell() != len(value):
        return None
    _count(fields, _amounts(number))
    if "instruction" in fields:
        _count(fields["instruction"], ("amount_minor",))
    return Event(name, fields)


def _count(fields: dict[str, Any], amounts: Iterable[str]) -> None:
    for name in amounts:
        fields[name] = int.from_bytes(fields[name], "big", signed=True)


def body_of(value: bytes) -> bytes:
    """The Avro body behind magic byte and schema id."""
    return value[5:]


def read_request(value: bytes | None, event_type: bytes) -> Event | None:
    """A client's request in Avro, or in JSON of the type that its header names."""
    found = decode(value)
    if found is not None or value is None or value[:1] != b"{":
        return found
    try:
        fields = json.loads(value)
    except ValueError:
        return None
    return Event(event_type.decode(errors="replace"), fields) if isinstance(fields, dict) else None


def frame(row: Mapping[str, Any]) -> Iterator[Framed]:
    """The events of an outbox row, by the layout that the migration of `outbox` documents.

    Raises ValueError where count, lengths and the row's end do not agree.
    """
    data: bytes = row["frame"]
    topics: Sequence[str] = row["topics"]
    (count,) = struct.unpack_from(">I", data)
    at = 4
    for _ in range(count):
        topic, partition, seq, _, key, kind, trace, body = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        end = at + key + kind + trace + body
        yield Framed(
            row["lane"], row["outbox_seq"], topics[topic], partition, seq, data[at : at + key],
            data[at + key : at + key + kind], data[end - body : end],
        )  # fmt: skip
        at = end
    if at != len(data) or count != row["events"]:
        raise ValueError(f"outbox row {row['lane']}/{row['outbox_seq']}: {count} events, {at} of {len(data)}")


def reference(text: str) -> tuple[int, bytes] | None:
    """(lane, id) of a reference of ours: four digits, a dash, 26 characters of Crockford's base 32."""
    if len(text) != 31 or text[4] != "-" or not text[:4].isdigit():
        return None
    number = 0
    for character in text[5:]:
        place = _BASE32.find(character)
        if place < 0:
            return None
        number = number * 32 + place
    return (int(text[:4]), number.to_bytes(16, "big")) if number < 1 << 128 else None


def written_reference(lane: int, identifier: bytes) -> str:
    """The reference that carries a lane and an id; what `reference` reads."""
    number, characters = int.from_bytes(identifier, "big"), []
    for _ in range(26):
        number, place = divmod(number, 32)
        characters.append(_BASE32[place])
    return f"{lane:04d}-{''.join(reversed(characters))}"


@cache
def lane_of(account: str, partitions: int) -> int:
    """The partition of an account by Kafka's default partitioner (murmur2, sign bit cleared)."""
    data = account.encode()
    mask, mixer = 0xFFFFFFFF, 0x5BD1E995
    mixed = (0x9747B28C ^ len(data)) & mask
    for start in range(0, len(data) // 4 * 4, 4):
        word = struct.unpack_from("<I", data, start)[0] * mixer & mask
        word = (word ^ (word >> 24)) * mixer & mask
        mixed = mixed * mixer & mask ^ word
    rest = data[len(data) // 4 * 4 :]
    if rest:
        mixed = (mixed ^ int.from_bytes(rest, "little")) * mixer & mask
    mixed = (mixed ^ (mixed >> 13)) * mixer & mask
    return ((mixed ^ (mixed >> 15)) & 0x7FFFFFFF) % partitions


def short(identifier: bytes) -> str:
    """An id as people see it."""
    return str(UUID(bytes=bytes(identifier)))
