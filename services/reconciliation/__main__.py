"""Starts reconciliation's lanes, or with `statements` or `control-totals` one of its readers."""

import sys

from goodfunds.observability import process
from services.reconciliation import app

_PARTS = {"": app.lanes, "statements": app.statement_reader, "control-totals": app.second_reader}

if __name__ == "__main__":
    part = _PARTS.get(" ".join(sys.argv[1:]))
    if part is None:
        sys.exit("usage: python -m services.reconciliation [statements | control-totals]")
    sys.exit(process.run(part))
