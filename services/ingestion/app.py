"""Composition: builds ingestion's two processes from their settings; nothing else reads settings."""

import asyncio
from functools import partial

from prometheus_client import REGISTRY

from goodfunds.access.principals import Principals
from goodfunds.access.rate import Buckets
from goodfunds.clock import SystemClock
from goodfunds.http.door import close_door
from goodfunds.lanes import Feed, LaneLoop
from goodfunds.observability import log
from goodfunds.observability.http import create_app, serve
from goodfunds.observability.metrics import MoneyCollector, read_money
from goodfunds.observability.neighbours import Neighbours
from goodfunds.observability.process import together
from goodfunds.operating import http as operating
from goodfunds.operating.operated import operated_by, replays_of
from goodfunds.postgres import create_pool
from goodfunds.service import migrated
from services.ingestion import SERVICE, adoption, http
from services.ingestion.handlers import IngestionHandler
from services.ingestion.instructing import Instructing
from services.ingestion.intake import FileIntake
from services.ingestion.settings import Settings
from services.ingestion.store import SQL


async def lanes(stop: asyncio.Event) -> None:
    """Work the lanes and serve HTTP until `stop` is set."""
    settings = Settings.model_validate({})
    log.configure(SERVICE.name)
    await migrated(SERVICE, settings.postgres)
    pool = await create_pool(
        settings.dsn(SERVICE.database), "goodfunds ingestion readers", settings.connections
    )
    try:
        handler, tuning = IngestionHandler(), settings.lanes(SERVICE.database)
        loop = LaneLoop(handler, tuning, adopt=adoption.adopt, beside=replays_of(handler))
        money = MoneyCollector(SERVICE.name, partial(read_money, pool, SQL["money_by_state"]))
        REGISTRY.register(money)
        neighbours = Neighbours(settings.kafka, settings.dsn(SERVICE.database))
        instructing = Instructing(settings.kafka, settings.partitions, neighbours.broker_is_silent)
        app = create_app("goodfunds ingestion", lambda: [*loop.unready(), *neighbours.unready()])
        close_door(app, Principals(pool, SystemClock()), Buckets(settings.request_rate()))
        http.add_routes(app, pool, SystemClock(), instructing, settings.largest_file)
        operated = operated_by(pool, SystemClock(), handler, tuning, loop.transactions, SERVICE.beside_lanes)
        operating.add_routes(app, operated)
        serving = partial(serve, app, settings.http_host, settings.http_port)
        try:
            await together(stop, loop.run, operated.rehearsals.run, money.run, neighbours.run, serving)
        finally:
            await instructing.close()
    finally:
        await pool.close()


async def intake(stop: asyncio.Event) -> None:
    """Feed the payments of files in until `stop` is set."""
    settings = Settings.model_validate({})
    log.configure("ingestion-intake")
    await migrated(SERVICE, settings.postgres)
    pool = await create_pool(
        settings.dsn(SERVICE.database), "goodfunds ingestion intake reader", settings.connections
    )
    try:
        feed = Feed(
            FileIntake(pool, settings.partitions),
            settings.lanes(SERVICE.database),
            adopt=adoption.look_for_files,
        )
        neighbours = Neighbours(settings.kafka, settings.dsn(SERVICE.database))
        app = create_app("goodfunds ingestion intake", lambda: [*feed.unready(), *neighbours.unready()])
        await together(
            stop, feed.run, neighbours.run, partial(serve, app, settings.http_host, settings.http_port)
        )
    finally:
        await pool.close()
