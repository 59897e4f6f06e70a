"""The end of a plan: whichever owner finds that nothing is left to do of it says what came of it."""

import json
from collections.abc import Sequence
from typing import Any

import asyncpg
import structlog

from goodfunds import ids
from goodfunds.audit.chain import append
from goodfunds.errors import is_retriable
from goodfunds.lanes.beside import Owner
from goodfunds.replay.effects import of_lanes
from goodfunds.replay.shares import SQL

log = structlog.get_logger(__name__)

_COUNTED = ("handled", "skipped", "rows_changed", "events_emitted")


async def end_plans(owner: Owner, plans: Sequence[bytes]) -> set[bytes]:
    """End those of these running plans whose shares are all done, or of which one cannot go on.

    Of instances that find the same one, one ends it. Each with its entry in the audit, in one transaction.
    Those that cannot be ended, until somebody has looked: the audit was tampered with, more than likely.
    """
    stuck: set[bytes] = set()
    for row in await owner.connection.fetch(SQL["ended_plans"], plans):
        try:
            await _end_plan(owner, row["plan_id"])
        except asyncpg.LockNotAvailableError:
            # Somebody else writes into the audit: it is looked at again, and no live record waits for him.
            break
        except Exception as fault:
            if is_retriable(fault):
                raise
            # It would end the process, and every one after it: the money goes on, and the plan stands.
            stuck.add(row["plan_id"])
            log.error("a plan cannot be ended", plan=ids.text(row["plan_id"]), fault=repr(fault))
    return stuck


async def _end_plan(owner: Owner, plan_id: bytes) -> None:
    connection = owner.connection
    async with connection.transaction():
        await connection.execute(SQL["bound_ending"])
        # Locked by somebody: he ends it, or it is looked at again.
        kind = await connection.fetchval(SQL["lock_ended_plan"], plan_id)
        if kind is None:
            return
        shares = await connection.fetch(SQL["ended_shares"], plan_id)
        state, fault, now = _state(shares), _fault(shares), owner.clock.now()
        outcome = {name: sum(share[name] for share in shares) for name in _COUNTED}
        digest = of_lanes({share["lane"]: share["effects"] for share in shares})
        await connection.execute(SQL["end_plan"], plan_id, state, now, json.dumps(outcome), digest, fault)
        detail = {"kind": kind, **outcome, "digest": digest.hex(), "fault": fault}
        await append(connection, now, f"owner of {owner.handler.producer}'s lanes", state, plan_id, detail)


def _state(shares: Sequence[Any]) -> str:
    states = {share["state"] for share in shares}
    return next((state for state in ("drifted", "failed") if state in states), "done")


def _fault(shares: Sequence[Any]) -> str | None:
    """Of the first lane that has one to tell."""
    return next((f"lane {share['lane']}: {share['fault']}" for share in shares if share["fault"]), None)
