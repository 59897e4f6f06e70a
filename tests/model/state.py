"""A state of the world: the lanes' rows, the instances, the topics, what is on the wire, and a backup.

Whatever only counts is left out or counted from the row: an epoch and a version matter by whether they are
the row's. That, and instances in any order being the same, keeps the graph finite and small.
"""

from typing import NamedTuple

from tests.model.configurations import Id

OUT, ASKED, RAISED, READ, LOOKED, HELD, OPEN, ADOPTING = range(8)
"""Where an owner stands: no part of the lane; its UPDATE sent; epoch confirmed; row and tail read; own events
looked for on the topics; lane held; transaction open behind its fence; that of an adoption open."""

Content = tuple[Id, int]
"""What an event says: the record that it follows from, and the life of the database that decided it."""


class Event(NamedTuple):
    """An event in the outbox, with the number of its destination."""

    destination: int
    seq: int
    content: Content


class Row(NamedTuple):
    """A lane's row with its outbox and effects: all that one transaction changes at once."""

    epoch: int
    version: int
    offsets: tuple[int, ...]
    marks: tuple[tuple[int, int], ...]
    next_seq: tuple[int, ...]
    outbox: tuple[tuple[Event, ...], ...]
    published: int
    effects: tuple[Id, ...]
    parked: tuple[Id, ...]
    stopped: str
    incarnation: int
    restoring: bool
    adopted: tuple[Id, ...]
    seen: tuple[int, ...] = ()


STALE = Row(-1, -1, (), (), (), (), 0, (), (), "", 0, False, ())
"""Nothing, or what is behind the row: whatever its owner does, the fence stops it."""


class Pending(NamedTuple):
    """An event that an instance has yet to see acknowledged. `current`: of the lane as it holds it now."""

    lane: int
    row: int
    current: bool
    incarnation: int
    event: Event


class Batch(NamedTuple):
    """Events of one partition handed to the producer; `arrived`: they stand on the topic."""

    arrived: bool
    events: tuple[Pending, ...]


class Owner(NamedTuple):
    """An instance's part in one lane; it remembers nothing before its epoch is confirmed."""

    phase: int = OUT
    assigned: bool = False
    believes: bool = False
    memory: Row = STALE
    poll: tuple = ()  # type: ignore[type-arg]
    tail: tuple = ()  # type: ignore[type-arg]
    aborted: bool = False


class Instance(NamedTuple):
    """A process with one session: its owners by lane, its producer's queues and batches by destination."""

    frozen: bool
    owners: tuple[Owner, ...]
    queues: tuple[tuple[Pending, ...], ...]
    flights: tuple[tuple[Batch, ...], ...]


class Entry(NamedTuple):
    """A record of ours as it stands on a topic."""

    incarnation: int
    lane: int
    seq: int
    content: Content


class State(NamedTuple):
    """All there is.

    `copies`: a repeat on a topic is dropped by its number, so that it need not be kept; where keys count
    instead, one repeat is kept to see what it does.
    """

    rows: tuple[Row, ...]
    instances: tuple[Instance, ...]
    log: tuple[tuple[Entry, ...], ...]
    copies: tuple[int, ...]
    wire: tuple[tuple[int, tuple[Pending, ...]], ...]
    orphans: tuple[int, ...]
    faults: int
    backup: tuple[Row, ...]
    restores: int
    owed: bool
    incarnations: int


def replaced(items: tuple, place: int, item: object) -> tuple:  # type: ignore[type-arg]
    """A tuple with one item changed."""
    return (*items[:place], item, *items[place + 1 :])


def stands(state: State, place: int, event: Pending) -> bool:
    """Whether an event stands on its topic, as often as makes a difference (`copies`)."""
    entry = Entry(event.incarnation, event.lane, event.event.seq, event.event.content)
    return state.log[place].count(entry) >= state.copies[place]


def _without_repeats(state: State, instance: Instance) -> Instance:
    """What a session still sends of a lane it let go and what stands on its topic already: nobody sees it."""
    waiting = (*instance.queues, *(batch.events for batches in instance.flights for batch in batches))
    if all(each.current for events in waiting for each in events):
        return instance
    queues = tuple(
        tuple(each for each in queue if each.current or not stands(state, place, each))
        for place, queue in enumerate(instance.queues)
    )
    flights = tuple(
        tuple(
            batch
            for batch in batches
            if any(each.current or not stands(state, place, each) for each in batch.events)
        )
        for place, batches in enumerate(instance.flights)
    )
    return instance._replace(queues=queues, flights=flights)


def canonical(state: State, forgetful: bool = True, in_order: bool = True) -> State:
    """The one state that stands for all that behave alike; `forgetful`: memories behind a fence are alike.

    Not `in_order`, the instances keep their places.
    """
    rows = []
    bases = []
    for row in state.rows:
        bases.append((row.epoch, row.version))
        rows.append(row._replace(epoch=0, version=0) if row.epoch or row.version else row)
    instances = []
    for instance in state.instances:
        owners = []
        for lane, owner in enumerate(instance.owners):
            memory = owner.memory
            if memory is not STALE:
                epoch = max(memory.epoch - bases[lane][0], -1)
                version = max(memory.version - bases[lane][1], -1)
                if forgetful and epoch < 0:
                    memory = STALE._replace(incarnation=memory.incarnation, restoring=memory.restoring)
                elif (epoch, version) != (memory.epoch, memory.version):
                    memory = memory._replace(epoch=epoch, version=version)
                if memory is not owner.memory:
                    owner = owner._replace(memory=memory)
            owners.append(owner)
        instance = instance._replace(owners=tuple(owners))
        if any(instance.queues) or any(instance.flights):
            instance = _without_repeats(state, instance)
        instances.append(instance)
    if in_order and len(instances) > 1:
        instances.sort()
    return state._replace(rows=tuple(rows), instances=tuple(instances))
