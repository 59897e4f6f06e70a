"""The ledger: double-entry postings, append-only, and a balance per lane, account and currency.

Owns the tables `postings` and `balances` in the database of every service that keeps books. `posting` is
pure and may be imported by `decide`; `store` reads and writes whole polls.
"""

from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"
"""Folder of the ledger's migrations, for the door plate of a service that keeps books."""
STATEMENTS = Path(__file__).parent / "sql"
"""Folder of the ledger's named statements."""
