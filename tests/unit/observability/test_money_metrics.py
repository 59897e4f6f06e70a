"""Money metrics: what a read said, as Prometheus sees it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from goodfunds.clock import FixedClock
from goodfunds.observability.metrics import MoneyCollector, MoneyState

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Books:
    """What the next reads will say, and how many there were."""

    def __init__(self, *answers: Sequence[MoneyState] | Exception) -> None:
        self.answers = list(answers)
        self.reads = 0

    async def read(self) -> Sequence[MoneyState]:
        self.reads += 1
        answer = self.answers[min(self.reads, len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


def collector(books: Books, clock: FixedClock) -> tuple[MoneyCollector, CollectorRegistry]:
    made = MoneyCollector("settlement", books.read, interval_seconds=0.001, clock=clock)
    registry = CollectorRegistry()
    registry.register(made)
    return made, registry


def value(registry: CollectorRegistry, name: str, state: str = "sent", currency: str = "EUR") -> float | None:
    return registry.get_sample_value(
        f"goodfunds_money_{name}", {"service": "settlement", "state": state, "currency": currency}
    )


async def test_amount_count_and_oldest_age_are_exposed_by_service_state_and_currency() -> None:
    clock = FixedClock(NOW)
    books = Books(
        [
            MoneyState("sent", "EUR", 12_345_678_901, 3, NOW - timedelta(seconds=90)),
            MoneyState("outbox", "JPY", 7, 1, NOW),
        ]
    )
    made, registry = collector(books, clock)
    await made.refresh()
    assert value(registry, "amount_minor") == 12_345_678_901
    assert value(registry, "count") == 3
    assert value(registry, "oldest_seconds") == 90
    assert value(registry, "amount_minor", "outbox", "JPY") == 7


async def test_ages_grow_between_reads() -> None:
    clock = FixedClock(NOW)
    made, registry = collector(Books([MoneyState("sent", "EUR", 1, 1, NOW)]), clock)
    await made.refresh()
    clock.at += timedelta(seconds=30)
    assert value(registry, "oldest_seconds") == 30
    assert registry.get_sample_value("goodfunds_money_read_age_seconds", {"service": "settlement"}) == 30


async def test_a_state_that_has_emptied_is_zero_and_not_gone() -> None:
    made, registry = collector(
        Books([MoneyState("sent", "EUR", 1, 1, NOW)], []), FixedClock(NOW + timedelta(hours=1))
    )
    await made.refresh()
    await made.refresh()
    assert value(registry, "amount_minor") == 0
    assert value(registry, "count") == 0
    assert value(registry, "oldest_seconds") == 0


def test_before_the_first_read_nothing_is_claimed() -> None:
    _, registry = collector(Books([]), FixedClock(NOW))
    assert value(registry, "amount_minor") is None
    assert registry.get_sample_value("goodfunds_money_read_age_seconds", {"service": "settlement"}) is None


async def test_a_read_that_fails_is_tried_again_and_the_last_figures_stand() -> None:
    books = Books(
        [MoneyState("sent", "EUR", 5, 1, NOW)], OSError("away"), [MoneyState("sent", "EUR", 6, 1, NOW)]
    )
    made, registry = collector(books, FixedClock(NOW))
    stop = asyncio.Event()
    running = asyncio.create_task(made.run(stop))
    seen = []
    async with asyncio.timeout(10):
        while books.reads < 4:
            seen.append((books.reads, value(registry, "amount_minor")))
            await asyncio.sleep(0)
    stop.set()
    await running
    assert (2, 5.0) in seen or (1, 5.0) in seen
    assert value(registry, "amount_minor") == 6


async def test_a_read_in_refresh_raises_what_it_raises() -> None:
    made, _ = collector(Books(OSError("away")), FixedClock(NOW))
    with pytest.raises(OSError, match="away"):
        await made.refresh()
