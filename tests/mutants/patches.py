"""The planted bugs as files: words, the tests to try first, and a diff that applies or says why not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATCHES = Path(__file__).parent
_FOUND_BY = "Found-by:"
_AT = re.compile(r"@@ -[0-9]+(?:,[0-9]+)? \+[0-9]+(?:,[0-9]+)? @@.*")


class DoesNotApply(Exception):
    """The code is not, or not only once, as the patch knows it; or the file is no patch of ours."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """Text of a file that is to be replaced, context included."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Patch:
    """`name` is area/bug; `bug` says what is wrong, `harm` what it would do; `found_by` is tried in order."""

    name: str
    bug: str
    harm: str
    found_by: tuple[str, ...]
    hunks: tuple[Hunk, ...]

    @property
    def area(self) -> str:
        """The folder that it stands in."""
        return self.name.partition("/")[0]


def every() -> list[Patch]:
    """All patches by name."""
    return [
        parse(str(path.relative_to(PATCHES).with_suffix("")), path.read_text(encoding="utf-8"))
        for path in sorted(PATCHES.glob("*/*.patch"))
    ]


def parse(name: str, text: str) -> Patch:
    """Two lines of words, `Found-by:` lines, a unified diff. Raises DoesNotApply."""
    lines = text.splitlines()
    begin = next((place for place, line in enumerate(lines) if line.startswith("--- a/")), len(lines))
    words = [line for line in lines[:begin] if line and not line.startswith(_FOUND_BY)]
    found_by = tuple(line.removeprefix(_FOUND_BY).strip() for line in lines if line.startswith(_FOUND_BY))
    hunks = tuple(_hunks(lines[begin:]))
    if len(words) != 2 or not found_by or not hunks:
        raise DoesNotApply(f"{name}: two lines of words, {_FOUND_BY} and a diff make a patch")
    bug, harm = words
    return Patch(name, bug, harm, found_by, hunks)


def _hunks(lines: list[str]) -> Iterator[Hunk]:
    path, old, new = "", "", ""
    for line in [*lines, "--- a/"]:
        if line.startswith("--- a/") or _AT.fullmatch(line):
            if old:
                yield Hunk(path, old, new)
            path, old, new = line.removeprefix("--- a/") if line.startswith("---") else path, "", ""
        elif not line.startswith(("+++ b/", "\\")):
            old += "" if line.startswith("+") else line[1:] + "\n"
            new += "" if line.startswith("-") else line[1:] + "\n"


def apply(patch: Patch, root: Path) -> None:
    """Plant the bug in a copy. Raises DoesNotApply where its place is gone or is not the only one.

    By text and never by line number: a patch of little context that slid to a like place would plant
    another bug than its words say.
    """
    for path, text in _patched(patch, root).items():
        (root / path).write_text(text, encoding="utf-8")


def check(patch: Patch, root: Path) -> None:
    """Raises DoesNotApply where `apply` would; changes nothing."""
    _patched(patch, root)


def _patched(patch: Patch, root: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for hunk in patch.hunks:
        target = root / hunk.path
        if not target.is_file():
            raise DoesNotApply(f"{patch.name}: {hunk.path} is not there")
        before = found.get(hunk.path, target.read_text(encoding="utf-8"))
        places = [each.start() for each in re.finditer("^" + re.escape(hunk.old), before, re.MULTILINE)]
        if len(places) != 1:
            raise DoesNotApply(
                f"{patch.name}: its place is in {hunk.path} {len(places)} times, once is wanted"
            )
        found[hunk.path] = before[: places[0]] + hunk.new + before[places[0] + len(hunk.old) :]
    return found
