"""A rebuild compares every table and column of reconciliation or declares it; swapped tables are alike."""

from goodfunds.lanes.records import Connection
from goodfunds.postgres import connect
from goodfunds.rebuild.comparison import columns_of, parts
from goodfunds.rebuild.shadow import REPLACED, SHADOW, SQL, drop_shadow, make_shadow
from goodfunds.service import migrations_of
from services.reconciliation import SERVICE
from services.reconciliation.rebuilding import REBUILD

NAMED = [*(each.table for each in REBUILD.tables), *REBUILD.kept, *REBUILD.empty]


async def test_every_table_is_in_the_list_and_every_column_is_compared_or_declared(database: str) -> None:
    connection = await connect(database)
    try:
        assert await connection.fetch(SQL["tables_of_nobody"], NAMED) == []
        (stranger,) = await connection.fetch(SQL["tables_of_nobody"], NAMED[1:])
        assert stranger["relname"] == NAMED[0]
        columns = await columns_of(connection, REBUILD.tables)
    finally:
        await connection.close()
    for each in REBUILD.tables:
        assert set(columns[each.table]) - parts(each, columns[each.table]).keys() == each.uncompared.keys()
        assert not each.instead.keys() & set(columns[each.table])


async def test_tables_that_are_swapped_in_keep_what_operators_have_granted_and_their_triggers_work(
    database: str,
) -> None:
    connection = await connect(database)
    try:
        await connection.execute("GRANT SELECT ON breaks, statements TO PUBLIC")
        await connection.execute("GRANT SELECT (lane) ON expected_items TO PUBLIC")
        await connection.execute("ALTER TABLE statement_lines SET (autovacuum_vacuum_scale_factor = 0.01)")
        await make_shadow(connection, database, migrations_of(SERVICE), REBUILD.swapped)
        before = await _told(connection)
        await connection.execute(f"CREATE SCHEMA {REPLACED}")
        for row in await connection.fetch(SQL["swap_statements"], SHADOW, REPLACED, REBUILD.swapped):
            await connection.execute(row["statement"])
        await drop_shadow(connection)
        assert await _told(connection) == before
        functions = await connection.fetch(
            "SELECT DISTINCT p.pronamespace::regnamespace::text AS place FROM pg_trigger t "
            "JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE c.relname = ANY($1) AND NOT t.tgisinternal",
            REBUILD.swapped,
        )
        assert [row["place"] for row in functions] == ["public"]
    finally:
        await connection.close()


async def _told(connection: Connection) -> list[tuple[object, ...]]:
    """Of each table its comment, grants and settings, and of its columns comments and grants."""
    rows = await connection.fetch(
        "SELECT c.relname, a.attname, c.relacl::text, c.reloptions::text, a.attacl::text, "
        "obj_description(c.oid, 'pg_class') AS about, col_description(c.oid, a.attnum) AS column_about "
        "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY($1) AND a.attnum > 0 "
        "ORDER BY 1, 2",
        REBUILD.swapped,
    )
    return [tuple(row) for row in rows]
