"""Adoption: a lane of a database that came back from a backup learns from its topics what it did since."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from aiokafka import TopicPartition

from goodfunds.clock import Clock, millis
from goodfunds.errors import Fenced, InvariantBroken, is_retriable
from goodfunds.lanes.destinations import own_event, reading, remember
from goodfunds.lanes.fence import SQL, to_json, unchanged
from goodfunds.lanes.frame import NumberedEvent, OutboxRow, unpack
from goodfunds.lanes.headers import header
from goodfunds.lanes.records import Adopt, Connection, Emission, OwnEvent, Record
from goodfunds.lanes.state import LaneState
from goodfunds.lanes.transact import transact

log = structlog.get_logger(__name__)

NOT_BUILT = "its database was brought back from a backup, and this service cannot adopt its own events"

_SKEW = timedelta(hours=1)
"""How far the clocks of two instances, and so the times of decision and of sending, may be apart."""


@dataclass(slots=True)
class Adoption:
    """A lane that adopts: `last` numbers of it stand on its destinations, `tail` is of its outbox."""

    state: LaneState
    tail: Sequence[OutboxRow]
    last: dict[tuple[str, int], int] = field(default_factory=dict)
    events: int = 0

    def new(self, records: Sequence[tuple[Record, int]]) -> list[OwnEvent]:
        """The events of (record, seq) that the database does not know, each once.

        Raises InvariantBroken where events between are gone.
        """
        found = []
        for record, seq in records:
            place = record.topic, record.partition
            expected = max(self.last.get(place, 0) + 1, self.state.next_seq.get(place, 1))
            if seq > expected:
                raise InvariantBroken(
                    f"{record.topic}/{record.partition} offset {record.offset} is seq {seq}, and {expected} "
                    "is gone: the topic keeps less than the backup is old"
                )
            self.last[place] = max(self.last.get(place, 0), seq)
            if seq == expected:
                event_type = (header(record, "ce_type") or b"").decode()
                found.append(OwnEvent(*place, seq, record.key or b"", event_type, record.value or b""))
        return found

    def missing(self) -> list[NumberedEvent]:
        """What the backup had decided and not published, and nobody has published since."""
        return [
            event
            for row in self.tail
            for event in unpack(row)
            if event.seq > self.last.get((event.topic, event.partition), 0)
        ]

    def number_on(self, missing: Sequence[NumberedEvent]) -> None:
        """Go on behind what stands on the topics; what is missing there keeps the numbers that it had."""
        numbers = self.state.next_seq
        for place, seq in self.last.items():
            numbers[place] = max(numbers.get(place, 1), seq + 1)
        for event in reversed(missing):
            numbers[event.topic, event.partition] = event.seq


@dataclass(frozen=True, slots=True)
class Adopted:
    """What is to be published of lanes that have adopted, and why others have not."""

    rows: dict[int, list[OutboxRow]]
    faults: dict[int, Exception]


async def adopt_own(
    connection: Connection,
    bootstrap: str,
    producer: str,
    outputs: Sequence[str],
    states: Mapping[int, LaneState],
    tails: Mapping[int, Sequence[OutboxRow]],
    adopt: Adopt | None,
    clock: Clock,
    catch_up: Mapping[int, dict[str, int]],
) -> Adopted:
    """Have lanes adopt their own events, before they consume.

    Every destination is read to its end from what the backup had seen of it. Facts are written by what is
    read at once, each lane's in a transaction of its own; a last one moves the numbers and ends it, with the
    ends of its inputs (`catch_up`), which are handled one after the other up to there. A crash
    in between does no harm: the next owner begins anew, and finds what is adopted already. A fault of one
    lane's events leaves out that lane alone. Raises retriable faults.
    """
    if adopt is None:
        return Adopted({}, {lane: InvariantBroken(NOT_BUILT) for lane in states})
    incarnation = producer.partition(".")[2]
    lanes = {lane: Adoption(state, tails[lane]) for lane, state in states.items()}
    adopted = Adopted({}, {})
    starts = _starts(outputs, states)
    ends: dict[TopicPartition, int] = {}
    if starts:
        async with reading(bootstrap, starts, _since(lanes)) as found:
            ends = found.ends
            if found.gone:
                gone = InvariantBroken(f"of {sorted(found.gone)} records since the backup are gone")
                return Adopted({}, dict.fromkeys(lanes, gone))
            async for records in found.records():
                for lane, of_lane in _by_lane(records, producer).items():
                    if lane not in lanes or lane in adopted.faults:
                        continue
                    with _left_out(adopted, lane):
                        events = lanes[lane].new(of_lane)
                        if events:
                            await _write(connection, incarnation, lanes[lane], adopt, events, clock.now())
    for lane in lanes.keys() - adopted.faults.keys():
        adoption = lanes[lane]
        remember(ends, outputs, [adoption.state])
        with _left_out(adopted, lane):
            ends_of_inputs = catch_up.get(lane, {})
            adopted.rows[lane] = await _end(connection, incarnation, adoption, ends_of_inputs, clock.now())
            log.warning(
                "lane adopted its own events", lane=lane, adopted=adoption.events,
                published_now=sum(row.events for row in adopted.rows[lane]),
            )  # fmt: skip
    return adopted


@contextmanager
def _left_out(adopted: Adopted, lane: int) -> Iterator[None]:
    try:
        yield
    except Exception as fault:
        if is_retriable(fault) and not isinstance(fault, Fenced):
            raise
        adopted.faults[lane] = fault


def _starts(outputs: Sequence[str], states: Mapping[int, LaneState]) -> dict[TopicPartition, int]:
    starts: dict[TopicPartition, int] = {}
    for state in states.values():
        for (topic, partition), offset in (state.restored_from or {}).items():
            if topic in outputs:
                place = TopicPartition(topic, partition)
                starts[place] = min(starts.get(place, offset), offset)
    return starts


def _since(lanes: Mapping[int, Adoption]) -> int | None:
    """From when on a tail may stand on the topics: it was decided before it was sent."""
    decided = [row.decided_at for adoption in lanes.values() for row in adoption.tail]
    return millis(min(decided) - _SKEW) if decided else None


def _by_lane(records: Sequence[Record], producer: str) -> dict[int, list[tuple[Record, int]]]:
    found: dict[int, list[tuple[Record, int]]] = {}
    for record in records:
        own = own_event(record, producer)
        if own is not None:
            lane, seq, _ = own
            found.setdefault(lane, []).append((record, seq))
    return found


async def _write(
    connection: Connection,
    incarnation: str,
    adoption: Adoption,
    adopt: Adopt,
    events: Sequence[OwnEvent],
    now: datetime,
) -> None:
    lane = adoption.state.lane

    async def write(connection: Connection) -> Mapping[int, Sequence[Emission]]:
        await adopt(connection, lane, events)
        return {}

    await transact(connection, incarnation, [unchanged(adoption.state)], now, write)
    adoption.events += len(events)


async def _end(
    connection: Connection,
    incarnation: str,
    adoption: Adoption,
    catch_up: dict[str, int],
    now: datetime,
) -> list[OutboxRow]:
    state, missing = adoption.state, adoption.missing()
    adoption.number_on(missing)
    # What of the tail is not on the topics is in the outbox once more, and in this life's name.
    state.published_seq = state.outbox_seq

    async def write(connection: Connection) -> Mapping[int, Sequence[Emission]]:
        await connection.execute(SQL["end_adoption"], state.lane, to_json(state.next_seq), to_json(catch_up))
        return {state.lane: [_again(event) for event in missing]}

    rows = await transact(connection, incarnation, [unchanged(state)], now, write)
    state.restored_from, state.catch_up = None, catch_up
    return rows


def _again(event: NumberedEvent) -> Emission:
    return Emission(
        event.topic,
        event.partition,
        event.key,
        event.event_type.decode(),
        event.body,
        event.traceparent,
        event.first_time,
    )
