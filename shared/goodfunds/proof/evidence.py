"""What the proof rests on: sums by lane and currency, watermarks, and rows that must not exist."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]
LaneCurrency = tuple[int, str]
NostroCurrency = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """Payments that one side has and the other has not, or with another amount; ids as text."""

    lane: int
    payments: Sequence[str]


@dataclass(frozen=True, slots=True)
class Handed:
    """Money that one service told another of, in minor units.

    `emitted`: by the producer's rows up to the seq that the consumer had handled, `emitted_all` at its own
    snapshot; `handled`: by the consumer's rows and parked events up to the seq, `parked` by the latter alone.
    """

    emitted: Mapping[LaneCurrency, int] = field(default_factory=dict)
    handled: Mapping[LaneCurrency, int] = field(default_factory=dict)
    emitted_all: Mapping[LaneCurrency, int] = field(default_factory=dict)
    parked: Mapping[str, int] = field(default_factory=dict)
    differences: Sequence[Difference] = ()


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
    """Snapshots of the three services. Amounts in minor units.

    `accepted`: ingestion to settlement; `given_back`: settlement to ingestion; `told`: what settlement moved,
    in the bank's sign, to reconciliation, and by nostro what of it is on its way (`untold`) or parked there.
    `refunded` and `transit`: ingestion's own rows and balances at its snapshot. `suspended`: settlement's
    bookings in suspense, to be shown by `unsettled_lines` (by amount) once `stated_days` cover their day.
    """

    accepted: Handed = Handed()
    given_back: Handed = Handed()
    told: Handed = Handed()
    untold: Mapping[NostroCurrency, int] = field(default_factory=dict)
    parked_moves: Mapping[NostroCurrency, int] = field(default_factory=dict)
    refunded: Mapping[LaneCurrency, int] = field(default_factory=dict)
    transit: Mapping[LaneCurrency, int] = field(default_factory=dict)
    expected: Sequence[Row] = ()
    lines: Sequence[Row] = ()
    statements: Sequence[Row] = ()
    closings: Sequence[Row] = ()
    nostro_movements: Sequence[Row] = ()
    suspended: Sequence[Row] = ()
    unsettled_lines: Sequence[Row] = ()
    stated_days: Sequence[Row] = ()
    open_breaks: Sequence[Row] = ()
    refused_files: Sequence[Row] = ()
    control_totals: Sequence[Counted] = ()
    faults: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    parked: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    stopped: Mapping[str, Sequence[tuple[int, str]]] = field(default_factory=dict)
