"""Starts settlement's lanes, or with `gateway` its bank gateway."""

import sys

from goodfunds.observability import process
from services.settlement import app

_PARTS = {"": app.lanes, "gateway": app.gateway}

if __name__ == "__main__":
    part = _PARTS.get(" ".join(sys.argv[1:]))
    if part is None:
        sys.exit("usage: python -m services.settlement [gateway]")
    sys.exit(process.run(part))
