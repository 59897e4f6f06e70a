"""What all steps use: a step's form, changing one row or owner, the end of a session, what an input holds."""

from functools import cache
from typing import NamedTuple

from tests.model.configurations import CLIENT, Configuration, Record
from tests.model.state import ADOPTING, OPEN, OUT, Instance, Owner, Pending, Row, State, replaced, stands


class Step(NamedTuple):
    """What happens, in words; whether progress may count on it (no fault); the state after it."""

    text: str
    good: bool
    state: State


def with_row(state: State, lane: int, row: Row) -> State:
    """The state with another row of a lane."""
    return state._replace(rows=replaced(state.rows, lane, row))


def with_instance(state: State, i: int, instance: Instance) -> State:
    """The state with another instance."""
    return state._replace(instances=replaced(state.instances, i, instance))


def with_owner(state: State, i: int, lane: int, owner: Owner) -> State:
    """The state with another owner of a lane."""
    instance = state.instances[i]
    return with_instance(state, i, instance._replace(owners=replaced(instance.owners, lane, owner)))


def is_locked(state: State, lane: int) -> bool:
    """Whether a transaction that is alive holds the lane's row."""
    return any(
        each.owners[lane].phase in (OPEN, ADOPTING) and not each.owners[lane].aborted
        for each in state.instances
    )


def end_session(state: State, i: int) -> State:
    """A fault ends the session: its lanes, queues and open transactions are gone, what is sent may arrive."""
    instance = state.instances[i]
    # Of what may arrive late it matters only what it is; the same twice is no other story.
    left = {
        (destination, tuple(each._replace(row=0, current=False) for each in batch.events))
        for destination, batches in enumerate(instance.flights)
        for batch in batches
        if not batch.arrived and not all(stands(state, destination, each) for each in batch.events)
    }
    gone = Instance(
        instance.frozen,
        tuple(Owner(assigned=each.assigned, believes=each.believes) for each in instance.owners),
        ((),) * len(instance.queues),
        ((),) * len(instance.flights),
    )
    return with_instance(state, i, gone)._replace(wire=tuple(sorted({*state.wire, *left})))


def is_down(instance: Instance) -> bool:
    """Whether it holds nothing and sends nothing."""
    return (
        not any(instance.queues)
        and not any(instance.flights)
        and all(each.phase == OUT for each in instance.owners)
    )


def pending(instance: Instance) -> list[Pending]:
    """All that waits for an acknowledgement: in order within a destination."""
    return [
        event
        for place in range(len(instance.queues))
        for source in (*(batch.events for batch in instance.flights[place]), instance.queues[place])
        for event in source
    ]


def records(world: Configuration, state: State, lane: int, topic: int) -> tuple[Record, ...]:
    """What stands on an input: what others wrote, and what was forwarded to it."""
    found = world.inputs[lane][topic]
    if lane == 1 and topic == CLIENT and world.forwarded >= 0:
        known = _wrong(world)
        found += tuple(known[entry.content[0]] for entry in state.log[world.forwarded])
    return found


@cache
def _wrong(world: Configuration) -> dict[str, Record]:
    every = [record for lane in world.inputs for topic in lane for record in topic]
    return {record.id: record._replace(kind="plain") for record in every if record.kind == "wrong"}
