"""Numbers of events, by the rows that carry them: each taken once, none passed over, all of them handled."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.auditor.evidence import Finding
from tests.auditor.resting import Resting, shown

_OWN, _OPENED = 1, 2
"""Of a number: it stands on a row of its service; an expected item says that it was opened by it."""
_TOPICS = {"ingestion": "payments", "settlement": "settlement-notifications"}
_READERS = {"ingestion": ("settlement",), "settlement": ("ingestion", "reconciliation")}


class Lane:
    """The numbers 1 to `last` of a lane, a byte each."""

    def __init__(self, last: int) -> None:
        self.last = last
        self._seen = bytearray(last + 1)

    def take(self, number: int, kind: int) -> str:
        """Note a number; what is wrong with it in words, or nothing."""
        if not 0 < number <= self.last:
            return f"number {number} is none of 1 to {self.last}"
        twice = self._seen[number] & kind
        self._seen[number] |= kind
        return f"number {number} stands on two rows" if twice else ""

    @property
    def missing(self) -> int:
        """Numbers that no row carries."""
        return self._seen.count(0, 1)

    def first_missing(self, count: int) -> list[int]:
        """The first of them."""
        found: list[int] = []
        at = 0
        while len(found) < count and (at := self._seen.find(0, at + 1)) > 0:
            found.append(at)
        return found


async def check_numbers(house: Resting) -> list[tuple[str, list[Finding]]]:
    """(rule, findings) of ingestion's and settlement's numbers on the topics that others read."""
    rows = {
        service: {row["lane"]: row for row in await house.every(service, "lanes")}
        for service in ("ingestion", "settlement", "reconciliation")
    }
    found: list[tuple[str, list[Finding]]] = [("no lane is stopped", list(_stopped(rows)))]
    for service, topic in _TOPICS.items():
        last = {
            lane: json.loads(row["destinations"]).get(f"{topic}/{lane}", 1) - 1
            for lane, row in rows[service].items()
        }
        numbers = await _numbers(house, service, last)
        found.append((f"no gap in the numbers of {service}", numbers))
        found.append((f"every event of {service} is handled", list(_handled(rows, service, topic, last))))
    return found


def _stopped(rows: Mapping[str, Mapping[int, Any]]) -> Iterator[Finding]:
    for service, lanes in rows.items():
        for lane, row in lanes.items():
            if row["stopped_reason"] is not None:
                yield Finding("no lane is stopped", f"{service} lane {lane}", row["stopped_reason"])


async def _numbers(house: Resting, service: str, last: Mapping[int, int]) -> list[Finding]:
    """Gapless from 1 in every lane, but for events that leave no row: those are counted."""
    rule = f"no gap in the numbers of {service}"
    lanes = {lane: Lane(end) for lane, end in last.items()}
    found: list[Finding] = []

    def taking(pairs: Iterator[tuple[int, int]], kind: int) -> None:
        for lane, number in pairs:
            wrong = lanes[lane].take(number, kind) if lane in lanes else "there is no such lane"
            if wrong:
                found.append(Finding(rule, f"{service} lane {lane}", wrong))
                # A lane that is numbered wrongly may be so a million times.
                del found[100:]

    await house.numbers(f"{service}.numbers", lambda pairs: taking(pairs, _OWN))
    if service == "settlement":
        await house.numbers("reconciliation.opened_numbers", lambda pairs: taking(pairs, _OPENED))
    others = {row["lane"]: row for row in await house.rows(f"{service}.other_numbers")}
    for number, lane in sorted(lanes.items()):
        other = others.get(number, {"certain": 0, "possible": 0})
        if not other["certain"] <= lane.missing <= other["possible"]:
            words = (
                f"of 1 to {lane.last} no row has {lane.missing} (the first: {lane.first_missing(5)}), "
                f"{other['certain']} to {other['possible']} are explained"
            )
            found.append(Finding(rule, f"{service} lane {number}", words))
    return shown(rule, service, found)


def _handled(
    rows: Mapping[str, Mapping[int, Any]], service: str, topic: str, last: Mapping[int, int]
) -> Iterator[Finding]:
    """The readers' watermarks are at the last number; a producer's lives share one line of numbers."""
    rule = f"every event of {service} is handled"
    for reader in _READERS[service]:
        for lane, end in last.items():
            marks = json.loads(rows[reader][lane]["watermarks"]) if lane in rows[reader] else {}
            ours = [
                seq for name, seq in marks.items()
                if name.startswith(f"{topic}|{service}.") and name.endswith(f"|{lane}")
            ]  # fmt: skip
            if max(ours, default=0) != end:
                words = f"{reader} has handled up to {max(ours, default=0)}, the last is {end}"
                yield Finding(rule, f"lane {lane}", words)
