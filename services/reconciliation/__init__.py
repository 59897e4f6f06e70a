"""Reconciliation: explains every line of the bank's statements by our books, or says which it cannot.

Owns expected items, batches of them, statement lines, statements, breaks, stored control totals and taken
statement files. Reads settlement-notifications, bank-statements and control-totals; writes reconciliation,
and bank-statements (its statement reader, and a line that a nostro's lane hands over to its own lane).
`payments` is read by the control totals alone, the second reader that shares no code with the lanes.
"""

from pathlib import Path

from goodfunds.service import Service

_HERE = Path(__file__).parent

INPUTS = ("settlement-notifications", "bank-statements", "control-totals")
OUTPUTS = ("reconciliation", "bank-statements")

SERVICE = Service(
    name="reconciliation",
    database="reconciliation",
    migrations=(_HERE / "migrations",),
    sql=_HERE / "sql",
    inputs=INPUTS,
    outputs=OUTPUTS,
)
