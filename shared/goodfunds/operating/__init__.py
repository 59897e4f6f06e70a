"""What operators see and ask over HTTP: lanes, parked events, the outbox, replays, the audit.

Every service mounts the same routes below `/v1`, behind its door. Owns no data: it reads what the lanes keep,
and what is asked for is a plan that the owner of a lane carries out (`goodfunds.replay`).
"""

from pathlib import Path

STATEMENTS = Path(__file__).parent / "sql"
"""Folder of the operators' named statements."""
