"""Stories that Hypothesis makes up step by step, and shortens where one falls."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.simulation.steps import KINDS, Chance, Step
from tests.simulation.telling import Performance, Stage


class _Drawn(Chance):
    """Chance as Hypothesis wants it: it remembers every choice, and makes it smaller."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw

    def number(self, least: int, most: int) -> int:
        return int(self._draw(st.integers(least, most)))


@st.composite
def steps_of(draw: Any, kind: str) -> Step:
    return KINDS[kind][1](_Drawn(draw))


def name_of(kind: str) -> str:
    """A rule's name; `pass` alone would be a keyword in the story that Hypothesis prints."""
    return f"step_{kind.replace('-', '_')}"


def machine(stage: Stage) -> type[RuleBasedStateMachine]:
    """A machine whose rules are the steps of a story."""

    class Story(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.performance: Performance | None = Performance(stage, seed=0)

        def teardown(self) -> None:
            performance, self.performance = self.performance, None
            assert performance is not None
            assert performance.finish().findings == ()

    def step_of(kind: str) -> Any:
        def do(self: Any, step: Step) -> None:
            self.performance.do(step)

        do.__name__ = name_of(kind)
        return rule(step=steps_of(kind))(do)

    for kind in KINDS:
        setattr(Story, name_of(kind), step_of(kind))
    return Story


@pytest.fixture
def few() -> settings:
    """A handful: a story takes seconds, and seeds tell many more."""
    return settings(
        max_examples=6,
        stateful_step_count=25,
        database=None,
        derandomize=True,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.long
def test_no_story_that_hypothesis_makes_up_falls(stage: Stage, few: settings) -> None:
    run_state_machine_as_test(machine(stage), settings=few)
