"""Postgres: connections with our types, migrations that two may start at once, and named statements."""

from goodfunds.postgres.connect import connect, create_pool
from goodfunds.postgres.migrate import migrate
from goodfunds.postgres.statements import statements

__all__ = ["connect", "create_pool", "migrate", "statements"]
