"""Starts ingestion's lanes and HTTP, or with `intake` the feed of payment files."""

import sys

from goodfunds.observability import process
from services.ingestion import app

_PARTS = {"": app.lanes, "intake": app.intake}

if __name__ == "__main__":
    part = _PARTS.get(" ".join(sys.argv[1:]))
    if part is None:
        sys.exit("usage: python -m services.ingestion [intake]")
    sys.exit(process.run(part))
