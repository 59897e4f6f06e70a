"""Composition: builds settlement's two processes from their settings; nothing else reads settings."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

from prometheus_client import REGISTRY

from goodfunds.access.principals import Principals
from goodfunds.access.rate import Buckets
from goodfunds.clock import SystemClock
from goodfunds.http.door import close_door
from goodfunds.lanes import Feed, LaneLoop, lane_of
from goodfunds.observability import log
from goodfunds.observability.http import create_app, serve
from goodfunds.observability.metrics import MoneyCollector, read_money
from goodfunds.observability.neighbours import Neighbours
from goodfunds.observability.process import together
from goodfunds.operating import http as operating
from goodfunds.operating.operated import operated_by, replays_of
from goodfunds.postgres import create_pool
from goodfunds.rails import RAILS
from goodfunds.service import migrated
from services.settlement import SERVICE, adoption, http
from services.settlement.gateway.bank import Bank
from services.settlement.gateway.messages import House
from services.settlement.gateway.source import Gateway
from services.settlement.handlers import SettlementHandler
from services.settlement.settings import GatewaySettings, Settings
from services.settlement.store import SQL

_DUE_SECONDS = 0.2
"""Batches and files wait for it. Measured: a cut-off is closed in 0.1 s, by 0.5 in 0.4; 6 ms a second."""


async def lanes(stop: asyncio.Event) -> None:
    """Work the lanes and serve HTTP until `stop` is set."""
    settings = Settings.model_validate({})
    log.configure(SERVICE.name)
    await migrated(SERVICE, settings.postgres)
    pool = await create_pool(
        settings.dsn(SERVICE.database), "goodfunds settlement readers", settings.connections
    )
    try:
        handler = SettlementHandler(settings.nostro, settings.nostro_currency, RAILS)
        tuning = replace(settings.lanes(SERVICE.database), due_every=_DUE_SECONDS)
        loop = LaneLoop(handler, tuning, adopt=adoption.adopt, beside=replays_of(handler))
        money = MoneyCollector(SERVICE.name, partial(read_money, pool, SQL["money_by_state"]))
        REGISTRY.register(money)
        neighbours = Neighbours(settings.kafka, settings.dsn(SERVICE.database))
        app = create_app("goodfunds settlement", lambda: [*loop.unready(), *neighbours.unready()])
        close_door(app, Principals(pool, SystemClock()), Buckets(settings.request_rate()))
        http.add_routes(app, pool, SystemClock(), RAILS)
        operated = operated_by(pool, SystemClock(), handler, tuning, loop.transactions, SERVICE.beside_lanes)
        operating.add_routes(app, operated)
        serving = partial(serve, app, settings.http_host, settings.http_port)
        await together(stop, loop.run, operated.rehearsals.run, money.run, neighbours.run, serving)
    finally:
        await pool.close()


async def gateway(stop: asyncio.Event) -> None:
    """Carry batches to the bank and its answers back until `stop` is set."""
    settings = GatewaySettings.model_validate({})
    log.configure("settlement-gateway")
    bank = Bank(settings.sftp(), settings.bank_http)
    await migrated(SERVICE, settings.postgres)
    pool = await create_pool(
        settings.dsn(SERVICE.database), "goodfunds settlement gateway reader", settings.connections
    )
    try:
        source = Gateway(
            pool,
            bank,
            RAILS,
            House(settings.house_name, settings.nostro, settings.nostro_bic),
            settings.partitions,
            lane_of(settings.nostro, settings.partitions),
            SystemClock(),
            timedelta(seconds=settings.late_wait),
            timedelta(seconds=settings.bank_silence),
            timedelta(seconds=settings.restore_wait),
        )
        feed = Feed(source, settings.lanes(SERVICE.database), adopt=adoption.adopt_submissions)
        neighbours = Neighbours(settings.kafka, settings.dsn(SERVICE.database))
        app = create_app(
            "goodfunds settlement gateway",
            lambda: [*feed.unready(), *source.unready(), *neighbours.unready()],
        )
        await together(
            stop, feed.run, neighbours.run, partial(serve, app, settings.http_host, settings.http_port)
        )
    finally:
        await bank.close()
        await pool.close()
