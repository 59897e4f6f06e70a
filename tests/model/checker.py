"""Breadth-first search of all states, and from each a way to a state in which the story is complete."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic

from tests.model import faults, invariants, publishing, restoring, takeover, work
from tests.model.configurations import Configuration
from tests.model.state import HELD, Instance, Owner, Row, State, canonical
from tests.model.world import Step

STUCK = "no way leads from here to completion"


@dataclass(frozen=True)
class Result:
    """What a search found: `broken` in words, or None, and the shortest way there."""

    states: int
    transitions: int
    broken: str | None
    trace: tuple[str, ...]
    seconds: float


def initial(world: Configuration) -> State:
    """Nothing handled; the group has given every lane to one instance."""
    row = Row(
        0,
        0,
        (0,) * len(world.inputs[0]),
        (),
        (1,) * world.destinations,
        (),
        0,
        (),
        (),
        "",
        1,
        False,
        (),
        (0,) * world.destinations,
    )
    lanes = len(world.inputs)
    empty = ((),) * world.destinations
    first = Instance(False, (Owner(assigned=True, believes=True),) * lanes, empty, empty)
    other = Instance(False, (Owner(),) * lanes, empty, empty)
    return State(
        rows=(row,) * lanes,
        instances=(first, *(other,) * (world.instances - 1)),
        log=((),) * world.destinations,
        copies=tuple(2 if place == world.forwarded else 1 for place in range(world.destinations)),
        wire=(),
        orphans=(0,) * lanes,
        faults=world.faults,
        backup=(),
        restores=0,
        owed=False,
        incarnations=1,
    )


def steps(world: Configuration, state: State) -> Iterator[Step]:
    """All that can happen next; an instance is named by its place."""
    for i, instance in enumerate(state.instances):
        who = f"instance {i + 1}"
        if not instance.frozen:
            for lane, owner in enumerate(instance.owners):
                if owner.phase < HELD:
                    yield from _told(who, takeover.steps(world, state, i, lane))
                yield from _told(who, work.steps(world, state, i, lane))
        yield from _told(who, publishing.steps(world, state, i))
        yield from _told(who, faults.steps(world, state, i))
    yield from publishing.late(state)
    for lane in range(len(state.rows)):
        yield from takeover.orphan(state, lane)
    yield from restoring.steps(world, state)


def _told(who: str, steps: Iterator[Step]) -> Iterator[Step]:
    for text, good, state in steps:
        yield Step(f"{who} {text}", good, state)


def search(
    world: Configuration, most: int = 10_000_000, progress: Callable[[int], None] | None = None
) -> Result:
    """Search a world whole. Raises RuntimeError where it has more than `most` states."""
    started = monotonic()
    forgetful = work.NO_FENCE not in world.mutations
    first = canonical(initial(world), forgetful)
    numbers: dict[State, int] = {first: 0}
    parents = [0]
    good: list[list[int]] = [[]]
    goals = []
    waiting = deque([first])
    transitions = 0

    def result(fault: str | None, place: int) -> Result:
        trace = tuple(_trace(world, parents, numbers, place, forgetful)) if fault else ()
        return Result(len(numbers), transitions, fault, trace, monotonic() - started)

    while waiting:
        state = waiting.popleft()
        place = numbers[state]
        fault = invariants.broken(world, state)
        if fault is not None:
            return result(fault, place)
        if invariants.complete(world, state):
            goals.append(place)
        for step in steps(world, state):
            transitions += 1
            after = canonical(step.state, forgetful)
            number = numbers.get(after)
            if number is None:
                number = numbers[after] = len(parents)
                parents.append(place)
                good.append([])
                waiting.append(after)
                if number > most:
                    raise RuntimeError(f"{world.name}: more than {most} states")
                if progress is not None and number % 50_000 == 0:
                    progress(number)
            if step.good:
                good[number].append(place)
    stuck = _stuck(good, goals)
    return result(STUCK if stuck is not None else None, stuck or 0)


def _stuck(into: list[list[int]], goals: list[int]) -> int | None:
    """The first state from which no goal is reached by steps that are no faults."""
    reached = bytearray(len(into))
    waiting = list(goals)
    for goal in goals:
        reached[goal] = 1
    while waiting:
        for before in into[waiting.pop()]:
            if not reached[before]:
                reached[before] = 1
                waiting.append(before)
    place = reached.find(0)
    return None if place < 0 else place


def _trace(
    world: Configuration, parents: list[int], numbers: dict[State, int], place: int, forgetful: bool
) -> Iterator[str]:
    """The way to a state in words. Told again from the start, so that an instance keeps its name."""
    way = []
    while place:
        way.append(place)
        place = parents[place]
    state = initial(world)
    for wanted in reversed(way):
        for step in steps(world, state):
            if numbers.get(canonical(step.state, forgetful)) == wanted:
                yield step.text
                state = canonical(step.state, forgetful, in_order=False)
                break
