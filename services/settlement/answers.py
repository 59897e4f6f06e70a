"""Takes the bank's answers of a poll in order, and decides on each with what the books know of it."""

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
from services.settlement.effects import Effects
from services.settlement.model import (
    BLANK,
    Batch,
    Decision,
    Note,
    Payment,
    booking_key,
    identity,
    status_key,
    unattributed_status_key,
)
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
        self._effects = Effects(poll.now, books, outgoing, rows, still_open, postings)
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
        books = self._books
        payment = books.payments.get(entry.payment_id)
        whole = books.batches.get(entry.batch_id) if entry.payment_id == NO_ID else None
        if payment is not None:
            if payment.lane == lane:
                self._effects.apply(lane, payment, self._on_payment(payment, entry))
            else:
                self._effects.send_on(lane, payment.lane, payment.account, entry)
        elif whole is not None:
            if whole.key.lane == lane:
                self._entry_of_batch(lane, whole, entry)
            else:
                self._effects.send_on(lane, whole.key.lane, entry.nostro, entry)
        else:
            unnamed = nameless(entry)
            memory = books.memory(booking_key(unnamed))
            told_as = self._outgoing.told.entry_in_suspense(lane, unnamed)
            decision = attribution.on_unattributed_entry(
                books.candidates(entry), memory, unnamed, self._now, told_as
            )
            self._effects.apply(lane, None, decision)

    def _on_payment(self, payment: Payment, entry: BankEntryReported) -> Decision:
        books = self._books
        batch, standing = books.batches[payment.batch_id], books.standings[payment.payment_id]
        memory = BLANK
        # The plain entry is spared the search for what is remembered: a tenth of a payment's time here.
        if decide.needs_memory(payment, batch, standing, entry):
            memory = books.memory_of(payment, entry)
            if entry.bank_reference and self._outgoing.told.entry_in_suspense(self._nostro_lane, entry):
                # The nostro's lane, which comes last after a restore, has it in suspense.
                memory = replace(memory, unnamed=memory.unnamed + 1)
        return decide.on_entry(payment, batch, standing, memory, entry, self._now)

    def _entry_of_batch(self, lane: int, batch: Batch, entry: BankEntryReported) -> None:
        """An entry that was remembered stays as it was taken: members of a refused batch leave it."""
        books, memory = self._books, self._books.memory(booking_key(entry))
        if (entry.source, identity(entry)) in memory.reports:
            return
        members = books.members(batch.batch_id)
        named = attribution.named_in_batch(members, entry)
        if named is None:
            for payment, decision in attribution.on_batch_entry(batch, members, memory, entry, self._now):
                self._effects.apply(lane, payment, decision)
            return
        payment = books.payments[named.payment_id]
        decision = self._on_payment(payment, named)
        self._effects.apply(lane, payment, decision)
        if decision.note is not None:
            note = Note(booking_key(entry), entry.source, identity(entry), "forwarded", payment.payment_id)
            self._effects.remember(lane, note)

    def _status(self, lane: int, status: PaymentStatusReported) -> None:
        payment = self._books.payments.get(status.payment_id)
        batch = self._books.batches.get(status.batch_id)
        if payment is not None and payment.lane != lane:
            self._effects.send_on(lane, payment.lane, payment.account, status)
        elif payment is not None:
            self._effects.apply(lane, payment, self._on_status(payment, status))
        elif batch is not None and batch.key.lane != lane:
            self._effects.send_on(lane, batch.key.lane, batch.key.nostro, status)
        else:
            self._status_without_payment(lane, batch, status)

    def _on_status(self, payment: Payment, status: PaymentStatusReported) -> Decision:
        books = self._books
        batch, standing = books.batches[payment.batch_id], books.standings[payment.payment_id]
        memory = books.memory(status_key(payment.payment_id))
        return decide.on_status(payment, batch, standing, memory, status, self._now)

    def _status_without_payment(self, lane: int, batch: Batch | None, status: PaymentStatusReported) -> None:
        """By EndToEndId: of the batch that it names, else of its file. One that was remembered stays so."""
        books = self._books
        memory = books.memory(unattributed_status_key(status))
        fitting = []
        if batch is not None and ("pain.002", status.message_id) not in memory.reports:
            members = (payment for payment, _ in books.members(batch.batch_id))
            fitting = [each for each in members if each.end_to_end_id == status.end_to_end_id]
        if len(fitting) == 1:
            self._effects.apply(lane, fitting[0], self._on_status(fitting[0], status))
        elif fitting and status.status != "RJCT":
            # It would be one's alone, once the others have left the batch.
            key = unattributed_status_key(status)
            self._effects.remember(lane, Note(key, "pain.002", status.message_id, "dropped"))
        else:
            told_as = self._outgoing.told.status_in_suspense(lane, status, self._nostro, self._currency)
            decision = attribution.on_unattributed_status(
                books.candidates(status), memory, status, self._nostro, self._currency, self._now, told_as
            )
            self._effects.apply(lane, None, decision)

    def _batch_status(self, lane: int, status: BatchStatusReported) -> None:
        books = self._books
        batch = books.batches.get(status.batch_id)
        if batch is None or batch.key.lane != lane:
            return
        if (batch.batch_id, status.status) in books.batch_statuses:
            return
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
                self._effects.apply(lane, payment, decision)

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
