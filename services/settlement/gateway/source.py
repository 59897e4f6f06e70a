"""The gateway's source: one step at a time, files before answers, every call between two commits."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import structlog

from goodfunds.clock import Clock, Pause
from goodfunds.errors import InvariantBroken, Unavailable
from goodfunds.events.topics import BANK_NOTIFICATIONS
from goodfunds.lanes import Emission, Sequences
from goodfunds.rails.rail import Rail
from services.settlement.gateway.answers import AnswerReader
from services.settlement.gateway.assembly import build, next_claim
from services.settlement.gateway.bank import Bank
from services.settlement.gateway.enquiries import Enquirer
from services.settlement.gateway.hold import Hold
from services.settlement.gateway.messages import House
from services.settlement.gateway.record import record
from services.settlement.gateway.reports import Reporter
from services.settlement.gateway.requests import answered_by_person
from services.settlement.gateway.work import (
    BankFileClaim,
    EndAttempt,
    FileSubmitted,
    MarkDelivering,
    StartAttempt,
    UndeliveredFile,
    Work,
)
from services.settlement.store import SQL, Connection, Pool, Reader

log = structlog.get_logger(__name__)

_FIRST_PAUSE = timedelta(seconds=0.5)
_LONGEST_PAUSE = timedelta(seconds=30)
_LISTENING_PAUSE = timedelta(seconds=1)


class Gateway:
    """Carries sealed batches to the bank and its answers to the lanes. A fault of the bank ends no session.

    `late_wait`: how long the lanes that have sealed wait for those that have not.
    `silence`: how long a submitted file may be without an answer before the bank is asked.
    `restore_wait`: how long after a restore something of the former life may still reach the bank.
    """

    producer = "settlement-gateway"
    outputs = (BANK_NOTIFICATIONS,)

    def __init__(
        self,
        pool: Pool,
        bank: Bank,
        rails: Mapping[str, Rail],
        house: House,
        partitions: int,
        nostro_lane: int,
        clock: Clock,
        late_wait: timedelta = timedelta(seconds=30),
        silence: timedelta = timedelta(minutes=10),
        restore_wait: timedelta = timedelta(minutes=30),
    ) -> None:
        self._pool = pool
        self._bank = bank
        self._rails = rails
        self._house = house
        self._clock = clock
        self._late_wait = late_wait
        reporter = Reporter(house.nostro, nostro_lane, partitions)
        self._answers = AnswerReader(pool, bank, rails, reporter, clock)
        self._enquirer = Enquirer(pool, bank, rails, reporter, clock, silence)
        self._hold = Hold(bank, rails, clock, restore_wait)
        self._life: str | None = None
        self._started: tuple[bytes, int, str] | None = None
        self._built: dict[bytes, bytes] = {}
        self._asks: dict[bytes, tuple[Pause, timedelta]] = {}
        self._moved_at = clock.now()
        self._listened = Pause(self._moved_at)

    def unready(self) -> list[str]:
        """Why nothing goes out to the bank; empty where it does."""
        return [self._hold.reason] if self._hold.reason else []

    async def look(self) -> Work | None:
        """The next step: of a file that is under way, a new file, or an answer of the bank."""
        async with self._pool.acquire() as connection:
            await self._note_life(connection)
            files = [UndeliveredFile(*row) for row in await connection.fetch(SQL["undelivered_files"])]
            work: Work | None = await answered_by_person(connection, files)
            work = work or await self._hold.next(connection, files)
            if not self._hold.reason:
                work = work or await self._send(connection, files)
        if self._hold.listening:
            work = work or await self._answer() or await self._enquirer.next()
        if work is not None:
            self._moved_at = self._clock.now()
        return work

    async def _note_life(self, connection: Reader) -> None:
        """Forget what another life of the database knew: it may have begun while another instance worked."""
        life = await connection.fetchval(SQL["life"])
        if life != self._life:
            self._life, self._started = life, None
            self._asks.clear()
            self._answers.forget()

    async def _send(self, connection: Reader, files: Sequence[UndeliveredFile]) -> Work | None:
        work: Work | None = None
        for file in files:
            work = work or await self._step(connection, file)
        return work or await self._claim(connection)

    async def _claim(self, connection: Reader) -> BankFileClaim | None:
        now = self._clock.now()
        found = await next_claim(connection, self._rails, self._house, self._late_wait, now)
        if found is None:
            return None
        claim, content = found
        # Half of a file's cost is to build it: the first upload need not do so again.
        self._built = {claim.sha256: content}
        return claim

    async def record(
        self, connection: Connection, work: Work, now: datetime, sequences: Sequences
    ) -> Sequence[Emission]:
        """Write a step's rows; what the lanes are told of it."""
        del sequences  # the gateway's events are numbered by the feed, and no row of its own needs the number
        return await record(connection, work, now)

    async def _step(self, connection: Reader, file: UndeliveredFile) -> Work | None:
        """One step of a file: upload, rename, or asking for it.

        An attempt that another life of the gateway began is not carried on: one without a committed mark
        before its rename cannot have delivered, one with it is unknown.
        """
        begun = (file.file_id, file.attempts, file.state)
        if file.state == "":
            return self._start(file)
        if file.state == "sending":
            if self._started != begun:
                return EndAttempt(file, "not_sent", "the gateway ended before the delivery")
            return await self._upload(connection, file)
        if file.state == "delivering":
            if self._started != begun:
                return EndAttempt(file, "unknown", "the gateway ended during the delivery")
            return await self._deliver(file)
        return await self._ask(file)

    def _start(self, file: UndeliveredFile) -> StartAttempt:
        attempt = file.attempts + 1
        self._started = (file.file_id, attempt, "sending")
        return StartAttempt(file, attempt)

    async def _upload(self, connection: Reader, file: UndeliveredFile) -> Work:
        content = self._built.pop(file.sha256, b"")
        content = content or await build(connection, file, self._rails, self._house)
        if sha256(content).digest() != file.sha256:
            raise InvariantBroken(f"{file.file_name}: built again, its bytes are not those that were claimed")
        try:
            await self._bank.upload(file.file_name, file.attempts, content)
        except Unavailable as fault:
            return self._ended(file, "not_sent", str(fault))
        self._started = (file.file_id, file.attempts, "delivering")
        return MarkDelivering(file)

    async def _deliver(self, file: UndeliveredFile) -> Work:
        self._started = None
        try:
            await self._bank.deliver(file.file_name, file.attempts)
        except Unavailable as fault:
            return self._ended(file, "unknown", str(fault))
        log.info("file submitted", file=file.file_name, message_id=file.message_id)
        return FileSubmitted(file)

    def _ended(self, file: UndeliveredFile, state: str, detail: str) -> EndAttempt:
        log.warning("attempt to send failed", file=file.file_name, state=state, detail=detail)
        self._started = None
        return EndAttempt(file, state, detail)

    async def _ask(self, file: UndeliveredFile) -> Work | None:
        """Ask for a file whose end is not known; send the same bytes again only where it cannot be there."""
        now = self._clock.now()
        asked, pause = self._asks.get(file.file_id, (Pause(now), _FIRST_PAUSE))
        if asked.lasts(now):
            return None
        self._asks[file.file_id] = (Pause(now, pause), min(pause * 2, _LONGEST_PAUSE))
        try:
            standing = await self._bank.enquire(file.file_name, file.message_id)
        except Unavailable as fault:
            log.warning("bank not reached", file=file.file_name, fault=str(fault))
            return None
        if standing.rejection is not None:
            return await self._enquirer.file_rejected(file.file_id, file.message_id, standing.rejection)
        if standing.found:
            del self._asks[file.file_id]
            log.info("file found at the bank", file=file.file_name, message_id=file.message_id)
            return FileSubmitted(file)
        if file.may_have_gone(now, self._rails[file.rail].unknown_after):
            return None
        return self._start(file)

    async def _answer(self) -> Work | None:
        """The next answer; the longer nothing has moved, the more seldom the outbox is listed."""
        now = self._clock.now()
        if self._listened.lasts(now):
            return None
        try:
            taken = await self._answers.next()
        except Unavailable as fault:
            log.warning("bank not reached", fault=str(fault))
            self._listened = Pause(now, timedelta(seconds=2))
            return None
        if taken is None:
            self._listened = Pause(now, min((now - self._moved_at) / 4, _LISTENING_PAUSE))
        return taken
