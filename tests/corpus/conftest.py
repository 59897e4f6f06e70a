"""At the end: how many facts of the corpus agreed, differed (each named), and are known to nobody."""

from collections import Counter
from typing import Any

FACTS = "facts"
"""The property of a test report that holds what became of a file's facts."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    counted: Counter[str] = Counter()
    told = []
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == FACTS and getattr(report, "when", "") == "call":
                    counted.update(value["counts"])
                    told += [f"{value['file']}: {line}" for line in value["told"]]
    if counted:
        terminalreporter.section("facts of the corpus")
        for line in sorted(told):
            terminalreporter.write_line(line)
        terminalreporter.write_line(", ".join(f"{count} {name}" for name, count in sorted(counted.items())))
