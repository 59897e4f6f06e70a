"""Which batch a payment joins, and what sealing, sending and refusing a batch mean: pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from goodfunds import ids
from goodfunds.clock import micros
from goodfunds.errors import InvariantBroken
from goodfunds.events.types import BatchRefused, BatchSubmitted, PaymentDelayed, PaymentSubmitted
from services.settlement.model import Batch, BatchKey, Payment, Standing


@dataclass(slots=True)
class FoundBatches:
    """After a restore: of payments the batches that went out with them, in order; `there`: known by a row."""

    of: dict[bytes, list[Batch]] = field(default_factory=dict)
    there: set[bytes] = field(default_factory=set)

    def next(self, payment_id: bytes, after: bytes | None) -> Batch | None:
        """A payment's first batch, or the one after the batch that it leaves."""
        batches = self.of.get(payment_id, ())
        places = [place for place, batch in enumerate(batches, 1) if batch.batch_id == after]
        first = places[-1] if places else 0
        return batches[first] if first < len(batches) else None


class OpenPayments:
    """What a poll changes of the open payments of batches: how many, and what they come to in minor units."""

    def __init__(self) -> None:
        self._changes: dict[bytes, tuple[int, int]] = {}

    def add(self, payment: Payment) -> None:
        """It is in its batch, and has no end yet."""
        self._change(payment, 1)

    def remove(self, payment: Payment) -> None:
        """It has its end, or goes on to another batch."""
        self._change(payment, -1)

    def begin(self, batch_id: bytes) -> tuple[int, int]:
        """What a batch begins with that this poll opens: it is written with its row."""
        return self._changes.pop(batch_id, (0, 0))

    def changes(self) -> dict[bytes, tuple[int, int]]:
        """(payments, minor units) by batch that is there already."""
        return {batch_id: change for batch_id, change in self._changes.items() if change != (0, 0)}

    def _change(self, payment: Payment, sign: int) -> None:
        payments, minor = self._changes.get(payment.batch_id, (0, 0))
        self._changes[payment.batch_id] = payments + sign, minor + sign * payment.amount_minor


Calendar = Callable[[date, datetime], tuple[date, datetime]]
"""(requested date, now) → (date the batch goes out for, its cut-off in UTC)."""


class OpenBatches:
    """The batches that payments of this poll may join; opens those that are missing."""

    def __init__(
        self, latest: Iterable[Batch], calendars: dict[str, Calendar], nostro: str, found: FoundBatches
    ) -> None:
        self._latest = {batch.key: batch for batch in sorted(latest, key=lambda batch: batch.sequence)}
        self._found = found
        self._calendars = calendars
        self._nostro = nostro
        self._chosen: dict[tuple[int, str, str, date], Batch] = {}
        self.opened: list[Batch] = []

    def batch_for(self, lane: int, rail: str, currency: str, requested: date, now: datetime) -> Batch:
        """The open batch for a payment that is asked for on that date. Raises InvariantBroken."""
        asked = (lane, rail, currency, requested)
        batch = self._chosen.get(asked)
        if batch is None:
            calendar = self._calendars.get(rail)
            if calendar is None:
                raise InvariantBroken(
                    f"a payment was accepted on a rail that settlement does not have: {rail}"
                )
            batch_date, cut_off_at = calendar(requested, now)
            key = BatchKey(lane, rail, self._nostro, currency, batch_date)
            batch = self._chosen[asked] = self._open(key, cut_off_at)
        return batch

    def carrying(self, payment_id: bytes, after: bytes | None = None) -> Batch | None:
        """The batch in which the bank has a payment, the one after `after`; None where it has none.

        Only after a restore: the payment had gone out in it, whatever the calendar says now.
        """
        batch = self._found.next(payment_id, after)
        if batch is not None and batch.batch_id not in self._found.there:
            self._found.there.add(batch.batch_id)
            self.opened.append(batch)
        return batch

    def _open(self, key: BatchKey, cut_off_at: datetime) -> Batch:
        last = self._latest.get(key)
        if last is not None and not last.sealed:
            return last
        sequence = last.sequence + 1 if last is not None else 1
        batch = Batch(batch_id(key, sequence), key, sequence, cut_off_at)
        self._latest[key] = batch
        self.opened.append(batch)
        return batch


def batch_id(key: BatchKey, sequence: int) -> bytes:
    """Derived, so that deciding again gives the same batch; its time is the start of its date (UTC)."""
    day_ms = (key.requested_date - date(1970, 1, 1)).days * 86_400_000
    return ids.derived_id(
        day_ms, b"batch", b"%d" % key.lane, key.rail.encode(), key.nostro.encode(), key.currency.encode(),
        b"%d" % sequence,
    )  # fmt: skip


def submitted(
    batch: Batch, members: Iterable[tuple[Payment, Standing]], notice: BatchSubmitted
) -> Iterator[PaymentSubmitted]:
    """The batch is at the bank: each payment that has no outcome yet is submitted."""
    for payment, standing in members:
        if standing.open:
            yield PaymentSubmitted(
                payment_id=payment.payment_id,
                batch_id=batch.batch_id,
                amount_minor=payment.amount_minor,
                submitted_at=notice.submitted_at,
                account=payment.account,
                currency=batch.key.currency,
                rail=batch.key.rail,
                nostro=batch.key.nostro,
                end_to_end_id=payment.end_to_end_id,
                message_id=notice.message_id,
                requested_execution_date=batch.key.requested_date,
            )


def delayed(
    batch: Batch, payment: Payment, joined: Batch, refusal: BatchRefused, now: datetime
) -> PaymentDelayed | None:
    """What to tell of a payment that joins a later batch; nothing where the date stays."""
    if joined.key.requested_date == batch.key.requested_date:
        return None
    return PaymentDelayed(
        payment_id=payment.payment_id,
        batch_id=joined.batch_id,
        amount_minor=payment.amount_minor,
        delayed_at=micros(now),
        account=payment.account,
        currency=batch.key.currency,
        rail=batch.key.rail,
        from_date=batch.key.requested_date,
        to_date=joined.key.requested_date,
        reason=refusal.reason or refusal.reason_code,
    )
