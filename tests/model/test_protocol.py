"""The lane protocol holds in every state of small worlds, and each rule of it is needed."""

import pytest

from tests.model.checker import search
from tests.model.configurations import SMALL, Configuration
from tests.model.mutations import MUTATIONS, Mutation
from tests.model.takeover import DROPS

MOST_STATES = 300_000


LONG = {"two topics"}
"""Small worlds of so many states that they take as long as all the others together."""


@pytest.mark.parametrize(
    "world",
    [pytest.param(each, marks=pytest.mark.long if each.name in LONG else (), id=each.name) for each in SMALL],
)
def test_every_invariant_holds_in_every_state_and_each_leads_to_completion(world: Configuration) -> None:
    result = search(world, MOST_STATES)
    assert result.broken is None, "\n".join([result.broken or "", *result.trace])


@pytest.mark.parametrize(
    "mutation",
    # What only drops a lane breaks nothing before the whole world is searched.
    [
        pytest.param(each, marks=pytest.mark.long if each.rule == DROPS else (), id=each.rule)
        for each in MUTATIONS
    ],
)
def test_a_broken_rule_is_caught(mutation: Mutation) -> None:
    result = search(mutation.configuration(), MOST_STATES)
    assert result.broken is not None
    assert mutation.shows in result.broken, "\n".join([result.broken, *result.trace])


def test_what_breaks_is_told_in_words_by_the_shortest_way() -> None:
    broken = next(each for each in MUTATIONS if each.rule.startswith("published_seq is written before"))
    assert search(broken.configuration(), MOST_STATES).trace == (
        "instance 1 asks for lane 0: its UPDATE is sent",
        "instance 1 hears that the epoch of lane 0 is raised",
        "instance 1 reads the row of lane 0, publishes its tail",
        "instance 1 begins a transaction on 1 of topic 0, lane 0",
        "instance 1 hears its commit, lane 0",
        "instance 1 begins a transaction on 1 of topic 0, lane 0",
        "instance 1 hears its commit, lane 0",
    )
