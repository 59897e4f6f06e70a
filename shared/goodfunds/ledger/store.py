"""Reads and writes the ledger of a whole poll: one query for its balances, one COPY, one update."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from goodfunds.errors import InvariantBroken
from goodfunds.ledger import STATEMENTS
from goodfunds.ledger.posting import BalanceKey, Balances, Posting, check_movements, movements
from goodfunds.postgres import statements

SQL = statements(STATEMENTS)
_COLUMNS = (
    "lane", "entry_id", "debit_account", "credit_account", "amount_minor", "currency", "kind", "posted_at",
)  # fmt: skip


async def load_balances(
    connection: "asyncpg.Connection[Any]",
    lanes: Sequence[int],
    accounts: Sequence[str],
    currencies: Sequence[str],
) -> Balances:
    """The balances of (lane, account, currency), given as three columns of equal length."""
    rows = await connection.fetch(SQL["load_balances"], lanes, accounts, currencies)
    return Balances({(row[0], row[1], row[2]): row[3] for row in rows})


async def write_postings(
    connection: "asyncpg.Connection[Any]", postings: Mapping[int, Sequence[Posting]], posted_at: datetime
) -> None:
    """Append the postings of each lane and move its balances, within the caller's transaction.

    Raises InvariantBroken where an entry would be posted twice, where what is to be moved is not the sum of
    the postings, and where a balance did not move by exactly that.
    """
    if not any(postings.values()):
        return
    try:
        await connection.copy_records_to_table(
            "postings",
            records=[
                (lane, *posting, posted_at) for lane, of_lane in postings.items() for posting in of_lane
            ],
            columns=_COLUMNS,
        )
    except asyncpg.UniqueViolationError as fault:
        raise InvariantBroken(f"an entry would be posted twice: {fault.detail}") from fault
    moved = movements(postings)
    check_movements(postings, moved)
    await _move(connection, moved)


async def _move(connection: "asyncpg.Connection[Any]", moved: Mapping[BalanceKey, int]) -> None:
    if not moved:
        return
    lanes, accounts, currencies = zip(*moved, strict=True)
    rows = await connection.fetch(SQL["move_balances"], lanes, accounts, currencies, list(moved.values()))
    found = {(row[0], row[1], row[2]): row[3] for row in rows}
    if found != moved:
        wrong = sorted(key for key in {*found, *moved} if found.get(key) != moved.get(key))
        raise InvariantBroken(f"balances that did not move by what their postings say: {wrong[:5]}")
