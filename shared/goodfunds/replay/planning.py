"""Planning: from what is asked for to a plan in the database, or the reason why there is none."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

import asyncpg

from goodfunds import ids
from goodfunds.audit.chain import append
from goodfunds.clock import Clock
from goodfunds.lanes import Handler
from goodfunds.postgres import statements
from goodfunds.replay import STATEMENTS
from goodfunds.replay.effects import chained, of_lanes
from goodfunds.replay.horizon import Horizon
from goodfunds.replay.parked_events import discarded_digest
from goodfunds.replay.plans import Kind, Refusal, State, Versions, is_rehearsed, needs_approval
from goodfunds.replay.ranges import Lane, PlannedShare, resolve, standing_in_the_way
from goodfunds.replay.republished import rows_to_publish
from goodfunds.replay.selection import Parked, Place, Selection
from goodfunds.replay.slices import SLICE_RECORDS
from goodfunds.replay.versions import schema_version

SQL = statements(STATEMENTS)
MOST_PARKED: Final = 100_000
"""Parked events of one plan."""
_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class Desk:
    """Where plans are made: a service's database and topics, what it reads, and its code's version."""

    pool: "asyncpg.Pool[Any]"
    clock: Clock
    horizon: Horizon
    handler: Handler
    code: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants done again. `rate`: records a second, None as fast as it goes.

    `directly`: parked events, released as they are, without anybody's approval. `life`: how long the plan
    is good.
    """

    by: str
    kind: Kind
    selection: Selection
    reason: str
    rate: int | None
    life: timedelta
    directly: bool


@dataclass(frozen=True, slots=True)
class Pick:
    """A parked event of a plan, and what it is about."""

    lane: int
    parked_seq: int
    topic: str
    source_partition: int
    source_offset: int
    key: bytes
    amount_minor: int | None
    currency: str | None


async def versions(desk: Desk) -> Versions:
    """Those of here and now."""
    return Versions(desk.code, schema_version(await desk.pool.fetch(SQL["applied_migrations"])))


async def lanes_of(desk: Desk) -> dict[int, Lane]:
    """The service's lanes as their rows show them."""
    return {
        row["lane"]: Lane(row["lane"], json.loads(row["offsets"]), row["stopped_reason"], row["catching_up"])
        for row in await desk.pool.fetch(SQL["lanes_to_replay"])
    }


async def plan(desk: Desk, asked: Asked) -> bytes | Refusal:
    """Resolve and store what is asked for; the plan's id. Raises Unavailable where Kafka does not say.

    What needs neither a rehearsal nor a second person runs at once.
    """
    picks: Sequence[Pick] = ()
    lanes = await lanes_of(desk)
    if asked.selection.parked is not None:
        found = await _parked(desk, asked, lanes)
        if isinstance(found, Refusal):
            return found
        picks = found
        counted = Counter(each.lane for each in picks)
        shares: list[PlannedShare] | Refusal = [
            PlannedShare(lane, (), count) for lane, count in sorted(counted.items())
        ]
    elif asked.kind == "republish":
        shares = await rows_to_publish(desk.pool, asked.selection, desk.handler.outputs, lanes)
    else:
        inputs = [each.topic for each in desk.handler.inputs]
        whole = asked.kind != "selfcheck"
        shares = await resolve(asked.selection, inputs, lanes, desk.horizon, whole)
    if isinstance(shares, Refusal):
        return shares
    return await _store(desk, asked, shares, picks)


def first_state(asked: Asked) -> State:
    """Where a plan's life begins."""
    if is_rehearsed(asked.kind, asked.directly):
        return "rehearsing"
    return "rehearsed" if needs_approval(asked.kind, asked.directly) else "running"


async def _parked(desk: Desk, asked: Asked, lanes: Mapping[int, Lane]) -> list[Pick] | Refusal:
    wanted = asked.selection.parked or Parked()
    rows = await desk.pool.fetch(
        SQL["parked_selected"],
        None if wanted.keys is None else [each.encode() for each in wanted.keys],
        wanted.topic,
        wanted.lanes,
        wanted.fault_contains,
        wanted.parked_before,
        asked.kind == "release",
        MOST_PARKED + 1,
        *_columns(wanted.places),
    )
    picked = {(row["topic"], row["source_partition"], row["source_offset"]) for row in rows}
    missing = [each for each in wanted.places or () if each not in picked]
    if missing:
        return Refusal("not_parked", "{}/{} offset {} is not parked".format(*missing[0]))
    if not rows:
        return Refusal("nothing_selected", "no parked event is selected")
    if len(rows) > MOST_PARKED:
        return Refusal("too_many", f"more than {MOST_PARKED} parked events are selected: name lanes or keys")
    picks = [Pick(**row) for row in rows]
    blocked = standing_in_the_way([lanes[lane] for lane in sorted({each.lane for each in picks})])
    return picks if blocked is None else blocked


async def _store(desk: Desk, asked: Asked, shares: Sequence[PlannedShare], picks: Sequence[Pick]) -> bytes:
    now = desk.clock.now()
    plan_id, state, made_with = ids.new_id(now), first_state(asked), await versions(desk)
    told = asked.selection.as_json()
    detail = {
        "kind": asked.kind,
        "selection": told,
        # Accounts stand there masked; this says whether the plan's own row is what was asked for.
        "selection_digest": sha256(json.dumps(told, sort_keys=True).encode()).hexdigest(),
        "reason": asked.reason,
        "rate": asked.rate,
        "lanes": [each.lane for each in shares],
        "total": sum(each.total for each in shares),
    }
    digest = _digest(picks) if asked.kind == "discard" else None
    if digest is not None:
        detail["forecast"] = digest.hex()
    async with desk.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            SQL["insert_plan"], plan_id, asked.kind, json.dumps(told), asked.reason, asked.rate, state,
            made_with.code, made_with.schema, asked.by, now, now + asked.life,
            json.dumps(_forecast(picks)) if asked.kind == "discard" else None, digest,
        )  # fmt: skip
        await connection.execute(
            SQL["insert_shares"],
            plan_id,
            [each.lane for each in shares],
            [json.dumps([asdict(part) for part in each.ranges]) for each in shares],
            [each.total for each in shares],
        )
        if picks:
            await connection.copy_records_to_table(
                "replay_parked",
                records=[
                    (plan_id, p.lane, p.parked_seq, p.topic, p.source_partition, p.source_offset, p.key)
                    for p in picks
                ],
                columns=(
                    "plan_id", "lane", "parked_seq", "topic", "source_partition", "source_offset", "key",
                ),
            )  # fmt: skip
        await append(connection, now, asked.by, "planned", plan_id, detail)
        if state == "running":
            await append(connection, now, asked.by, "run", plan_id, {"kind": asked.kind})
    return plan_id


def _columns(places: Sequence[Place] | None) -> tuple[Sequence[Any] | None, ...]:
    """Topics, partitions and offsets."""
    return (None, None, None) if places is None else tuple(zip(*places, strict=True))


def _forecast(picks: Sequence[Pick]) -> dict[str, Any]:
    """What is given up by discarding: events and minor units by currency, where they are known; the first."""
    events = Counter(each.currency or "" for each in picks)
    money: Counter[str] = Counter()
    for each in picks:
        money[each.currency or ""] += each.amount_minor or 0
    return {
        "records": len(picks),
        "parked": {
            currency: {"events": count, "amount_minor": money[currency]}
            for currency, count in sorted(events.items())
        },
        "first": [
            {"topic": each.topic, "partition": each.source_partition, "offset": each.source_offset,
             "amount_minor": each.amount_minor, "currency": each.currency}
            for each in picks[:_NAMED]
        ],
    }  # fmt: skip


def _digest(picks: Sequence[Pick]) -> bytes:
    """Of a discard, as its run will have it if all of these are still parked then."""
    lanes: dict[int, list[dict[str, Any]]] = {}
    for each in picks:
        lanes.setdefault(each.lane, []).append(asdict(each))
    digests = dict.fromkeys(lanes, b"")
    for lane, rows in lanes.items():
        for first in range(0, len(rows), SLICE_RECORDS):
            digests[lane] = chained(digests[lane], discarded_digest(rows[first : first + SLICE_RECORDS]))
    return of_lanes(digests)
