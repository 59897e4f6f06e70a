"""`python -m tests.bench.reading_one read|inspect MESSAGE FILE`: one file in a process of its own, as JSON.

`seconds` of CPU, so that it is one core's; `megabytes` at the process's highest, the interpreter's included.
"""

import json
import sys
from pathlib import Path
from time import process_time

from goodfunds.files import camt053, pain001
from goodfunds.files.inspecting import inspect
from goodfunds.files.records import CreditTransfer
from goodfunds.files.reports import Entry


def main(action: str, message: str, file: str) -> None:
    started = process_time()
    with Path(file).open("rb") as source:
        if action == "inspect":
            found = inspect(source)
            assert found.valid, found.errors[:3]
            count = found.entries
        else:
            records = pain001.read(source) if message == "pain.001" else camt053.read(source)
            count = sum(isinstance(each, (CreditTransfer, Entry)) for each in records)
    seconds = process_time() - started
    print(json.dumps({"count": count, "seconds": seconds, "megabytes": _peak_megabytes()}))


def _peak_megabytes() -> float:
    """Of this program alone: what getrusage tells has the one in it that started it."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    main(*sys.argv[1:])
