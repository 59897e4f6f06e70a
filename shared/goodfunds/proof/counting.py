"""Holds the second reader's totals against the databases, and tells what it has not counted yet."""

import math
from collections.abc import Sequence
from typing import Any

from goodfunds.proof.evidence import Counted
from goodfunds.proof.snapshot import Snapshot

_OUTCOMES = {"PaymentSettled": "settled", "PaymentRejectedByBank": "rejected", "PaymentReturned": "returned"}


async def count_accepted(snapshot: Snapshot, totals: Sequence[Any], producer: str) -> list[Counted]:
    """Ingestion's accepted payments, by lane and currency."""
    return await _compare(snapshot, "counted_accepted", totals, producer, {"PaymentAccepted": "accepted"})


async def count_outcomes(snapshot: Snapshot, totals: Sequence[Any], producer: str) -> list[Counted]:
    """Settlement's settled, rejected and returned payments, by lane and currency."""
    return await _compare(snapshot, "counted_outcomes", totals, producer, _OUTCOMES)


async def _compare(
    snapshot: Snapshot, statement: str, totals: Sequence[Any], producer: str, kinds: dict[str, str]
) -> list[Counted]:
    mine = _mine(totals, producer, kinds)
    moved = _last_moved(totals, producer)
    found = [
        Counted(
            f"{row['kind']}, lane {row['lane']}",
            row["currency"],
            mine.pop(_place(row), (0, 0))[0],
            row["held_minor"],
            row["uncounted"],
            min(float(row["seconds"] or 0), moved.get(row["lane"], math.inf)),
        )
        for row in await snapshot.fetch(
            statement,
            [kind for kind, _, _ in mine],
            [lane for _, lane, _ in mine],
            [currency for _, _, currency in mine],
            [last_seq for _, last_seq in mine.values()],
        )
    ]
    return found + [
        Counted(f"{kind}, lane {lane}", currency, amount_minor, 0)
        for (kind, lane, currency), (amount_minor, _) in mine.items()
    ]


def _mine(
    totals: Sequence[Any], producer: str, kinds: dict[str, str]
) -> dict[tuple[str, int, str], tuple[int, int]]:
    """(kind, lane, currency) → (minor units, last seq) of a service, whatever its incarnation."""
    found: dict[tuple[str, int, str], tuple[int, int]] = {}
    for total in totals:
        if _is_of(total, producer) and total["event_type"] in kinds:
            place = kinds[total["event_type"]], total["producer_lane"], total["currency"]
            amount_minor, last_seq = found.get(place, (0, 0))
            found[place] = amount_minor + total["amount_minor"], max(last_seq, total["last_seq"])
    return found


def _is_of(total: Any, producer: str) -> bool:
    name: str = total["producer"]
    return name.partition(".")[0] == producer


def _last_moved(totals: Sequence[Any], producer: str) -> dict[int, float]:
    """lane → seconds since the second reader last counted anything of the producer's there."""
    found: dict[int, float] = {}
    for total in totals:
        if _is_of(total, producer):
            lane = total["producer_lane"]
            found[lane] = min(found.get(lane, math.inf), float(total["seconds"]))
    return found


def _place(row: Any) -> tuple[str, int, str]:
    return row["kind"], row["lane"], row["currency"]
