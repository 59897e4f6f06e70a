"""A lane's share of a plan as its owner works it: remembered as committed, moved on in transactions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from goodfunds.errors import GoodfundsError
from goodfunds.lanes.beside import Owner
from goodfunds.lanes.evidence import storable
from goodfunds.lanes.records import Connection, Emission, Sequences
from goodfunds.postgres import statements
from goodfunds.replay import STATEMENTS
from goodfunds.replay.effects import chained
from goodfunds.replay.plans import Kind

SQL = statements(STATEMENTS)

ShareState = Literal["running", "done", "failed", "drifted"]


class Withdrawn(GoodfundsError):
    """The plan does not run any more, or the share has moved: what was done for it is rolled back."""


@dataclass(slots=True)
class Share:
    """One row of `replay_lanes` and what of its plan it hangs on.

    `rate`: records a second of this lane. `rows_rehearsed`, `events_rehearsed`: what all of its slices would
    change and emit; None where it was not rehearsed. `exact`: each slice has to come out as rehearsed.
    """

    plan_id: bytes
    kind: Kind
    lane: int
    selection: Mapping[str, Any]
    rate: float | None
    exact: bool
    rows_rehearsed: int | None
    events_rehearsed: int | None
    ranges: str
    position: str
    slice: int
    rows_changed: int
    events_emitted: int
    effects: bytes
    fault: str | None = None
    state: ShareState = "running"


@dataclass(frozen=True, slots=True)
class Advance:
    """How a transaction moves a share on: `slice` is the number of the next one."""

    position: str
    slice: int
    handled: int
    skipped: int
    rows_changed: int = 0
    events_emitted: int = 0
    digest: bytes = b""
    state: ShareState = "running"


def share_of(row: Any) -> Share:
    """A share from its row."""
    rehearsed = row["exact"] is not None and row["kind"] == "replay"
    return Share(
        plan_id=row["plan_id"],
        kind=row["kind"],
        lane=row["lane"],
        selection=json.loads(row["selection"]),
        rate=None if row["rate"] is None else row["rate"] / row["lanes_of_plan"],
        exact=rehearsed and row["exact"],
        rows_rehearsed=row["rows_rehearsed"] if rehearsed else None,
        events_rehearsed=row["events_rehearsed"] if rehearsed else None,
        ranges=row["ranges"],
        position=row["position"],
        slice=row["slice"],
        rows_changed=row["rows_changed"],
        events_emitted=row["events_emitted"],
        effects=row["effects"],
    )


async def advance(connection: Connection, share: Share, by: Advance, now: datetime) -> None:
    """Move a share's row on, in the transaction of what was done for it. Raises Withdrawn."""
    moved = await connection.execute(
        SQL["advance_share"], share.plan_id, share.lane, share.position, by.position, by.state, share.slice,
        by.slice, by.handled, by.skipped, by.rows_changed, by.events_emitted,
        chained(share.effects, by.digest), share.fault, now,
    )  # fmt: skip
    if moved != "UPDATE 1":
        raise Withdrawn(f"lane {share.lane}: its plan is not run any more, or somebody moved the share")


def remember(share: Share, by: Advance) -> None:
    """After the commit: what is remembered of a share is what its row says."""
    share.position, share.slice, share.state = by.position, by.slice, by.state
    share.rows_changed += by.rows_changed
    share.events_emitted += by.events_emitted
    share.effects = chained(share.effects, by.digest)


async def advance_alone(owner: Owner, share: Share, by: Advance) -> bool:
    """Move a share on in a transaction of its own; False where the lane is no longer ours.

    Raises Withdrawn.
    """

    async def write(
        connection: Connection,
        sequences: Sequences,  # noqa: ARG001 - the owner's contract
        now: datetime,
    ) -> Mapping[int, list[Emission]]:
        await advance(connection, share, by, now)
        return {}

    if not await owner.write([share.lane], write):
        return False
    remember(share, by)
    return True


async def give_up(owner: Owner, share: Share, state: Literal["failed", "drifted"], fault: str) -> None:
    """A share cannot go on; what it has done stays. Raises Withdrawn."""
    share.fault = storable(fault)
    await advance_alone(owner, share, Advance(share.position, share.slice, 0, 0, state=state))
