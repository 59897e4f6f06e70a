"""Takes the bank's answers of a poll in order: decides, keeps the books current, collects what to write."""

from dataclasses import replace

from goodfunds.events.types import (
    BankEntryReported,
    BatchRefused,
    BatchStatusReported,
    BatchSubmitted,
    PaymentStatusReported,
)
from goodfunds.ids import NO_ID
from goodfunds.lanes import Poll, lane_of
from goodfunds.ledger.posting import Posting
from services.settlement import attribution, batching, decide
from services.settlement.batching import OpenBatches, OpenPayments
from services.settlement.books import Books, Notice, nameless
from services.settlement.model import (
    BLANK,
    UNANSWERED,
    Decision,
    Payment,
    booking_key,
    remember,
    status_key,
    unattributed_status_key,
)
from services.settlement.outcomes import ENDS, outcome_row
from services.settlement.outgoing import Outgoing
from services.settlement.store import Rows


class Answers:
    """One poll's answers. `submitted`: message id by batch; `refused`: why, by batch."""

    def __init__(
        self,
        poll: Poll,
        books: Books,
        batches: OpenBatches,
        outgoing: Outgoing,
        rows: Rows,
        still_open: OpenPayments,
        postings: dict[int, list[Posting]],
        nostro: str,
        currency: str,
    ) -> None:
        self.submitted: dict[bytes, str] = {}
        self.refused: dict[bytes, str] = {}
        self._now = poll.now
        self._books = books
        self._batches = batches
        self._outgoing = outgoing
        self._rows = rows
        self._still_open = still_open
        self._postings = postings
        self._nostro = nostro
        self._currency = currency
        self._nostro_lane = lane_of(nostro, poll.partitions)

    def take(self, lane: int, notice: Notice) -> None:
        """Decide on one answer, and take its decision into the poll."""
        if isinstance(notice, BankEntryReported):
            self._entry(lane, notice)
        elif isinstance(notice, PaymentStatusReported):
            self._status(lane, notice)
        elif isinstance(notice, BatchStatusReported):
            self._batch_status(lane, notice)
        elif isinstance(notice, BatchSubmitted):
            self._submitted(lane, notice)
        else:
            self._refused(lane, notice)

    def _entry(self, lane: int, entry: BankEntryReported) -> None:
        books, now = self._books, self._now
        payment = books.payments.get(entry.payment_id)
        if payment is not None and payment.lane != lane:
            self._send_on(lane, payment, entry)
        elif payment is not None:
            batch, standing = books.batches[payment.batch_id], books.standings[payment.payment_id]
            memory = BLANK
            # The plain entry is spared the search for what is remembered: a tenth of a payment's time here.
            if decide.needs_memory(payment, batch, standing, entry):
                memory = books.memory_of(payment, entry)
                if entry.bank_reference and self._outgoing.told.entry_in_suspense(self._nostro_lane, entry):
                    # The nostro's lane, which comes last after a restore, has it in suspense.
                    memory = replace(memory, unnamed=memory.unnamed + 1)
            self._apply(lane, payment, decide.on_entry(payment, batch, standing, memory, entry, now))
        elif entry.payment_id == NO_ID and (whole := books.batches.get(entry.batch_id)) is not None:
            if whole.key.lane == lane:
                members = books.members(whole.batch_id)
                named = attribution.named_in_batch(members, entry)
                if named is not None:
                    self._entry(lane, named)
                    return
                memory = books.memory(booking_key(entry))
                for each, decision in attribution.on_batch_entry(whole, members, memory, entry, now):
                    self._apply(lane, each, decision)
            else:
                self._outgoing.send_on(
                    lane, whole.key.lane, entry.nostro, "BankEntryReported", entry.encode()
                )
        else:
            unnamed = nameless(entry)
            memory = books.memory(booking_key(unnamed))
            told_as = self._outgoing.told.entry_in_suspense(lane, unnamed)
            decision = attribution.on_unattributed_entry(
                books.candidates(entry), memory, unnamed, now, told_as
            )
            self._apply(lane, None, decision)

    def _status(self, lane: int, status: PaymentStatusReported) -> None:
        books, now = self._books, self._now
        payment = books.payments.get(status.payment_id)
        if payment is None and status.batch_id in books.batches:
            payment = self._by_end_to_end(status)
        if payment is not None and payment.lane != lane:
            self._send_on(lane, payment, status)
        elif payment is not None:
            batch, standing = books.batches[payment.batch_id], books.standings[payment.payment_id]
            memory = books.memory(status_key(payment.payment_id))
            self._apply(lane, payment, decide.on_status(payment, batch, standing, memory, status, now))
        else:
            memory = books.memory(unattributed_status_key(status))
            told_as = self._outgoing.told.status_in_suspense(lane, status, self._nostro, self._currency)
            decision = attribution.on_unattributed_status(
                books.candidates(status), memory, status, self._nostro, self._currency, now, told_as
            )
            self._apply(lane, None, decision)

    def _by_end_to_end(self, status: PaymentStatusReported) -> Payment | None:
        fitting = [
            payment
            for payment, _ in self._books.members(status.batch_id)
            if payment.end_to_end_id == status.end_to_end_id
        ]
        return fitting[0] if len(fitting) == 1 else None

    def _batch_status(self, lane: int, status: BatchStatusReported) -> None:
        books = self._books
        batch = books.batches.get(status.batch_id)
        if batch is None or batch.key.lane != lane:
            return
        if (batch.batch_id, status.status) not in books.batch_statuses:
            books.batch_statuses.add((batch.batch_id, status.status))
            row = (batch.batch_id, status.status, lane, status.reason_code, status.reason, self._now)
            self._rows.add("batch_statuses", *row)
        if status.status != "RJCT":
            return
        for payment, standing in books.members(batch.batch_id):
            # A status of its own stands against that of the group (ISO 20022 pain.002).
            if not standing.statuses:
                memory = books.memory(status_key(payment.payment_id))
                decision = decide.rejected(
                    payment, batch, standing, memory, status.reason_code, status.reason, self._now
                )
                self._apply(lane, payment, decision)

    def _submitted(self, lane: int, notice: BatchSubmitted) -> None:
        books = self._books
        batch = books.batches.get(notice.batch_id)
        if batch is None or batch.key.lane != lane:
            return
        if not batch.sealed or batch.submitted or batch.refused:
            return
        self.submitted[batch.batch_id] = notice.message_id
        books.batches[batch.batch_id] = replace(batch, submitted=True)
        for event in batching.submitted(batch, books.members(batch.batch_id), notice):
            traceparent = books.payments[event.payment_id].traceparent
            self._outgoing.tell(lane, event.account, event, traceparent)

    def _refused(self, lane: int, notice: BatchRefused) -> None:
        books = self._books
        batch = books.batches.get(notice.batch_id)
        if batch is None or batch.key.lane != lane or not batch.sealed or batch.refused:
            return
        self.refused[batch.batch_id] = f"{notice.reason_code} {notice.reason}".strip()
        members = books.members(batch.batch_id)
        books.batches[batch.batch_id] = replace(batch, refused=True)
        for payment, standing in members:
            if standing.open:
                self._join_later(payment, notice)

    def _join_later(self, payment: Payment, notice: BatchRefused) -> None:
        books, key = self._books, self._books.batches[payment.batch_id].key
        left = books.batches[payment.batch_id]
        joined = self._batches.carrying(payment.payment_id, left.batch_id) or self._batches.batch_for(
            key.lane, key.rail, key.currency, key.requested_date, self._now
        )
        books.batches.setdefault(joined.batch_id, joined)
        event = batching.delayed(left, payment, joined, notice, self._now)
        seq = None
        if event is not None:
            seq = self._outgoing.tell(key.lane, payment.account, event, payment.traceparent)
        moved = replace(payment, batch_id=joined.batch_id, place=payment.place + 1)
        books.payments[payment.payment_id] = moved
        self._still_open.remove(payment)
        self._still_open.add(moved)
        self._rows.add(
            "batch_memberships", payment.payment_id, moved.place, key.lane, joined.batch_id, left.batch_id,
            self._now, seq,
        )  # fmt: skip

    def _send_on(
        self, lane: int, payment: Payment, notice: BankEntryReported | PaymentStatusReported
    ) -> None:
        self._outgoing.send_on(lane, payment.lane, payment.account, type(notice).__name__, notice.encode())

    def _apply(self, lane: int, payment: Payment | None, decision: Decision) -> None:
        books, rows, note = self._books, self._rows, decision.note
        if payment is not None:
            if decision.standing is not None:
                books.standings[payment.payment_id] = decision.standing
            if decision.withdrawn:
                rows.add("batch_withdrawals", payment.batch_id, payment.payment_id, lane, self._now)
            if decision.status is not None:
                told = decision.status
                row = (payment.payment_id, told.status, lane, told.reason_code, told.reason, self._now)
                rows.add("payment_statuses", *row)
        if note is not None:
            key = note.booking_key
            rows.add(
                "noted_reports",
                key,
                note.source,
                note.identity,
                lane,
                note.effect,
                note.payment_id,
                self._now,
            )
            books.remember(key, remember(books.memory(key), note))
        if decision.forward is not None:
            to_lane, account, event = decision.forward
            self._outgoing.send_on(lane, to_lane, account, type(event).__name__, event.encode())
        if decision.postings:
            self._postings.setdefault(lane, []).extend(decision.postings)
        self._outcomes(lane, payment, decision)

    def _outcomes(self, lane: int, payment: Payment | None, decision: Decision) -> None:
        for event in decision.events:
            account = event.account or event.nostro
            traceparent = payment.traceparent if payment is not None else b""
            seq = self._outgoing.tell(lane, account, event, traceparent)
            standing = self._books.standings.get(event.payment_id, UNANSWERED)
            table, row = outcome_row(event, standing, lane, self._now, seq, decision.suspended_of)
            self._rows.add(table, *row)
            if table in ENDS:
                self._still_open.remove(self._books.payments[event.payment_id])
