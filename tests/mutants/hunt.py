"""Hunts planted bugs: the likeliest tests first, then wider ones, the simulation last."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from tests.mutants.copies import Run, Unusable, make_copy, run
from tests.mutants.patches import DoesNotApply, Patch, apply

_PATIENCE = 120.0
_TIMES_AS_LONG = 4
_LONGEST = 900.0
SIMULATION = "make sim SEEDS=20 FIRST_SEED=1"


@dataclass(frozen=True, slots=True)
class Catch:
    """What became of a patch. `found_by`: what failed first, "" for a survivor; `fault`: why no verdict."""

    patch: Patch
    found_by: str
    seconds: float
    fault: str = ""

    @property
    def found(self) -> bool:
        """Whether a test that passes without the bug fails with it."""
        return bool(self.found_by)


class Hunt:
    """A hunt on one tree; each selection is first shown to pass without any bug, once."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._folder = folder
        self._sound = make_copy(root, folder / "sound")
        self._passing: dict[str, float] = {}
        self._guard = threading.Lock()
        self._running: dict[str, threading.Lock] = {}

    def all(self, patches: Sequence[Patch], workers: int, tell: Callable[[Catch], None]) -> list[Catch]:
        """Every patch, `workers` at once; `tell` hears of each when it is done."""

        def one(patch: Patch) -> Catch:
            found = self.one(patch)
            tell(found)
            return found

        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(one, patches))

    def one(self, patch: Patch, wider: bool = True) -> Catch:
        """Try the patch's own selections in order, and then wider ones, until one fails."""
        began, spent = monotonic(), 0.0
        with TemporaryDirectory(dir=self._folder, ignore_cleanup_errors=True) as folder:
            copy = make_copy(self._root, Path(folder) / "copy")
            try:
                apply(patch, copy)
                for selection in [*patch.found_by, *(self._wider(patch) if wider else ())]:
                    ended = self._try(copy, selection)
                    spent += ended.seconds
                    if ended.failed:
                        return Catch(patch, ended.failed, spent)
            except (DoesNotApply, Unusable) as fault:
                return Catch(patch, "", monotonic() - began, str(fault))
        return Catch(patch, "", spent)

    def _try(self, copy: Path, selection: str) -> Run:
        seconds = self._seconds_without_bugs(selection)
        return run(copy, selection, min(max(_PATIENCE, seconds * _TIMES_AS_LONG), _LONGEST))

    def _seconds_without_bugs(self, selection: str) -> float:
        with self._guard:
            mine = self._running.setdefault(selection, threading.Lock())
        with mine:
            if selection not in self._passing:
                ended = run(self._sound, selection, _LONGEST)
                if ended.failed:
                    raise Unusable(f"{ended.failed} fails without any bug:\n{ended.output[-3000:]}")
                self._passing[selection] = ended.seconds
            return self._passing[selection]

    def _wider(self, patch: Patch) -> Iterator[str]:
        yield "tests/unit"
        rooms = {Path(hunk.path).parts[1 + hunk.path.startswith("shared/")] for hunk in patch.hunks}
        for room in sorted(rooms):
            if (self._root / "tests" / "integration" / room).is_dir():
                yield f"tests/integration/{room}"
        if "\nsim:" in (self._root / "Makefile").read_text(encoding="utf-8"):
            yield SIMULATION


@contextmanager
def hunting(root: Path) -> Iterator[Hunt]:
    """A hunt in a temporary folder of its own."""
    with TemporaryDirectory(prefix="goodfunds-mutants-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Hunt(root, Path(folder))
