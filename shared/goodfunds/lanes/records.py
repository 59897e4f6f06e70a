"""What passes between the lanes and a service: inputs, polls, emissions, and the contract of a handler."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[Any]"


class Record(Protocol):
    """A record as aiokafka's consumer hands it over. `timestamp` is in ms; offsets count from 0."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


@dataclass(frozen=True, slots=True)
class Input:
    """A topic that a service reads. On one that clients may write, `seq` headers count for nothing."""

    topic: str
    client_writable: bool = False


class Emission(NamedTuple):
    """An event that a transaction decided to publish. `first_time`: ms, only of a forwarded record."""

    topic: str
    partition: int
    key: bytes
    event_type: str
    body: bytes
    traceparent: bytes
    first_time: int = 0


class Sequences(Protocol):
    """Looks ahead in a lane's numbering."""

    def of(self, lane: int, topic: str, partition: int) -> int:
        """The seq that the first event of this transaction to that destination will get."""


@dataclass(slots=True)
class Poll:
    """The work of one transaction: records by lane in order, repeats dropped, and what fell due.

    `now` is UTC and stored with the transaction. Within a lane, records of one topic are in the order of
    their offsets; topics follow each other in the order of the handler's inputs.
    """

    now: datetime
    partitions: int
    sequences: Sequences
    records: dict[int, list[Record]] = field(default_factory=dict)
    due: dict[int, list[Any]] = field(default_factory=dict)

    @property
    def lanes(self) -> list[int]:
        """The lanes that this transaction may write."""
        return sorted({*self.records, *self.due})


class OwnEvent(NamedTuple):
    """An event of a lane's own that its database, brought back from a backup, does not know."""

    topic: str
    partition: int
    seq: int
    key: bytes
    event_type: str
    body: bytes


class Adopt(Protocol):
    """How a service takes its own events for facts: as if it had decided them, without emitting anything."""

    async def __call__(self, connection: Connection, lane: int, events: Sequence[OwnEvent]) -> None:
        """Write what these events say, inside a fenced transaction of their lane.

        They come in the order of each destination, and may come again: what is known changes nothing. The
        inputs that led to them are handled again later; whatever would be decided then, the fact stands.
        """


class Handler(Protocol):
    """A service, as its lanes see it: read → decide → write, for a whole poll."""

    @property
    def producer(self) -> str:
        """The service's name; with the database's incarnation it names the producer of its events."""

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The topics it reads."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """The topics it writes."""

    async def handle(self, connection: Connection, poll: Poll) -> Mapping[int, list[Emission]]:
        """Handle a poll inside its transaction; the emissions of each lane, in order.

        An exception rolls everything back: a retriable one is tried again, InvariantBroken stops the lane,
        Misconfigured or a schema that does not fit ends the loop, any other is narrowed down to its event,
        which is parked.
        """

    async def due(
        self, connection: Connection, lanes: Sequence[int], now: datetime
    ) -> Mapping[int, list[Any]]:
        """What time or a person asks of these lanes; reads only. {} when nothing is due."""

    def key_of(self, record: Record) -> bytes:
        """The account whose later events wait behind this record, should it be parked; never raises."""

    def amount_of(self, record: Record) -> tuple[int, str] | None:
        """(minor units, currency) at stake in a record, None where unknown; never raises."""

    def payment_of(self, record: Record) -> bytes | None:
        """The id of the payment that a record is about, None where it names none; never raises."""
