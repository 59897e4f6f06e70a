"""Steps of an owner that holds its lane, beside goodfunds/lanes/session.py, handling.py and transact.py."""

from collections.abc import Iterator

from tests.model import admission, restoring
from tests.model.admission import OFFSETS_APART, WATERMARK_APART, Gap
from tests.model.configurations import COMMIT, Configuration
from tests.model.state import ADOPTING, HELD, OPEN, OUT, Owner, Pending, Row, State
from tests.model.takeover import fenced
from tests.model.world import (
    Step,
    end_session,
    is_locked,
    pending,
    records,
    with_instance,
    with_owner,
    with_row,
)

BEFORE_ACKNOWLEDGED = "published_seq is written before the acknowledgement"
PAST_A_HOLE = "published_seq is the highest acknowledged, past a hole"
UNKNOWN_GOES_ON = "after a commit without an answer the owner publishes from memory"
NO_FENCE = "a transaction does not prove that the lane is its owner's"
PROVE = -1


def steps(world: Configuration, state: State, i: int, lane: int) -> Iterator[Step]:
    """What an owner that holds its lane can do."""
    owner = state.instances[i].owners[lane]
    if owner.phase == HELD:
        yield from _begin(world, state, i, lane)
    elif owner.phase in (OPEN, ADOPTING):
        if owner.aborted:
            # Its next statement fails: the session ends, and the lane is taken over anew.
            yield Step(f"finds its transaction on lane {lane} terminated", True, end_session(state, i))
        else:
            yield from _commit(world, state, i, lane)
    if owner.phase != OUT and not owner.assigned and owner.believes and owner.phase == HELD:
        # session.Session._follow; what was acknowledged may be proved before, like any time.
        gone = forgotten(state, i, lane)
        yield Step(f"hears that lane {lane} is another's", True, with_owner(gone, i, lane, Owner()))
    elif owner.phase == OUT and not owner.assigned and owner.believes:
        yield Step(f"hears that lane {lane} is another's", True, with_owner(state, i, lane, Owner()))


def proves(world: Configuration, memory: Row, row: Row) -> bool:
    """fence.fence: what a transaction's first statement finds."""
    if NO_FENCE in world.mutations:
        return True
    return (
        memory.epoch == row.epoch
        and memory.version == row.version
        and memory.offsets == row.offsets
        and memory.incarnation == row.incarnation
        and not row.stopped
    )


def _begin(world: Configuration, state: State, i: int, lane: int) -> Iterator[Step]:
    """handling.Handling.handle and .prove: the fence, first statement of every transaction."""
    owner, row = state.instances[i].owners[lane], state.rows[lane]
    if is_locked(state, lane):
        # LaneSettings.statement_timeout; the takeover that follows ends the transaction that holds it up.
        yield Step(f"waits too long for lane {lane}: its session ends", True, end_session(state, i))
        return
    if not proves(world, owner.memory, row):
        out = with_owner(forgotten(state, i, lane), i, lane, fenced(world, owner))
        yield Step(f"is fenced from lane {lane}", True, out)
        return
    for topic in range(len(world.inputs[lane])):
        found = records(world, state, lane, topic)[owner.memory.offsets[topic] :]
        for count in range(1, min(len(found), world.batch) + 1):
            yield _opened(state, i, lane, (topic, count), f"begins a transaction on {count} of topic {topic}")
        if found and owner.memory.incarnation > 1:
            # state.readable: after a restore one input is caught up before the next is read.
            break
    if published(world, state, i, lane) != row.published:
        yield _opened(state, i, lane, (PROVE, 0), "begins to prove the lane")


def _opened(state: State, i: int, lane: int, poll: tuple[int, int], text: str) -> Step:
    opened = state.instances[i].owners[lane]._replace(phase=OPEN, poll=poll)
    return Step(f"{text}, lane {lane}", True, with_owner(state, i, lane, opened))


def _commit(world: Configuration, state: State, i: int, lane: int) -> Iterator[Step]:
    """transact.transact: COMMIT, and memory moves on once it is confirmed."""
    owner = state.instances[i].owners[lane]
    memory = owner.memory._replace(published=published(world, state, i, lane))
    if owner.phase == ADOPTING:
        row = restoring.adopted(world, memory, owner.tail, owner.poll[0])
    elif owner.poll[0] == PROVE:
        row = memory
    else:
        topic, count = owner.poll
        start = memory.offsets[topic]
        batch = records(world, state, lane, topic)[start : start + count]
        try:
            row = admission.handled(world, memory, lane, topic, batch, state.restores)
        except Gap:
            stopped = with_row(state, lane, state.rows[lane]._replace(stopped="gap"))
            out = with_owner(forgotten(stopped, i, lane), i, lane, fenced(world, owner))
            yield Step(f"stops lane {lane}: events are missing", True, out)
            return
    row = row._replace(version=row.version + 1, epoch=state.rows[lane].epoch)
    yield from _apart(world, state, i, lane, row)
    known = row._replace(epoch=owner.memory.epoch)
    done = with_row(state, lane, row)
    if owner.phase == ADOPTING:
        yield restoring.confirmed(done, i, lane, known)
    else:
        fresh = row.outbox[len(memory.outbox) :]
        events = [
            Pending(lane, len(memory.outbox) + 1, True, row.incarnation, event)
            for out in fresh
            for event in out
        ]
        held = with_owner(done, i, lane, owner._replace(phase=HELD, memory=known, poll=()))
        yield Step(f"hears its commit, lane {lane}", True, admission.queued(held, i, events))
    if COMMIT in world.kinds and state.faults:
        fewer = state._replace(faults=state.faults - 1)
        text = f"the commit on lane {lane} is not answered, and"
        lost = with_row(fewer, lane, row)
        if UNKNOWN_GOES_ON in world.mutations and owner.phase == OPEN:
            yield Step(f"{text} was not done; it goes on", False, admission.queued(
                with_owner(fewer, i, lane, owner._replace(phase=HELD, memory=known, poll=())), i, events
            ))  # fmt: skip
        yield Step(f"{text} was done", False, end_session(lost, i))
        yield Step(f"{text} was not done", False, end_session(fewer, i))


def _apart(world: Configuration, state: State, i: int, lane: int, row: Row) -> Iterator[Step]:
    """Broken rules: a crash between two transactions that should be one."""
    before = state.rows[lane]
    if OFFSETS_APART in world.mutations and state.faults:
        part = row._replace(offsets=before.offsets, marks=before.marks)
        crashed = end_session(with_row(state._replace(faults=state.faults - 1), lane, part), i)
        yield Step(f"commits the effects on lane {lane}, and ends before the offsets", False, crashed)
    if WATERMARK_APART in world.mutations and state.faults:
        part = row._replace(marks=before.marks)
        crashed = end_session(with_row(state._replace(faults=state.faults - 1), lane, part), i)
        yield Step(f"commits the effects on lane {lane}, and ends before the watermark", False, crashed)


def forgotten(state: State, i: int, lane: int) -> State:
    """A lane let go: its queues drain all the same, and count for no published_seq any more."""
    instance = state.instances[i]

    def old(events: tuple[Pending, ...]) -> tuple[Pending, ...]:
        return tuple(each._replace(row=0, current=False) if each.lane == lane else each for each in events)

    return with_instance(state, i, instance._replace(
        queues=tuple(old(queue) for queue in instance.queues),
        flights=tuple(
            tuple(batch._replace(events=old(batch.events)) for batch in batches)
            for batches in instance.flights
        ),
    ))  # fmt: skip


def published(world: Configuration, state: State, i: int, lane: int) -> int:
    """publisher.Publisher._acknowledge: the contiguous acknowledged prefix of the lane's outbox."""
    instance = state.instances[i]
    memory = instance.owners[lane].memory
    written = len(memory.outbox)
    if BEFORE_ACKNOWLEDGED in world.mutations:
        return max(memory.published, written)
    open_rows = {each.row for each in pending(instance) if each.lane == lane and each.current}
    if PAST_A_HOLE in world.mutations:
        return max([memory.published, *(n for n in range(1, written + 1) if n not in open_rows)])
    return max(memory.published, min(open_rows, default=written + 1) - 1)
