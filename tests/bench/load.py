"""A steady load: instructions at a rate, cut-offs and bank days in between, so that payments end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date, timedelta
from time import monotonic
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer

from goodfunds.cli.asking import ask
from goodfunds.cli.requests import close_cut_off
from goodfunds.events.topics import PAYMENT_INSTRUCTIONS
from goodfunds.events.types import AccountFundRequested
from goodfunds.lanes import lane_of
from goodfunds.local import stack as local
from tests.bench.payments import ACCOUNTS, AMOUNT, account, instruction

_TICK_SECONDS = 0.1
SLICE = 2_000
"""Instructions of one sending: a lane's share of them fits a batch."""
CUT_OFF_SECONDS = 30.0
DAY_SECONDS = 60.0


async def fund(stack: local.Stack, run: str, payments: int) -> None:
    """Give the bench's accounts what so many payments more take."""
    share = payments // ACCOUNTS + 1
    wishes = [
        AccountFundRequested(AMOUNT * share, "bench", f"{run}-fund-{n}", account(n), "EUR", "bench")
        for n in range(ACCOUNTS)
    ]
    assert await ask(stack, wishes) == []


class Load:
    """Publishes instructions at a rate until stopped; `sent` counts those that the broker acknowledged.

    `names`: the debtors' accounts, by default those of every measurement; `place_of`: a payment's among them.
    `tick`: seconds from one sending to the next; what is due meanwhile goes out at once.
    """

    def __init__(
        self,
        stack: local.Stack,
        run: str,
        rate: float,
        names: Sequence[str] = (),
        place_of: Callable[[int], int] | None = None,
        tick: float = _TICK_SECONDS,
    ) -> None:
        self.sent = 0
        self.behind = 0.0
        self._stack = stack
        self._run = run
        self._rate = rate
        self._tick = tick
        self._names = names or [account(number) for number in range(ACCOUNTS)]
        self._place_of = place_of or (lambda number: number % len(self._names))
        self._lanes = [lane_of(name, stack.partitions) for name in self._names]
        self._today = date.today()  # noqa: DTZ011 - a local day will do

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. `behind` is how many seconds the sender is late, at its worst."""
        async with self._producer() as producer:
            started, number = monotonic(), 0
            while not stop.is_set():
                due = int((monotonic() - started) * self._rate)
                for first in range(number, due, SLICE):
                    await self._send(producer, range(first, min(first + SLICE, due)))
                self.sent = number = max(due, number)
                lag = monotonic() - started - number / self._rate
                self.behind = max(self.behind, lag)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._tick)

    async def burst(self, count: int) -> None:
        """So many at once, in slices that fit a batch."""
        async with self._producer() as producer:
            for first in range(0, count, SLICE):
                await self._send(producer, range(first, min(first + SLICE, count)))
        self.sent = count

    @contextlib.asynccontextmanager
    async def _producer(self) -> AsyncIterator[Any]:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._stack.kafka, acks="all", enable_idempotence=True, max_batch_size=500_000
        )
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()

    async def _send(self, producer: Any, numbers: range) -> None:
        by_lane: dict[int, Any] = {}
        for number in numbers:
            place = self._place_of(number)
            batch = by_lane.get(self._lanes[place])
            if batch is None:
                batch = by_lane[self._lanes[place]] = producer.create_batch()
            value = instruction(self._run, number, self._names[place], self._today).encode()
            appended = batch.append(key=self._names[place].encode(), value=value, timestamp=None)
            assert appended is not None, "a tick's share of a lane fits a batch"
        sending = [
            await producer.send_batch(batch, PAYMENT_INSTRUCTIONS, partition=lane)
            for lane, batch in by_lane.items()
        ]
        await asyncio.gather(*sending)


async def advance_day(stack: local.Stack) -> None:
    """The sandbox bank's next day: it books what is due and writes the statement of the day that ended."""
    bank = stack.url("sandbox-bank")
    async with httpx.AsyncClient(timeout=300) as http:
        day = date.fromisoformat((await http.get(f"{bank}/business-day")).json()["business_day"])
        to = {"to": (day + timedelta(days=1)).isoformat()}
        (await http.post(f"{bank}/business-day/advance", json=to)).raise_for_status()


async def calendar(stack: local.Stack, stop: asyncio.Event) -> None:
    """Close cut-offs and end bank days at fixed times until `stop`: every file and statement is alike.

    A day ends between two cut-offs, when the bank has answered the last one.
    """
    started = monotonic()
    acts = [
        (started + CUT_OFF_SECONDS, CUT_OFF_SECONDS, _close),
        (started + DAY_SECONDS * 1.4, DAY_SECONDS, advance_day),
    ]
    while True:
        acts.sort(key=lambda each: each[0])
        at, every, act = acts[0]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), max(at - monotonic(), 0))
            return
        await act(stack)
        acts[0] = (at + every, every, act)


async def _close(stack: local.Stack) -> None:
    await close_cut_off(stack, "soak")
