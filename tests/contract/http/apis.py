"""The three services' HTTP on real connections and databases, each with something to show, for one client."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

from fastapi import FastAPI

from goodfunds.clock import SystemClock
from goodfunds.events.types import PaymentInstruction
from goodfunds.lanes import Handler, LaneSettings
from goodfunds.observability.http import create_app, listen, serve
from goodfunds.operating import http as operating
from goodfunds.operating.operated import operated_by
from goodfunds.postgres import create_pool
from goodfunds.rails import RAILS
from goodfunds.replay.horizon import Held, Place
from goodfunds.service import migrations_of, services
from services.ingestion import http as ingestion
from services.ingestion.handlers import IngestionHandler
from services.ingestion.instructing import Instructing
from services.reconciliation import http as reconciliation
from services.reconciliation.handlers import ReconciliationHandler
from services.settlement import http as settlement
from services.settlement.handlers import SettlementHandler
from tests.conftest import Postgres
from tests.contract.http.lanes import fill_lanes
from tests.integration.ingestion.desk import desk_on
from tests.integration.reconciliation import scene
from tests.integration.settlement import desk as settlement_desk
from tests.tokens import app_behind_a_door, token_of
from tests.unit.ingestion.requests import instruction

CLIENT = "contract"


class Taking(Instructing):
    """A way to a topic that takes everything; the real one has its own tests."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1:1", 4, away=lambda: False)

    async def put(self, _instruction: PaymentInstruction, _traceparent: str = "") -> None:
        return None


def _ingestion_routes(app: FastAPI, pool: Any, dsn: str) -> None:
    ingestion.add_routes(app, pool, SystemClock(), Taking(), 100_000)
    _operating_routes(app, pool, IngestionHandler(), dsn)


def _settlement_routes(app: FastAPI, pool: Any, dsn: str) -> None:
    settlement.add_routes(app, pool, SystemClock(), RAILS)
    _operating_routes(app, pool, SettlementHandler("DE98500105170099999999", "EUR", RAILS), dsn)


def _reconciliation_routes(app: FastAPI, pool: Any, dsn: str) -> None:
    reconciliation.add_routes(app, pool, SystemClock(), 4)
    _operating_routes(app, pool, ReconciliationHandler(), dsn)


class Hundred:
    """Topics that each hold a hundred records; a real broker has its own tests."""

    async def held(self, places: Collection[Place]) -> Mapping[Place, Held]:
        return dict.fromkeys(places, Held(0, 100, 0))

    async def at(self, times: Mapping[Place, int]) -> Mapping[Place, int | None]:
        return dict.fromkeys(times, 50)


def _operating_routes(app: FastAPI, pool: Any, handler: Handler, dsn: str) -> None:
    # Nothing is rehearsed or run: plans alone are made, and ended.
    settings = LaneSettings(dsn, "127.0.0.1:1", 4, CLIENT)
    operating.add_routes(app, operated_by(pool, SystemClock(), handler, settings, horizon=Hundred()))


ROUTES: Mapping[str, Callable[[FastAPI, Any, str], None]] = {
    "ingestion": _ingestion_routes,
    "settlement": _settlement_routes,
    "reconciliation": _reconciliation_routes,
}


def document(name: str) -> dict[str, Any]:
    """The OpenAPI of a service, which needs no database."""
    app = create_app(name, list)
    ROUTES[name](app, None, "")
    return app.openapi()


@dataclass(frozen=True)
class Api:
    """Where a service answers, and a token for all that it allows."""

    url: str
    token: str


async def _ingestion(dsn: str) -> None:
    async with desk_on(dsn) as desk:
        await desk.open(100_00)
        for number in range(5):
            key = f"FILE/1/{number}"
            await desk.ask(instruction(client=CLIENT, idempotency_key=key, amount_minor=40_00))


async def _settlement(dsn: str) -> None:
    connection = await settlement_desk.opened(dsn)
    desk = settlement_desk.Desk(connection)
    await desk.accept(settlement_desk.instruction())
    await desk.close()
    later = settlement_desk.instruction(idempotency_key="later", amount_minor=5)
    await desk.accept(later, now=settlement_desk.EVENING)
    await connection.close()


async def _reconciliation(dsn: str) -> None:
    found = await scene.scene_in(dsn)
    stray = scene.line(None, -7, 1)
    await found.feed(*scene.from_settlement(scene.OTHER_LANE, scene.submitted(1, 100)))
    await found.feed(*scene.from_reader(scene.NOSTRO_LANE, scene.opened(1, 10, 3, [stray])))
    await found.feed(*scene.whole_statement({scene.NOSTRO_LANE: [stray]}))
    await found.connection.close()


_FILLED: Mapping[str, Callable[[str], Awaitable[None]]] = {
    "ingestion": _ingestion,
    "settlement": _settlement,
    "reconciliation": _reconciliation,
}


@contextmanager
def running(postgres: Postgres) -> Iterator[dict[str, Api]]:
    """All three, in a thread with a loop of its own, as in a process."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="apis")
    thread.start()
    stack = AsyncExitStack()

    def run(work: Any) -> Any:
        # They take a second; the rest is for a machine that others use too.
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    try:
        yield {name: run(stack.enter_async_context(_served(postgres, name))) for name in ROUTES}
    finally:
        run(stack.aclose())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


@asynccontextmanager
async def _served(postgres: Postgres, name: str) -> AsyncIterator[Api]:
    async with postgres.database(migrations_of(services()[name])) as dsn:
        await _FILLED[name](dsn)
        await fill_lanes(dsn, services()[name].inputs, CLIENT)
        pool = await create_pool(dsn)
        app = app_behind_a_door(pool, SystemClock())
        ROUTES[name](app, pool, dsn)
        listening, stop = listen("127.0.0.1", 0), asyncio.Event()
        port = listening.getsockname()[1]
        serving = asyncio.create_task(serve(app, "127.0.0.1", port, stop, listening))
        try:
            token = await token_of(dsn, CLIENT, *services()[name].scopes)
            yield Api(f"http://127.0.0.1:{port}", token)
        finally:
            stop.set()
            await serving
            await pool.close()
