"""The bank at work: one worker judges, ends days and sends; everyone else asks or knocks."""

import asyncio
import threading
from dataclasses import dataclass, field
from datetime import date

import structlog

from goodfunds.clock import Clock
from services.sandbox_bank.booking import Terms
from services.sandbox_bank.calendar import business_day_from
from services.sandbox_bank.end_of_day import end_day
from services.sandbox_bank.folders import Folders
from services.sandbox_bank.model import BankIdentity
from services.sandbox_bank.sending import seconds_until_due, send_due_answers
from services.sandbox_bank.store import Store
from services.sandbox_bank.teller import judge_files
from services.sandbox_bank.uploads import register_strays

log = structlog.get_logger(__name__)


class DayIsOver(ValueError):
    """The bank's business day cannot go back."""


@dataclass(frozen=True, slots=True)
class Bank:
    """The bank's books, folders and terms, and the lock under which its one teller works."""

    store: Store
    folders: Folders
    identity: BankIdentity
    terms: Terms
    clock: Clock
    teller: threading.Lock = field(default_factory=threading.Lock)

    def business_day(self) -> date:
        """The day on which the bank books now."""
        return date.fromisoformat(self.store.one("bank")[0])

    def work(self) -> int:
        """Judge what waits in the inbox and send what is due; how many files and answers. Repeatable."""
        with self.teller:
            return self._work()

    def advance(self, to: date) -> tuple[date, list[str]]:
        """End business days until `to` has come; (the day that is open now, the statements written).

        A day on which the bank is closed gives the next one on which it is open. Each day is a transaction:
        interrupted, the same call goes on where it stopped. Raises DayIsOver.
        """
        with self.teller:
            before = self.store.one("last_statement")[0]
            if business_day_from(to) < self.business_day():
                raise DayIsOver(f"{to} is before the business day {self.business_day()}")
            self._work()
            while self.business_day() < to:
                with self.store.writing(self.clock.now()) as books:
                    closed = end_day(books, self.terms)
                log.info("day closed", day=closed.isoformat())
                self._work()
            written = self.store.all("statements_after", (before,))
            return self.business_day(), [name for (name,) in written]

    def _work(self) -> int:
        register_strays(self.store, self.folders, self.clock.now())
        done = self._send()
        for judged in judge_files(self.store, self.folders, self.terms, self.clock):
            # At once: whoever waits for this file's answers need not wait for the next file.
            done += judged + self._send()
        return done

    def _send(self) -> int:
        return len(send_due_answers(self.store, self.folders, self.identity, self.clock))


async def keep_working(bank: Bank, wake: asyncio.Event, stop: asyncio.Event, sweep_seconds: float) -> None:
    """Work at once when woken, and in any case every `sweep_seconds`; a fault is logged and tried again."""
    while not stop.is_set():
        wake.clear()
        pause = sweep_seconds
        try:
            await asyncio.to_thread(bank.work)
            due = await asyncio.to_thread(seconds_until_due, bank.store, bank.clock.now())
            pause = sweep_seconds if due is None else min(due, sweep_seconds)
        except Exception:
            log.exception("the teller failed and will try again")
        try:
            async with asyncio.timeout(pause):
                await wake.wait()
        except TimeoutError:
            continue
