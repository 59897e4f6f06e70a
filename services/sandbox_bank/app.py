"""Composition root: reads the settings, builds the bank, opens its doors, and closes them again."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import structlog
import uvicorn

from goodfunds.clock import Clock, SystemClock
from goodfunds.observability.log import configure
from goodfunds.observability.process import calm_collector
from services.sandbox_bank.bank import Bank, keep_working
from services.sandbox_bank.booking import Terms
from services.sandbox_bank.calendar import business_day_from
from services.sandbox_bank.folders import Folders
from services.sandbox_bank.http import application
from services.sandbox_bank.model import BankIdentity
from services.sandbox_bank.settings import Settings
from services.sandbox_bank.sftp import Desk, listen
from services.sandbox_bank.store import Store
from services.sandbox_bank.wishes import fault_settings

log = structlog.get_logger(__name__)

_FINISH_SECONDS = 30
_SWITCH_SECONDS = 0.001
"""For so long the teller's thread may keep the doors waiting, not 5 ms. Measured: an upload and the listings
beside it take half as long, and the work as much time of the processor."""


class _Http(uvicorn.Server):
    """A server that leaves the process's signals to the composition root."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(frozen=True, slots=True)
class OpenBank:
    """A bank with its doors open, and the ports they have."""

    bank: Bank
    sftp_port: int
    http_port: int


def build(settings: Settings, clock: Clock) -> Bank:
    """The bank on its books, founded if they are new."""
    folders = Folders(settings.data.resolve() / "sandbox-bank")
    folders.make()
    store = Store(folders.books)
    now = clock.now()
    first_day = business_day_from(settings.bank_business_day or now.date())
    store.found(first_day, settings.bank_seed, fault_settings(settings.bank_faults), now)
    terms = Terms(
        settings.bank_booking, settings.bank_transactions_per_notification, settings.bank_duplicate_code
    )
    return Bank(store, folders, BankIdentity(settings.bank_bic, settings.bank_name), terms, clock)


@contextlib.asynccontextmanager
async def open_bank(settings: Settings, clock: Clock) -> AsyncIterator[OpenBank]:
    """Open the bank's doors; on the way out the work under way is finished and the books are closed."""
    bank = build(settings, clock)
    loop = asyncio.get_running_loop()
    wake, stop = asyncio.Event(), asyncio.Event()
    desk = Desk(bank.store, bank.folders, clock, lambda: loop.call_soon_threadsafe(wake.set))
    host, _, port = settings.bank_sftp.rpartition(":")
    sftp = await listen(
        desk,
        host,
        int(port),
        settings.bank_sftp_user,
        settings.bank_sftp_password,
        settings.bank_authorized_keys,
    )
    http = _Http(
        uvicorn.Config(
            application(bank),
            host=settings.http_host,
            port=settings.http_port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_FINISH_SECONDS,
        )
    )
    serving = asyncio.create_task(http.serve())
    working = asyncio.create_task(keep_working(bank, wake, stop, settings.bank_sweep_seconds))
    try:
        while not http.started:
            if serving.done():
                await serving
                raise OSError(f"HTTP cannot listen on {settings.http_host}:{settings.http_port}")
            await asyncio.sleep(0.01)
        http_port = http.servers[0].sockets[0].getsockname()[1]
        opened = OpenBank(bank, sftp.get_port(), http_port)
        log.info("bank open", sftp_port=opened.sftp_port, http_port=http_port)
        yield opened
    finally:
        stop.set()
        wake.set()
        sftp.close()
        http.should_exit = True
        await asyncio.gather(serving, working, return_exceptions=True)
        await sftp.wait_closed()
        bank.store.close()


async def serve() -> None:
    """Run the bank until it is told to stop (SIGTERM, SIGINT)."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    configure("sandbox-bank")
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    sys.setswitchinterval(_SWITCH_SECONDS)
    settings = Settings()  # type: ignore[call-arg]  # they come from the environment
    async with open_bank(settings, SystemClock()):
        calm_collector()
        await stop.wait()
