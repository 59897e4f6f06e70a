"""Steps of taking a lane over, beside goodfunds/lanes/takeover.py and destinations.py."""

from collections.abc import Iterator

from tests.model import admission, restoring
from tests.model.configurations import TAKEOVER, Configuration
from tests.model.state import (
    ADOPTING,
    ASKED,
    HELD,
    LOOKED,
    OPEN,
    OUT,
    RAISED,
    READ,
    Owner,
    Pending,
    Row,
    State,
    replaced,
)
from tests.model.world import Step, end_session, is_locked, with_owner, with_row

UNCONFIRMED = "the epoch is used before its commit is confirmed"
TAIL_IN_TAKE = "the tail is read in the take statement"
DROPS = "a fenced owner just drops the lane"
NUMBERS_FORGOTTEN = "a takeover does not load the numbers of the destinations"


def steps(world: Configuration, state: State, i: int, lane: int) -> Iterator[Step]:
    """What an owner that does not hold its lane can do."""
    owner, row = state.instances[i].owners[lane], state.rows[lane]
    if owner.phase == OUT:
        if owner.believes and not row.stopped:
            yield from _ask(world, state, i, lane)
    elif owner.phase == ASKED:
        yield from _raise(world, state, i, lane)
    elif owner.phase == RAISED:
        yield from _read(world, state, i, lane)
    elif owner.phase == READ:
        yield from restoring.look(world, state, i, lane)
    elif owner.phase == LOOKED:
        yield from restoring.begin(world, state, i, lane)


def _ask(world: Configuration, state: State, i: int, lane: int) -> Iterator[Step]:
    """session.Session._take: raise_epoch sends its UPDATE."""
    tail = _tail(state.rows[lane]) if TAIL_IN_TAKE in world.mutations else ()
    asking = Owner(ASKED, believes=True, assigned=state.instances[i].owners[lane].assigned, tail=tail)
    yield Step(f"asks for lane {lane}: its UPDATE is sent", True, with_owner(state, i, lane, asking))


def _raise(world: Configuration, state: State, i: int, lane: int) -> Iterator[Step]:
    """takeover.raise_epoch: the UPDATE waits for the lane's open transaction, then commits."""
    owner = state.instances[i].owners[lane]
    if is_locked(state, lane):
        # terminate_owner, after two seconds.
        for j, other in enumerate(state.instances):
            if other.owners[lane].phase in (OPEN, ADOPTING) and not other.owners[lane].aborted and j != i:
                ended = other.owners[lane]._replace(aborted=True)
                text = f"has the transaction terminated that holds up its takeover of lane {lane}"
                yield Step(text, True, with_owner(state, j, lane, ended))
    else:
        row = state.rows[lane]
        raised = row._replace(epoch=row.epoch + 1)
        known = owner._replace(phase=RAISED, memory=_only_epoch(raised.epoch))
        text = f"hears that the epoch of lane {lane} is raised"
        yield Step(text, True, with_owner(with_row(state, lane, raised), i, lane, known))
        if TAKEOVER in world.kinds and state.faults:
            fewer = state._replace(faults=state.faults - 1)
            lost = end_session(with_row(fewer, lane, raised), i)
            yield Step(f"the takeover of lane {lane} is committed, its answer is lost", False, lost)
    if TAKEOVER in world.kinds and state.faults:
        fewer = state._replace(faults=state.faults - 1)
        lost = end_session(fewer, i)
        yield Step(f"the takeover of lane {lane} is not carried out, nor answered", False, lost)
        if not state.orphans[lane]:
            waiting = lost._replace(orphans=replaced(state.orphans, lane, 1))
            yield Step(f"the takeover of lane {lane} is left waiting by its client", False, waiting)
        if UNCONFIRMED in world.mutations:
            assumed = owner._replace(phase=RAISED, memory=_only_epoch(state.rows[lane].epoch + 1))
            text = f"takes lane {lane} for its own though the answer is lost; nothing was carried out"
            yield Step(text, False, with_owner(fewer, i, lane, assumed))


def orphan(state: State, lane: int) -> Iterator[Step]:
    """An UPDATE whose client is gone waits for the lock as well, and then commits for nobody."""
    if state.orphans[lane] and not is_locked(state, lane):
        row = state.rows[lane]
        done = with_row(state, lane, row._replace(epoch=row.epoch + 1))
        text = f"the takeover of lane {lane} whose client is gone commits"
        yield Step(text, True, done._replace(orphans=replaced(state.orphans, lane, 0)))


def _read(world: Configuration, state: State, i: int, lane: int) -> Iterator[Step]:
    """takeover.read_taken: the row, then the tail, both after the epoch is confirmed."""
    owner, row = state.instances[i].owners[lane], state.rows[lane]
    if UNCONFIRMED not in world.mutations and owner.memory.epoch != row.epoch:
        yield Step(f"finds lane {lane} taken by another since", True, with_owner(state, i, lane, _out(owner)))
        return
    if row.stopped:
        yield Step(f"finds lane {lane} stopped", True, with_owner(state, i, lane, _out(owner)))
        return
    memory = row._replace(epoch=owner.memory.epoch)
    if NUMBERS_FORGOTTEN in world.mutations:
        memory = memory._replace(next_seq=(1,) * world.destinations)
    tail = owner.tail if TAIL_IN_TAKE in world.mutations else _tail(row)
    read = owner._replace(phase=READ, memory=memory, tail=tail)
    taken = with_owner(state, i, lane, read)
    if world.restores:
        yield Step(f"reads the row and the tail of lane {lane}", True, taken)
    else:
        yield Step(f"reads the row of lane {lane}, publishes its tail", True, hold(taken, i, lane))


def hold(state: State, i: int, lane: int) -> State:
    """held.HeldLanes.hold, and the tail goes to the publisher before anything is consumed."""
    instance = state.instances[i]
    owner = instance.owners[lane]
    held = owner._replace(phase=HELD, tail=())
    pending = [Pending(lane, number, True, owner.memory.incarnation, event) for number, event in owner.tail]
    return admission.queued(with_owner(state, i, lane, held), i, pending)


def _tail(row: Row) -> tuple:  # type: ignore[type-arg]
    return tuple(
        (number, event)
        for number, events in enumerate(row.outbox, 1)
        if number > row.published
        for event in events
    )


def _only_epoch(epoch: int) -> Row:
    return Row(epoch, -1, (), (), (), (), 0, (), (), "", 0, False, ())


def _out(owner: Owner) -> Owner:
    return Owner(assigned=owner.assigned, believes=owner.believes)


def fenced(world: Configuration, owner: Owner) -> Owner:
    """held.HeldLanes.fenced: the lane is forgotten, and taken again while the group assigns it."""
    return Owner(assigned=owner.assigned, believes=owner.believes and DROPS not in world.mutations)
