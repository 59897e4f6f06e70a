"""The list of invariants is whole: every check, foreign key and trigger of the databases stands in it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from goodfunds.postgres import connect
from goodfunds.service import migrate_service, services
from tests.integration.invariants import (
    test_ingestion,
    test_lanes_and_ledger,
    test_operating,
    test_reconciliation,
    test_settlement,
)

LIST = (Path(__file__).parents[3] / "docs" / "invariants.md").read_text(encoding="utf-8")
NAMES = set(re.findall(r"`([a-z_0-9]+)`", LIST))
BROKEN = {
    constraint
    for module in (
        test_ingestion,
        test_settlement,
        test_reconciliation,
        test_lanes_and_ledger,
        test_operating,
    )
    for constraint, _ in module.BREAKS.values()
}
VALUES = re.compile("_(state|cause|kind|effect|about|side|lane|singleton|partitions)_check$")
"""Checks that a column holds one of a few words; tested where one of them is (`payments_state_check`)."""


@pytest.mark.parametrize("name", services())
async def test_every_rule_of_the_schema_is_listed_and_broken_on_purpose(name: str, database: str) -> None:
    server, _, own = database.rpartition("/")
    await migrate_service(replace(services()[name], database=own), server)
    connection = await connect(database)
    try:
        rows = await connection.fetch(
            "SELECT conname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid"
            " WHERE c.contype IN ('c', 'f') AND c.connamespace = 'public'::regnamespace"
            " AND NOT t.relispartition"
            " UNION SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgparentid = 0"
            " AND tgname NOT LIKE 'watched%'"
        )
    finally:
        await connection.close()
    rules = {row[0] for row in rows if not VALUES.search(row[0])}
    assert rules - NAMES == set()
    assert rules - BROKEN - {"numbers_count_up"} == set(), "nothing breaks these on purpose"
