"""Ingestion's money that is on its way, for the metrics."""

from goodfunds.observability.metrics import MoneyState
from services.ingestion.store import SQL, Pool


async def read_money(pool: Pool) -> list[MoneyState]:
    """What left the customers for a rail, by currency; minor units."""
    async with pool.acquire() as connection:
        rows = await connection.fetch(SQL["money_by_state"])
    return [MoneyState(*row) for row in rows]
