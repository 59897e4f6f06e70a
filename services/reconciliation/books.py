"""One lane's working set during a poll: what came in, what was loaded, and what follows from both. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from goodfunds.events.types import SettlementContradicted, StatementClosed, StatementOpened
from goodfunds.ids import NO_ID
from services.reconciliation.breaks import contradiction
from services.reconciliation.decide import decide
from services.reconciliation.model import (
    END_TO_END,
    Break,
    Candidate,
    Case,
    Findings,
    Item,
    Line,
    Statement,
    Told,
)
from services.reconciliation.strays import owner

Place = tuple[bytes, int]


@dataclass(frozen=True, slots=True)
class Share:
    """What the reader says it sent to this lane of a closed statement; `lane_sum_minor` is signed."""

    statement_id: bytes
    nostro: str
    currency: str
    to_date: date
    lane_lines: int
    lane_sum_minor: int


@dataclass(slots=True)
class Outcome:
    """What a lane's poll led to, in order of discovery."""

    pairs: list[tuple[Item, Line]] = field(default_factory=list)
    opened: list[Break] = field(default_factory=list)
    resolved: list[Break] = field(default_factory=list)
    handed_over: list[Line] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)
    reconciled: list[Statement] = field(default_factory=list)

    def note(self, findings: Findings) -> None:
        self.opened.extend(findings.opened)
        self.resolved.extend(findings.resolved)


@dataclass(slots=True)
class ToldBefore:
    """What a lane had told before a restore and stands; empty unless it catches up.

    `owners`: whose a line is that names no payment. `reconciled`: when a statement was.
    """

    matches: dict[tuple[bytes, int], Told] = field(default_factory=dict)
    owners: dict[Place, Candidate] = field(default_factory=dict)
    reconciled: dict[bytes, datetime] = field(default_factory=dict)


@dataclass(slots=True)
class Books:
    """A lane's events of one poll (`events`: (event, seq)) with all rows that they can touch.

    `settlement_from`: offset of its first record of settlement's in the poll. `explained`: lines that are
    known, and that this poll does not judge.
    """

    lane: int
    events: list[tuple[Any, int]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    opened: list[StatementOpened] = field(default_factory=list)
    closings: list[StatementClosed] = field(default_factory=list)
    due: list[Place] = field(default_factory=list)
    settlement_from: int | None = None
    told: ToldBefore = field(default_factory=ToldBefore)

    cases: dict[bytes, Case] = field(default_factory=dict)
    items_before: dict[tuple[bytes, int], Item] = field(default_factory=dict)
    lines_before: dict[Place, Line] = field(default_factory=dict)
    explained: set[Place] = field(default_factory=set)
    taken: set[Place] = field(default_factory=set)
    batch_lines: dict[bytes, dict[Place, Line]] = field(default_factory=dict)
    batch_breaks: dict[bytes, list[Break]] = field(default_factory=dict)
    strays: dict[Place, Line] = field(default_factory=dict)
    stray_breaks: dict[Place, list[Break]] = field(default_factory=dict)
    entry_breaks: list[Break] = field(default_factory=list)
    contradictions: list[Break] = field(default_factory=list)
    candidates: dict[Place, list[Candidate]] = field(default_factory=dict)
    shares: dict[bytes, Share] = field(default_factory=dict)
    received: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    covered_to: dict[str, date] = field(default_factory=dict)
    chain: list[Statement] = field(default_factory=list)
    named_alike: list[Statement] = field(default_factory=list)
    statement_breaks: dict[bytes, list[Break]] = field(default_factory=dict)

    def new_closings(self) -> list[StatementClosed]:
        """Closings that are no repeats, of `shares` that are loaded or of one another."""
        each_once = {each.statement_id: each for each in self.closings}
        return [each for each in each_once.values() if each.statement_id not in self.shares]

    def assign_strays(self) -> None:
        """Give strays whose one candidate is a payment of this very lane to that payment.

        One that was told before a restore to be a payment's may come to its turn before that is known again:
        it stays as it is, and falls due in the end.
        """
        for place, line in list(self.strays.items()):
            found = owner(line, self.candidates.get(place, ()))
            if found is None or found.lane != self.lane:
                continue
            case = self.cases.get(found.payment_id) or Case(found.payment_id)
            if (case.debit if line.amount_minor < 0 else case.credit) is None:
                continue
            del self.strays[place]
            assigned = line._replace(payment_id=found.payment_id, found_by=END_TO_END)
            known = tuple(self.stray_breaks.pop(place, ()))
            self.cases[found.payment_id] = case._replace(
                lines=(*case.lines, assigned), breaks=(*case.breaks, *known)
            )

    def knows(self, line: Line) -> bool:
        """Whether a line has come before this poll."""
        return line.place in self.lines_before or line.place in self.explained

    def take_line(self, line: Line) -> None:
        """Add a new line to what it is about; one that is known already changes nothing.

        A stray line stands among `strays` since its candidates were read.
        """
        if self.knows(line) or line.place in self.taken:
            return
        self.taken.add(line.place)
        if line.handed_over_from is None and line.statement_id in self.received:
            count, total = self.received[line.statement_id]
            self.received[line.statement_id] = count + 1, total + line.amount_minor
        if line.payment_id != NO_ID:
            case = self.cases.get(line.payment_id) or Case(line.payment_id)
            self.cases[line.payment_id] = case.with_lines((*case.lines, line))
        elif line.batch_id != NO_ID:
            self.batch_lines.setdefault(line.batch_id, {}).setdefault(line.place, line)

    def take_event(self, event: Any, seq: int) -> None:
        """Add an event of settlement to the facts of its payment."""
        payment_id: bytes = event.payment_id
        if type(event) is SettlementContradicted:
            self._take_contradiction(contradiction(event, self.lane))
            return
        case = self.cases.get(payment_id) or Case(payment_id)
        self.cases[payment_id] = decide(case, event, self.lane, seq)

    def _take_contradiction(self, found: Break) -> None:
        case = self.cases.get(found.payment_id)
        known = self.entry_breaks if case is None else case.breaks
        if any(each.break_id == found.break_id for each in known):
            return
        self.contradictions.append(found)
        if case is None:
            self.entry_breaks.append(found)
        else:
            self.cases[found.payment_id] = case._replace(breaks=(*case.breaks, found))

    def lines_after(self) -> Iterable[Line]:
        """Every line of the working set as it now stands."""
        for case in self.cases.values():
            yield from case.lines
        for lines in self.batch_lines.values():
            yield from lines.values()
        yield from self.strays.values()
