"""Money as metrics: amount, count and oldest age of each state that money can wait in."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg
import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from goodfunds.clock import Clock, SystemClock

log = structlog.get_logger(__name__)

_LABELS: Final = ("service", "state", "currency")


@dataclass(frozen=True, slots=True)
class MoneyState:
    """Money in one state: minor units, how many payments or events, since when (UTC; None where empty).

    The oldest of the payments or events; where payments are counted with their batch, of the batches. States
    are a service's non-terminal ones, `outbox` (decided, not published) and `parked`.
    """

    state: str
    currency: str
    amount_minor: int
    count: int
    oldest: datetime | None


async def read_money(pool: "asyncpg.Pool[Any]", statement: str) -> list[MoneyState]:
    """What a service's statement says; its columns are the fields of MoneyState, in their order."""
    async with pool.acquire() as connection:
        rows = await connection.fetch(statement)
    return [MoneyState(*row.values()) for row in rows]


ReadMoney = Callable[[], Awaitable[Sequence[MoneyState]]]
"""Reads the states, on a connection of its own; a state that holds nothing may be left out."""


class MoneyCollector(Collector):
    """Runs a read on an interval and exposes what it last said; ages are those at the scrape.

    A state once seen is exposed as zero when it is empty. The age of the reading itself is exposed too: a
    read that fails leaves the old figures standing.
    """

    def __init__(
        self, service: str, read: ReadMoney, interval_seconds: float = 15.0, clock: Clock | None = None
    ) -> None:
        self._service = service
        self._read = read
        self._interval = interval_seconds
        self._clock = clock or SystemClock()
        self._states: dict[tuple[str, str], MoneyState] = {}
        self._read_at: datetime | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Read every interval until `stop` is set; a read that fails is logged and tried again."""
        while not stop.is_set():
            try:
                await self.refresh()
            except Exception as fault:
                log.warning("money by state not read", fault=repr(fault))
            try:
                await asyncio.wait_for(stop.wait(), self._interval)
            except TimeoutError:
                continue

    async def refresh(self) -> None:
        """Read once. Raises what the read raises."""
        found = {(each.state, each.currency): each for each in await self._read()}
        empty = {key: MoneyState(*key, 0, 0, None) for key in self._states}
        self._states = empty | found
        self._read_at = self._clock.now()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """What Prometheus scrapes."""
        now = self._clock.now()
        amount = GaugeMetricFamily(
            "goodfunds_money_amount_minor", "Money in a state, in minor units", labels=_LABELS
        )
        count = GaugeMetricFamily(
            "goodfunds_money_count", "Payments, events or files in a state", labels=_LABELS
        )
        age = GaugeMetricFamily(
            "goodfunds_money_oldest_seconds",
            "How long the oldest has been in a state; of payments in batches, how long the oldest batch has",
            labels=_LABELS,
        )
        for each in self._states.values():
            labels = (self._service, each.state, each.currency)
            amount.add_metric(labels, each.amount_minor)
            count.add_metric(labels, each.count)
            age.add_metric(labels, _seconds(each.oldest, now))
        reading = GaugeMetricFamily(
            "goodfunds_money_read_age_seconds", "How old these figures are", labels=("service",)
        )
        if self._read_at is not None:
            reading.add_metric((self._service,), _seconds(self._read_at, now))
        return (amount, count, age, reading)


def _seconds(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
