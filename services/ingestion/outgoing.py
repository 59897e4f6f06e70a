"""What a poll writes and tells: rows by table, postings by lane, events with the seq that each will get."""

import re
from datetime import datetime
from typing import Any

from goodfunds.clock import micros
from goodfunds.events.passing import wrap_accepted
from goodfunds.events.topics import PAYMENT_INSTRUCTIONS, PAYMENTS
from goodfunds.events.types import (
    AccountFunded,
    AccountOpened,
    InstructionRefused,
    PaymentInstruction,
    PaymentRefunded,
    PaymentRejected,
    PaymentRejectedByBank,
    PaymentReturned,
)
from goodfunds.lanes import Emission, Poll
from goodfunds.lanes.headers import header, origin
from goodfunds.lanes.records import Record
from goodfunds.ledger.posting import Posting
from goodfunds.rails.reasons import Refusal
from services.ingestion.incoming import Asked, Unusable
from services.ingestion.model import Account, Refunded
from services.ingestion.store import COLUMNS
from services.ingestion.told import Told

_EXCERPT = 200
_TRACEPARENT = re.compile(b"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context, level 1."""


class Outgoing:
    """Collects the effects of one lane's decisions in order."""

    def __init__(self, poll: Poll, lane: int) -> None:
        self.emissions: list[Emission] = []
        self.postings: list[Posting] = []
        self.rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in COLUMNS}
        self._lane = lane
        self._now: datetime = poll.now
        self._now_us = micros(poll.now)
        self._next_seq = poll.sequences.of(lane, PAYMENTS, lane)

    def _tell(self, key: str, event_type: str, body: bytes, traceparent: bytes) -> int:
        seq = self._next_seq
        self._next_seq += 1
        self.emissions.append(Emission(PAYMENTS, self._lane, key.encode(), event_type, body, traceparent))
        return seq

    def accept(self, asked: Asked, payment_id: bytes, posting: Posting) -> None:
        """The payment is ours: its row, its posting, PaymentAccepted around the client's own bytes."""
        body = wrap_accepted(payment_id, asked.body, self._now_us)
        seq = self._tell(asked.account, "PaymentAccepted", body, _trace(asked.record, payment_id))
        self.postings.append(posting)
        self._payment(asked, payment_id, "accepted", "", "", seq)

    def reject(self, asked: Asked, payment_id: bytes, refusal: Refusal) -> None:
        """The payment is not taken: its row keeps its key, PaymentRejected says why."""
        assert isinstance(asked.request, PaymentInstruction)
        event = PaymentRejected(payment_id, asked.request, refusal.code, refusal.text, self._now_us)
        trace = _trace(asked.record, payment_id)
        seq = self._tell(asked.account, "PaymentRejected", event.encode(), trace)
        self._payment(asked, payment_id, "rejected", refusal.code, refusal.text, seq)

    def _payment(
        self, asked: Asked, payment_id: bytes, state: str, reason_code: str, reason: str, seq: int
    ) -> None:
        request = asked.request
        assert isinstance(request, PaymentInstruction)
        # Texts that a rejected payment may have too long are cut to what their columns are for.
        self.rows["payments"].append((
            payment_id, self._lane, request.client, request.idempotency_key, asked.digest, asked.account,
            request.amount_minor, request.currency[:8], request.rail[:35], state, reason_code, reason,
            request.end_to_end_id[:35], request.uetr[:36], asked.record.offset, seq, self._now,
        ))  # fmt: skip

    def refuse(self, unusable: Unusable, before: Told | None = None) -> None:
        """The record is no payment: stored by offset; told where it names client and key, if not `before`."""
        record, refusal = unusable.record, unusable.refusal
        value = record.value or b""
        self.rows["refused_records"].append((
            record.topic, self._lane, record.offset, refusal.code, refusal.text, len(value),
            value[:_EXCERPT], self._now,
        ))  # fmt: skip
        if unusable.client and unusable.idempotency_key and before is None:
            event = InstructionRefused(
                unusable.client, unusable.idempotency_key, refusal.code, refusal.text, record.topic,
                record.partition, record.offset, self._now_us,
            )  # fmt: skip
            trace = _given_trace(record)
            self._tell(unusable.client, "InstructionRefused", event.encode(), trace)

    def open(self, asked: Asked, account: Account) -> None:
        """The account exists."""
        self.rows["accounts"].append((
            account.account, self._lane, account.currency, account.name, account.state, self._now,
        ))  # fmt: skip
        self.grant(asked)
        event = AccountOpened(account.account, account.currency, account.name, self._now_us)
        self._tell(account.account, "AccountOpened", event.encode(), b"")

    def fund(self, asked: Asked, posting: Posting, source: str, before: Told | None = None) -> None:
        """The money is the customer's; told, unless it was `before`."""
        self.postings.append(posting)
        self.grant(asked)
        if before is not None:
            return
        event = AccountFunded(
            posting.amount_minor, asked.account, posting.currency, source,
            asked.request.idempotency_key, self._now_us,
        )  # fmt: skip
        self._tell(asked.account, "AccountFunded", event.encode(), b"")

    def grant(self, asked: Asked) -> None:
        """The key of a wish that was granted."""
        request = asked.request
        self.rows["account_requests"].append(
            (request.client, request.idempotency_key, self._lane, asked.digest, self._now)
        )

    def refund(
        self,
        record: Record,
        notice: PaymentRejectedByBank | PaymentReturned,
        refunded: Refunded,
        before: Told | None = None,
    ) -> None:
        """The money is the customer's again; told, unless it was `before`."""
        self.postings.append(refunded.posting)
        cause = "returned" if isinstance(notice, PaymentReturned) else "rejected"
        event = PaymentRefunded(
            notice.payment_id, notice.amount_minor, notice.account, notice.currency, notice.rail, cause,
            refunded.credited_account, notice.reason_code, self._now_us,
        )  # fmt: skip
        if before is None:
            seq = self._tell(notice.account, "PaymentRefunded", event.encode(), _given_trace(record))
        else:
            seq = before.event_seq
        self.rows["refunds"].append((
            notice.payment_id, self._lane, notice.amount_minor, notice.currency, cause,
            refunded.credited_account, notice.reason_code, origin(record)[2], record.offset, seq, self._now,
        ))  # fmt: skip

    def forward(self, asked: Asked, to_lane: int, before: Told | None = None) -> None:
        """A record on the wrong partition goes to its account's lane, with the time it first had, once."""
        record = asked.record
        self.rows["forwarded_records"].append((record.topic, self._lane, record.offset, to_lane, self._now))
        if before is not None:
            return
        self.emissions.append(Emission(
            PAYMENT_INSTRUCTIONS, to_lane, asked.account.encode(), type(asked.request).__name__,
            asked.request.encode(), _given_trace(record), asked.first_time,
        ))  # fmt: skip


def _trace(record: Record, payment_id: bytes) -> bytes:
    """The client's trace goes on; without one the payment's id is the trace."""
    return _given_trace(record) or b"00-%b-%b-01" % (payment_id.hex().encode(), payment_id[8:].hex().encode())


def _given_trace(record: Record) -> bytes:
    """The trace that a record carries; one that is none is left behind, for an event has room for no more."""
    given = header(record, "traceparent") if record.headers else None
    return given if given is not None and _TRACEPARENT.fullmatch(given) else b""
