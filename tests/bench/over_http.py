"""Payments one by one over HTTP, with ingestion alone: how many a second, and how long one takes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import date
from time import monotonic
from typing import Any

import click
import httpx

from goodfunds.cli.passing import passing_token
from goodfunds.cli.reading import readers
from goodfunds.local import house, processes
from goodfunds.local import stack as local
from tests.bench.alone import alone
from tests.bench.counters import DECIDED, reached, until_step
from tests.bench.latency import Percentiles, percentiles
from tests.bench.payments import ACCOUNTS, AMOUNT, account, instruction, open_accounts

_AT_ONCE = 16
_PREFER = "wait=10"
_NO_LIMIT = {"GOODFUNDS_RATE": "10000", "GOODFUNDS_BURST": "100000"}
"""Of a token: far more than is asked for."""
_OF_THE_TOKEN = ("client", "idempotency_key")

Post = Callable[[str, int], Awaitable[None]]
"""POST /v1/payments with the payment of that number in a run."""


@dataclass(frozen=True, slots=True)
class OverHttp:
    """`rate`: payments a second that stand on the topic, by clients that each wait for their answer.

    At `steady` a second: `answered` with 202, and `decided` with 200 for who prefers to wait.
    """

    rate: float
    steady: float
    answered: Percentiles
    decided: Percentiles


async def over_http(stack: local.Stack, run: str, payments: int) -> OverHttp:
    """So many for the rate, then as many for each of the latencies, at half of that rate."""
    await open_accounts(stack, run, AMOUNT * payments * 3 // ACCOUNTS + AMOUNT)
    async with readers(stack) as connections, _posting(stack) as (post, post_and_wait):
        base = await reached(connections, DECIDED)
        numbers = iter(range(payments))

        async def client() -> None:
            for number in numbers:
                await post(f"{run}-rate", number)

        started = monotonic()
        await asyncio.gather(*(client() for _ in range(_AT_ONCE)))
        rate = payments / (monotonic() - started)
        await until_step(connections, DECIDED, base, payments)
        steady = rate / 2
        answered = await _steadily(post, f"{run}-answered", payments, steady)
        decided = await _steadily(post_and_wait, f"{run}-decided", payments, steady)
        await until_step(connections, DECIDED, base, 3 * payments)
    found = OverHttp(rate, steady, answered, decided)
    click.echo(
        f"HTTP alone: {rate:,.0f} payments a second; at {steady:,.0f}, p50 / p99 / p99.9 ms: answered "
        f"{answered}, decided {decided}",
        err=True,
    )
    return found


async def _steadily(post: Post, run: str, payments: int, rate: float) -> Percentiles:
    """From when a payment is due until its answer: one that has to wait for others has that in it."""
    started = monotonic()

    async def one(number: int) -> float:
        due = started + number / rate
        await asyncio.sleep(due - monotonic())
        await post(run, number)
        return monotonic() - due

    return percentiles(await asyncio.gather(*(one(number) for number in range(payments))))


@asynccontextmanager
async def _posting(stack: local.Stack) -> AsyncIterator[tuple[Post, Post]]:
    """Ways to post to an ingestion that runs alone, and whose rate of a token limits nobody."""
    today = date.today()  # noqa: DTZ011 - a local day will do
    async with alone(stack, ()):
        await asyncio.to_thread(house.start, stack, _silent, {"ingestion": _NO_LIMIT}, only=("ingestion",))
        try:
            async with (
                httpx.AsyncClient(base_url=stack.url("ingestion"), timeout=60) as http,
                passing_token(stack, "ingestion", "bench", ["payments:write"]) as token,
            ):

                def poster(wanted: int, **more: str) -> Post:
                    async def post(run: str, number: int) -> None:
                        headers = {
                            "Authorization": f"Bearer {token}",
                            "Idempotency-Key": f"{run}-{number}",
                            **more,
                        }
                        answer = await http.post(
                            "/v1/payments", json=_body(run, number, today), headers=headers
                        )
                        # A refusal, or a decision that did not come in time, is no figure.
                        assert answer.status_code == wanted, answer.text

                    return post

                yield poster(202), poster(200, Prefer=_PREFER)
        finally:
            # The next one is as it is by default.
            await asyncio.to_thread(processes.stop, stack.running.pop("ingestion"))


def _body(run: str, number: int, today: date) -> dict[str, Any]:
    """The payment as JSON: whose it is, and its key, are told beside it."""
    told = asdict(instruction(run, number, account(number % ACCOUNTS), today))
    return {
        **{name: value for name, value in told.items() if name not in _OF_THE_TOKEN},
        "requested_execution_date": today.isoformat(),
    }


def _silent(_text: str) -> None:
    """Single steps are of no interest here."""
