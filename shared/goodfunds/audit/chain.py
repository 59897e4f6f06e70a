"""The chain: each entry holds the hash of the one before: none can be changed or taken out unseen."""

import json
import re
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, TypeAlias

import asyncpg

from goodfunds import ids
from goodfunds.audit import STATEMENTS
from goodfunds.clock import micros
from goodfunds.observability.masking import masked
from goodfunds.postgres import statements

SQL = statements(STATEMENTS)
Connection: TypeAlias = "asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]"
Detail: TypeAlias = Mapping[str, Any]
"""JSON of texts, whole numbers, booleans, nulls, lists and objects: no fraction, which has many spellings."""
NOTHING: Final = bytes(32)
"""The hash before the first entry."""
_AT_ONCE: Final = 500
_UNREADABLE: Final = (ValueError, ArithmeticError, RecursionError)
"""What a time before all years, or a number without end, comes to: no entry was written so."""
_ROW_OF_POSTGRES: Final = re.compile(r"\nDETAIL:.*", re.DOTALL)
"""What Postgres tells of the row that it refuses, whoever's it is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what, when, and what came of it. `at` is UTC; `actor` a token's client, or a lane's owner."""

    audit_seq: int
    at: datetime
    actor: str
    action: str
    plan_id: bytes | None
    detail: Detail
    previous: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at the whole chain found. `hash` is its head's: kept elsewhere, it shows a chain made anew.

    `broken`: the number of the first entry that is not as it was written, and `why`; None where all are.
    `kept`: the number of the entry that has the hash that was kept, 0 of none.
    """

    entries: int
    head: int
    hash: bytes
    broken: int | None = None
    why: str = ""
    kept: int = 0


def hash_of(
    audit_seq: int,
    at: datetime,
    actor: str,
    action: str,
    plan_id: bytes | None,
    detail: Detail,
    previous: bytes,
) -> bytes:
    """SHA-256 of an entry in its one way to be written. Raises TypeError on a fraction in `detail`."""
    _refuse_fractions(detail)
    plan = None if plan_id is None else ids.text(plan_id)
    whole = [audit_seq, micros(at), actor, action, plan, detail, previous.hex()]
    return sha256(json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()).digest()


async def append(
    connection: Connection,
    at: datetime,
    actor: str,
    action: str,
    plan_id: bytes | None,
    detail: Detail,
) -> int:
    """Write an entry in the caller's transaction, as its last act; the entry's number.

    Whoever else writes one waits for that transaction's end. An entry stays for good: no account stands in it
    whole, and nobody's name.
    """
    detail = _impersonal(detail)
    head = await connection.fetchrow(SQL["lock_audit_head"])
    assert head is not None
    audit_seq, previous = head["audit_seq"] + 1, head["hash"]
    hashed = hash_of(audit_seq, at, actor, action, plan_id, detail, previous)
    await connection.execute(
        SQL["append_to_audit"], audit_seq, at, actor, action, plan_id, json.dumps(detail), previous, hashed
    )
    return int(audit_seq)


def entry_of(row: Any) -> Entry:
    """An entry from its row."""
    return Entry(**{**dict(row), "detail": json.loads(row["detail"])})


async def verify(connection: Connection, kept: bytes | None = None) -> Verified:
    """Walk the whole chain as it stands at one moment, a few entries in memory at a time.

    `kept`: the hash of an entry that should be in it.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        head = await connection.fetchrow(SQL["audit_head"])
        rows = connection.cursor(SQL["whole_audit"], prefetch=_AT_ONCE)
        if head is None:
            return Verified(0, 0, NOTHING, 1, "the row that says where the chain ends is not there")
        return await walk(rows, head["audit_seq"], head["hash"], kept)


async def walk(rows: AsyncIterable[Any], head: int, hashed: bytes, kept: bytes | None = None) -> Verified:
    """Hold entries in their order against each other and against the head of their chain."""
    count, previous, seen = 0, NOTHING, 0
    try:
        async for row in rows:
            entry, due = entry_of(row), count + 1
            why = _wrong(entry, due, previous)
            if not why and due > head:
                why = f"it stands beyond the chain's end, which is entry {head}"
            if why:
                return Verified(count, head, hashed, due, why)
            count, previous = due, entry.hash
            seen = due if entry.hash == kept else seen
    except _UNREADABLE as fault:
        # Entries are read some at a time, so that it may be one of the next.
        return Verified(count, head, hashed, count + 1, f"it, or one that follows, cannot be read: {fault}")
    if count < head:
        return Verified(
            count, head, hashed, count + 1, f"it is missing, as is all after it up to entry {head}"
        )
    if previous != hashed:
        return Verified(count, head, hashed, max(count, 1), "it is not the one that the chain's end names")
    return Verified(count, head, hashed, kept=seen)


def _wrong(entry: Entry, due: int, previous: bytes) -> str:
    if entry.audit_seq != due:
        return "it is missing" if entry.audit_seq > due else "it has no number of an entry"
    if entry.previous != previous:
        return "it does not follow from the entry before"
    try:
        found = hash_of(
            entry.audit_seq,
            entry.at,
            entry.actor,
            entry.action,
            entry.plan_id,
            entry.detail,
            previous,
        )
    except TypeError:
        found = b""
    return "" if found == entry.hash else "it is not as it was written"


def _impersonal(detail: Detail) -> Detail:
    told: Detail = masked(_without_rows(detail))
    return told


def _without_rows(value: Any) -> Any:
    if isinstance(value, str):
        return _ROW_OF_POSTGRES.sub("", value)
    if isinstance(value, Mapping):
        return {name: _without_rows(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_rows(each) for each in value]
    return value


def _refuse_fractions(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError(f"a fraction in an entry's detail: {value}")
    if isinstance(value, Mapping):
        for each in value.values():
            _refuse_fractions(each)
    elif isinstance(value, list | tuple):
        for each in value:
            _refuse_fractions(each)
