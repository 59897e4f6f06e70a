"""Reads and writes of a poll, set-based: the working set in, new rows out."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg

from goodfunds.errors import Conflict
from goodfunds.events.topics import PAYMENT_INSTRUCTIONS
from goodfunds.events.types import AccountFundRequested, PaymentInstruction
from goodfunds.lanes.records import Connection
from goodfunds.ledger.posting import funding
from goodfunds.ledger.store import load_balances
from goodfunds.postgres import statements
from services.ingestion.incoming import Incoming
from services.ingestion.model import Account, Key, Place, Refundable, State

SQL = statements(Path(__file__).parent / "sql")
Pool: TypeAlias = "asyncpg.Pool[Any]"

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "accounts": ("account", "lane", "currency", "name", "state", "opened_at"),
    "account_requests": ("client", "idempotency_key", "lane", "digest", "decided_at"),
    "payments": (
        "payment_id", "lane", "client", "idempotency_key", "digest", "debtor_account", "amount_minor",
        "currency", "rail", "state", "reason_code", "reason", "end_to_end_id", "uetr", "source_offset",
        "event_seq", "decided_at",
    ),
    "refunds": (
        "payment_id", "lane", "amount_minor", "currency", "cause", "credited_account", "reason_code",
        "source_seq", "source_offset", "event_seq", "refunded_at",
    ),
    "refused_records": (
        "topic", "lane", "source_offset", "reason_code", "reason", "size", "excerpt", "refused_at",
    ),
    "forwarded_records": ("topic", "lane", "source_offset", "to_lane", "forwarded_at"),
    "told": (
        "lane", "event_seq", "kind", "reference", "credited_account", "reason_code", "reason",
    ),
}  # fmt: skip


async def load(connection: Connection, incoming: Mapping[int, Incoming]) -> State:
    """The working set of a poll: the keys, accounts and balances that its requests and notices touch."""
    state = State()
    payment_keys: set[Key] = set()
    account_keys: set[Key] = set()
    held: dict[tuple[int, str, str], None] = {}
    names: set[str] = set()
    refundable: list[bytes] = []
    for lane, of_lane in incoming.items():
        for asked in of_lane.asked:
            request = asked.request
            keys = payment_keys if isinstance(request, PaymentInstruction) else account_keys
            keys.add((request.client, request.idempotency_key))
            names.add(asked.account)
            held[lane, asked.account, request.currency] = None
            if isinstance(request, AccountFundRequested):
                held[lane, funding(request.source), request.currency] = None
        refundable += [notice.payment_id for _, notice in of_lane.notices]
    if refundable:
        rows = await connection.fetch(SQL["refundable"], refundable)
        state.refundable = {row[0]: Refundable(*row) for row in rows}
        names |= {payment.account for payment in state.refundable.values()}
    if payment_keys:
        state.payment_keys = await _known(connection, "known_keys", payment_keys)
    if account_keys:
        state.account_keys = await _known(connection, "known_account_requests", account_keys)
    if names:
        rows = await connection.fetch(SQL["accounts"], list(names))
        state.accounts = {row[0]: Account(*row) for row in rows}
    if held:
        lanes, accounts, currencies = zip(*held, strict=True)
        state.balances = await load_balances(connection, lanes, accounts, currencies)
    state.refused = await _known_places(connection, "known_refusals", _refusable(state, incoming))
    sent_on = [
        (lane, asked.record.offset) for lane, of_lane in incoming.items() for asked, _ in of_lane.forwarded
    ]
    state.forwarded = await _known_places(connection, "known_forwards", sent_on)
    return state


def _refusable(state: State, incoming: Mapping[int, Incoming]) -> list[Place]:
    """The records of which it may have been decided before that they are refused: no plain payment is.

    A payment is refused for its key alone, which is known then, with another body, and stays so.
    """
    found = []
    for lane, of_lane in incoming.items():
        found += [(lane, unusable.record.offset) for unusable in of_lane.unusable]
        for asked in of_lane.asked:
            request = asked.request
            if isinstance(request, PaymentInstruction):
                known = state.payment_keys.get((request.client, request.idempotency_key))
                if known is None or known == asked.digest:
                    continue
            found.append((lane, asked.record.offset))
    return found


async def _known(connection: Connection, statement: str, keys: Collection[Key]) -> dict[Key, bytes]:
    clients, idempotency_keys = zip(*keys, strict=True)
    rows = await connection.fetch(SQL[statement], clients, idempotency_keys)
    return {(row[0], row[1]): row[2] for row in rows}


async def _known_places(connection: Connection, statement: str, places: Sequence[Place]) -> set[Place]:
    if not places:
        return set()
    lanes, offsets = zip(*places, strict=True)
    rows = await connection.fetch(SQL[statement], PAYMENT_INSTRUCTIONS, lanes, offsets)
    return {(row[0], row[1]) for row in rows}


_SHARED_BY_LANES = {"payments_pkey", "payments_client_idempotency_key_key", "account_requests_pkey"}
"""The only keys that two lanes can want at once: a client's key may come with accounts of both."""


async def insert(connection: Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """COPY new rows in. Raises Conflict where another lane took a client's key at the same time.

    Any other key that exists already is a broken invariant: whoever decided did not see it.
    """
    if not rows:
        return
    try:
        await connection.copy_records_to_table(table, records=rows, columns=COLUMNS[table])
    except asyncpg.UniqueViolationError as fault:
        if fault.constraint_name not in _SHARED_BY_LANES:
            raise
        raise Conflict(f"{table}: {fault.detail}") from fault
