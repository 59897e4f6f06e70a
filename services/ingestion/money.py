"""Ingestion's money that waits, for the metrics."""

from goodfunds.observability.metrics import MoneyState
from services.ingestion.store import SQL, Pool


async def read_money(pool: Pool) -> list[MoneyState]:
    """filed (the count is of files), outbox and parked, by currency; minor units."""
    async with pool.acquire() as connection:
        rows = await connection.fetch(SQL["money_by_state"])
    return [MoneyState(*row) for row in rows]
