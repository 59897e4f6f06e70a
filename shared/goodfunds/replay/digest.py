"""What a database holds as one number a table, to show that handling records again has changed nothing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType

from goodfunds.lanes.records import Connection
from goodfunds.postgres import statements
from goodfunds.replay import STATEMENTS

SQL = statements(STATEMENTS)

MACHINERY: Mapping[str, str] = MappingProxyType(
    {
        "cluster": "the life of the database, no event's doing",
        "lanes": "offsets, watermarks and numbering: the lanes move them with each transaction",
        "lane_stops": "evidence, kept when a lane is set free",
        "outbox*": "what was published: that it does not grow is shown by counting, not by a digest",
        "migrations": "when each file was applied, which a copy need not share",
        "replay_*": "the replays themselves",
        "audit*": "who asked for what, and when",
    }
)
"""Table → why no digest is made of it, of what the lanes and replays keep; `*` stands for any ending."""

NOT_OF_LANES: Mapping[str, str] = MappingProxyType(
    {
        "access_tokens": "who may use HTTP",
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
"""The same of tables that feeds and people write while lanes stand still: no record's handler does."""

LEFT_OUT: Mapping[str, str] = MappingProxyType({**MACHINERY, **NOT_OF_LANES})

_TEXT_OUTPUT = {
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "iso_8601",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "search_path": "pg_catalog",
}
"""Settings that change a value's text, and so its hash."""


@dataclass(frozen=True, slots=True)
class TableDigest:
    """How many rows a table has, and a hash of them all in whatever order they lie."""

    rows: int
    digest: str


async def state_digest(
    connection: Connection, schema: str = "public", left_out: Collection[str] = LEFT_OUT
) -> dict[str, TableDigest]:
    """Table → its digest, of all tables of a schema but those left out, at one moment.

    Equal where the tables hold the same rows, whatever their order and the session's settings; computed
    in the database. Within a transaction it sees what that has written. Leaves nothing behind.
    """
    pinned = connection.transaction()
    await pinned.start()
    try:
        await connection.execute(SQL["pin_text_output"], list(_TEXT_OUTPUT), list(_TEXT_OUTPUT.values()))
        statement = await connection.fetchval(SQL["digest_statement"], schema, list(left_out))
        rows = await connection.fetch(statement) if statement else []
    finally:
        # Rolled back, not committed: within any transaction the settings are the session's own again.
        await pinned.rollback()
    return {row["table_name"]: TableDigest(row["rows"], row["digest"]) for row in rows}


def digest_of(tables: Mapping[str, TableDigest]) -> str:
    """One hash of all tables, hex."""
    lines = (f"{name} {table.rows} {table.digest}\n" for name, table in sorted(tables.items()))
    return sha256("".join(lines).encode()).hexdigest()
