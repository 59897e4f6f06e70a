"""The corpus: a folder of real bank files, given by CORPUS, with what independent oracles know of them."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

FACTS = "expected.jsonl"


class Sample(NamedTuple):
    """A file, and what is known of it: one line of an `expected.jsonl` beside or above it."""

    path: Path
    facts: dict[str, Any]

    @property
    def kind(self) -> str:
        """`pain.001` of `pain.001.001.09`."""
        return str(self.facts["format"])[:8]

    @property
    def extra(self) -> dict[str, Any]:
        return self.facts.get("extra") or {}

    @property
    def parts(self) -> list[dict[str, Any]]:
        """What is known of each statement: the facts of several, or the file's own."""
        known: list[dict[str, Any]] = self.extra.get("parts") or [{**self.facts, **self.extra}]
        return known


def folder() -> Path | None:
    """The corpus, None where CORPUS is not set or is no folder."""
    given = os.environ.get("CORPUS", "")
    return Path(given) if given and Path(given).is_dir() else None


def samples(*kinds: str) -> list[Any]:
    """Test parameters: a Sample each, of all kinds where none is named; else a skipped one that says why."""
    root = folder()
    found = [] if root is None else sorted(_known(root, kinds), key=lambda sample: sample.path)
    if not found:
        why = (
            "set CORPUS to a folder of real bank files"
            if root is None
            else f"CORPUS has no {' or '.join(kinds)}"
        )
        return [pytest.param(None, marks=pytest.mark.skip(reason=why), id="no-corpus")]
    return [pytest.param(each, id=f"{each.path.parent.name}/{each.path.name}") for each in found]


def _known(root: Path, kinds: tuple[str, ...]) -> Iterator[Sample]:
    for listed in root.rglob(FACTS):
        for line in listed.read_text(encoding="utf-8").splitlines():
            facts = json.loads(line) if line.strip() else {}
            path = listed.parent / str(facts.get("file"))
            if (not kinds or str(facts.get("format"))[:8] in kinds) and path.is_file():
                yield Sample(path, facts)
