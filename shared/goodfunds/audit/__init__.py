"""The audit: an append-only, hash-chained record of what people did to a service's lanes.

Owns the tables `audit` and `audit_head` of every service's database.
"""

from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"
"""Folder of the audit's migrations, which every service's database has."""
STATEMENTS = Path(__file__).parent / "sql"
"""Folder of the audit's named statements."""
