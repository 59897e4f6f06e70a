"""Composition: builds reconciliation's three processes from their settings; nothing else reads settings."""

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
from goodfunds.settings import BankProcessSettings, LaneProcessSettings
from services.reconciliation import SERVICE, adoption, http
from services.reconciliation.control_totals import ControlTotals
from services.reconciliation.handed_in import HandedIn
from services.reconciliation.handlers import ReconciliationHandler
from services.reconciliation.outbox_folder import OutboxFolder
from services.reconciliation.settings import ControlTotalSettings
from services.reconciliation.statement_reader import StatementReader
from services.reconciliation.store import SQL
from services.reconciliation.totals import Schemas


async def lanes(stop: asyncio.Event) -> None:
    """Work the lanes and serve HTTP until `stop` is set."""
    settings = LaneProcessSettings.model_validate({})
    log.configure(SERVICE.name)
    await migrated(SERVICE, settings.postgres)
    pool = await create_pool(
        settings.dsn(SERVICE.database), "goodfunds reconciliation readers", settings.connections
    )
    try:
        handler, tuning = ReconciliationHandler(), settings.lanes(SERVICE.database)
        loop = LaneLoop(handler, tuning, adopt=adoption.adopt, beside=replays_of(handler))
        money = MoneyCollector(SERVICE.name, partial(read_money, pool, SQL["money_by_state"]))
        REGISTRY.register(money)
        neighbours = Neighbours(settings.kafka, settings.dsn(SERVICE.database))
        app = create_app("goodfunds reconciliation", lambda: [*loop.unready(), *neighbours.unready()])
        close_door(app, Principals(pool, SystemClock()), Buckets(settings.request_rate()))
        http.add_routes(app, pool, SystemClock(), settings.partitions)
        operated = operated_by(pool, SystemClock(), handler, tuning, loop.transactions, SERVICE.beside_lanes)
        operating.add_routes(app, operated)
        await together(
            stop,
            loop.run,
            operated.rehearsals.run,
            money.run,
            neighbours.run,
            partial(serve, app, settings.http_host, settings.http_port),
        )
    finally:
        await pool.close()


async def statement_reader(stop: asyncio.Event) -> None:
    """Take the bank's statements in until `stop` is set."""
    settings = BankProcessSettings.model_validate({})
    log.configure("reconciliation-statements")
    outbox = OutboxFolder(settings.sftp())
    await migrated(SERVICE, settings.postgres)
    pool = await create_pool(
        settings.dsn(SERVICE.database), "goodfunds reconciliation statement reader", settings.connections
    )
    try:
        feed = Feed(
            StatementReader(pool, HandedIn(pool, outbox), settings.partitions),
            settings.lanes(SERVICE.database),
            adopt=adoption.know_statements,
        )
        neighbours = Neighbours(settings.kafka, settings.dsn(SERVICE.database))
        app = create_app(
            "goodfunds reconciliation statements", lambda: [*feed.unready(), *neighbours.unready()]
        )
        await together(
            stop, feed.run, neighbours.run, partial(serve, app, settings.http_host, settings.http_port)
        )
    finally:
        await outbox.close()
        await pool.close()


async def second_reader(stop: asyncio.Event) -> None:
    """Publish control totals until `stop` is set."""
    settings = ControlTotalSettings.model_validate({})
    log.configure("reconciliation-control-totals")
    totals = ControlTotals(settings.kafka, Schemas(settings.schemas))
    neighbours = Neighbours(settings.kafka)
    app = create_app("goodfunds control totals", lambda: [*totals.unready(), *neighbours.unready()])
    await together(
        stop, totals.run, neighbours.run, partial(serve, app, settings.http_host, settings.http_port)
    )
