"""The hold after a restore: nothing goes out until the bank was asked for all that had gone out before.

The backup does not know what went out since. In this order: the bank's folders are read, once nothing of
the former life can arrive there any more; the lanes handle again what their topics have, and put every
payment of a found file into the batch that carries it; the files are adopted; the bank is asked for each
payment that would go out. Only then payments go out. What contradicts itself keeps the hold, with its
reason.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from goodfunds.clock import Clock, Pause
from goodfunds.errors import InvariantBroken, Unavailable
from goodfunds.events.topics import PAYMENTS
from goodfunds.ids import NO_ID, reference, text
from goodfunds.rails.rail import Rail
from services.settlement.gateway.bank import Bank
from services.settlement.gateway.found import is_ours, read_found
from services.settlement.gateway.work import (
    BankAsked,
    FileAdopted,
    FileFound,
    FileSubmitted,
    FoldersRead,
    Released,
    UndeliveredFile,
    Work,
)
from services.settlement.store import SQL, Reader

log = structlog.get_logger(__name__)

PAYMENTS_PER_STEP = 100
_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(seconds=30)
_LISTING_PAUSE = timedelta(seconds=5)


class Hold:
    """`reason` is why nothing goes out, "" when nothing is held; `listening`: the bank's answers are read.

    `wait`: how long after a restore something of the former life may still arrive at the bank.
    """

    def __init__(self, bank: Bank, rails: Mapping[str, Rail], clock: Clock, wait: timedelta) -> None:
        self.reason = ""
        self.listening = True
        self._bank = bank
        self._rails = rails
        self._clock = clock
        self._wait = wait
        self._resting = self._listed = Pause(clock.now())
        self._pause = _PAUSE

    async def next(self, connection: Reader, files: Sequence[UndeliveredFile]) -> Work | None:
        """The next step towards the release; None where there is none, or nothing is held."""
        row = await connection.fetchrow(SQL["restore_under_way"])
        if row is None:
            self.reason, self.listening = "", True
            return None
        now = self._clock.now()
        try:
            if row["folders_read_at"] is None:
                self.listening = False
                return await self._read_folders(connection, row["incarnation"], row["restored_at"], files)
            work = await self._adopt(connection) or await self._put_back(connection)
            if work is not None:
                return work
            unfinished = await self._unfinished(connection)
            if unfinished:
                self.reason = unfinished
            if unfinished or self._resting.lasts(now):
                return None
            return await self._ask(connection, row["incarnation"], row["asked_to"] or NO_ID)
        except Unavailable as fault:
            log.warning("bank not reached", fault=str(fault))
            self._rest(now)
            return None

    async def _read_folders(
        self, connection: Reader, incarnation: str, restored_at: datetime, files: Sequence[UndeliveredFile]
    ) -> Work | None:
        now = self._clock.now()
        if now < restored_at + self._wait:
            self.reason = f"restored: until {restored_at + self._wait:%H:%M:%S} UTC files may still arrive"
            return None
        if self._resting.lasts(now):
            return None
        self.reason = "restored: the bank's folders are being read"
        names = [name for name in await self._bank.files() if is_ours(name)]
        for file in files:
            if file.file_name in names:
                return FileSubmitted(file)
        found = await self._found(connection, names)
        if found is not None:
            return found
        unfound = await connection.fetchval(SQL["unfound_file"])
        if unfound is not None:
            self.reason = (
                f"restored: {unfound} went out, and is not in the bank's folders: let it be put back"
            )
            self._rest(now)
            return None
        return FoldersRead(incarnation)

    async def _put_back(self, connection: Reader) -> FileFound | None:
        """A file that came into the folders late: a bank was asked to put it back."""
        now = self._clock.now()
        if self._listed.lasts(now):
            return None
        self._listed = Pause(now, _LISTING_PAUSE)
        return await self._found(connection, [name for name in await self._bank.files() if is_ours(name)])

    async def _found(self, connection: Reader, names: Sequence[str]) -> FileFound | None:
        name = await connection.fetchval(SQL["unknown_file"], names)
        if name is None:
            return None
        content = await self._bank.file(name)
        # Beside the loop: a large file takes seconds to read, and the feed's heart must beat meanwhile.
        found = await asyncio.to_thread(read_found, name, content, list(self._rails))
        log.info("file found at the bank", file=name, batches=len(found.batches))
        return found

    async def _adopt(self, connection: Reader) -> FileAdopted | None:
        row = await connection.fetchrow(SQL["adoptable_file"])
        if row is None:
            return None
        if not row["agrees"]:
            raise InvariantBroken(
                f"{row['message_id']}: its batches are sealed with other payments than it has"
            )
        return FileAdopted(row["message_id"], row["file_id"])

    async def _unfinished(self, connection: Reader) -> str:
        """Why nothing may go out yet, of what the database says."""
        self.listening = False
        behind = [str(row["lane"]) for row in await connection.fetch(SQL["lanes_behind"])]
        if behind:
            return f"restored: to handle again what their topics had, lanes {', '.join(behind)}"
        part = await connection.fetchrow(SQL["file_not_whole"])
        if part is not None:
            return "restored: of {} payments in {} the lanes have {}".format(
                part["payments_count"], part["message_id"], part["there"]
            )
        self.listening = True
        elsewhere = await connection.fetchval(SQL["payment_elsewhere"])
        if elsewhere is not None:
            return f"restored: payment {text(elsewhere)} went out, and stands in a batch that has not"
        return ""

    async def _ask(self, connection: Reader, incarnation: str, asked_before: bytes) -> Work | None:
        self.reason = "restored: the bank is being asked for every payment that would go out"
        rows = await connection.fetch(SQL["payments_to_ask_for"], PAYMENTS, asked_before, PAYMENTS_PER_STEP)
        if not rows:
            return Released(incarnation)
        asked_to = asked_before
        for payment_id, lane in rows:
            message_id = await self._bank.message_of(reference(lane, payment_id))
            if message_id is None or await connection.fetch(SQL["refused_files"], [message_id]):
                asked_to = payment_id
                continue
            self.reason = (
                f"restored: the bank knows payment {text(payment_id)} from {message_id or 'a file'}, and its "
                "folders do not have that: let it be put back, and bring the backup back once more"
            )
            log.error("payment at the bank in a file that is not", payment_id=text(payment_id))
            self._rest(self._clock.now())
            return BankAsked(incarnation, asked_to) if asked_to != asked_before else None
        self._pause = _PAUSE
        return BankAsked(incarnation, asked_to)

    def _rest(self, now: datetime) -> None:
        self._resting = Pause(now, self._pause)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
