"""What runs all day never reads a table whole that grows with every payment: its cost would grow with it."""

import json
import re
from collections.abc import Iterator, Mapping, Set
from typing import Any

import pytest

from goodfunds.postgres import connect, statements
from goodfunds.replay.watching import Watch
from goodfunds.service import Service
from tests.integration.named_statements import SERVICES, folders, migrated

_READ_ALL_BY_DESIGN = {"proof.sql", "conservation.sql", "rebuild.sql"}
"""Files of proofs and of rebuilding, which a person asks for."""
_ALSO = {
    "ledger_differences": "the proof of the ledger",
    "moved_by_kind": "the proof of the ledger",
    "progress": "a demo that is watched",
    "payments_to_ask_for": "once after a restore, page by page",
    "make_changed_rows": "makes a table of a session's own, and has no plan",
    "forget_changed_rows": "empties it, and has no plan",
}
_ROWS = 60_000
_LARGE = 20_000
"""Tables of fewer rows are those that do not grow with payments, or hold their exceptions."""

_LANES = """
SET session_replication_role = replica;
CREATE FUNCTION plan_of(statement text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE found json;
BEGIN EXECUTE 'EXPLAIN (GENERIC_PLAN, FORMAT JSON) ' || statement INTO found; RETURN found; END $$;
CREATE FUNCTION id_of(n bigint) RETURNS uuid IMMUTABLE RETURN lpad(to_hex(n), 32, '0')::uuid;
INSERT INTO cluster (partitions) VALUES (12);
INSERT INTO lanes (lane, incarnation, offsets, outbox_seq, published_seq)
SELECT n, 'now', '{}', 300, 300 FROM generate_series(0, 11) n;
INSERT INTO outbox SELECT n % 12, n / 12, now(), ARRAY['payments'], 500, '\\x00000000'
FROM generate_series(12, 3611) n;
"""
_OF: Mapping[str, str] = {
    "ingestion": """
INSERT INTO payments
SELECT id_of(n), n % 12, 'client', 'key-' || n, '', 'account-' || n % 1000, 100, 'EUR', 'sepa', 'accepted',
       '', '', 'e2e-' || n, 'uetr-' || n, n, n, now() FROM generate_series(1, {rows}) n;
INSERT INTO postings SELECT n % 12, id_of(n), 'a', 'b', 100, 'EUR', 'accepted', now()
FROM generate_series(1, {rows}) n;
""",
    "settlement": """
INSERT INTO batches
SELECT id_of(n), n % 12, 'sepa', 'nostro', 'EUR', date '2026-01-01' + n / 12, 1, now(), now(), now(), 500,
       50000, n, n + 1, now(), 'message-' || n / 12 FROM generate_series(0, {rows} / 500) n;
INSERT INTO payments
SELECT id_of(n), n / 500 % 12, id_of(n / 500), 100, 'account', 'e2e-' || n, n, n, now(), '',
       repeat('x', 100)::bytea
FROM generate_series(1, {rows}) n;
INSERT INTO settlements
SELECT id_of(n), n / 500 % 12, 100, 'camt.054', 'reference', '2026-01-01', now(), n
FROM generate_series(1, {rows}) n;
INSERT INTO postings SELECT n % 12, id_of(n), 'a', 'b', 100, 'EUR', 'settled', now()
FROM generate_series(1, {rows}) n;
INSERT INTO bank_files (file_id, rail, nostro, currency, requested_date, message_id, file_name, created_at,
                        sha256, payments_count, amount_minor, claimed_at, submitted_at, asked_at, answered_at)
SELECT id_of(n), 'sepa', 'nostro', 'EUR', '2026-01-01', 'message-' || n, 'file-' || n, now(), '', 1, 1,
       now(), now(), now(), now() FROM generate_series(0, {rows} / 6000) n;
INSERT INTO bank_file_batches SELECT id_of(n), id_of(n / 12), n % 12 FROM generate_series(0, {rows} / 500) n;
""",
    "reconciliation": """
INSERT INTO batches SELECT n % 12, id_of(n), 'nostro', 'EUR', now(), 0, 0, 0, 0, 0
FROM generate_series(0, {rows} / 500) n;
INSERT INTO expected_items
SELECT n / 500 % 12, id_of(n), -1, id_of(n / 500), -100, 'EUR', 'nostro', 'account', 'e2e-' || n, now(), n, 1,
       '2026-01-01', id_of(n / 6000), n % 6000, 'reference' FROM generate_series(1, {rows}) n;
INSERT INTO statement_lines
SELECT n / 500 % 12, id_of(n / 6000), n % 6000, id_of(n), id_of(n / 500), -100, 'EUR', 'nostro',
       'e2e-' || n, '', '',
       '2026-01-01', '2026-01-01', 1, false, false, '', '', now(), 'reference', NULL, NULL, 1
FROM generate_series(1, {rows}) n;
INSERT INTO statements
SELECT 0, id_of(n), 'nostro', 'EUR', n::text, n::text, 0, 0, 0, 6000, date '2026-01-01' + n,
       date '2026-01-01' + n, now()
FROM generate_series(0, {rows} / 6000) n;
INSERT INTO statement_shares
SELECT l, id_of(n), 'nostro', 'EUR', date '2026-01-01' + n, 500, 0, now()
FROM generate_series(0, {rows} / 6000) n, generate_series(0, 11) l;
""",
}


def _asked_all_day(service: Service) -> Mapping[str, str]:
    """The service's own statements and those of the library that its schema has."""
    found: dict[str, str] = {}
    for folder in folders(service).values():
        whole = {
            name
            for file in folder.glob("*.sql")
            if file.name in _READ_ALL_BY_DESIGN
            for name in re.findall(r"^-- name: (\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
        }
        found |= {name: body for name, body in statements(folder).items() if name not in whole | _ALSO.keys()}
    return found


def _whole_reads(plan: Mapping[str, Any], large: Set[str], limited: bool = False) -> Iterator[str]:
    """Tables and indexes among `large` that are read from one end to the other.

    Under a LIMIT an index is a way to its first rows.
    """
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] in large:
        yield plan["Relation Name"]
    elif plan.get("Index Name") in large and "Index Cond" not in plan and not limited:
        yield plan["Index Name"]
    for child in plan.get("Plans", ()):
        yield from _whole_reads(child, large, limited or plan["Node Type"] == "Limit")


@pytest.mark.parametrize("name", SERVICES)
async def test_no_statement_but_those_of_the_proof_reads_a_growing_table_whole(
    name: str, database: str
) -> None:
    await migrated(SERVICES[name], database)
    connection = await connect(database)
    # Some read what a session makes for itself.
    await Watch.on(connection)
    faults: dict[str, list[str]] = {}
    asked = _asked_all_day(SERVICES[name])
    try:
        await connection.execute(_LANES + _OF[name].format(rows=_ROWS))
        await connection.execute("ANALYZE")
        large = {
            row["relname"]
            for row in await connection.fetch(
                "SELECT relname FROM pg_class WHERE relkind IN ('r', 'i') AND reltuples >= $1", float(_LARGE)
            )
        }
        for statement, body in asked.items():
            plan = json.loads(await connection.fetchval("SELECT plan_of($1)", body))[0]["Plan"]
            found = list(_whole_reads(plan, large))
            if found:
                faults[statement] = found
    finally:
        await connection.close()
    assert len(large) >= 2, large
    assert len(asked) > 20
    assert faults == {}
