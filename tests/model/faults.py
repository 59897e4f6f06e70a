"""Steps that strike an instance: it dies, stands still, wakes up, or the group gives its lane to another."""

from collections.abc import Iterator

from tests.model.configurations import CRASH, FREEZE, REBALANCE, Configuration
from tests.model.state import OUT, State
from tests.model.world import Step, end_session, is_down, with_instance, with_owner


def steps(world: Configuration, state: State, i: int) -> Iterator[Step]:
    """Faults, as long as the story has any left."""
    instance = state.instances[i]
    if instance.frozen:
        # Nobody may count on this one, unless there is nobody else.
        alone = all(each.frozen for each in state.instances)
        yield Step("wakes up", alone, with_instance(state, i, instance._replace(frozen=False)))
    if state.faults:
        fewer = state._replace(faults=state.faults - 1)
        if CRASH in world.kinds and (instance.frozen or not is_down(instance)):
            dead = end_session(fewer, i)
            yield Step("dies", False, with_instance(dead, i, dead.instances[i]._replace(frozen=False)))
        if (
            FREEZE in world.kinds
            and not instance.frozen
            and any(each.phase != OUT for each in instance.owners)
        ):
            yield Step("stands still", False, with_instance(fewer, i, instance._replace(frozen=True)))
    for lane, owner in enumerate(instance.owners):
        if not owner.assigned:
            continue
        for j in range(len(state.instances)):
            if j == i or state.instances[j].frozen:
                continue
            text = f"loses lane {lane} to another of the group"
            if instance.frozen:
                # The group notices: its session times out.
                yield Step(text, True, _given(state, i, j, lane))
            elif REBALANCE in world.kinds and state.faults:
                yield Step(text, False, _given(state._replace(faults=state.faults - 1), i, j, lane))


def _given(state: State, i: int, j: int, lane: int) -> State:
    """consumer.LaneConsumer.on_partitions_assigned: the old one does not know yet."""
    lost = state.instances[i].owners[lane]._replace(assigned=False)
    won = state.instances[j].owners[lane]._replace(assigned=True, believes=True)
    return with_owner(with_owner(state, i, lane, lost), j, lane, won)
