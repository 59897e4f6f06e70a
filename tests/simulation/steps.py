"""The steps of a story as values: drawn from a seed or by Hypothesis, said in words, shortened one by one.

Whom a step means is a number, taken modulo how many there are, so that leaving out one step leaves the
others meaningful.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from goodfunds.events.topics import (
    BANK_NOTIFICATIONS,
    BANK_STATEMENTS,
    PAYMENT_INSTRUCTIONS,
    PAYMENTS,
    SETTLEMENT_NOTIFICATIONS,
)
from goodfunds.replay.plans import Kind
from tests.simulation.deeds import DEEDS
from tests.simulation.instances import Side, What

SEATS = tuple(
    f"{kind}-{letter}"
    for letter in "ab"
    for kind in ("ingestion", "settlement", "reconciliation", "gateway", "statements", "intake")
)
SERVICES = ("ingestion", "settlement", "reconciliation")
LANE_SEATS = tuple(seat for seat in SEATS if seat.startswith(SERVICES))
TOPICS = (PAYMENT_INSTRUCTIONS, PAYMENTS, SETTLEMENT_NOTIFICATIONS, BANK_NOTIFICATIONS, BANK_STATEMENTS)

FLAWS = (
    "",
    "",
    "",
    "",
    "",
    "too much",
    "no such creditor",
    "no such account",
    "wrong lane",
    "past date",
    "future date",
)
"""What is wrong with an instruction; mostly nothing."""

_OF_ALL = (
    "db:commit", "db:commit", "db:commit", "db:fence", "db:begin", "db:read_tails", "db:copy outbox",
    "db:advance", "db:", "db:", "log:send", "log:send", "log:send", "log:offsets",
)  # fmt: skip
_OF_LANES = (
    *_OF_ALL, "db:take_over", "log:fetch", "log:join", "db:advance_share", "db:advance_share",
    "db:changed_rows", "db:bound_trial", "db:end_rehearsal", "db:delete_parked",
)  # fmt: skip
POINTS: Mapping[str, Sequence[str]] = {
    "ingestion": (*_OF_LANES, "db:copy payments", "db:copy postings"),
    "settlement": (*_OF_LANES, "db:seal_batches", "db:copy payments"),
    "reconciliation": (*_OF_LANES, "db:copy statement_lines"),
    "gateway": (
        *_OF_ALL,
        "bank:upload",
        "bank:deliver",
        "bank:deliver",
        "bank:enquire",
        "bank:fetch",
        "bank:",
    ),
    "statements": (*_OF_ALL, "bank:statements", "bank:fetch", "db:move_position", "db:note_file"),
    "intake": (*_OF_ALL, "db:move_file", "db:take_over_feed"),
}
"""Where an instance of a kind is struck; `db:` alone means the nth operation of that neighbour."""


@dataclass(frozen=True, slots=True)
class Instruct:
    """A client publishes payments of one account."""

    account: int
    count: int
    amount_minor: int
    flaw: str

    def __str__(self) -> str:
        flaw = f", {self.flaw}" if self.flaw else ""
        what = f"{self.count} payments of {self.amount_minor}"
        return f"a client instructs {what} from account {self.account}{flaw}"


@dataclass(frozen=True, slots=True)
class Repeat:
    """A client publishes an earlier instruction again."""

    which: int
    changed: bool

    def __str__(self) -> str:
        how = "with another amount" if self.changed else "as it was"
        return f"a client sends instruction {self.which} again, {how}"


@dataclass(frozen=True, slots=True)
class Garble:
    """A client publishes what nobody can read."""

    lane: int

    def __str__(self) -> str:
        return f"a client publishes rubbish on lane {self.lane}"


@dataclass(frozen=True, slots=True)
class SendFile:
    """A client hands in a payment file."""

    account: int
    count: int

    def __str__(self) -> str:
        return f"a client hands in a file of {self.count} payments from account {self.account}"


@dataclass(frozen=True, slots=True)
class Pass:
    """Time passes."""

    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:g} s pass"


@dataclass(frozen=True, slots=True)
class Strike:
    """Something befalls an instance when it comes to a point."""

    seat: int
    point: str
    side: Side
    nth: int
    what: What
    seconds: float

    def __str__(self) -> str:
        how = {"freeze": f"freezes for {self.seconds:g} s", "crash": "crashes", "fault": "is cut off"}[
            self.what
        ]
        return f"{SEATS[self.seat % len(SEATS)]} {how} {self.side} its {self.nth}. {self.point}"


@dataclass(frozen=True, slots=True)
class Crash:
    """An instance is killed wherever it is."""

    seat: int

    def __str__(self) -> str:
        return f"{SEATS[self.seat % len(SEATS)]} is killed"


@dataclass(frozen=True, slots=True)
class Restart:
    """An instance is stopped politely and begun anew."""

    seat: int

    def __str__(self) -> str:
        return f"{SEATS[self.seat % len(SEATS)]} is restarted"


@dataclass(frozen=True, slots=True)
class Hide:
    """What is appended to a partition is seen only later."""

    topic: int
    lane: int
    seconds: float

    def __str__(self) -> str:
        return f"{TOPICS[self.topic % len(TOPICS)]}/{self.lane} is read {self.seconds:g} s late"


@dataclass(frozen=True, slots=True)
class SendLate:
    """The next batch of an instance stays under way."""

    seat: int
    seconds: float

    def __str__(self) -> str:
        return f"the next batch of {SEATS[self.seat % len(SEATS)]} arrives {self.seconds:g} s late"


@dataclass(frozen=True, slots=True)
class Deafen:
    """An instance is put out of its group and does not hear of it."""

    seat: int
    seconds: float

    def __str__(self) -> str:
        seat = LANE_SEATS[self.seat % len(LANE_SEATS)]
        return f"{seat} is put out of its group, and hears of it {self.seconds:g} s later"


@dataclass(frozen=True, slots=True)
class BrokerAway:
    """No broker answers for a while."""

    seconds: float

    def __str__(self) -> str:
        return f"the broker is away for {self.seconds:g} s"


@dataclass(frozen=True, slots=True)
class Skew:
    """The clock of an instance goes wrong."""

    seat: int
    seconds: float

    def __str__(self) -> str:
        return f"the clock of {SEATS[self.seat % len(SEATS)]} is {self.seconds:+g} s off"


@dataclass(frozen=True, slots=True)
class PassCutOff:
    """The clocks jump across the cut-off."""

    def __str__(self) -> str:
        return "the cut-off passes"


@dataclass(frozen=True, slots=True)
class CloseCutOff:
    """A person asks for the batches to be sealed now."""

    def __str__(self) -> str:
        return "a person closes the cut-off"


@dataclass(frozen=True, slots=True)
class EndDay:
    """The bank ends its business day, and a new one begins."""

    parts: int

    def __str__(self) -> str:
        return "the bank ends its day" + (f", stated in {self.parts} parts" if self.parts > 1 else "")


@dataclass(frozen=True, slots=True)
class CorrectStatement:
    """The bank states a day again."""

    def __str__(self) -> str:
        return "the bank corrects a statement that was read"


@dataclass(frozen=True, slots=True)
class BankDoes:
    """The bank does something of its own, right or wrong."""

    what: str

    def __str__(self) -> str:
        return f"the bank {self.what}"


@dataclass(frozen=True, slots=True)
class HandleAgain:
    """Operators have a part of what a service has read or told done again, and do not wait for it.

    `topic` and `lane` beyond the last mean all. `first` and `end` are per cent of a partition; where not
    one is named, the last `first` seconds are meant, and of what was told a part of them. `account`: of
    that one alone, -1 of all.
    """

    service: int
    kind: Kind
    topic: int
    lane: int
    first: int
    end: int
    account: int
    rate: int | None
    then: str

    def __str__(self) -> str:
        service = SERVICES[self.service % len(SERVICES)]
        what = f"{self.kind} of topic {self.topic}, lane {self.lane}, from {self.first} to {self.end} %"
        of = f", of account {self.account}" if self.account >= 0 else ""
        how = f", {self.rate} a second" if self.rate else ""
        return f"operators ask {service} for a {what}{of}{how}" + (f", then {self.then}" * bool(self.then))


@dataclass(frozen=True, slots=True)
class PlantBug:
    """A service faults on whatever an account is sent, for a while."""

    service: int
    account: int
    seconds: float

    def __str__(self) -> str:
        service = SERVICES[self.service % len(SERVICES)]
        return f"{service} faults on all of account {self.account} for {self.seconds:g} s"


@dataclass(frozen=True, slots=True)
class Release:
    """Operators have what is parked in a service handled, as it is."""

    service: int

    def __str__(self) -> str:
        return f"operators release what is parked in {SERVICES[self.service % len(SERVICES)]}"


Step = (
    Instruct | Repeat | Garble | SendFile | Pass | Strike | Crash | Restart | Hide | SendLate | Deafen
    | BrokerAway | Skew | PassCutOff | CloseCutOff | EndDay | CorrectStatement | BankDoes | HandleAgain
    | PlantBug | Release
)  # fmt: skip


class Chance:
    """What steps are drawn from: `random`, or Hypothesis' choices behind the same three calls."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def number(self, least: int, most: int) -> int:
        return self._random.randint(least, most)

    def one_of(self, choices: Any) -> Any:
        return choices[self.number(0, len(choices) - 1)]


def _instruct(chance: Chance) -> Step:
    return Instruct(
        chance.number(0, 5), chance.one_of((1, 1, 2, 5, 30)), chance.one_of((1, 100, 12_345, 99_999)),
        chance.one_of(FLAWS),
    )  # fmt: skip


def _strike(chance: Chance) -> Step:
    struck = seat(chance)
    return Strike(
        struck, chance.one_of(POINTS[SEATS[struck].partition("-")[0]]), chance.one_of(("before", "after")),
        chance.one_of((1, 1, 2, 5, 20)), chance.one_of(("crash", "crash", "freeze", "fault", "fault")),
        chance.one_of((1.0, 5.0, 15.0, 40.0)),
    )  # fmt: skip


def _handle_again(chance: Chance) -> Step:
    first = chance.number(0, 99)
    return HandleAgain(
        chance.number(0, 2),
        chance.one_of(("replay", "replay", "replay", "replay", "selfcheck", "republish")),
        chance.number(0, 3), chance.number(0, 3), first, chance.number(first + 1, 100),
        chance.one_of((-1, -1, -1, *range(6))), chance.one_of((None, None, None, 3, 20)),
        chance.one_of(("", "", "", "pause", "abort")),
    )  # fmt: skip


def seat(chance: Chance) -> int:
    return chance.number(0, len(SEATS) - 1)


KINDS: Mapping[str, tuple[int, Callable[[Chance], Step]]] = {
    "instruct": (16, _instruct),
    "repeat": (3, lambda c: Repeat(c.number(0, 99), bool(c.number(0, 1)))),
    "garble": (1, lambda c: Garble(c.number(0, 2))),
    "file": (2, lambda c: SendFile(c.number(0, 5), c.one_of((1, 3, 20)))),
    "pass": (14, lambda c: Pass(c.one_of((0.05, 0.5, 2.0, 10.0, 30.0)))),
    "strike": (16, _strike),
    "crash": (2, lambda c: Crash(seat(c))),
    "restart": (2, lambda c: Restart(seat(c))),
    "hide": (2, lambda c: Hide(c.number(0, 4), c.number(0, 2), c.one_of((1.0, 8.0, 30.0)))),
    "late": (2, lambda c: SendLate(seat(c), c.one_of((3.0, 12.0, 25.0)))),
    "deafen": (2, lambda c: Deafen(c.number(0, 5), c.one_of((2.0, 12.0)))),
    "away": (1, lambda c: BrokerAway(c.one_of((1.0, 6.0, 20.0)))),
    "skew": (1, lambda c: Skew(seat(c), c.one_of((-3.0, 3.0, 40.0)))),
    "cut-off": (3, lambda c: PassCutOff()),
    "close": (2, lambda c: CloseCutOff()),
    "day": (3, lambda c: EndDay(c.one_of((1, 1, 2)))),
    "correct": (1, lambda c: CorrectStatement()),
    "bank": (10, lambda c: BankDoes(c.one_of(tuple(DEEDS)))),
    "again": (6, _handle_again),
    "bug": (1, lambda c: PlantBug(c.number(0, 2), c.number(0, 5), c.one_of((10.0, 40.0, 200.0)))),
    "release": (1, lambda c: Release(c.number(0, 2))),
}
"""How often each kind is drawn, and how."""
