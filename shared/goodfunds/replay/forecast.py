"""What a rehearsal foresees: rows, money, events, refusals and faults, and a digest of each slice."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from goodfunds.replay.effects import Table, chained, of_lanes
from goodfunds.replay.tally import Tally
from goodfunds.replay.trial import Tried, WouldBeFault

_FAULTS: Final = 100
"""Those that are told of; all are counted."""

SliceRow = tuple[int, int, int, int, bytes]
"""(lane, slice, rows changed, events emitted, digest)."""


class Forecast:
    """Of one plan, gathered slice by slice."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self.records = 0
        self.skipped = 0
        self.unchanged = 0
        self.exact = True
        self.slices: list[SliceRow] = []
        self._tables = tables
        self._tally = Tally()
        self._faults = 0
        self._first_faults: list[WouldBeFault] = []
        self._digests: dict[int, bytes] = {}

    def add(self, lane: int, slice_number: int, records: int, skipped: int, tried: Tried) -> None:
        """A slice of a lane; `skipped`: records of it that are not handled."""
        effects = tried.effects
        self.records += records
        self.skipped += skipped
        self._tally.add(self._tables, effects)
        self._faults += len(tried.faults)
        self._first_faults += tried.faults[: _FAULTS - len(self._first_faults)]
        if effects.digest:
            self.slices.append(
                (lane, slice_number, effects.rows_changed, effects.events_emitted, effects.digest)
            )
        else:
            self.unchanged += records - len(tried.faults)
        self._digests[lane] = chained(self._digests.get(lane, b""), effects.digest)

    @property
    def digest(self) -> bytes:
        """Of all that would be changed and emitted."""
        return of_lanes(self._digests)

    def as_json(self, service: str) -> dict[str, Any]:
        """records: handled; skipped: not meant, or parked; unchanged: of slices that change nothing; faults:
        how many, and the first of them; what there is besides says `Tally.as_json`."""
        return {
            "service": service,
            "records": self.records,
            "skipped": self.skipped,
            "unchanged": self.unchanged,
            "faults": {"count": self._faults, "first": [asdict(each) for each in self._first_faults]},
            "exact": self.exact,
            **self._tally.as_json(),
        }
