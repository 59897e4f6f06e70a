"""Where a subscription stands in a partition, and what it lets in: each event once, and no gap unseen."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from goodfunds.errors import Gap, Unreadable
from goodfunds.events.topics import CONTROL_TOTALS
from goodfunds.lanes.headers import origin
from goodfunds.lanes.records import Record
from goodfunds.lanes.state import LaneState, Origin, admit

Place = tuple[str, int]
"""(topic, partition)."""
Producer = tuple[str, str]
"""(producer, its lane): what a number belongs to."""

UNNUMBERED = frozenset({CONTROL_TOTALS})
"""Topics whose events carry no numbers: they come from outside the lanes."""


@dataclass(frozen=True, slots=True)
class Position:
    """The next offset of a partition, and the last number seen of each producer.

    `started_above`: reading began where events may have come before, so that a producer that is seen for
    the first time may begin with any number.
    """

    offset: int
    started_above: bool = False
    numbers: Mapping[Producer, int] = field(default_factory=dict)

    def noted(self) -> str:
        """All but the offset, as its keeper stores it."""
        numbers = {"|".join(producer): seq for producer, seq in sorted(self.numbers.items())}
        return json.dumps({"started_above": self.started_above, "numbers": numbers}, separators=(",", ":"))


def read_position(offset: int, noted: str) -> Position:
    """A stored position. Of one that somebody else has set, such as an administrator, no number is known."""
    try:
        found = json.loads(noted)
        numbers = {_producer(name): int(seq) for name, seq in found["numbers"].items()}
        return Position(offset, bool(found["started_above"]), numbers)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Position(offset, started_above=True)


def _producer(name: str) -> Producer:
    producer, lane = name.split("|")
    return producer, lane


@dataclass(slots=True)
class Admission:
    """What of a partition's records is new, and where that leads."""

    before: Position
    after: Position
    records: list[Record]
    gaps: list[Gap]
    repeats: int = 0


def admit_records(
    place: Place, position: Position, records: Sequence[Record], flag_gaps: bool = False
) -> Admission:
    """Drop what was there before, see that nothing is missing, by the rules of goodfunds' own lanes; pure.

    Raises Gap where events are missing, or notes it in `gaps` and goes on behind it; InvariantBroken on a
    record that none of goodfunds' producers wrote.
    """
    try:
        return _admitted(place, position, records)
    except Gap:
        if not flag_gaps:
            raise
    whole = Admission(position, position, [], [])
    for record in records:
        try:
            found = _admitted(place, whole.after, [record])
        except Gap as gap:
            whole.gaps.append(gap)
            found = _admitted(place, _without(whole.after, record), [record])
            found.after = Position(found.after.offset, position.started_above, found.after.numbers)
        whole.after = found.after
        whole.records += found.records
        whole.repeats += found.repeats
    return whole


def _admitted(place: Place, position: Position, records: Sequence[Record]) -> Admission:
    topic, partition = place
    watermarks: dict[Origin, int] = {(topic, *producer): seq for producer, seq in position.numbers.items()}
    above = frozenset({topic}) if position.started_above else frozenset()
    state = LaneState(partition, 0, 0, {topic: position.offset}, above, watermarks)
    found = admit(state, records, UNNUMBERED, _key_of)
    numbers = {(producer, lane): seq for (_, producer, lane), seq in found.watermarks.items()}
    after = Position(found.offsets[topic], position.started_above, numbers)
    return Admission(position, after, found.records, [], found.repeats)


def _without(position: Position, record: Record) -> Position:
    """A position that knows nothing of a record's producer, in any life of its database."""
    producer, lane, _ = origin(record)
    service = producer.decode().partition(".")[0]
    numbers = {
        known: seq
        for known, seq in position.numbers.items()
        if known[1] != lane.decode() or known[0].partition(".")[0] != service
    }
    return Position(position.offset, True, numbers)


def _key_of(record: Record) -> bytes:
    return record.key or b""


def numbered(record: Record) -> tuple[str, str, int]:
    """(producer, its lane, seq) of a record; empty and 0 where the topic's events carry none."""
    try:
        producer, lane, seq = origin(record)
    except Unreadable:
        return "", "", 0
    return producer.decode(), lane.decode(), seq
