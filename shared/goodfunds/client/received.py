"""An event as a subscription hands it over: decoded, with where it lay and what its headers say."""

from collections.abc import Iterable
from dataclasses import dataclass

from goodfunds.client.positions import Admission, Place, numbered
from goodfunds.events.types import Event, decode
from goodfunds.lanes.headers import header
from goodfunds.lanes.records import Record


@dataclass(frozen=True, slots=True)
class Received:
    """An event and its record. `key`: our customer's account; `event_id`: CloudEvents' id (`ce_id`).

    `seq` counts from 1 without a gap per (producer, lane, partition); offsets count from 0. Empty and 0
    where the topic's events carry no numbers.
    """

    event: Event
    topic: str
    partition: int
    offset: int
    key: str
    event_id: str
    producer: str
    lane: str
    seq: int
    traceparent: str

    @property
    def place(self) -> Place:
        """(topic, partition)."""
        return self.topic, self.partition


def receive_all(admitted: Iterable[Admission], names: frozenset[str] = frozenset()) -> list[Received]:
    """Decode what was let in, in order; of types other than `names`, if there are any, nothing is read.

    Raises Unreadable for an event that this version of the library does not know.
    """
    records = (record for admission in admitted for record in admission.records)
    return [receive(record) for record in records if not names or _type_of(record) in names]


def receive(record: Record) -> Received:
    """Decode a record. Raises Unreadable."""
    producer, lane, seq = numbered(record)
    return Received(
        decode(record.value), record.topic, record.partition, record.offset,
        (record.key or b"").decode("utf-8", "replace"), _text(record, "ce_id"), producer, lane, seq,
        _text(record, "traceparent"),
    )  # fmt: skip


def _type_of(record: Record) -> str:
    return _text(record, "ce_type") or type(decode(record.value)).__name__


def _text(record: Record, name: str) -> str:
    return (header(record, name) or b"").decode("utf-8", "replace")
