"""Reconciliation made anew from its topics beside live lanes: it agrees, is swapped, and a wrong row is named."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from goodfunds.events import types
from goodfunds.postgres import connect
from goodfunds.rebuild import CannotRebuild, Outcome, rebuild
from goodfunds.rebuild.shadow import REPLACED, SHADOW
from goodfunds.service import Service
from services.reconciliation import SERVICE
from tests.integration.reconciliation.scene import (
    AT,
    NOSTRO_LANE,
    OTHER_LANE,
    Fed,
    business,
    contradicted,
    from_reader,
    from_settlement,
    line,
    opened,
    rejected,
    settled,
    submitted,
    whole_statement,
)
from tests.integration.reconciliation.test_lanes import running, send, until
from tests.integration.tampering import unguarded


def nothing_told(what: str, done: int, total: int) -> None:
    pass


def a_rich_day() -> list[Fed]:
    """Business in two lanes, then strays of each kind, findings of settlement, a gap, totals and garbage."""
    fed = business(random.Random(5))
    fed += from_settlement(
        OTHER_LANE,
        submitted(101, 700, 31, "E101"),
        submitted(102, 70, 31, "E102"),
        rejected(102, 70, 31),
        contradicted(102, -70, "settled_after_rejection"),
        submitted(103, 9, 32, "E103"),
        settled(103, 9, 32, "E103"),
    )
    fed += from_settlement(
        NOSTRO_LANE,
        submitted(104, 8, 33, "E104"),
        contradicted(None, 55, "unknown_entry", "R55"),
    )
    strays = [
        line(None, -700, 1, 2, end_to_end_id="E101"),
        line(None, -70, 2, 2, end_to_end_id="E102"),
        line(None, -8, 3, 2, end_to_end_id="E104"),
        line(None, 55, 4, 2, bank_reference="R55"),
        line(None, -3, 5, 2, end_to_end_id="NOBODY"),
    ]
    fed += from_reader(NOSTRO_LANE, opened(1, 0, 10), opened(2, 10, -716, strays), opened(4, 1, 2))
    fed += whole_statement({NOSTRO_LANE: strays}, 2)
    fed += [Fed(OTHER_LANE, "control-totals", each, 0) for each in (total(1, 5), total(2, 9), Garbage())]
    return fed


def total(count: int, offset: int) -> types.ControlTotal:
    return types.ControlTotal(
        100 * count, AT, "reconciliation", "payments", OTHER_LANE, "ingestion.x", OTHER_LANE, count, offset,
        "EUR", "PaymentAccepted", count,
    )  # fmt: skip


class Garbage:
    def encode(self) -> bytes:
        return b"?"


@asynccontextmanager
async def session(dsn: str) -> AsyncIterator[Any]:
    connection = await connect(dsn, "goodfunds test")
    try:
        yield connection
    finally:
        await connection.close()


class House:
    """Reconciliation's database and topics."""

    def __init__(self, dsn: str, bootstrap: str) -> None:
        self.dsn = dsn
        self.bootstrap = bootstrap
        self.seqs: dict[tuple[str, int], int] = {}

    @property
    def service(self) -> Service:
        return replace(SERVICE, database=self.dsn.rpartition("/")[2])

    async def publish(self, fed: list[Fed]) -> None:
        self.seqs = await send(self.bootstrap, fed, self.seqs)

    async def handled(self) -> None:
        """Until the lanes stand where what was published ends, and have nothing to do."""
        for (topic, lane), count in self.seqs.items():
            await until(self.dsn, f"SELECT (offsets->>'{topic}')::int >= {count} FROM lanes WHERE lane = {lane}")

    async def rebuild(self, check: bool = False) -> Outcome:
        server = self.dsn.rpartition("/")[0]
        return await rebuild(self.service, server, self.bootstrap, check, nothing_told)

    async def fetchval(self, question: str) -> Any:
        async with session(self.dsn) as connection:
            return await connection.fetchval(question)

    async def schemas(self) -> list[str]:
        async with session(self.dsn) as connection:
            rows = await connection.fetch(
                "SELECT nspname FROM pg_namespace WHERE nspname = ANY($1)", [SHADOW, REPLACED]
            )
        return [row["nspname"] for row in rows]


@pytest.fixture
async def house(database: str, fresh_topics: str) -> House:
    return House(database, fresh_topics)


async def test_after_a_rich_day_it_agrees_is_swapped_under_live_lanes_and_they_go_on(house: House) -> None:
    await house.publish(a_rich_day())
    async with running(house.dsn, house.bootstrap) as loop:
        await house.handled()
        checked = await house.rebuild(check=True)
        assert (checked.different, checked.swapped) == ([], False)
        assert {each.table: each.rows > 0 for each in checked.compared} == dict.fromkeys(
            (each.table for each in checked.compared), True
        )
        epochs = await house.fetchval("SELECT sum(epoch) FROM lanes")
        before = await house.fetchval("SELECT 'expected_items'::regclass::oid")
        swapped = await house.rebuild()
        assert (swapped.different, swapped.swapped) == ([], True)
        assert swapped.stood < 5
        assert await house.fetchval("SELECT 'expected_items'::regclass::oid") != before
        assert await house.schemas() == []
        later = from_settlement(OTHER_LANE, submitted(201, 41, 41), settled(201, 41, 41))
        later += whole_statement({OTHER_LANE: [line(201, -41, 1, 3)]}, 3)
        await house.publish(later)
        await house.handled()
        assert loop.unready() == []
        assert await house.fetchval("SELECT state FROM expected_items WHERE amount_minor = -41") == 1
        again = await house.rebuild(check=True)
        assert again.different == []
        # Each lane went on with the owner that it had.
        assert await house.fetchval("SELECT sum(epoch) FROM lanes") == epochs
