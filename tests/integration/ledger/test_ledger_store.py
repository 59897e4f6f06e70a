"""The ledger's tables on a real Postgres: appended once, balances that are the sum of their postings."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, TypeAlias

import asyncpg
import pytest

from goodfunds.errors import InvariantBroken, is_retriable
from goodfunds.ledger import MIGRATIONS
from goodfunds.ledger import posting as ledger
from goodfunds.ledger.posting import Posting
from goodfunds.ledger.store import SQL, load_balances, write_postings
from goodfunds.postgres import connect
from tests.conftest import Migrations

Connection: TypeAlias = "asyncpg.Connection[Any]"
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
RAIL, NOSTRO = "sepa-credit", "DE89370400440532013000"


def entry(number: int) -> bytes:
    return number.to_bytes(16, "big")


@pytest.fixture
def migrations() -> Migrations:
    return (("ledger", MIGRATIONS),)


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    opened = await connect(database, "test ledger")
    yield opened
    await opened.close()


async def balance(connection: Connection, lane: int, account: str, currency: str = "EUR") -> int:
    found = await load_balances(connection, [lane], [account], [currency])
    return found.available(lane, account, currency)


async def proved(connection: Connection) -> bool:
    return await connection.fetch(SQL["ledger_differences"]) == [] and all(
        row["sum_minor"] == 0 for row in await connection.fetch(SQL["ledger_sums"])
    )


async def test_postings_are_written_as_they_are_and_move_both_balances(connection: Connection) -> None:
    funded = ledger.funded(entry(1), "demo", "acc", 1000, "EUR")
    paid = ledger.accepted(entry(2), "acc", RAIL, 250, "EUR")
    await write_postings(connection, {3: [funded, paid]}, NOW)
    rows = await connection.fetch(SQL["postings_of_entry"], entry(2))
    assert [tuple(row) for row in rows] == [(3, *paid, NOW)]
    assert await balance(connection, 3, "acc") == 750
    assert await balance(connection, 3, "funding:demo") == -1000
    assert await balance(connection, 3, "transit-out:sepa-credit") == 250
    assert await proved(connection)


async def test_existing_balances_are_moved_and_new_ones_made_in_one_statement(connection: Connection) -> None:
    await write_postings(connection, {0: [ledger.funded(entry(1), "demo", "a", 1000, "EUR")]}, NOW)
    later = [ledger.accepted(entry(2), "a", RAIL, 1, "EUR"), ledger.funded(entry(3), "demo", "b", 5, "USD")]
    await write_postings(connection, {0: later, 1: [ledger.funded(entry(4), "demo", "a", 7, "EUR")]}, NOW)
    assert await balance(connection, 0, "a") == 999
    assert await balance(connection, 0, "b", "USD") == 5
    assert await balance(connection, 1, "a") == 7
    assert await proved(connection)


async def test_an_account_that_ends_where_it_began_keeps_its_balance(connection: Connection) -> None:
    back_and_forth = [
        ledger.accepted(entry(2), "acc", RAIL, 10, "EUR"),
        ledger.refunded(entry(2), RAIL, "acc", 10, "EUR"),
    ]
    await write_postings(connection, {0: back_and_forth}, NOW)
    assert await connection.fetchval("SELECT count(*) FROM balances") == 0
    assert await proved(connection)


@pytest.mark.parametrize(
    "again",
    [
        ledger.settled(entry(2), RAIL, NOSTRO, 10, "EUR"),
        ledger.settled(entry(2), RAIL, NOSTRO, 11, "EUR"),
    ],
)
async def test_the_same_entry_is_never_posted_twice_and_that_is_no_fault_to_retry(
    connection: Connection, again: Posting
) -> None:
    await write_postings(connection, {0: [ledger.settled(entry(2), RAIL, NOSTRO, 10, "EUR")]}, NOW)
    for lane in (0, 1):
        with pytest.raises(InvariantBroken, match="posted twice") as broken:
            async with connection.transaction():
                await write_postings(connection, {lane: [again]}, NOW)
        assert not is_retriable(broken.value)
    assert await balance(connection, 0, f"nostro:{NOSTRO}") == 10
    assert await proved(connection)


async def test_a_rejected_payment_cannot_be_refunded_again_as_a_return(connection: Connection) -> None:
    await write_postings(connection, {0: [ledger.rejected(entry(2), RAIL, "acc", 10, "EUR")]}, NOW)
    with pytest.raises(InvariantBroken):
        await write_postings(connection, {0: [ledger.unapplied(entry(2), RAIL, "closed", 10, "EUR")]}, NOW)


async def test_nothing_to_post_writes_nothing(connection: Connection) -> None:
    await write_postings(connection, {0: [], 5: []}, NOW)
    await write_postings(connection, {}, NOW)
    assert await connection.fetchval("SELECT count(*) FROM postings") == 0


@pytest.mark.parametrize(
    "attempt", ["UPDATE postings SET amount_minor = 1", "DELETE FROM postings", "TRUNCATE postings"]
)
async def test_postings_cannot_be_changed_or_taken_away(connection: Connection, attempt: str) -> None:
    await write_postings(connection, {0: [ledger.funded(entry(1), "demo", "a", 1000, "EUR")]}, NOW)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="append-only"):
        await connection.execute(attempt)


@pytest.mark.parametrize(
    "row", [Posting(entry(1), "a", "b", 0, "EUR", "any"), Posting(entry(1), "a", "a", 5, "EUR", "any")]
)
async def test_the_table_itself_refuses_a_posting_that_moves_nothing(
    connection: Connection, row: Posting
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await write_postings(connection, {0: [row]}, NOW)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE balances SET balance_minor = balance_minor + 1 WHERE account = 'a'",
        "DELETE FROM balances WHERE account = 'a'",
        "INSERT INTO balances VALUES (9, 'ghost', 'EUR', 1)",
    ],
)
async def test_the_proof_names_a_balance_that_is_not_the_sum_of_its_postings(
    connection: Connection, tampering: str
) -> None:
    await write_postings(connection, {0: [ledger.funded(entry(1), "demo", "a", 1000, "EUR")]}, NOW)
    await connection.execute(tampering)
    differences = await connection.fetch(SQL["ledger_differences"])
    assert [(row["account"] in ("a", "ghost")) for row in differences] == [True]
    assert not await proved(connection)


async def test_two_thousand_payments_of_twelve_lanes_are_a_few_statements(connection: Connection) -> None:
    postings = {
        lane: [
            ledger.accepted(entry(lane * 1000 + n), f"acc-{n % 50}", RAIL, n + 1, "EUR") for n in range(170)
        ]
        for lane in range(12)
    }
    executed: list[str] = []

    def remember(query: Any) -> None:
        executed.append(query.query)

    with connection.query_logger(remember):
        await write_postings(connection, postings, NOW)
        # The driver hands queries to its logger in the loop's next round.
        await asyncio.sleep(0)
    # The COPY is not logged; the update is one statement (asyncpg reads the types of its arguments once).
    assert [query for query in executed if "balances" in query] == [SQL["move_balances"]]
    total = sum(range(1, 171))
    assert await balance(connection, 7, "transit-out:sepa-credit") == total
    kinds = await connection.fetch(SQL["moved_by_kind"])
    assert [(row["lane"], row["kind"], row["count"], row["amount_minor"]) for row in kinds] == [
        (lane, "accepted", 170, total) for lane in range(12)
    ]
    assert await proved(connection)


async def test_balances_are_read_by_account_and_by_prefix(connection: Connection) -> None:
    for lane in (0, 1):
        await write_postings(connection, {lane: [ledger.accepted(entry(lane), "acc", RAIL, 5, "EUR")]}, NOW)
    of_account = await connection.fetch(SQL["balances_of_account"], "acc")
    assert [tuple(row) for row in of_account] == [(0, "EUR", -5), (1, "EUR", -5)]
    in_transit = await connection.fetch(SQL["balances_of_accounts_like"], "transit-out:")
    assert [(row["lane"], row["balance_minor"]) for row in in_transit] == [(0, 5), (1, 5)]
