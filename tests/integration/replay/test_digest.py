"""A digest of a database's tables: equal for the same rows, another for anything that was written."""

from collections.abc import AsyncIterator

import pytest

from goodfunds.lanes.records import Connection
from goodfunds.postgres import connect
from goodfunds.replay.digest import digest_of, state_digest
from tests.conftest import Migrations
from tests.integration.named_statements import SERVICES, migrated

_TABLES = """
CREATE FUNCTION is_machinery(table_name text) RETURNS boolean LANGUAGE sql RETURN false;
CREATE SCHEMA books;
SET search_path = books, public;
CREATE TABLE books.moved (
    id integer, amount bigint, at timestamptz, took interval, body bytea, said text, share float8
);
CREATE TABLE books.empty (id integer);
CREATE TABLE books.days (id integer, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE books.days_2026 PARTITION OF books.days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO books.moved
SELECT n, n * 100, timestamptz '2026-07-01 12:00+02' + n * interval '1 day', n * interval '25 hours',
       decode(md5(n::text), 'hex'), CASE WHEN n % 2 = 0 THEN 'even' END, n / 3.0
FROM generate_series(1, 50) n;
INSERT INTO books.days VALUES (1, '2026-03-29');
"""


@pytest.fixture
def migrations() -> Migrations:
    """None: each test makes tables of its own, or a service's."""
    return ()


@pytest.fixture
async def books(database: str) -> AsyncIterator[Connection]:
    connection = await connect(database)
    await connection.execute(_TABLES)
    yield connection
    await connection.close()


async def test_rows_that_lie_in_another_order_have_the_same_digest(books: Connection) -> None:
    before = await state_digest(books, ())
    assert {table: each.rows for table, each in before.items()} == {"moved": 50, "empty": 0, "days": 1}
    await books.execute(
        "CREATE TABLE books.turned AS SELECT * FROM books.moved ORDER BY id DESC; "
        "TRUNCATE books.moved; INSERT INTO books.moved SELECT * FROM books.turned; DROP TABLE books.turned"
    )
    assert await state_digest(books, ()) == before
    assert digest_of(before) == digest_of(dict(reversed(before.items())))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE books.moved SET amount = amount + 1 WHERE id = 7",
        "UPDATE books.moved SET said = '' WHERE id = 7",
        "UPDATE books.moved SET amount = 800 - amount WHERE id IN (3, 5)",
        "DELETE FROM books.moved WHERE id = 7",
        "INSERT INTO books.moved SELECT * FROM books.moved WHERE id = 7",
        "INSERT INTO books.moved SELECT * FROM books.moved",
        "INSERT INTO books.days VALUES (2, '2026-03-30')",
        "INSERT INTO books.empty VALUES (NULL)",
    ],
)
async def test_whatever_is_written_changes_it(books: Connection, change: str) -> None:
    before = await state_digest(books, ())
    await books.execute(change)
    after = await state_digest(books, ())
    assert [table for table in before if before[table] != after[table]] == [
        change.split("books.")[1].split()[0]
    ]
    assert digest_of(before) != digest_of(after)


async def test_a_sessions_settings_change_nothing_of_it_and_stay_as_they_were(books: Connection) -> None:
    before = await state_digest(books, ())
    settings = {
        "timezone": "America/New_York",
        "datestyle": "SQL, DMY",
        "intervalstyle": "postgres_verbose",
        "extra_float_digits": "-2",
        "bytea_output": "escape",
        "search_path": "books, pg_catalog, public",
    }
    async with books.transaction():
        for name, value in settings.items():
            await books.execute("SELECT set_config($1, $2, true)", name, value)
        assert await state_digest(books, ()) == before
        for name, value in settings.items():
            assert await books.fetchval("SELECT current_setting($1)", name) == value
    assert await books.fetchval("SELECT current_setting('timezone')") == "UTC"


async def test_within_a_transaction_it_sees_what_that_wrote_and_undoes_nothing(books: Connection) -> None:
    before = await state_digest(books, ())
    async with books.transaction():
        await books.execute("DELETE FROM books.moved WHERE id = 7")
        assert (await state_digest(books, ()))["moved"].rows == 49
    assert (await state_digest(books, ()))["moved"].rows == 49
    assert await state_digest(books, ()) != before


async def test_a_schema_without_tables_has_an_empty_one(books: Connection) -> None:
    await books.execute("CREATE SCHEMA nothing; SET search_path = nothing, public")
    assert await state_digest(books, ()) == {}


@pytest.mark.parametrize("name", SERVICES)
async def test_every_table_that_a_services_lanes_write_is_in_it_and_what_is_left_out_is_there(
    name: str, database: str
) -> None:
    await migrated(SERVICES[name], database)
    connection = await connect(database)
    try:
        tables = await connection.fetch(
            "SELECT relname, is_machinery(relname) AS machinery, obj_description(oid) AS comment "
            "FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        )
        digested = await state_digest(connection, SERVICES[name].beside_lanes)
    finally:
        await connection.close()
    of_machinery = {row["relname"] for row in tables if row["machinery"] and row["relname"] != "parked"}
    of_lanes = {
        row["relname"]
        for row in tables
        if any(writer in row["comment"] for writer in ("by the owner of the", "by reconciliation's lanes"))
    }
    assert of_lanes - of_machinery == digested.keys()
    assert SERVICES[name].beside_lanes.keys() <= {row["relname"] for row in tables}
    assert {each.rows for each in digested.values()} == {0}
