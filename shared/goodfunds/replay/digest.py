"""What a database holds as one number a table, to show that handling records again has changed nothing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType

from goodfunds.lanes.records import Connection
from goodfunds.postgres import statements
from goodfunds.replay import STATEMENTS

SQL = statements(STATEMENTS)

NOT_OF_LANES: Mapping[str, str] = MappingProxyType(
    {
        "requests": "what people ask for, whenever they do",
        "payment_files": "wishes over HTTP, and how far the intake is with each",
        "bank_files": "the bank gateway's own work",
        "bank_file_batches": "the bank gateway's own work",
        "attempts": "the bank gateway's own work",
        "bank_messages": "how far the bank gateway is with each answer",
        "restores": "how far the bank gateway is after a restore",
        "found_files": "what the bank gateway found at the bank after a restore",
        "found_batches": "what the bank gateway found at the bank after a restore",
        "found_payments": "what the bank gateway found at the bank after a restore",
        "statement_files": "what the statement reader has found",
        "statement_file_parts": "bytes of files, large ones",
        "taken_statements": "how far the statement reader is with each statement",
        "handed_in_files": "wishes over HTTP, and which the statement reader took",
    }
)
"""Table → why no digest is made of it: feeds and people write it while lanes stand still, and no handler."""


@dataclass(frozen=True, slots=True)
class TableDigest:
    """How many rows a table has, and a hash of them all in whatever order they lie."""

    rows: int
    digest: str


async def state_digest(
    connection: Connection, left_out: Collection[str] = NOT_OF_LANES
) -> dict[str, TableDigest]:
    """Table → its digest, of what the lanes have written but those left out, at one moment.

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
