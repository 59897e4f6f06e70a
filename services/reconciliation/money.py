"""Reconciliation's money that is not at its end yet, for the metrics."""

from typing import Any

import asyncpg

from goodfunds.observability.metrics import MoneyState
from services.reconciliation.store import SQL


async def read_money(pool: "asyncpg.Pool[Any]") -> list[MoneyState]:
    """Expected and not matched (debits, returns), open breaks, outbox, parked; unsigned minor units.

    `expected` is as old as the oldest batch with anything open: batches are read, not their items.
    """
    async with pool.acquire() as connection:
        rows = await connection.fetch(SQL["money_by_state"])
    return [MoneyState(*row.values()) for row in rows]
