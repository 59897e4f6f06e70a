"""Replays: what lanes have read, parked or published, done again on purpose, planned, rehearsed and approved.

Owns the tables `replay_…` of every service's database. Plans are written by people over HTTP; the owner of a
lane carries its share out between its polls (`goodfunds.lanes.beside`).
"""

from pathlib import Path

MIGRATIONS = Path(__file__).parent / "migrations"
"""Folder of the replays' migrations, which every service's database has."""
STATEMENTS = Path(__file__).parent / "sql"
"""Folder of the replays' named statements."""
