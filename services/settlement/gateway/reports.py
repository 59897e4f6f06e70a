"""What a bank's message says, told to the lanes: each answer to the lane that its reference carries. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from goodfunds.clock import micros
from goodfunds.events.topics import BANK_NOTIFICATIONS
from goodfunds.events.types import (
    BankEntryReported,
    BatchRefused,
    BatchStatusReported,
    PaymentStatusReported,
)
from goodfunds.ids import NO_ID, read_reference
from goodfunds.lanes import Emission
from goodfunds.rails.rail import Rail
from services.settlement.gateway.told import Told, repeated_debit, tell

INVALID_CUT_OFF_TIME = "TM01"
NEXT_DATE_CODES = frozenset({INVALID_CUT_OFF_TIME})
"""A whole file refused for these was too late and nothing else: its payments go out with a later batch.

ISO 20022 External Code Sets: TM01 InvalidCutOffTime.
"""


class StatusGiven(NamedTuple):
    """A status at some level of a pain.002; "" where that level has none."""

    status: str
    reason_code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TransactionStatus:
    """A pain.002 TxInfAndSts with the PmtInf that it stands in."""

    payment_information_id: str
    instruction_id: str
    end_to_end_id: str
    given: StatusGiven


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """A pain.002 OrgnlPmtInfAndSts that has a status."""

    payment_information_id: str
    given: StatusGiven


@dataclass(frozen=True, slots=True)
class Statuses:
    """A pain.002 about one file; `told` in its order, once, and perhaps read from the message meanwhile.

    `asked`: the bank's answer to an enquiry, which is about all copies of the file.
    """

    message_id: str
    group: StatusGiven
    told: Iterable[BatchStatus | TransactionStatus] = ()
    asked: bool = False


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file of ours that a pain.002 is about. `deliveries`: attempts that may have delivered it."""

    file_id: bytes
    rail: str
    nostro: str
    deliveries: int
    batches: tuple[tuple[bytes, int], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a pain.002: events, and file ids that are thereby submitted or (with why) refused.

    The events are made as they are taken, and none stands before the message was read to its end.
    """

    outcome: str
    told: Iterable[Told] = ()
    submitted: tuple[bytes, ...] = ()
    refused: tuple[tuple[bytes, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reporter:
    """Puts answers on their lanes; what names nothing of ours goes to the nostro's lane."""

    nostro: str
    nostro_lane: int
    partitions: int

    def statuses(
        self, found: Statuses, file: KnownFile | None, rails: Mapping[str, Rail], now: datetime
    ) -> Verdict:
        """Payments first, then batches: a status of its own stands against that of its group.

        A rejection as a duplicate of bytes that were sent again means that the first copy stands: it says
        nothing, and the file waits for its own answer. That one of several copies came too late does not
        say that none stands: the bank will be asked before the payments go out again.
        """
        duplicates: frozenset[str] = frozenset()
        if file is not None and file.deliveries > 1:
            duplicates = rails[file.rail].duplicate_codes
        if _is_duplicate(found.group, duplicates):
            return Verdict("says that bytes sent again are a duplicate: the first copy stands")
        if file is None:
            return Verdict("names no file of ours", self._statuses(found, (), duplicates, now))
        if found.group.status == "RJCT" and found.group.reason_code in NEXT_DATE_CODES:
            if file.deliveries > 1 and not found.asked:
                return Verdict("says that bytes sent again came too late: an earlier copy may stand")
            refusal = f"{found.group.reason_code} {found.group.reason}".strip()
            return Verdict(
                "refused for its time",
                [
                    tell(
                        lane,
                        BatchRefused(
                            batch_id=batch_id,
                            refused_at=micros(now),
                            message_id=found.message_id,
                            reason_code=found.group.reason_code,
                            reason=found.group.reason,
                        ),
                    )
                    for batch_id, lane in file.batches
                ],
                refused=((file.file_id, refusal),),
            )
        told = self._statuses(found, file.batches, duplicates, now)
        return Verdict("taken", told, submitted=(file.file_id,))

    def entries(self, found: Iterable[tuple[str, BankEntryReported]], now: datetime) -> Iterator[Told]:
        """(PmtInfId, entry) of a camt.054 or camt.053, with payment and batch where they name them.

        One without the bank's reference gets its occurrence among its likes in this message: after `#` in
        the notification's id. Only of those the message is remembered, and of each no more than a hash.
        """
        alike: Counter[bytes] = Counter()
        reported_at = micros(now)
        batch, (batch_lane, batch_id) = "", self._reference("")
        for payment_information_id, entry in found:
            occurrence = 0
            if not entry.bank_reference:
                likes = _hash(
                    entry.credit_debit, entry.reversal, entry.amount_minor, entry.currency,
                    entry.instruction_id, entry.end_to_end_id, entry.booking_date,
                )  # fmt: skip
                occurrence = alike[likes]
                alike[likes] += 1
            lane, payment_id = self._reference(entry.instruction_id)
            if payment_information_id != batch:
                # Once for all payments of a batch, which follow each other.
                batch, (batch_lane, batch_id) = (
                    payment_information_id,
                    self._reference(payment_information_id),
                )
            if lane is None:
                lane = batch_lane if batch_lane is not None else self.nostro_lane
            # Made anew by hand: `replace` is twice the price, and a file holds a hundred thousand.
            named = BankEntryReported(
                payment_id, batch_id, entry.amount_minor, reported_at, entry.currency, entry.credit_debit,
                entry.status, entry.reversal, entry.is_return, entry.nostro, entry.end_to_end_id,
                entry.instruction_id, entry.bank_reference, entry.booking_date, entry.value_date,
                entry.reason_code, entry.reason, entry.source, f"{entry.notification_id}#{occurrence}",
                entry.transaction_count, entry.charges_minor,
            )  # fmt: skip
            yield tell(lane, named, repeated_debit(named))

    def emission(self, told: Told) -> Emission:
        """The event that tells it."""
        return Emission(BANK_NOTIFICATIONS, told.lane, self.nostro.encode(), told.event_type, told.body, b"")

    def _statuses(
        self,
        found: Statuses,
        batches: Iterable[tuple[bytes, int]],
        duplicates: frozenset[str],
        now: datetime,
    ) -> Iterator[Told]:
        own: dict[str, StatusGiven] = {}
        ours = {batch_id for batch_id, _ in batches}
        for each in found.told:
            if isinstance(each, TransactionStatus):
                if not _is_duplicate(each.given, duplicates):
                    yield self._payment(found.message_id, each, now)
            elif self._reference(each.payment_information_id)[1] in ours:
                own[each.payment_information_id] = each.given
        by_batch = {self._reference(name)[1]: given for name, given in own.items()}
        for batch_id, lane in batches:
            given = by_batch.get(batch_id, found.group)
            if given.status and not _is_duplicate(given, duplicates):
                yield tell(
                    lane,
                    BatchStatusReported(
                        batch_id=batch_id,
                        reported_at=micros(now),
                        status=given.status,
                        reason_code=given.reason_code,
                        reason=given.reason,
                        message_id=found.message_id,
                    ),
                )

    def _payment(self, message_id: str, found: TransactionStatus, now: datetime) -> Told:
        lane, payment_id = self._reference(found.instruction_id)
        batch_lane, batch_id = self._reference(found.payment_information_id)
        if lane is None:
            lane = batch_lane if batch_lane is not None else self.nostro_lane
        return tell(
            lane,
            PaymentStatusReported(
                payment_id=payment_id,
                batch_id=batch_id,
                reported_at=micros(now),
                status=found.given.status,
                reason_code=found.given.reason_code,
                reason=found.given.reason,
                message_id=message_id,
                end_to_end_id=found.end_to_end_id,
            ),
        )

    def _reference(self, text: str) -> tuple[int | None, bytes]:
        found = read_reference(text)
        if found is None or found[0] >= self.partitions:
            return None, NO_ID
        return found


def _hash(*fields: object) -> bytes:
    return blake2b(repr(fields).encode(), digest_size=16).digest()


def _is_duplicate(given: StatusGiven, duplicates: frozenset[str]) -> bool:
    return given.status == "RJCT" and given.reason_code in duplicates
