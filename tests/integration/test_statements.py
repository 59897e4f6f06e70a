"""Every named statement is valid against its database as migrated; every table says who writes it."""

import asyncio

import pytest

from goodfunds.postgres import connect
from goodfunds.service import migrations_of
from tests.integration.named_statements import SERVICES, migrated, statements_of


def test_the_services_are_found_by_their_entry_points() -> None:
    assert list(SERVICES) == ["ingestion", "reconciliation", "settlement"]


@pytest.mark.parametrize("name", SERVICES)
async def test_every_named_statement_is_valid_against_its_database(name: str, database: str) -> None:
    await migrated(SERVICES[name], database)
    connection = await connect(database)
    faults: dict[str, str] = {}
    count = 0
    try:
        for folder, named in statements_of(SERVICES[name]).items():
            for statement, body in named.items():
                count += 1
                try:
                    await connection.prepare(body)
                except Exception as fault:
                    faults[f"{folder}.{statement}"] = repr(fault)
    finally:
        await connection.close()
    assert faults == {}
    assert count > 20


@pytest.mark.parametrize("name", SERVICES)
async def test_every_table_says_what_it_holds_and_who_writes_it(name: str, database: str) -> None:
    await migrated(SERVICES[name], database)
    connection = await connect(database)
    try:
        tables = await connection.fetch(
            "SELECT relname, obj_description(oid) AS comment FROM pg_class "
            "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        )
    finally:
        await connection.close()
    assert len(tables) > 5
    silent = [row["relname"] for row in tables if not row["comment"]]
    assert silent == []
    nameless = [row["relname"] for row in tables if not _names_a_writer(row["comment"])]
    assert nameless == []


def _names_a_writer(comment: str) -> bool:
    return any(word in comment for word in ("Written", "written", "Inserted", "inserted"))


@pytest.mark.parametrize("name", SERVICES)
async def test_two_instances_that_start_at_once_on_an_empty_database_migrate_it_once(
    name: str, database: str
) -> None:
    service = SERVICES[name]
    both = await asyncio.gather(migrated(service, database), migrated(service, database))
    applied = [file for each in both for file in each]
    assert sorted(map(len, both)) == [0, len(applied)]
    assert len(applied) == len(set(applied))
    assert len(applied) == sum(len(list(folder.glob("*.sql"))) for _, folder in migrations_of(service))
    assert await migrated(service, database) == []
