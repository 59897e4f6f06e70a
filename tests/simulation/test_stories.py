"""Stories of seeds end well; the same seed tells the same story; a planted bug makes one fall, and short."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from goodfunds.lanes import state, transact
from tests.simulation import steps, story
from tests.simulation.shortening import shortened
from tests.simulation.steps import Step
from tests.simulation.telling import Stage

STEPS = 60
SEEDS = range(1, 7)
"""A sample; `make check` tells more, `make sim SEEDS=…` as many as one likes."""


@pytest.mark.parametrize("seed", SEEDS)
def test_a_story_comes_to_its_end_with_every_cent_accounted_for(stage: Stage, seed: int) -> None:
    outcome = stage.tell(seed, story.drawn(seed, STEPS))
    assert outcome.findings == ()
    assert outcome.payments > 0


def test_the_same_seed_tells_the_same_story(stage: Stage) -> None:
    steps_of_seed = story.drawn(11, 30)
    assert stage.tell(11, steps_of_seed) == stage.tell(11, steps_of_seed)


def test_another_seed_tells_another_story() -> None:
    assert story.drawn(1, STEPS) != story.drawn(2, STEPS)
    assert story.drawn(1, STEPS)[:10] == story.drawn(1, 10)


def test_a_planted_bug_makes_a_story_fall_which_is_shortened_to_what_it_takes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_new = vars(state)["_is_new"]

    def takes_repeats(lane: Any, watermarks: Any, record: Any) -> bool:
        # The bug: an event that was handled already is handled again.
        if not is_new(lane, watermarks, record):
            watermarks.clear()
        return True

    monkeypatch.setattr(state, "_is_new", takes_repeats)
    seat = steps.SEATS.index("settlement-a")
    late: list[Step] = [
        steps.Pass(1.0),
        steps.Instruct(0, 2, 100, ""),
        steps.Hide(4, 0, 1.0),
        steps.Strike(seat, "log:send", "after", 1, "fault", 0.0),
        steps.Strike(steps.SEATS.index("settlement-b"), "log:send", "after", 1, "fault", 0.0),
        steps.CloseCutOff(),
        steps.Pass(2.0),
    ]

    def falls(shorter: Sequence[Step]) -> bool:
        return bool(stage.tell(1, shorter).findings)

    assert falls(late)
    kept = shortened(late, falls, seconds=60.0)
    assert len(kept) < len(late)
    assert any(isinstance(step, steps.Strike) for step in kept)
    monkeypatch.setattr(state, "_is_new", is_new)
    assert stage.tell(1, late).findings == ()
    assert transact.transact is not None
    assert replace(steps.Pass(1.0), seconds=2.0) == steps.Pass(2.0)
