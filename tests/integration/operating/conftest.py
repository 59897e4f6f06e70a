"""Operators at a copier: its database, the operators' routes behind a door, and one who may do all of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from goodfunds import access
from goodfunds.clock import SystemClock
from goodfunds.lanes import LaneLoop, LaneSettings
from goodfunds.operating import http_lanes, http_outbox, http_parked
from goodfunds.operating.operated import operated_by
from goodfunds.operating.scopes import SCOPES
from goodfunds.postgres import create_pool
from goodfunds.service import LANES, OPERATING
from tests.conftest import Migrations
from tests.integration.lanes.copier import MIGRATIONS, Copier
from tests.integration.lanes.stage import PROVE_EVERY, SESSION_TIMEOUT, Stage
from tests.tokens import app_behind_a_door, bearer, token_of

PARTITIONS = 2


@pytest.fixture
def migrations() -> Migrations:
    return LANES, ("copier", MIGRATIONS), ("access", access.MIGRATIONS), *OPERATING


@dataclass
class Office:
    """Where operators sit: the copier's stage, and a client of its HTTP with a token for all."""

    stage: Stage
    settings: LaneSettings
    copier: Copier
    pool: Any
    http: httpx.AsyncClient

    async def get(self, path: str, status: int = 200, **asked: Any) -> Any:
        answer = await self.http.get(path, params=asked)
        assert answer.status_code == status, answer.text
        return answer.json()

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """While the copier works its lanes; its outbox is acknowledged afterwards."""
        stop = asyncio.Event()
        working = asyncio.create_task(LaneLoop(self.copier, self.settings).run(stop))
        try:
            yield
            await self.stage.until_published()
        finally:
            stop.set()
            await working


@pytest.fixture
async def office(kafka: Any, database: str, make_topics: Callable[..., Any]) -> AsyncIterator[Office]:
    name = uuid4().hex[:8]
    stage = Stage(kafka.bootstrap, database, f"in-{name}", f"out-{name}", PARTITIONS)
    await make_topics([stage.source, stage.target], PARTITIONS)
    copier = Copier(stage.source, stage.target)
    settings = LaneSettings(
        database, kafka.bootstrap, PARTITIONS, "office", batch=200,
        session_timeout=SESSION_TIMEOUT, prove_every=PROVE_EVERY,
    )  # fmt: skip
    pool = await create_pool(database)
    app = app_behind_a_door(pool, SystemClock())
    operated = operated_by(pool, SystemClock(), copier, settings)
    for room in (http_lanes, http_parked, http_outbox):
        room.add_routes(app, operated)
    token = await token_of(database, "operator", *SCOPES)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://o", headers=bearer(token)) as http:
        yield Office(stage, settings, copier, pool, http)
    await pool.close()
