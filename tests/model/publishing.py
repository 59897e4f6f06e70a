"""Steps of a session's producer and of the network, beside goodfunds/lanes/publisher.py."""

from collections.abc import Iterator

from tests.model.configurations import DELIVERY, Configuration
from tests.model.state import Batch, Entry, Pending, State, replaced, stands
from tests.model.world import Step, end_session, with_instance

TWO_ON_THE_WAY = "the next batch is handed over before the last one is acknowledged"


def steps(world: Configuration, state: State, i: int) -> Iterator[Step]:
    """publisher.Publisher._send and ._acknowledge, of every destination."""
    instance = state.instances[i]
    for place in range(world.destinations):
        batches, queue = instance.flights[place], instance.queues[place]
        if queue and not instance.frozen and (not batches or TWO_ON_THE_WAY in world.mutations):
            # All that waits goes in one batch; one by one where a broken rule needs two of them.
            size = 1 if TWO_ON_THE_WAY in world.mutations else len(queue)
            there = all(stands(state, place, each) for each in queue[:size])
            sent = instance._replace(
                flights=replaced(instance.flights, place, (*batches, Batch(there, queue[:size]))),
                queues=replaced(instance.queues, place, queue[size:]),
            )
            text = f"hands {_words(queue[:size])} to the producer"
            yield Step(text, True, with_instance(state, i, sent))
        for number, batch in enumerate(batches):
            if not batch.arrived:
                changed = replaced(batches, number, batch._replace(arrived=True))
                arrived = with_instance(
                    state, i, instance._replace(flights=replaced(instance.flights, place, changed))
                )
                text = f"{_words(batch.events)} of it stand on destination {place}"
                yield Step(text, True, _appended(arrived, place, batch.events))
            elif not instance.frozen:
                rest = (*batches[:number], *batches[number + 1 :])
                known = instance._replace(flights=replaced(instance.flights, place, rest))
                yield Step(f"hears of {_words(batch.events)}", True, with_instance(state, i, known))
            if DELIVERY in world.kinds and state.faults and not instance.frozen:
                failed = end_session(state._replace(faults=state.faults - 1), i)
                yield Step(f"gives {_words(batch.events)} up: a delivery failed", False, failed)


def late(state: State) -> Iterator[Step]:
    """What a session that is gone had sent arrives now, or never."""
    for number, (place, events) in enumerate(state.wire):
        if number and state.wire[number - 1] == (place, events):
            continue
        rest = state._replace(wire=(*state.wire[:number], *state.wire[number + 1 :]))
        yield Step(
            f"{_words(events)} of a session that is gone arrive late", True, _appended(rest, place, events)
        )
        yield Step(f"{_words(events)} of a session that is gone are lost", True, rest)


def _appended(state: State, place: int, events: tuple[Pending, ...]) -> State:
    for each in events:
        if not stands(state, place, each):
            entry = Entry(each.incarnation, each.lane, each.event.seq, each.event.content)
            state = state._replace(log=replaced(state.log, place, (*state.log[place], entry)))
    return state


def _words(events: tuple[Pending, ...]) -> str:
    return " and ".join(f"event {each.event.seq} ({each.event.content[0]})" for each in events)
