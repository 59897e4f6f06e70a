"""Long work in stages, for whoever waits: a bar in a terminal; in a pipe a line now and then."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from goodfunds.cli.root import ERRORS, say

Tell = Callable[[str, int, int], None]
"""Told what goes on, records handled so far, and how many there are."""
_LINE_SECONDS = 5.0


@contextmanager
def staged(first: str) -> Iterator[Tell]:
    """A bar that begins with the stage `first`; in a pipe a line for each, and more of one that lasts."""
    if not ERRORS.is_terminal:
        yield _lines()
        return
    columns = (
        TextColumn("{task.description}…"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
    )
    with Progress(*columns, TimeRemainingColumn(), console=ERRORS, transient=True) as bar:
        task = bar.add_task(first, total=None, rate="")

        def show(what: str, done: int, total: int) -> None:
            seconds = bar.tasks[0].elapsed or 0.0
            told = f"{done / seconds:,.0f}/s" if seconds else ""
            bar.update(task, description=what, completed=done, total=total, rate=told)

        yield show


def _lines() -> Tell:
    last, due = "", 0.0

    def show(what: str, done: int, total: int) -> None:
        nonlocal last, due
        if what == last and monotonic() < due:
            return
        last, due = what, monotonic() + _LINE_SECONDS
        say(f"{what}… {done:,} of {total:,} records")

    return show
