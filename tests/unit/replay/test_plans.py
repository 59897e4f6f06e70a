"""A plan's steps: each from its states alone, by who may take it, while what it was made of is as it was."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from goodfunds.replay.plans import (
    ENDED,
    GIVEN_UP,
    TO,
    Kind,
    Plan,
    State,
    Step,
    Versions,
    is_given_up,
    is_rehearsed,
    needs_approval,
    refusal,
    seconds_left,
    states_before,
)

NOW = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
HERE = Versions("code", "tables")
PLAN = Plan(bytes(16), "replay", "rehearsed", HERE, "ada", NOW + timedelta(hours=1), given_up=False)
STATES: tuple[State, ...] = get_args(State)
STEPS: tuple[Step, ...] = get_args(Step)


def code(plan: Plan, step: Step, by: str = "bob", now: datetime = NOW, here: Versions = HERE) -> str | None:
    found = refusal(plan, step, by, now, here)
    return None if found is None else found.code


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_taken_from_its_own_states_alone(step: Step, state: State) -> None:
    expected = None if state in states_before(step) else "wrong_state"
    assert code(replace(PLAN, state=state), step) == expected


def test_the_way_of_a_plan_is_from_step_to_step_and_nothing_leads_back_from_its_end() -> None:
    way: list[tuple[State, Step]] = [
        ("rehearsed", "approve"), ("approved", "run"), ("running", "pause"), ("paused", "resume"),
        ("running", "abort"),
    ]  # fmt: skip
    state: State = "rehearsed"
    for before, step in way:
        assert state == before
        assert code(replace(PLAN, state=state), step) is None
        state = TO[step]
    assert state in ENDED
    assert not ENDED & frozenset().union(*map(states_before, STEPS))


def test_who_has_planned_it_may_do_all_but_approve_it() -> None:
    assert code(PLAN, "approve", "ada") == "same_person"
    assert code(PLAN, "approve", "Ada") == "same_person"
    assert code(PLAN, "approve", "bob") is None
    for step in ("run", "pause", "resume", "abort"):
        assert all(code(replace(PLAN, state=state), step, "ada") is None for state in states_before(step))


@pytest.mark.parametrize(("step", "state"), [("approve", "rehearsed"), ("run", "approved")])
def test_a_plan_is_good_until_it_expires(step: Step, state: State) -> None:
    plan = replace(PLAN, state=state)
    assert code(plan, step, now=plan.expires_at - timedelta(microseconds=1)) is None
    assert code(plan, step, now=plan.expires_at) == "expired"


def test_what_runs_already_does_not_expire_and_anything_may_be_ended() -> None:
    late = PLAN.expires_at + timedelta(days=1)
    assert code(replace(PLAN, state="paused"), "resume", now=late) is None
    assert code(replace(PLAN, state="running"), "pause", now=late, here=Versions("x", "y")) is None
    assert code(PLAN, "abort", now=late, here=Versions("x", "y")) is None


@pytest.mark.parametrize(
    ("step", "state"), [("approve", "rehearsed"), ("run", "approved"), ("resume", "paused")]
)
def test_code_tables_and_topics_have_to_be_as_they_were(step: Step, state: State) -> None:
    plan = replace(PLAN, state=state)
    assert code(plan, step, here=Versions("other", "tables")) == "code_changed"
    assert code(plan, step, here=Versions("code", "other")) == "schema_changed"
    found = refusal(plan, step, "bob", NOW, HERE, "t/1 begins at offset 7, not at 5")
    assert found is not None
    assert (found.code, found.text) == ("topic_trimmed", "t/1 begins at offset 7, not at 5: plan again")


def test_a_rehearsal_without_a_beat_was_given_up_and_its_plan_can_only_be_ended() -> None:
    assert not is_given_up("rehearsing", NOW - GIVEN_UP, NOW)
    assert is_given_up("rehearsing", NOW - GIVEN_UP - timedelta(seconds=1), NOW)
    assert is_given_up("rehearsing", None, NOW)
    assert not is_given_up("rehearsed", None, NOW)
    left = replace(PLAN, state="rehearsing", given_up=True)
    assert [code(left, step) for step in STEPS] == ["given_up"] * 4 + [None]


@pytest.mark.parametrize(
    ("kind", "directly", "rehearsed", "approved"),
    [
        ("replay", False, True, True), ("release", False, True, True), ("release", True, False, False),
        ("discard", False, False, True), ("republish", False, False, False),
        ("selfcheck", True, False, False),
    ],
)  # fmt: skip
def test_what_changes_lanes_is_rehearsed_and_approved(
    kind: Kind, directly: bool, rehearsed: bool, approved: bool
) -> None:
    assert is_rehearsed(kind, directly) is rehearsed
    assert needs_approval(kind, directly) is approved


def test_the_time_that_is_left_follows_from_the_pace() -> None:
    assert seconds_left(1_000, 250, 10.0) == 30
    assert seconds_left(1_000, 1_000, 10.0) == 0
    assert seconds_left(1_000, 0, 10.0) is None
    assert seconds_left(0, 0, 0.0) == 0
