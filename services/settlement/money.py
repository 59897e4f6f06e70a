"""Settlement's money that is not at its end yet, for the metrics."""

from goodfunds.observability.metrics import MoneyState
from services.settlement.store import SQL, Pool


async def read_money(pool: Pool) -> list[MoneyState]:
    """held, claimed, unknown, submitted and parked, by currency; minor units, oldest by its receipt."""
    async with pool.acquire() as connection:
        rows = await connection.fetch(SQL["money_by_state"])
    return [MoneyState(*row) for row in rows]
