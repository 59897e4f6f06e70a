"""Reconciliation: explains every line of the bank's statements by our books, or says which it cannot.

Owns expected items, batches of them, statement lines, statements, breaks, stored control totals and taken
statement files. Reads settlement-notifications, bank-statements and control-totals; writes reconciliation,
and bank-statements (its statement reader, and a line that a nostro's lane hands over to its own lane).
`payments` is read by the control totals alone, the second reader that shares no code with the lanes.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from goodfunds import access
from goodfunds.events.topics import (
    BANK_STATEMENTS,
    CONTROL_TOTALS,
    RECONCILIATION,
    SETTLEMENT_NOTIFICATIONS,
)
from goodfunds.operating.scopes import SCOPES
from goodfunds.service import Service

if TYPE_CHECKING:
    from goodfunds.rebuild import Rebuild

READ = "reconciliation:read"
STATEMENTS_WRITE = "statements:write"


def _rebuild() -> "Rebuild":
    from services.reconciliation.rebuilding import REBUILD

    return REBUILD


SERVICE = Service(
    name="reconciliation",
    database="reconciliation",
    migrations=(access.MIGRATIONS, Path(__file__).parent / "migrations"),
    sql=Path(__file__).parent / "sql",
    inputs=(SETTLEMENT_NOTIFICATIONS, BANK_STATEMENTS, CONTROL_TOTALS),
    outputs=(RECONCILIATION, BANK_STATEMENTS),
    adopts=True,
    scopes={
        **SCOPES,
        READ: "see statements, statement files and breaks, of all clients",
        STATEMENTS_WRITE: "hand in a bank's statements",
    },
    beside_lanes={
        "statement_files": "what the statement reader has found",
        "statement_file_parts": "bytes of files, large ones",
        "taken_statements": "how far the statement reader is with each statement",
        "handed_in_files": "wishes over HTTP, and which the statement reader took",
    },
    rebuild=_rebuild,
)
