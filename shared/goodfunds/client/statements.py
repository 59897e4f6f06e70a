"""The client library's own SQL: named statements, and the tables that they need in the caller's database."""

from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from goodfunds.postgres import statements

SQL = statements(Path(__file__).parent / "sql")
_SCHEMA = Path(__file__).parent / "schema.sql"

Pool: TypeAlias = "asyncpg.Pool[Any]"
Connection: TypeAlias = "asyncpg.Connection[Any] | PoolConnectionProxy[Any]"
"""A connection of the caller's, of a pool or not."""


def schema() -> str:
    """The SQL that makes the two tables where they are missing; it may be run again."""
    return _SCHEMA.read_text(encoding="utf-8")
