"""Records a second of ingestion: live, rehearsed and replayed, with nothing and with all of it to repair.

    python -m tests.bench.replaying [payments]

All in this process, on a broker and a database that sync nothing: what counts is how the rates compare.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import click
import uvloop
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from goodfunds.clock import SystemClock
from goodfunds.events.topics import PAYMENT_INSTRUCTIONS, PAYMENTS, SETTLEMENT_NOTIFICATIONS
from goodfunds.lanes import Emission, LaneLoop, LaneSettings, Poll, lane_of
from goodfunds.lanes.records import Connection
from goodfunds.operating.operated import operated_by, replays_of
from goodfunds.postgres import connect, create_pool, migrate
from goodfunds.replay.planning import Asked, plan
from goodfunds.replay.selection import Selection
from goodfunds.replay.steps import take
from goodfunds.service import migrations_of
from services.ingestion import SERVICE
from services.ingestion.handlers import IngestionHandler
from tests.conftest import Kafka, Postgres, folder_of_servers
from tests.unit.ingestion.requests import funding, instruction, opening

_PARTITIONS = 4
_ACCOUNTS = [f"DE00{number:04d}" for number in range(40)]
_PATIENCE = timedelta(hours=1)


async def _send(bootstrap: str, requests: Iterable[tuple[str, bytes]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20)
    await producer.start()
    waiting = [
        await producer.send(PAYMENT_INSTRUCTIONS, body, account.encode(), lane_of(account, _PARTITIONS))
        for account, body in requests
    ]
    await asyncio.gather(*waiting)
    await producer.stop()


async def _working(loop: LaneLoop, until: Callable[[], Awaitable[bool]]) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(loop.run(stop))
    await _until(until)
    stop.set()
    await running


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    while True:
        if await holds():
            return
        await asyncio.sleep(0.05)


async def _live(handler: IngestionHandler, dsn: str, bootstrap: str, records: int) -> float:
    """Records a second until so many are handled, counted from the first of them."""
    connection = await connect(dsn)
    seen: list[tuple[float, int]] = []

    async def all_handled() -> bool:
        rows = await connection.fetch("SELECT offsets FROM lanes")
        handled = sum(json.loads(row["offsets"])[PAYMENT_INSTRUCTIONS] for row in rows)
        if handled > (seen[-1][1] if seen else 0):
            seen.append((monotonic(), handled))
        return bool(handled >= records)

    await _working(LaneLoop(handler, _settings(dsn, bootstrap)), all_handled)
    await connection.close()
    (began, first), (ended, last) = seen[min(1, len(seen) - 1)], seen[-1]
    return (last - first) / max(ended - began, 1e-9)


async def _again(dsn: str, bootstrap: str) -> tuple[float, float]:
    """(rehearsed, replayed) records a second of all that the lanes have handled."""
    handler, settings = IngestionHandler(), _settings(dsn, bootstrap)
    pool = await create_pool(dsn)
    operated = operated_by(pool, SystemClock(), handler, settings)
    stop = asyncio.Event()
    rehearsing = asyncio.create_task(operated.rehearsals.run(stop))
    asked = Asked("ada", "replay", Selection(topic=PAYMENT_INSTRUCTIONS), "bench", None, _PATIENCE, False)
    plan_id = await plan(operated.desk, asked)
    assert isinstance(plan_id, bytes), plan_id

    async def rehearsed_now() -> bool:
        return await _state(pool, plan_id) != "rehearsing"

    began = monotonic()
    operated.rehearsals.begin(plan_id)
    await _until(rehearsed_now)
    rehearsed = monotonic() - began
    assert await take(operated.desk, plan_id, "approve", "bob") is None
    assert await take(operated.desk, plan_id, "run", "ada") is None

    async def ended() -> bool:
        return await _state(pool, plan_id) != "running"

    await _working(LaneLoop(handler, settings, beside=replays_of(handler)), ended)
    row = await pool.fetchrow("SELECT state, fault, outcome FROM replay_plans WHERE plan_id = $1", plan_id)
    assert row is not None
    assert row["state"] == "done", row["fault"]
    shares = await pool.fetch(
        "SELECT handled, started_at, finished_at FROM replay_lanes WHERE plan_id = $1", plan_id
    )
    stop.set()
    await rehearsing
    await pool.close()
    handled = sum(share["handled"] for share in shares)
    last, first = max(each["finished_at"] for each in shares), min(each["started_at"] for each in shares)
    click.echo(f"  {row['outcome']}")
    return handled / rehearsed, handled / (last - first).total_seconds()


async def _state(pool: Any, plan_id: bytes) -> str:
    return str(await pool.fetchval("SELECT state FROM replay_plans WHERE plan_id = $1", plan_id))


def _settings(dsn: str, bootstrap: str) -> LaneSettings:
    return LaneSettings(dsn, bootstrap, _PARTITIONS, "bench")


class _Deaf(IngestionHandler):
    """A bug: records are read, and none is heard."""

    async def handle(self, connection: Connection, poll: Poll) -> Mapping[int, list[Emission]]:
        return {}


async def _measure(folder: Path, payments: int) -> None:
    kafka, postgres = Kafka(folder / "kafka"), Postgres(folder / "postgres")
    try:
        dsn = await postgres.create("bench")
        await migrate(dsn, migrations_of(SERVICE))
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        topics = (PAYMENT_INSTRUCTIONS, PAYMENTS, SETTLEMENT_NOTIFICATIONS)
        await admin.create_topics([NewTopic(topic, _PARTITIONS, 1) for topic in topics])
        await admin.close()
        opened = [(account, opening(account, f"o{account}").encode()) for account in _ACCOUNTS]
        funded = [(account, funding(10**12, account, f"f{account}").encode()) for account in _ACCOUNTS]
        records = 2 * len(_ACCOUNTS)
        await _send(kafka.bootstrap, opened + funded)
        await _live(IngestionHandler(), dsn, kafka.bootstrap, records)
        await _send(kafka.bootstrap, map(_payment, range(payments)))
        await _live(_Deaf(), dsn, kafka.bootstrap, records + payments)
        repaired = await _again(dsn, kafka.bootstrap)
        await _send(kafka.bootstrap, map(_payment, range(payments, 2 * payments)))
        live = await _live(IngestionHandler(), dsn, kafka.bootstrap, records + 2 * payments)
        unchanged = await _again(dsn, kafka.bootstrap)
        click.echo(f"live: {live:,.0f} records a second")
        for name, found in (("all is repaired", repaired), ("nothing changes", unchanged)):
            told = [f"{rate:,.0f} ({rate / live:.0%} of live)" for rate in found]
            click.echo(f"{name}: rehearsed {told[0]}, replayed {told[1]}")
    finally:
        kafka.stop()
        postgres.stop()


def _payment(number: int) -> tuple[str, bytes]:
    account = _ACCOUNTS[number % len(_ACCOUNTS)]
    request = instruction(
        client="bench", idempotency_key=f"k{number}", amount_minor=100 + number % 900, debtor_account=account
    )
    return account, request.encode()


def main(payments: int) -> None:
    """Measure and tell."""
    with folder_of_servers("goodfunds-tests-bench-") as folder:
        uvloop.run(_measure(folder, payments))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30_000)
