"""Steps of a plan that people take: approve, run, pause, resume, abort; each with its entry in the audit."""

from collections.abc import Sequence
from typing import Any, Final

from goodfunds.audit.chain import append
from goodfunds.replay.planning import SQL, Desk, versions
from goodfunds.replay.plans import TO, Plan, Refusal, Step, Versions, is_given_up, refusal, states_before
from goodfunds.replay.ranges import PlannedShare, trimmed
from goodfunds.replay.slices import ranges_of

_ENTRIES: Final[dict[Step, str]] = {
    "approve": "approved", "run": "run", "pause": "paused", "resume": "resumed", "abort": "aborted",
}  # fmt: skip


async def take(desk: Desk, plan_id: bytes, step: Step, by: str) -> Refusal | None:
    """Take a step, or say why not. Raises LookupError of no plan, Unavailable where Kafka does not answer."""
    row = await desk.pool.fetchrow(SQL["plan_for_step"], plan_id)
    if row is None:
        raise LookupError
    # Asked before the plan is locked: the broker may take its time.
    gone = await _trimmed(desk, row) if step in ("approve", "run", "resume") else None
    found = await versions(desk)
    now = desk.clock.now()
    async with desk.pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(SQL["plan_for_step_locked"], plan_id)
        assert row is not None, "plans are never removed"
        why = refusal(_plan(row), step, by, now, found, gone)
        if why is not None:
            return why
        await connection.execute(SQL["take_step"], plan_id, TO[step], by, now, list(states_before(step)))
        digest = row["forecast_digest"]
        # What was looked at: two who are asked later need not believe the plan's row.
        told = {} if digest is None else {"forecast": digest.hex()}
        await append(connection, now, by, _ENTRIES[step], plan_id, {"kind": row["kind"], **told})
    return None


def shares_of(rows: Sequence[Any]) -> list[PlannedShare]:
    """A plan's shares from their rows."""
    return [PlannedShare(row["lane"], ranges_of(row["ranges"]), row["total"]) for row in rows]


async def _trimmed(desk: Desk, row: Any) -> str | None:
    if row["kind"] not in ("replay", "selfcheck"):
        return None
    shares = shares_of(await desk.pool.fetch(SQL["shares_of_plan"], row["plan_id"]))
    places = {(part.topic, each.lane) for each in shares for part in each.ranges}
    return trimmed(shares, await desk.horizon.held(places))


def _plan(row: Any) -> Plan:
    return Plan(
        row["plan_id"],
        row["kind"],
        row["state"],
        Versions(row["code_version"], row["schema_version"]),
        row["planned_by"],
        row["expires_at"],
        is_given_up(row["state"], row["heartbeat"], row["now"]),
    )
