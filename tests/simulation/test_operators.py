"""Operators of a story: what a bug has parked is left out of replays, and comes free amid crashes."""

from tests.simulation import steps
from tests.simulation.instances import Side
from tests.simulation.steps import SEATS, Step
from tests.simulation.telling import Outcome, Stage

ALL = 9
"""Of topics, of lanes: more than there are."""


def replay(service: int, seconds: int) -> Step:
    """Of all that a service has handled in the last seconds."""
    return steps.HandleAgain(service, "replay", ALL, ALL, seconds, 100, -1, None, "")


def strike(letter: str, point: str, side: Side) -> Step:
    """One of ingestion's two crashes."""
    return steps.Strike(SEATS.index(f"ingestion-{letter}"), point, side, 1, "crash", 0.0)


def said(outcome: Outcome, what: str) -> int:
    return sum(line.endswith(what) for line in outcome.told)


def test_what_a_bug_has_parked_is_left_out_of_a_replay_and_released_while_an_owner_is_killed(
    stage: Stage,
) -> None:
    told: list[Step] = [
        steps.PlantBug(0, 0, 10.0),
        *(steps.Instruct(account, 5, 100, "") for account in (0, 1, 2)),
        steps.Pass(12.0),
        steps.Instruct(0, 2, 100, ""),
        *(replay(service, 60) for service in (0, 1)),
        strike("a", "db:advance_share", "before"),
        steps.Pass(30.0),
        *(strike(letter, "db:delete_parked", "after") for letter in "ab"),
        steps.Release(0),
        steps.Instruct(0, 2, 100, ""),
        steps.Pass(10.0),
        steps.CloseCutOff(),
    ]

    outcome = stage.tell(5, told)
    assert outcome.findings == ()
    assert said(outcome, "ingestion-a: crash at db:advance_share:before") == 1
    assert said(outcome, "crash at db:delete_parked:after") == 1
    assert said(outcome, "release is done") == 1
    # One of each then, and of all three everything in the end.
    assert said(outcome, "replay is done") == 5
