"""Progress of payments through the house, as the three databases tell it."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from rich.live import Live
from rich.table import Table

from goodfunds.cli.reading import sql
from goodfunds.cli.root import ERRORS, say, table
from goodfunds.money import readable_amount

STATES = ("held", "claimed", "submitted", "settled", "rejected", "returned")


_LINE_SECONDS = 5.0
"""How often a stage that lasts is told where nobody looks at a terminal."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts so far. `states`: settlement's, state → (payments, minor units by currency).

    `…_sums`: minor units by currency. `statements`: the bank's, as reconciliation knows them.
    """

    accepted: int = 0
    rejected: int = 0
    refunded: int = 0
    refused: int = 0
    states: Mapping[str, tuple[int, Mapping[str, int]]] = field(default_factory=dict)
    matched: int = 0
    matched_debits: int = 0
    open_items: int = 0
    undecided_lines: int = 0
    open_breaks: int = 0
    statements: int = 0
    accepted_sums: Mapping[str, int] = field(default_factory=dict)
    matched_sums: Mapping[str, int] = field(default_factory=dict)

    def count(self, *states: str) -> int:
        """Payments in any of these states."""
        return sum(self.states[state][0] for state in states if state in self.states)


async def read_progress(connections: Mapping[str, Any]) -> Progress:
    """The progress now, from one read-only connection to each service's database."""
    taken = await connections["ingestion"].fetchrow(sql("ingestion")["progress"])
    rows = await connections["settlement"].fetch(sql("settlement")["progress"])
    proved = await connections["reconciliation"].fetchrow(sql("reconciliation")["progress"])
    states: dict[str, tuple[int, dict[str, int]]] = {}
    for row in rows:
        count, amounts = states.get(row["state"], (0, {}))
        states[row["state"]] = (
            count + row["payments_count"],
            {**amounts, row["currency"]: row["amount_minor"]},
        )
    return Progress(
        taken["accepted"], taken["rejected"], taken["refunded"], taken["refused"], states,
        proved["matched"], proved["matched_debits"], proved["open"], proved["undecided_lines"],
        proved["open_breaks"], proved["statements"],
        json.loads(taken["accepted_sums"] or "{}"), json.loads(proved["matched_sums"] or "{}"),
    )  # fmt: skip


Show = Callable[[str, Progress], None]
"""Shows what is done now, and how far it is."""


@contextmanager
def shown() -> Iterator[Show]:
    """A table that moves in a terminal; in a pipe a line for each stage, and more of one that lasts."""
    if not ERRORS.is_terminal:
        yield _lines()
        return
    with Live(console=ERRORS, refresh_per_second=8, transient=True) as live:
        yield lambda what, progress: live.update(progress_table(progress, f"{what}…"))


def _lines() -> Show:
    last, due = "", 0.0

    def show(what: str, progress: Progress) -> None:
        nonlocal last, due
        if what == last and monotonic() < due:
            return
        last, due = what, monotonic() + _LINE_SECONDS
        settled = progress.count("settled", "returned")
        say(f"{what}… {progress.accepted:,} accepted, {settled:,} settled, {progress.matched:,} matched")

    return show


def progress_table(progress: Progress, title: str) -> Table:
    """The progress for a person."""
    made = table(
        "state", "payments", "money", right=["payments", "money"],
        title=title, title_justify="left", title_style="bold",
    )  # fmt: skip
    made.add_row("accepted", f"{progress.accepted:,}", _money(progress.accepted_sums))
    if progress.rejected:
        made.add_row("rejected by goodfunds", f"{progress.rejected:,}", "")
    for state in STATES:
        count, amounts = progress.states.get(state, (0, {}))
        if count:
            by_bank = {"rejected": "rejected by the bank"}.get(state, state)
            made.add_row(f"  {by_bank}", f"{count:,}", _money(amounts))
    made.add_row("matched with the statement", f"{progress.matched:,}", _money(progress.matched_sums))
    if progress.open_breaks:
        made.add_row("open breaks", f"[yellow]{progress.open_breaks:,}[/]", "")
    return made


def _money(sums: Mapping[str, int]) -> str:
    return "  ".join(readable_amount(minor, code) for code, minor in sorted(sums.items()))
