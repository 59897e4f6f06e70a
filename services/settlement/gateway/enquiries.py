"""Asks the bank for what it left without an answer: submitted files, and single payments of theirs."""

from asyncio import get_running_loop
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

import structlog

from goodfunds.clock import Clock, Pause
from goodfunds.errors import Unavailable
from goodfunds.ids import NO_ID, reference
from goodfunds.lanes import Emission
from goodfunds.rails.rail import Rail
from services.settlement.gateway.answers import known_file
from services.settlement.gateway.bank import Bank, Rejection
from services.settlement.gateway.reports import Reporter, Statuses, StatusGiven, TransactionStatus, Verdict
from services.settlement.gateway.work import MessageTaken, PaymentsAsked, Work
from services.settlement.store import SQL, Pool

log = structlog.get_logger(__name__)

PAYMENTS_PER_STEP = 100
_STEP_SECONDS = 2.0
"""A step that takes longer ends early: a new file must not wait for a slow bank's answers."""
_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(minutes=5)


class Enquirer:
    """Asks in rounds, a file at a time and a step a call; a pause between steps, a longer one after a fault.

    A file's first round is due after `silence`, the next whenever its age has doubled, and daily in the
    end. A rejection is told with the answer to the file. What a bank has answered for waits for its date
    without being asked for, and where finality is *booked* the statement shows what was paid: so what is
    open still after a statement is asked for too. Only a rejection has an effect. Anything else, "not
    found" included, is no answer: the payment is as unknown as it was.
    """

    def __init__(
        self,
        pool: Pool,
        bank: Bank,
        rails: Mapping[str, Rail],
        reporter: Reporter,
        clock: Clock,
        silence: timedelta,
    ) -> None:
        self._pool = pool
        self._bank = bank
        self._rails = rails
        self._reporter = reporter
        self._clock = clock
        self._silence = silence
        self._resting = Pause(clock.now())
        self._pause = _PAUSE

    async def next(self) -> Work | None:
        """The next step of the round that is under way or due; None where there is none, or in a pause."""
        now = self._clock.now()
        if self._resting.lasts(now):
            return None
        file = await self._pool.fetchrow(SQL["silent_file"], now, self._silence)
        if file is None:
            return None
        work, fault = await self._step(file)
        if fault is None:
            self._pause = _PAUSE
        else:
            log.warning("bank not reached", file=file["file_name"], fault=str(fault))
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        self._resting = Pause(self._clock.now(), self._pause)
        return work

    async def file_rejected(self, file_id: bytes, message_id: str, rejection: Rejection) -> MessageTaken:
        """The bank's rejection of a whole file, told to an enquiry: worth as much as its pain.002.

        Should that come after all, it repeats what is known and changes nothing.
        """
        given = StatusGiven("RJCT", rejection.reason_code, rejection.reason)
        found = Statuses(message_id, given, asked=True)
        file = await known_file(self._pool, message_id)
        verdict = self._reporter.statuses(found, file, self._rails, self._clock.now())
        emissions = self._emissions(verdict)
        name, digest = f"enquiry/{message_id}", sha256(repr(rejection).encode() + file_id).digest()
        log.warning("file rejected, says the enquiry", message_id=message_id, code=given.reason_code)
        return MessageTaken(
            name, digest, "enquiry", len(emissions), True, verdict.outcome, emissions, verdict.submitted,
            verdict.refused,
        )  # fmt: skip

    async def _step(self, file: Any) -> tuple[Work, Unavailable | None]:
        """A step, and the fault that ended it. What it stumbled on is passed over until the next round."""
        if file["whole"]:
            try:
                standing = await self._bank.enquire(file["file_name"], file["message_id"])
            except Unavailable as fault:
                return PaymentsAsked(file["file_id"], NO_ID), fault
            if standing.rejection is not None:
                return await self.file_rejected(file["file_id"], file["message_id"], standing.rejection), None
        after = file["asked_to"] or NO_ID
        payments = await self._pool.fetch(
            SQL["silent_payments"], file["file_id"], after, file["stated"], PAYMENTS_PER_STEP
        )
        rejected: list[TransactionStatus] = []
        asked, stumbled = await self._ask(file["message_id"], payments, rejected)
        found = Statuses(file["message_id"], StatusGiven(""), rejected, asked=True)
        known = await known_file(self._pool, file["message_id"])
        verdict = self._reporter.statuses(found, known, self._rails, self._clock.now())
        emissions = self._emissions(verdict)
        if asked:
            log.info("payments asked for", file=file["file_name"], asked=asked, rejected=len(emissions))
        finished = asked == len(payments) < PAYMENTS_PER_STEP
        reached = None if finished else payments[asked - 1]["payment_id"]
        return PaymentsAsked(file["file_id"], reached, emissions), stumbled

    def _emissions(self, verdict: Verdict) -> tuple[Emission, ...]:
        return tuple(self._reporter.emission(each) for each in verdict.told)

    async def _ask(
        self, message_id: str, payments: list[Any], rejected: list[TransactionStatus]
    ) -> tuple[int, Unavailable | None]:
        """How many were asked for, at least one where there is one, and the fault that ended it."""
        clock = get_running_loop().time
        until = clock() + _STEP_SECONDS
        for asked, payment in enumerate(payments, 1):
            instruction_id = reference(payment["lane"], payment["payment_id"])
            try:
                rejection = await self._bank.payment_rejection(instruction_id, message_id)
            except Unavailable as fault:
                return asked, fault
            if rejection is not None:
                given = StatusGiven("RJCT", rejection.reason_code, rejection.reason)
                batch = reference(payment["lane"], payment["batch_id"])
                rejected.append(TransactionStatus(batch, instruction_id, payment["end_to_end_id"], given))
            if clock() > until:
                return asked, None
        return len(payments), None
