"""What of reconciliation's state the topics make, what of it is compared, and what stays; the one list."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from goodfunds.lanes.records import Connection
from goodfunds.rebuild import Rebuild, Rebuilt
from services.reconciliation.handlers import ReconciliationHandler
from services.reconciliation.store import SQL


class RebuildingHandler(ReconciliationHandler):
    """Handles lanes that are read anew, of which one may be further than another that it had a line from."""

    async def due(
        self, connection: Connection, lanes: Sequence[int], now: datetime
    ) -> Mapping[int, list[Any]]:
        """What falls due in live lanes, and lines that others have from these before they hand them over."""
        found = {lane: list(due) for lane, due in (await super().due(connection, lanes, now)).items()}
        for row in await connection.fetch(SQL["lines_that_others_have"], list(lanes)):
            found.setdefault(row["lane"], []).append((row["statement_id"], row["line_number"]))
        return found


_HANDLED = "the time at which it was handled, which is another the second time"

REBUILD = Rebuild(
    handler=RebuildingHandler,
    tables=(
        Rebuilt("expected_items"),
        Rebuilt(
            "batches",
            uncompared={"opened_at": f"of a batch whose line came before its payments, {_HANDLED}"},
            only="(open_debits, open_credits, total_lines) <> (0, 0, 0)",
            why="a batch whose payments were all matched in the transaction that opened them has no row",
        ),
        Rebuilt("statement_lines", uncompared={"received_at": _HANDLED}),
        Rebuilt(
            "statements",
            uncompared={"reconciled_at": _HANDLED},
            instead={"reconciled": "reconciled_at IS NOT NULL"},
        ),
        Rebuilt("statement_shares", uncompared={"closed_at": _HANDLED}),
        Rebuilt("control_totals"),
        Rebuilt("refused_records", uncompared={"refused_at": _HANDLED}),
        Rebuilt(
            "breaks",
            uncompared={
                "opened_at": _HANDLED,
                "resolved_at": "open breaks alone are compared, of which it is NULL",
                "resolution": "open breaks alone are compared, of which it is empty",
                "detail": "it counts what had come when the break opened, and stays as it was told",
                "amount_minor": "of a statement it is, like the detail, of when the break opened",
            },
            instead={"weighs": "CASE WHEN about <> 'statement' THEN amount_minor END"},
            only="resolved_at IS NULL",
            swapped=False,
            why="open breaks agree, and their times were told; those that came up and went hang on which "
            "record came first, and people look them up",
        ),
    ),
    kept={
        "statement_files": "the statement reader's own: what it found at the bank",
        "statement_file_parts": "the statement reader's own: the bytes of what it found",
        "taken_statements": "the statement reader's own: how far it has sent each statement to the lanes",
        "handed_in_files": "what people handed in over HTTP, and what of it the statement reader took",
    },
    empty={
        "told": "lanes have yet to find again what they had told before a restore; wait until their log says "
        "that they have caught up"
    },
)
