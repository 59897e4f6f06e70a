"""The second reader's totals against a database's: each total at its own seq, and what lies beyond it."""

from collections.abc import Sequence
from typing import Any, cast

from goodfunds.proof.counting import count_accepted, count_outcomes
from goodfunds.proof.evidence import Counted
from goodfunds.proof.snapshot import Snapshot

EUR = "EUR"
OURS = "ingestion.a"


class Database:
    """A snapshot that answers with given rows and remembers what it was asked."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = rows
        self.asked: tuple[Any, ...] = ()

    async def fetch(self, *asked: Any) -> Sequence[Any]:
        self.asked = asked
        return self.rows


def total(lane: int, event_type: str, minor: int, last_seq: int, **changes: Any) -> dict[str, Any]:
    found = {
        "producer": OURS, "producer_lane": lane, "event_type": event_type, "currency": EUR,
        "amount_minor": minor, "last_seq": last_seq, "seconds": 2,
    }  # fmt: skip
    return found | changes


def row(kind: str, lane: int, held: int, uncounted: int = 0, seconds: float | None = None) -> dict[str, Any]:
    return {
        "kind": kind, "lane": lane, "currency": EUR, "held_minor": held, "uncounted": uncounted,
        "seconds": seconds,
    }  # fmt: skip


def snapshot(*rows: dict[str, Any]) -> tuple[Database, Snapshot]:
    database = Database(*rows)
    return database, cast("Snapshot", database)


async def test_the_totals_of_all_incarnations_of_a_database_count_as_one() -> None:
    database, given = snapshot(row("accepted", 0, 75))
    totals = [
        total(0, "PaymentAccepted", 70, 9),
        total(0, "PaymentAccepted", 5, 11, producer="ingestion.b"),
    ]
    assert await count_accepted(given, totals, "ingestion") == [Counted("accepted, lane 0", EUR, 75, 75)]
    assert database.asked[1:] == (["accepted"], [0], [EUR], [11])


async def test_each_total_is_compared_at_its_own_seq_and_other_producers_do_not_count() -> None:
    database, given = snapshot(row("accepted", 0, 70), row("accepted", 1, 5))
    totals = [
        total(0, "PaymentAccepted", 70, 9),
        total(1, "PaymentAccepted", 5, 4),
        total(1, "PaymentRejected", 1, 5),
        total(1, "PaymentAccepted", 800, 99, producer="settlement.a"),
    ]
    assert await count_accepted(given, totals, "ingestion") == [
        Counted("accepted, lane 0", EUR, 70, 70),
        Counted("accepted, lane 1", EUR, 5, 5),
    ]
    assert database.asked[1:] == (["accepted", "accepted"], [0, 1], [EUR, EUR], [9, 4])


async def test_a_lane_without_a_total_is_uncounted_for_as_long_as_its_events_wait() -> None:
    _, given = snapshot(row("settled", 3, 0, uncounted=7, seconds=500))
    assert await count_outcomes(given, [], "ingestion") == [Counted("settled, lane 3", EUR, 0, 0, 7, 500)]


async def test_a_reader_that_moved_in_the_lane_just_now_is_behind_and_does_not_stand_still() -> None:
    _, given = snapshot(row("settled", 3, 40, uncounted=7, seconds=500))
    totals = [total(3, "PaymentSettled", 40, 9, seconds=400), total(3, "PaymentSubmitted", 90, 12)]
    assert await count_outcomes(given, totals, "ingestion") == [Counted("settled, lane 3", EUR, 40, 40, 7, 2)]


async def test_a_total_that_the_database_has_no_row_of_is_compared_with_nothing() -> None:
    _, given = snapshot()
    assert await count_accepted(given, [total(0, "PaymentAccepted", 70, 9)], "ingestion") == [
        Counted("accepted, lane 0", EUR, 70, 0)
    ]
