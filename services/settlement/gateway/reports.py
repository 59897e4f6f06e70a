"""What a bank's message says, told to the lanes: each answer to the lane that its reference carries. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
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

INVALID_CUT_OFF_TIME = "TM01"
NEXT_DATE_CODES = frozenset({INVALID_CUT_OFF_TIME})
"""A whole file refused for these was too late and nothing else: its payments go out with a later batch.

ISO 20022 External Code Sets: TM01 InvalidCutOffTime.
"""


class LaneEntry(NamedTuple):
    """An entry of a camt.054 or camt.053, and the lane that is to be told of it."""

    lane: int
    entry: BankEntryReported

    @property
    def is_plain_debit(self) -> bool:
        """A booked debit of a payment of ours under the bank's own reference."""
        entry = self.entry
        return (
            entry.payment_id != NO_ID
            and bool(entry.bank_reference)
            and (entry.credit_debit, entry.status, entry.reversal) == ("DBIT", "BOOK", False)
        )


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
class Statuses:
    """A pain.002 about one file. `batches`: PmtInfId → status of those that have one.

    `asked`: the bank's answer to an enquiry, which is about all copies of the file.
    """

    message_id: str
    group: StatusGiven
    batches: Mapping[str, StatusGiven]
    transactions: tuple[TransactionStatus, ...]
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
    """What follows from a pain.002: events, and file ids that are thereby submitted or (with why) refused."""

    outcome: str
    emissions: tuple[Emission, ...] = ()
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
            emissions = tuple(self._payment(found.message_id, each, now) for each in found.transactions)
            return Verdict("names no file of ours", emissions)
        if found.group.status == "RJCT" and found.group.reason_code in NEXT_DATE_CODES:
            if file.deliveries > 1 and not found.asked:
                return Verdict("says that bytes sent again came too late: an earlier copy may stand")
            refusal = f"{found.group.reason_code} {found.group.reason}".strip()
            return Verdict(
                "refused for its time",
                tuple(
                    self._emit(
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
                ),
                refused=((file.file_id, refusal),),
            )
        emissions = tuple(
            self._payment(found.message_id, each, now)
            for each in found.transactions
            if not _is_duplicate(each.given, duplicates)
        )
        return Verdict(
            "taken",
            (*emissions, *self._batches(found, file, duplicates, now)),
            submitted=(file.file_id,),
        )

    def entries(self, found: Iterable[tuple[str, BankEntryReported]], now: datetime) -> Iterator[LaneEntry]:
        """(PmtInfId, entry) of a camt.054 or camt.053, with payment and batch where they name them.

        One without the bank's reference gets its occurrence among its likes in this message: after `#` in
        the notification's id. Only of those the message is remembered.
        """
        alike: Counter[tuple[object, ...]] = Counter()
        reported_at = micros(now)
        for payment_information_id, entry in found:
            occurrence = 0
            if not entry.bank_reference:
                likes = (
                    entry.credit_debit, entry.reversal, entry.amount_minor, entry.currency,
                    entry.instruction_id, entry.end_to_end_id, entry.booking_date,
                )  # fmt: skip
                occurrence = alike[likes]
                alike[likes] += 1
            lane, payment_id = self._reference(entry.instruction_id)
            batch_lane, batch_id = self._reference(payment_information_id)
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
            yield LaneEntry(lane, named)

    def emission(self, found: LaneEntry) -> Emission:
        """What its lane is told of an entry."""
        return self._emit(found.lane, found.entry)

    def _payment(self, message_id: str, found: TransactionStatus, now: datetime) -> Emission:
        lane, payment_id = self._reference(found.instruction_id)
        batch_lane, batch_id = self._reference(found.payment_information_id)
        if lane is None:
            lane = batch_lane if batch_lane is not None else self.nostro_lane
        return self._emit(
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

    def _batches(
        self, found: Statuses, file: KnownFile, duplicates: frozenset[str], now: datetime
    ) -> Iterator[Emission]:
        own = {self._reference(name)[1]: given for name, given in found.batches.items()}
        for batch_id, lane in file.batches:
            given = own.get(batch_id, found.group)
            if given.status and not _is_duplicate(given, duplicates):
                yield self._emit(
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

    def _reference(self, text: str) -> tuple[int | None, bytes]:
        found = read_reference(text)
        if found is None or found[0] >= self.partitions:
            return None, NO_ID
        return found

    def _emit(
        self, lane: int, event: BankEntryReported | PaymentStatusReported | BatchStatusReported | BatchRefused
    ) -> Emission:
        return Emission(
            BANK_NOTIFICATIONS, lane, self.nostro.encode(), type(event).__name__, event.encode(), b""
        )


def _is_duplicate(given: StatusGiven, duplicates: frozenset[str]) -> bool:
    return given.status == "RJCT" and given.reason_code in duplicates
