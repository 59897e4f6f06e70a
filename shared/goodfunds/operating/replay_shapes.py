"""What the operators' HTTP gives of replays: plans, what they foresee, how far they are, what came of it."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from goodfunds import ids
from goodfunds.replay.plans import Kind, State, is_expired, is_given_up, seconds_left


class PlanSummary(BaseModel):
    """A plan in a list. `done` of `total`: records, or events; skipped ones are done."""

    plan_id: str
    kind: Kind
    state: State
    given_up: bool = Field(description="Its rehearsal ended with the process that it ran in: plan again.")
    expired: bool = Field(description="It was good until `expires_at`, and waits no longer: plan again.")
    reason: str
    planned_by: str
    planned_at: datetime
    expires_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    finished_at: datetime | None
    exact: bool | None
    lanes: int
    total: int
    done: int
    fault: str | None


class RangeView(BaseModel):
    """Offsets of a topic, or rows of the outbox: `first` inclusive, `end` exclusive."""

    topic: str = Field(description="Of the outbox: empty, where all are meant.")
    first: int
    end: int


class ShareView(BaseModel):
    """A lane's share of a plan, and how far it is."""

    lane: int
    ranges: list[RangeView]
    total: int
    state: str
    position: dict[str, Any]
    slice: int
    handled: int
    skipped: int
    rows_changed: int
    events_emitted: int
    fault: str | None
    started_at: datetime | None
    finished_at: datetime | None


class PlanView(BaseModel):
    """A plan: what was asked for, what was foreseen, how far it is, what came of it."""

    plan_id: str
    kind: Kind
    state: State
    given_up: bool = Field(description="Its rehearsal ended with the process that it ran in: plan again.")
    expired: bool = Field(description="It was good until `expires_at`, and waits no longer: plan again.")
    selection: dict[str, Any]
    reason: str
    rate: int | None = Field(description="Records a second over all lanes; null: as fast as it goes.")
    code_version: str
    schema_version: str
    planned_by: str
    planned_at: datetime
    expires_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    finished_at: datetime | None
    total: int
    done: int
    seconds_left: int | None = Field(description="Of its rehearsal, or of its run; null: not known yet.")
    progress: dict[str, Any] = Field(description="Of the rehearsal.")
    exact: bool | None = Field(description="Whether a run is held to each slice; null: not known yet.")
    forecast: dict[str, Any] | None
    forecast_digest: str | None
    outcome: dict[str, Any] | None
    outcome_digest: str | None
    fault: str | None
    lanes: list[ShareView]


class TableDigestView(BaseModel):
    """A table's rows: how many, and a digest of them in whatever order."""

    table: str
    rows: int
    digest: str


class StateDigestView(BaseModel):
    """What lanes have written as one digest: equal where the rows are the same."""

    at: datetime
    digest: str
    tables: list[TableDigestView]


def summary(row: Any) -> PlanSummary:
    """A plan of a list from its row."""
    return PlanSummary(**{**_told(row), "done": row["handled"] + row["skipped"]})


def plan_view(row: Any, shares: Sequence[Any]) -> PlanView:
    """A plan from its row, and those of its lanes."""
    lanes = [share_view(share) for share in shares]
    total, done = sum(each.total for each in lanes), sum(each.handled + each.skipped for each in lanes)
    progress = json.loads(row["progress"])
    told = {
        name: None if row[name] is None else json.loads(row[name])
        for name in ("selection", "forecast", "outcome")
    }
    digests = {
        name: None if row[name] is None else row[name].hex() for name in ("forecast_digest", "outcome_digest")
    }
    return PlanView(
        **{**_told(row), **told, **digests, "progress": progress, "total": total, "done": done,
           "seconds_left": _seconds_left(row, progress, lanes, total, done), "lanes": lanes}
    )  # fmt: skip


def share_view(row: Any) -> ShareView:
    """A lane's share from its row."""
    ranges, position = json.loads(row["ranges"]), json.loads(row["position"])
    return ShareView(**{**dict(row), "ranges": ranges, "position": position})


def _seconds_left(
    row: Any, progress: dict[str, Any], lanes: Sequence[ShareView], total: int, done: int
) -> int | None:
    if row["state"] == "rehearsing":
        rehearsed = progress.get("records", 0)
        return seconds_left(total, rehearsed, progress.get("milliseconds", 0) / 1000)
    started = [each.started_at for each in lanes if each.started_at is not None]
    if row["state"] != "running":
        return 0 if row["finished_at"] else None
    return seconds_left(total, done, (row["now"] - min(started)).total_seconds() if started else 0)


def _told(row: Any) -> dict[str, Any]:
    """What a plan's row says, and what follows from the hour."""
    return {
        **dict(row),
        "plan_id": ids.text(row["plan_id"]),
        "given_up": is_given_up(row["state"], row["heartbeat"], row["now"]),
        "expired": is_expired(row["state"], row["expires_at"], row["now"]),
    }
