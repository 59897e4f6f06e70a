"""What a database holds as one number a table, to show that handling records again has changed nothing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from goodfunds.lanes.records import Connection
from goodfunds.postgres import statements
from goodfunds.replay import STATEMENTS

SQL = statements(STATEMENTS)


@dataclass(frozen=True, slots=True)
class TableDigest:
    """How many rows a table has, and a hash of them all in whatever order they lie."""

    rows: int
    digest: str


async def state_digest(connection: Connection, left_out: Collection[str]) -> dict[str, TableDigest]:
    """Table → its digest, of what the lanes have written, at one moment; `left_out`: the tables of others.

    Equal where the tables hold the same rows, whatever their order and the session's settings; computed
    in the database. Within a transaction it sees what that has written.
    """
    names = [row["relname"] for row in await connection.fetch(SQL["digested_tables"], list(left_out))]
    return await table_digests(connection, {name: (["t.*"], "true") for name in names})


async def table_digests(
    connection: Connection, tables: Mapping[str, tuple[Sequence[str], str]]
) -> dict[str, TableDigest]:
    """Table → its digest; `tables`: what counts of a row, and which rows do, as SQL.

    All at one moment. Rows whose values count as equal to Postgres have the same digest.
    """
    told = [", ".join(expressions) for expressions, _ in tables.values()]
    rows = [condition for _, condition in tables.values()]
    statement = await connection.fetchval(SQL["digest_statement"], list(tables), told, rows)
    found = await connection.fetch(statement) if statement else []
    return {row["table_name"]: TableDigest(row["rows"], row["digest"]) for row in found}


def digest_of(tables: Mapping[str, TableDigest]) -> str:
    """One hash of all tables, hex."""
    lines = (f"{name} {table.rows} {table.digest}\n" for name, table in sorted(tables.items()))
    return sha256("".join(lines).encode()).hexdigest()
