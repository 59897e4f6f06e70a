"""What an owner remembers of a lane, and the pure rules of admission: dedupe, gaps, parking."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from goodfunds.errors import Gap, InvariantBroken, Unreadable
from goodfunds.lanes.headers import origin, replay_of
from goodfunds.lanes.records import Record

Place = tuple[str, int, int]
"""(topic, partition, offset) of a record."""
Origin = tuple[str, str, str]
"""(topic, producer, producer's lane): what a watermark belongs to."""


@dataclass(slots=True)
class LaneState:
    """A lane as its owner last committed it. `version` counts transactions; offsets are the next ones.

    `restored_from`: its database was brought back from a backup, and what it told since, from these offsets
    on, is to be adopted first. `catch_up`: topic → where it ended then; up to there inputs
    wait for each other.
    """

    lane: int
    epoch: int
    version: int
    offsets: dict[str, int]
    started_above: frozenset[str] = frozenset()
    watermarks: dict[Origin, int] = field(default_factory=dict)
    next_seq: dict[tuple[str, int], int] = field(default_factory=dict)
    acknowledged: dict[tuple[str, int], int] = field(default_factory=dict)
    outbox_seq: int = 0
    published_seq: int = 0
    parked_keys: set[bytes] = field(default_factory=set)
    restored_from: dict[tuple[str, int], int] | None = None
    catch_up: dict[str, int] = field(default_factory=dict)


def readable(state: LaneState, topics: Sequence[str]) -> tuple[str, ...]:
    """The inputs whose turn it is: after a restore one is caught up before the next is read.

    What follows from an event was told after it, but on another topic: read again, it could be handled first.
    """
    found = []
    for topic in topics:
        found.append(topic)
        if state.offsets[topic] < state.catch_up.get(topic, 0):
            break
    return tuple(found)


@dataclass(slots=True)
class Admitted:
    """A lane's share of one transaction: where it will stand, what is handled, what is set aside."""

    state: LaneState
    offsets: dict[str, int]
    watermarks: dict[Origin, int]
    records: list[Record]
    parked: list[tuple[Record, bool]]
    repeats: int = 0


def admit(
    state: LaneState,
    records: Sequence[Record],
    client_writable: Collection[str],
    key_of: Callable[[Record], bytes],
    poison: Place | None = None,
) -> Admitted:
    """Sort a lane's records into new, repeated and parked; pure.

    `poison` is parked, and with it every record of an account that has parked events already. Records
    below the stored offset or watermark are repeats. Raises Gap where events are missing, InvariantBroken on
    a record of ours without readable headers.
    """
    admitted = Admitted(state, dict(state.offsets), dict(state.watermarks), [], [])
    offsets, watermarks = admitted.offsets, admitted.watermarks
    blocked = set(state.parked_keys)
    for record in records:
        topic = record.topic
        if record.offset < offsets[topic]:
            admitted.repeats += 1
            continue
        offsets[topic] = record.offset + 1
        if topic not in client_writable and not _is_new(state, watermarks, record):
            admitted.repeats += 1
        elif (topic, record.partition, record.offset) == poison:
            blocked.add(key_of(record))
            admitted.parked.append((record, True))
        elif blocked and key_of(record) in blocked:
            admitted.parked.append((record, False))
        else:
            admitted.records.append(record)
    return admitted


def _is_new(state: LaneState, watermarks: dict[Origin, int], record: Record) -> bool:
    try:
        producer, lane, seq = origin(record)
        of = (record.topic, producer.decode(), lane.decode())
    except (Unreadable, UnicodeDecodeError, AttributeError) as fault:
        raise InvariantBroken(
            f"{record.topic}/{record.partition} offset {record.offset}: no headers of ours: {fault}"
        ) from fault
    last = watermarks.get(of)
    if last is None:
        # Such a name could be stored with the lane, but not be read again.
        if "|" in of[1] + of[2] or not (of[1] + of[2]).isprintable():
            raise InvariantBroken(f"{record.topic}: producer {of[1]!r}, lane {of[2]!r} are no names of ours")
        former = _former(watermarks, of)
        if former is None and record.topic in state.started_above and replay_of(record) is not None:
            # Perhaps it was published again, long after its place: no number follows from it.
            return True
        if former is not None:
            # Of a database that was brought back: it numbers on, and the life before is over.
            last = watermarks[former]
            if seq != last + 1:
                raise Gap(f"{'|'.join(of)} begins with seq {seq}, {former[1]} ended with {last}")
            del watermarks[former]
        elif seq != 1 and record.topic not in state.started_above:
            raise Gap(f"{'|'.join(of)} begins with seq {seq}: earlier events are missing")
    elif seq <= last:
        return False
    elif seq != last + 1:
        raise Gap(f"{'|'.join(of)}: seq {seq} follows {last}: events between them are missing")
    watermarks[of] = seq
    return True


def _former(watermarks: dict[Origin, int], of: Origin) -> Origin | None:
    """The same service's producer under another incarnation of its database, where the lane knows one."""
    service = of[1].partition(".")[0]
    for known in watermarks:
        if known[0] == of[0] and known[2] == of[2] and known[1].partition(".")[0] == service:
            return known
    return None
