"""docs/mutants.md: the planted bugs, and what found each; a run brings the rows of its bugs up to date."""

import re
from collections.abc import Collection, Iterable
from itertools import groupby

from tests.mutants.hunt import Catch
from tests.mutants.patches import ROOT

REPORT = ROOT / "docs" / "mutants.md"
_ROW = re.compile(r"^\| `([^`]+)` \|.* (\d+) \|$", re.MULTILINE)
_SURVIVED = "**nothing**"
_HEAD = (
    "# Planted bugs\n\n"
    "Written by `make mutants`, not by hand. Each row is a patch in `tests/mutants`: applied alone to a copy "
    "of the tree, it makes a test fail that passes without it. A survivor is an error: either a test is "
    "missing, or what was changed is not needed.\n"
)


def rows(text: str) -> dict[str, str]:
    """The rows of a report by the names of their bugs."""
    return {found[1]: found[0] for found in _ROW.finditer(text)}


def updated(text: str, catches: Iterable[Catch], planted: Collection[str]) -> str:
    """The report with these catches; rows of bugs that are not planted any more are left out."""
    known = {name: row for name, row in rows(text).items() if name in planted}
    known |= {catch.patch.name: _row(catch) for catch in catches}
    survivors = sum(_SURVIVED in row for row in known.values())
    seconds = sum(int(found[2]) for row in known.values() for found in _ROW.finditer(row))
    lines = [
        _HEAD,
        f"{len(known)} planted, {len(known) - survivors} found, {survivors} survived. "
        f"Their tests took {seconds / 60:.0f} minutes in all; two run at a time.",
    ]
    for area, names in groupby(sorted(known), lambda name: name.partition("/")[0]):
        lines += [f"\n## {area}\n", "| bug | what is wrong | what it would do | found by | s |"]
        lines += ["|---|---|---|---|---|", *(known[name] for name in names)]
    return "\n".join(lines) + "\n"


def _row(catch: Catch) -> str:
    patch = catch.patch
    found_by = f"`{_cell(catch.found_by)}`" if catch.found else f"{_SURVIVED} {_cell(catch.fault[:200])}"
    return f"| `{patch.name}` | {_cell(patch.bug)} | {_cell(patch.harm)} | {found_by} | {catch.seconds:.0f} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
