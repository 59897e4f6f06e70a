"""Postgres: connections with our types, migrations that two may start at once, named statements."""

from goodfunds.postgres.connect import connect, create_pool
from goodfunds.postgres.migrate import migrate
from goodfunds.postgres.statements import statements
from goodfunds.postgres.written import all_written

__all__ = ["all_written", "connect", "create_pool", "migrate", "statements"]
