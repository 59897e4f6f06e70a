"""What the proof rests on: sums by lane and currency, watermarks, and rows that must not exist."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
LaneCurrency = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """Payments that one side has and the other has not, or with another amount; ids as text."""

    lane: int
    payments: Sequence[str]


@dataclass(frozen=True, slots=True)
class Counted:
    """A total of the second reader and what the database holds up to the same seq, in minor units.

    `uncounted`: events beyond it, which have waited for `seconds` without the reader moving in their lane.
    """

    what: str
    currency: str
    counted: int
    held: int
    uncounted: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Snapshots of the three services. Amounts in minor units; `up to` a seq is inclusive.

    `accepted` (ingestion) and `received` (settlement): up to what settlement had handled; `accepted_all` at
    ingestion's later snapshot. `refunded` (ingestion) and `gave_back` (settlement): up to what ingestion had
    handled. `told` (settlement): up to what reconciliation had handled, `told_all` at its own snapshot.
    """

    accepted: Mapping[LaneCurrency, int]
    received: Mapping[LaneCurrency, int]
    accepted_all: Mapping[LaneCurrency, int]
    accepted_differences: Sequence[Difference]
    refunded: Mapping[LaneCurrency, int]
    gave_back: Mapping[LaneCurrency, int]
    gave_back_all: Mapping[LaneCurrency, int]
    refund_differences: Sequence[Difference]
    transit: Mapping[str, int]
    states: Sequence[Row]
    told: Mapping[LaneCurrency, int]
    told_all: Mapping[LaneCurrency, int]
    expected: Sequence[Row]
    lines: Sequence[Row]
    statements: Sequence[Row]
    closings: Sequence[Row]
    nostro_movements: Sequence[Row]
    open_breaks: Sequence[Row]
    control_totals: Sequence[Counted]
    faults: Mapping[str, Sequence[Row]]
    parked: Mapping[str, Sequence[Row]]
    stopped: Mapping[str, Sequence[tuple[int, str]]]
