"""Migrations: plain .sql files in order, each once, safe where several instances start at once."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from goodfunds.errors import Misconfigured
from goodfunds.postgres.connect import connect

# Any constant will do, as long as every instance takes the same one.
_ADVISORY_LOCK = 0x676F6F6466756E64

_TABLE = """
CREATE TABLE IF NOT EXISTS migrations (
    source text NOT NULL, file text NOT NULL, digest text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (source, file))
"""

# Of whatever file a table is, replays see what they change in it (goodfunds.replay).
_CAN_WATCH = "SELECT to_regprocedure('watch_tables()') IS NOT NULL"


async def migrate(dsn: str, sources: Sequence[tuple[str, Path]]) -> list[str]:
    """Apply what is new of each (name, folder), in order, in one transaction; returns what was applied.

    Raises Misconfigured where a file that was applied has changed since.
    """
    connection = await connect(dsn, "goodfunds migrate")
    applied = []
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _ADVISORY_LOCK)
            await connection.execute(_TABLE)
            await connection.execute("COMMENT ON TABLE migrations IS 'Written by goodfunds db migrate.'")
            for source, folder in sources:
                for file in sorted(folder.glob("*.sql")):
                    body = file.read_text(encoding="utf-8")
                    digest = sha256(body.encode()).hexdigest()
                    known = await connection.fetchval(
                        "SELECT digest FROM migrations WHERE source = $1 AND file = $2", source, file.name
                    )
                    if known == digest:
                        continue
                    if known is not None:
                        raise Misconfigured(f"{source}/{file.name} has changed since it was applied")
                    await connection.execute(body)
                    await connection.execute(
                        "INSERT INTO migrations (source, file, digest) VALUES ($1, $2, $3)",
                        source, file.name, digest,
                    )  # fmt: skip
                    applied.append(f"{source}/{file.name}")
            if applied and await connection.fetchval(_CAN_WATCH):
                await connection.execute("SELECT watch_tables()")
    finally:
        await connection.close()
    return applied
