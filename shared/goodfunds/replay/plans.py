"""A plan's life as pure functions: which step follows which, who may take it, and what stands in its way."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["replay", "release", "discard", "republish", "selfcheck"]
State: TypeAlias = Literal[
    "rehearsing", "rehearsed", "approved", "running", "paused", "done", "failed", "drifted", "aborted"
]
Step: TypeAlias = Literal["approve", "run", "pause", "resume", "abort"]
Code: TypeAlias = Literal[
    "before_restore", "beyond_horizon", "code_changed", "expired", "given_up", "lane_catches_up",
    "lane_stopped", "no_such_lane", "no_such_topic", "not_handled_yet", "not_parked", "not_published_yet",
    "nothing_selected", "outbox_dropped", "same_person", "schema_changed", "too_many", "topic_trimmed",
    "wrong_state",
]  # fmt: skip
"""Of refusals; over HTTP with dashes, behind `urn:goodfunds:replay:`."""

ENDED: Final[frozenset[State]] = frozenset({"done", "failed", "drifted", "aborted"})
LIFE: Final = timedelta(hours=1)
"""From its planning on, unless it is said: what was rehearsed says less every minute."""
GIVEN_UP: Final = timedelta(seconds=30)
"""After so long without a beat the process that rehearsed is gone."""
LARGEST_REPUBLISH: Final = 1_000_000
"""Events."""

_FROM: Final[Mapping[Step, frozenset[State]]] = MappingProxyType({
    "approve": frozenset({"rehearsed"}),
    "run": frozenset({"approved"}),
    "pause": frozenset({"running"}),
    "resume": frozenset({"paused"}),
    "abort": frozenset({"rehearsing", "rehearsed", "approved", "running", "paused"}),
})  # fmt: skip
TO: Final[Mapping[Step, State]] = MappingProxyType({
    "approve": "approved", "run": "running", "pause": "paused", "resume": "running", "abort": "aborted",
})  # fmt: skip
"""Step → the state that it leads to."""
_CHECKED: Final[frozenset[Step]] = frozenset({"approve", "run", "resume"})
"""Steps after which lanes are written: what the plan was made of has to be as it was."""
_IN_TIME: Final[frozenset[Step]] = frozenset({"approve", "run"})
_WAITING: Final = frozenset(state for step in _IN_TIME for state in _FROM[step])


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is not done: `code` for programs, `text` with the exact bound and what to do."""

    code: Code
    text: str


@dataclass(frozen=True, slots=True)
class Versions:
    """What a plan was made with: the code that decides, and the tables that it writes."""

    code: str
    schema: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What of a plan its next step depends on. Times are UTC; `given_up`: its rehearsal ended unfinished."""

    plan_id: bytes
    kind: Kind
    state: State
    versions: Versions
    planned_by: str
    expires_at: datetime
    given_up: bool


def states_before(step: Step) -> frozenset[State]:
    """The states from which a step can be taken."""
    return _FROM[step]


def needs_approval(kind: Kind, asked_directly: bool) -> bool:
    """Whether a second person has to look at it; `asked_directly`: parked events, as they are."""
    return kind in ("replay", "discard") or (kind == "release" and not asked_directly)


def is_rehearsed(kind: Kind, asked_directly: bool) -> bool:
    """Whether it is rehearsed before: the others change nothing, or only what is known already."""
    return kind in ("replay", "release") and needs_approval(kind, asked_directly)


def is_given_up(state: State, heartbeat: datetime | None, now: datetime) -> bool:
    """Whether a rehearsal ended with its process, by the clock that its beats are of."""
    return state == "rehearsing" and (heartbeat is None or heartbeat < now - GIVEN_UP)


def is_expired(state: State, expires_at: datetime, now: datetime) -> bool:
    """Whether a plan has waited too long for its next step; one that runs does not expire."""
    return state in _WAITING and now >= expires_at


def refusal(
    plan: Plan, step: Step, by: str, now: datetime, versions: Versions, trimmed: str | None = None
) -> Refusal | None:
    """Why `by` may not take a step now; None where it may. `versions`: of here and now.

    `trimmed`: which of its records its topics no longer have, in words.
    """
    if plan.state not in _FROM[step]:
        return _out_of_turn(plan, step)
    # A client's name in other letters is the same person's.
    if step == "approve" and by.casefold() == plan.planned_by.casefold():
        return Refusal("same_person", f"{by} has planned it: somebody else has to approve it")
    if step in _IN_TIME and is_expired(plan.state, plan.expires_at, now):
        told = plan.expires_at.isoformat(timespec="seconds")
        return Refusal("expired", f"the plan was good until {told}: plan again")
    if step not in _CHECKED:
        return None
    if versions.code != plan.versions.code:
        return Refusal("code_changed", "the code is another than the one it was planned with: plan again")
    if versions.schema != plan.versions.schema:
        return Refusal("schema_changed", "the tables have changed since it was planned: plan again")
    if trimmed is not None:
        return Refusal("topic_trimmed", f"{trimmed}: plan again")
    return None


def seconds_left(total: int, done: int, seconds: float) -> int | None:
    """How long the rest takes at the pace of what was done in `seconds`; None where that says nothing yet."""
    if done <= 0 or seconds <= 0:
        return 0 if done >= total else None
    return round((total - done) * seconds / done) if done < total else 0


def _out_of_turn(plan: Plan, step: Step) -> Refusal:
    if plan.given_up:
        return Refusal("given_up", "its rehearsal ended with the process that it ran in: plan again")
    if plan.state == "rehearsing":
        return Refusal("wrong_state", f"it is being rehearsed; {step} it when that is done")
    if plan.state in ENDED:
        return Refusal("wrong_state", f"it is over: {plan.state}; plan again")
    wanted = " or ".join(sorted(_FROM[step]))
    return Refusal("wrong_state", f"it is {plan.state}; to {step} it, it has to be {wanted}")
