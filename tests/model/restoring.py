"""Steps of a database that comes back older: the safety net, `goodfunds db restored`, and adoption."""

from collections.abc import Iterator

from tests.model import takeover
from tests.model.configurations import Configuration
from tests.model.state import ADOPTING, LOOKED, READ, Content, Owner, Row, State
from tests.model.world import Step, end_session, is_down, is_locked, with_owner, with_row

NO_NET = "a takeover does not look for events of its own that its database does not know"
OWN_NAME_ONLY = "the net knows the present incarnation's name alone"
NO_ADOPTION = "an announced restore only begins a new incarnation"
NUMBERS_KEPT = "adoption leaves the numbers of the destinations where the backup had them"
NUMBERS_ANEW = "a new incarnation numbers from 1"
TAIL_WHOLE = "adoption publishes the backup's tail again whole"
TAIL_FORGOTTEN = "adoption takes the backup's tail for published"
OLD_LIFE = "an instance of the old life goes on"
FACTS_AFTER = "adoption ends before its facts are written"
SET_BACK = "set back"


def steps(world: Configuration, state: State) -> Iterator[Step]:
    """A backup at any time, a restore, and its announcement: announce.announce_restore."""
    if not world.restores:
        return
    if not state.backup and any(row.outbox or any(row.offsets) for row in state.rows):
        yield Step("a backup is taken", True, state._replace(backup=state.rows))
    if state.backup and state.restores < world.restores and state.backup != state.rows:
        older = state._replace(
            rows=state.backup, restores=state.restores + 1, owed=state.restores < world.announced
        )
        if OLD_LIFE not in world.mutations:
            # Who restores stops the service first: what was on its way has arrived by now, or never will.
            for i in range(len(older.instances)):
                older = end_session(older, i)
            older = older._replace(wire=())
        yield Step("the database is set back to the backup", False, older)
    quiet = all(map(is_down, state.instances)) and not state.wire
    if state.owed:
        if quiet or OLD_LIFE in world.mutations:
            number = state.incarnations + 1
            rows = tuple(
                row._replace(
                    incarnation=number,
                    restoring=NO_ADOPTION not in world.mutations,
                    stopped="" if row.stopped == SET_BACK else row.stopped,
                    next_seq=(1,) * world.destinations if NUMBERS_ANEW in world.mutations else row.next_seq,
                    version=row.version + 1,
                )
                for row in state.rows
            )
            told = state._replace(rows=rows, incarnations=number, owed=False)
            yield Step("`goodfunds db restored` is run", True, told)
        for i, instance in enumerate(state.instances):
            if not is_down(instance):
                yield Step("is stopped, since a restore is to be announced", True, end_session(state, i))


def look(world: Configuration, state: State, i: int, lane: int) -> Iterator[Step]:
    """destinations.unknown_events and restore.adopt_own: the topics to their ends, then the row again."""
    owner, row = state.instances[i].owners[lane], state.rows[lane]
    if owner.memory.restoring:
        found = tuple(
            (place, entry) for place, log in enumerate(state.log) for entry in log if entry.lane == lane
        )
        looked = owner._replace(phase=LOOKED, tail=(owner.tail, found, tuple(map(len, state.log))))
        yield Step(f"reads lane {lane}'s own events on the topics", True, with_owner(state, i, lane, looked))
        return
    unknown = any(
        entry.lane == lane
        and (
            (entry.incarnation == row.incarnation and entry.seq >= row.next_seq[place])
            or (entry.incarnation != row.incarnation and OWN_NAME_ONLY not in world.mutations)
        )
        for place, log in enumerate(state.log)
        for entry in log[row.seen[place] :]
    )
    if unknown and NO_NET not in world.mutations:
        stopped = row._replace(stopped=SET_BACK) if owner.memory.epoch == row.epoch else row
        out = with_owner(
            with_row(state, lane, stopped), i, lane, Owner(believes=owner.believes, assigned=owner.assigned)
        )
        yield Step(f"finds events of lane {lane} that its database does not know: it stops", True, out)
    else:
        yield Step(f"publishes the tail of lane {lane}", True, takeover.hold(state, i, lane))


def begin(world: Configuration, state: State, i: int, lane: int) -> Iterator[Step]:
    """restore._write and ._end: fenced transactions; first the facts, then the numbers and the end of it."""
    if is_locked(state, lane):
        return
    owner, row = state.instances[i].owners[lane], state.rows[lane]
    memory = owner.memory
    if (memory.epoch, memory.version) != (row.epoch, row.version):
        out = Owner(believes=owner.believes, assigned=owner.assigned)
        yield Step(f"is fenced from adopting on lane {lane}", True, with_owner(state, i, lane, out))
        return
    facts = _facts(memory, owner.tail[1])
    due = any(content[0] not in memory.effects for content in facts)
    which = "facts" if due and FACTS_AFTER not in world.mutations else "end"
    opened = owner._replace(phase=ADOPTING, poll=(which,))
    yield Step(f"begins to adopt on lane {lane}: {which}", True, with_owner(state, i, lane, opened))


def adopted(world: Configuration, memory: Row, read: tuple, which: str) -> Row:  # type: ignore[type-arg]
    """The row after a transaction of adoption."""
    tail, found, seen = read
    if which == "facts":
        # One at a time: however many there are, a crash between them must do no harm.
        for content in _facts(memory, found):
            if content[0] not in memory.effects:
                return memory._replace(
                    effects=(*memory.effects, content[0]), adopted=(*memory.adopted, content[0])
                )
    last = [0] * world.destinations
    for place, entry in found:
        last[place] = max(last[place], entry.seq)
    missing = tuple(event for _, event in tail if event.seq > last[event.destination])
    if TAIL_WHOLE in world.mutations:
        missing = tuple(event for _, event in tail)
    if TAIL_FORGOTTEN in world.mutations:
        missing = ()
    next_seq = tuple(max(known, last[place] + 1) for place, known in enumerate(memory.next_seq))
    return memory._replace(
        restoring=False,
        seen=seen,
        next_seq=memory.next_seq if NUMBERS_KEPT in world.mutations else next_seq,
        published=len(memory.outbox),
        outbox=(*memory.outbox, missing) if missing else memory.outbox,
    )


def confirmed(state: State, i: int, lane: int, known: Row) -> Step:
    """A transaction of adoption is committed: the next one, or the lane is held and what is missing sent."""
    owner = state.instances[i].owners[lane]
    if known.restoring:
        on = owner._replace(phase=LOOKED, memory=known, poll=())
        return Step(f"has adopted a fact on lane {lane}", True, with_owner(state, i, lane, on))
    rows = known.outbox[known.published :]
    missing = tuple((len(known.outbox), event) for events in rows for event in events)
    held = owner._replace(phase=READ, memory=known, tail=missing, poll=())
    done = takeover.hold(with_owner(state, i, lane, held), i, lane)
    return Step(f"has adopted all on lane {lane}", True, done)


def _facts(memory: Row, found: tuple) -> list[Content]:  # type: ignore[type-arg]
    return [entry.content for place, entry in found if entry.seq >= memory.next_seq[place]]
