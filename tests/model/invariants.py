"""What must hold in every state, and when a story is told to its end."""

from functools import lru_cache

from tests.model.admission import Gap, admitted
from tests.model.configurations import Configuration, Record
from tests.model.state import HELD, Entry, Row, State
from tests.model.work import proves
from tests.model.world import records


def broken(world: Configuration, state: State) -> str | None:
    """The first invariant that a state breaks, in words; None where all hold."""
    for place, log in enumerate(state.log):
        fault = _as_consumed(log, place)
        if fault is not None:
            return fault
    for lane, row in enumerate(state.rows):
        fault = _row(world, state, lane, row)
        if fault is not None:
            return fault
        writers = [
            each.owners[lane]
            for each in state.instances
            if each.owners[lane].phase >= HELD
            and not each.owners[lane].aborted
            and proves(world, each.owners[lane].memory, row)
        ]
        if len(writers) > 1:
            return f"lane {lane} has {len(writers)} owners whose next transaction would pass the fence"
    if not state.restores:
        return _committed(state)
    return None


@lru_cache(maxsize=200_000)
def _as_consumed(log: tuple[Entry, ...], place: int) -> str | None:
    """A consumer that drops repeats by number sees each lane's events gapless, in order, each fact once."""
    marks: dict[int, tuple[tuple[int, int], ...]] = {}
    seen: dict[tuple[int, int], object] = {}
    facts = set()
    for entry in log:
        try:
            found = admitted(
                marks.get(entry.lane, ()), Record("", (), entry.seq, entry.incarnation), last_equals=False
            )
        except Gap:
            return f"destination {place}: event {entry.seq} of lane {entry.lane} does not follow"
        if seen.setdefault((entry.lane, entry.seq), entry.content) != entry.content:
            return f"destination {place}: number {entry.seq} of lane {entry.lane} means two events"
        if found is not None:
            marks[entry.lane] = found
            if entry.content[0] in facts:
                return f"destination {place}: {entry.content[0]} is told twice under two numbers"
            facts.add(entry.content[0])
    return None


def _row(world: Configuration, state: State, lane: int, row: Row) -> str | None:
    if len(set(row.effects)) != len(row.effects):
        return f"lane {lane}: {row.effects[-1]} is handled twice"
    if row.stopped == "gap":
        return f"lane {lane} stopped though nothing is missing"
    due = {
        record.id
        for topic, offset in enumerate(row.offsets)
        for record in records(world, state, lane, topic)[:offset]
        if record.kind != "wrong"
    }
    done = {*row.effects, *row.parked}
    if due - done:
        return f"lane {lane}: {sorted(due - done)} passed by its offsets and not handled"
    if done - due - set(row.adopted):
        return f"lane {lane}: {sorted(done - due)} handled, and its offset was not moved"
    stand = {(place, entry.seq) for place, log in enumerate(state.log) for entry in log if entry.lane == lane}
    # Adoption puts what the backup had yet to publish into the outbox again.
    waiting = {event for events in row.outbox[row.published :] for event in events}
    for events in row.outbox[: row.published]:
        for event in events:
            if (event.destination, event.seq) not in stand and event not in waiting:
                return f"lane {lane}: event {event.seq} ({event.content[0]}) counts as published and is not"
    return None


def _committed(state: State) -> str | None:
    known = {
        (event.destination, lane, event.seq, event.content)
        for lane, row in enumerate(state.rows)
        for events in row.outbox
        for event in events
    }
    for place, log in enumerate(state.log):
        for entry in log:
            if (place, entry.lane, entry.seq, entry.content) not in known:
                return f"destination {place}: {entry.content[0]} is published and was never committed"
    return None


def complete(world: Configuration, state: State) -> bool:
    """All inputs are handled, and all that follows from them stands where it belongs."""
    if state.owed:
        return False
    told = [{entry.content[0] for entry in log} for log in state.log]
    for lane, row in enumerate(state.rows):
        if row.stopped:
            if state.restores <= world.announced:
                return False
            continue
        if row.restoring:
            return False
        for topic, offset in enumerate(row.offsets):
            found = records(world, state, lane, topic)
            if offset != len(found):
                return False
            for record in found:
                if record.id in row.parked:
                    continue
                where = (world.forwarded,) if record.kind == "wrong" else record.to
                if any(record.id not in told[place] for place in where):
                    return False
    return True
