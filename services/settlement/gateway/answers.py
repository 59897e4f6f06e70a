"""Takes the bank's answers out of its outbox: each once by name and by content, large ones in chunks."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO

import prometheus_client
import structlog

from goodfunds.clock import Clock, Pause
from goodfunds.errors import Unavailable
from goodfunds.files.records import InvalidFile
from goodfunds.lanes import Emission
from goodfunds.rails.rail import Rail
from goodfunds.spool import Spool, digest_of, temporary
from services.settlement.gateway.bank import Bank
from services.settlement.gateway.messages import entries, statuses
from services.settlement.gateway.reports import KnownFile, Reporter, Statuses, Verdict
from services.settlement.gateway.told import debit_in, pack, unpack
from services.settlement.gateway.work import MessageTaken
from services.settlement.store import SQL, Pool

log = structlog.get_logger(__name__)

EVENTS_PER_STEP = 2_000
_READ_AGAIN = timedelta(minutes=1)
"""After this an answer that could not be read is fetched again: perhaps the bank was still writing it."""

UNREADABLE = prometheus_client.Counter(
    "goodfunds_bank_answers_unreadable_total", "Bank answers not read: their content, or a download", ["what"]
)

_KINDS = {"pain002": "pain.002", "camt054": "camt.054", "camt053": "camt.053"}
"""How names begin, in the order in which waiting answers are taken; any order is right."""


@dataclass(slots=True)
class _Reading:
    """An answer that is being taken; of `told` the events up to `position` were handed out.

    Read whole before the first of them is, and large: what it says waits in a file and not in memory.
    """

    name: str
    sha256: bytes
    kind: str
    position: int
    told: Spool = field(default_factory=Spool)
    submitted: tuple[bytes, ...] = ()
    refused: tuple[tuple[bytes, str], ...] = ()
    outcome: str = "taken"
    unreadable: bool = False


class AnswerReader:
    """Reads the outbox, one step a call. Raises Unavailable where the bank cannot be reached."""

    def __init__(
        self,
        pool: Pool,
        bank: Bank,
        rails: Mapping[str, Rail],
        reporter: Reporter,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._bank = bank
        self._rails = rails
        self._reporter = reporter
        self._clock = clock
        self._finished: set[str] = set()
        self._failed: Counter[str] = Counter()
        self._unreadable: dict[str, Pause] = {}
        self._reading: _Reading | None = None

    def forget(self) -> None:
        """Remember nothing of the outbox: the database was brought back from a backup, and knows less."""
        self._finished.clear()
        self._failed.clear()
        self._unreadable.clear()
        self._drop()

    async def next(self) -> MessageTaken | None:
        """The next chunk of the answer under way, or of one that waits; None when all are taken."""
        if self._reading is None or not await self._stands(self._reading):
            self._drop()
            self._reading = await self._open_next()
        reading = self._reading
        if reading is None:
            return None
        told = reading.told.read(reading.position, EVENTS_PER_STEP)
        reading.position += len(told)
        finished = reading.position >= len(reading.told) and not reading.unreadable
        if finished or reading.unreadable:
            self._drop()
        return MessageTaken(
            reading.name,
            reading.sha256,
            reading.kind,
            reading.position,
            finished,
            reading.outcome,
            await self._news(told),
            reading.submitted,
            reading.refused,
        )

    def _drop(self) -> None:
        if self._reading is not None:
            self._reading.told.close()
            self._reading = None

    async def _news(self, told: Sequence[bytes]) -> tuple[Emission, ...]:
        """What the lanes do not know: a statement repeats each debit that was notified before it."""
        known: set[int] = set()
        debits = [(place, debit) for place, each in enumerate(told) if (debit := debit_in(each))]
        if debits:
            rows = await self._pool.fetch(
                SQL["known_debits"],
                [place for place, _ in debits],
                [debit.payment_id for _, debit in debits],
                [debit.bank_reference for _, debit in debits],
                [debit.amount_minor for _, debit in debits],
                [debit.currency for _, debit in debits],
            )
            known = {row[0] for row in rows}
        return tuple(
            self._reporter.emission(unpack(each)) for place, each in enumerate(told) if place not in known
        )

    async def _stands(self, reading: _Reading) -> bool:
        """Whether what was handed out last was recorded: else the answer is read again from its position."""
        rows = await self._pool.fetch(SQL["known_messages"], [reading.name])
        return bool(rows) and rows[0]["position"] == reading.position

    async def _open_next(self) -> _Reading | None:
        names = [name for name in await self._bank.answers() if name not in self._finished]
        known = {row["name"]: row for row in await self._pool.fetch(SQL["known_messages"], names)}
        self._finished.update(name for name, row in known.items() if row["finished"])
        now = self._clock.now()
        waiting = [
            (place, name)
            for name in names
            if name not in self._finished
            and (place := _place(name))
            and not (name in self._unreadable and self._unreadable[name].lasts(now))
        ]
        if not waiting:
            return None
        _, _, name = min((self._failed[name], place, name) for place, name in waiting)
        position = known[name]["position"] if name in known else 0
        try:
            return await self._open(name, position)
        except Unavailable:
            # Perhaps the file's fault and not the bank's: the others go first the next time.
            self._failed[name] += 1
            UNREADABLE.labels("download").inc()
            raise

    async def _open(self, name: str, position: int) -> _Reading:
        with temporary() as content:
            await self._bank.download(name, content)
            digest = await asyncio.to_thread(digest_of, content)
            reading = _Reading(name, digest, _KINDS[name[:7]], position)
            same = await self._pool.fetchval(SQL["message_of_content"], digest, name)
            if same is not None:
                reading.outcome = f"the same as {same}"
                return reading
            try:
                await self._read(reading, content)
            except (InvalidFile, ValueError, ArithmeticError) as invalid:
                # Read whole before anything is told: of an answer that breaks off, nothing is taken, and it
                # is not done with either. What it says is missing until the bank has put it right.
                UNREADABLE.labels("content").inc()
                log.error("answer not readable", name=name, fault=str(invalid))
                reading.outcome, reading.unreadable = f"unreadable: {invalid}", True
                self._unreadable[name] = Pause(self._clock.now(), _READ_AGAIN)
            except BaseException:
                reading.told.close()
                raise
        return reading

    async def _read(self, reading: _Reading, content: BinaryIO) -> None:
        """Beside the loop: a large answer takes seconds to read, and the feed's heart must beat meanwhile."""
        now = self._clock.now()
        if reading.kind != "pain.002":
            await asyncio.to_thread(self._entries, reading, content, now)
            return
        message_id = await asyncio.to_thread(_message_id, content)
        file = await known_file(self._pool, message_id)
        verdict = await asyncio.to_thread(self._statuses, reading, content, file, now)
        reading.submitted, reading.refused = verdict.submitted, verdict.refused
        reading.outcome = verdict.outcome

    def _entries(self, reading: _Reading, content: BinaryIO, now: datetime) -> None:
        content.seek(0)
        found = entries(reading.kind, content)
        reading.told.write(map(pack, self._reporter.entries(found, now)))

    def _statuses(
        self, reading: _Reading, content: BinaryIO, file: KnownFile | None, now: datetime
    ) -> Verdict:
        content.seek(0)
        found = statuses(content)
        verdict = self._reporter.statuses(found, file, self._rails, now)
        reading.told.write(_packed(found, verdict))
        return verdict


def _packed(found: Statuses, verdict: Verdict) -> Iterator[bytes]:
    """What the lanes are told; the rest is read too where they are told nothing of it: it may break off."""
    yield from map(pack, verdict.told)
    for _ in found.told:
        pass


def _message_id(content: BinaryIO) -> str:
    """That of the file of ours which a pain.002 is about."""
    content.seek(0)
    return statuses(content).message_id


async def known_file(pool: Pool, message_id: str) -> KnownFile | None:
    """The file of ours with that message id."""
    row = await pool.fetchrow(SQL["file_of_message"], message_id)
    if row is None:
        return None
    batches = await pool.fetch(SQL["batches_of_file"], row["file_id"])
    return KnownFile(
        row["file_id"],
        row["rail"],
        row["nostro"],
        row["deliveries"],
        tuple((each[0], each[1]) for each in batches),
    )


def _place(name: str) -> int:
    """Where an answer of that name stands in the order; 0 for what is none."""
    return list(_KINDS).index(name[:7]) + 1 if name[:7] in _KINDS else 0
