"""What a transaction makes of a poll, beside goodfunds/lanes/state.py and transact.py; and its publishing."""

from collections.abc import Iterable

from tests.model.configurations import CLIENT, Configuration, Id, Record
from tests.model.state import Event, Pending, Row, State, replaced
from tests.model.world import with_instance

LAST_EQUALS = "a repeat is what equals the last"
WATERMARK_APART = "the watermark is written in another transaction"
OFFSETS_APART = "the offsets are written in another transaction"
NO_KEYS = "a client's repeated key is handled again"
ONE_NUMBER = "one number for all destinations"
REDECIDED = "an input of an adopted fact is decided again"


class Gap(Exception):
    """Records are missing, or an incarnation speaks that is over: the lane stops."""


def admitted(
    marks: tuple[tuple[int, int], ...], record: Record, last_equals: bool
) -> tuple[tuple[int, int], ...] | None:
    """state._is_new: the watermark with a service's event, None for a repeat. Raises Gap.

    `marks` holds (incarnation, last seq). Incarnations of one database number on: a new one begins where
    the last ended, and the last is over then.
    """
    incarnation, last = marks[0] if marks else (record.incarnation, 0)
    if record.incarnation == incarnation:
        if record.seq == last if last_equals else record.seq <= last:
            return None
        if last_equals and marks:
            return ((incarnation, record.seq),)
    if record.seq != last + 1:
        raise Gap
    return ((record.incarnation, record.seq),)


def handled(
    world: Configuration, memory: Row, lane: int, topic: int, batch: Iterable[Record], life: int = 0
) -> Row:
    """handling.Handling.handle and transact.transact: the row after a poll. Raises Gap.

    In another `life` of the database a decision may turn out another way.
    """
    marks, effects, parked = memory.marks, memory.effects, memory.parked
    next_seq, emitted = list(memory.next_seq), []
    count = 0
    for record in batch:
        count += 1
        if topic != CLIENT:
            found = admitted(marks, record, LAST_EQUALS in world.mutations)
            if found is None:
                continue
            marks = found
        if record.kind == "poison" or (record.kind == "behind" and parked):
            parked += (record.id,)
            continue
        if record.kind == "wrong":
            destinations: tuple[int, ...] = (world.forwarded,)
        else:
            if _is_known(world, memory, effects, topic, record.id):
                continue
            effects += (record.id,)
            destinations = record.to
        for destination in destinations:
            place = 0 if ONE_NUMBER in world.mutations else destination
            emitted.append(Event(destination, next_seq[place], (record.id, life)))
            next_seq[place] += 1
    return memory._replace(
        offsets=replaced(memory.offsets, topic, memory.offsets[topic] + count),
        marks=marks,
        effects=effects,
        parked=parked,
        next_seq=tuple(next_seq),
        outbox=(*memory.outbox, tuple(emitted)) if emitted else memory.outbox,
    )


def _is_known(world: Configuration, memory: Row, effects: tuple[Id, ...], topic: int, known: Id) -> bool:
    """A handler's idempotency by key. For a service's events it is tried only where facts were adopted,
    so that the search sees whether numbers alone keep the others from being handled twice."""
    if topic == CLIENT:
        if NO_KEYS in world.mutations:
            return False
        return known in effects and not (REDECIDED in world.mutations and known in memory.adopted)
    return known in memory.adopted and REDECIDED not in world.mutations


def queued(state: State, i: int, events: Iterable[Pending]) -> State:
    """publisher.Publisher.publish: to the queue of each destination.

    What waits there since an earlier hold of the lane is left out where it comes again with the tail: it
    would only be a repeat before it.
    """
    instance = state.instances[i]
    queues = list(instance.queues)
    for event in events:
        place = event.event.destination
        old = tuple(each for each in queues[place] if each.event != event.event or each.lane != event.lane)
        queues[place] = (*old, event)
    return with_instance(state, i, instance._replace(queues=tuple(queues)))
