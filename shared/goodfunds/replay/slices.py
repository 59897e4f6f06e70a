"""Ranges of topics cut into slices, the same whoever reads them and from wherever he goes on; pure."""

import json
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from goodfunds import ids
from goodfunds.errors import GoodfundsError
from goodfunds.lanes.headers import origin, replay_of
from goodfunds.lanes.records import Handler, Record

SLICE_RECORDS = 1_000
SLICE_BYTES = 4 << 20
"""A slice ends with whichever of the two comes first: records may have a megabyte each."""
_PASSED_AT_ONCE = 20
"""Slices without a wanted record that are passed over in one step."""


class RecordMissing(GoodfundsError):
    """A record of a range is no longer where it was: trimmed, compacted, or the topic was made anew."""

    def __init__(self, topic: str, partition: int, offset: int, why: str) -> None:
        super().__init__(f"{topic}/{partition} does not have offset {offset}: {why}")


@dataclass(frozen=True, slots=True)
class Range:
    """Offsets of a topic in the share of a lane: `first` inclusive, `end` exclusive."""

    topic: str
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Position:
    """How far ranges were handled: the index of one, its next offset (0: its first), and what was seen of it.

    `seen`: producer|its lane → the last seq of those that were read of this range.
    """

    range: int = 0
    offset: int = 0
    seen: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> "Position":
        """From its JSON; {} is the beginning."""
        return cls(**json.loads(text))

    def text(self) -> str:
        """As JSON."""
        return json.dumps({"range": self.range, "offset": self.offset, "seen": dict(self.seen)})


@dataclass(frozen=True, slots=True)
class Slice:
    """The next piece of a lane's share: the wanted records of slice `number`, and where it ends.

    `skipped`: records read that are none of them, those of slices that were passed over before it included.
    `last`: nothing comes after it.
    """

    number: int
    records: tuple[Record, ...]
    skipped: int
    position: Position
    last: bool

    def words(self) -> str:
        """Where it stands, for people."""
        if not self.records:
            return f"slice {self.number}"
        first, last = self.records[0], self.records[-1]
        return f"slice {self.number}, {first.topic}/{first.partition} offsets {first.offset} to {last.offset}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records of the ranges are meant: those of any of these accounts or payments; of none: all."""

    keys: frozenset[bytes] = frozenset()
    payments: frozenset[bytes] = frozenset()

    @classmethod
    def of(cls, selection: Mapping[str, Any]) -> "Wanted":
        """From a plan's selection: `keys` are accounts, `payments` ids in text. Raises ValueError."""
        return cls(
            frozenset(key.encode() for key in selection.get("keys") or ()),
            frozenset(ids.parse(each) for each in selection.get("payments") or ()),
        )

    def by(self, handler: Handler) -> Callable[[Record], bool]:
        """The question to a record, by what a service says it is about."""
        if not self.keys and not self.payments:
            return lambda record: True  # noqa: ARG005 - the question's shape
        if not self.payments:
            return lambda record: handler.key_of(record) in self.keys
        return lambda record: (
            handler.payment_of(record) in self.payments or handler.key_of(record) in self.keys
        )


def ranges_of(text: str) -> tuple[Range, ...]:
    """A share's ranges from its row."""
    return tuple(Range(each["topic"], each["first"], each["end"]) for each in json.loads(text))


class Cutter:
    """Cuts the records of a lane's ranges, given in order, into slices.

    A slice is of one topic, and ends by count and bytes from the start of its ranges. An event that a
    producer sent again is left out, as the lane did. On topics that clients do not write a hole in a
    producer's numbers is a record that is missing.
    """

    def __init__(
        self,
        ranges: Sequence[Range],
        position: Position,
        number: int,
        wanted: Callable[[Record], bool],
        client_writable: Collection[str],
    ) -> None:
        self.ready: deque[Slice] = deque()
        self.done = False
        self._ranges = ranges
        self._wanted = wanted
        self._client_writable = client_writable
        self._range = position.range
        self._offset = position.offset
        self._seen = dict(position.seen)
        self._number = number
        self._passed = 0
        self._skipped = 0
        self._kept: list[Record] = []
        self._count = self._bytes = 0
        if position.range >= len(ranges):
            self._end_range()
        else:
            self._offset = max(self._offset, ranges[position.range].first)

    @property
    def reading(self) -> tuple[str, int, int] | None:
        """(topic, the next offset, where to end) of the range that is read now; None after the last."""
        if self.done:
            return None
        now = self._ranges[self._range]
        return now.topic, self._offset, now.end

    def add(self, record: Record) -> None:
        """The next record of the range. Raises RecordMissing, Unreadable where it has no headers of ours."""
        repeated = record.topic not in self._client_writable and self._is_repeated(record)
        self._offset = record.offset + 1
        self._count += 1
        self._bytes += len(record.value or b"")
        if not repeated and self._wanted(record):
            self._kept.append(record)
        else:
            self._skipped += 1
        if self._count == SLICE_RECORDS or self._bytes >= SLICE_BYTES:
            self._cut()

    def reach(self, offset: int) -> None:
        """Nothing more is to come below an offset: what lies there is a marker, or was added."""
        self._offset = max(self._offset, offset)
        if not self.done and self._offset >= self._ranges[self._range].end:
            self._end_range()

    def _is_repeated(self, record: Record) -> bool:
        producer, lane, seq = origin(record)
        # All lives of a producer's database share one line of numbers.
        of = f"{producer.partition(b'.')[0].decode()}|{lane.decode()}"
        last = self._seen.get(of)
        if last is None and replay_of(record) is not None:
            # Perhaps it was published again, long after its place: what follows then is no hole.
            return False
        if last is not None and seq > last + 1:
            why = f"seq {last + 1} of {of} is missing before offset {record.offset}"
            raise RecordMissing(record.topic, record.partition, self._offset, why)
        self._seen[of] = max(seq, last or 0)
        return last is not None and seq <= last

    def _cut(self) -> None:
        self._passed += 1
        self._count = self._bytes = 0
        if self._kept or self._passed == _PASSED_AT_ONCE:
            self._put(Position(self._range, self._offset, dict(self._seen)), last=False)

    def _end_range(self) -> None:
        """On to the next range: slices go on over those of one topic."""
        topic = self._ranges[self._range].topic if self._range < len(self._ranges) else ""
        self._range = min(self._range + 1, len(self._ranges))
        self._seen = {}
        self.done = self._range == len(self._ranges)
        self._offset = 0 if self.done else self._ranges[self._range].first
        if self.done or self._ranges[self._range].topic != topic:
            if self._count:
                self._passed += 1
                self._count = self._bytes = 0
            if self._kept or self.done:
                self._put(Position(self._range, 0), last=self.done)

    def _put(self, position: Position, last: bool) -> None:
        self._number += self._passed
        number = max(self._number - 1, 0)
        self.ready.append(Slice(number, tuple(self._kept), self._skipped, position, last))
        self._kept, self._skipped, self._passed = [], 0, 0
