"""What decisions on the bank's answers come to: rows, events and postings, and books kept current."""

from datetime import datetime

from goodfunds.events.types import BankEntryReported, PaymentStatusReported
from goodfunds.ledger.posting import Posting
from services.settlement.batching import OpenPayments
from services.settlement.books import Books
from services.settlement.model import UNANSWERED, Decision, Note, Payment, remember, sent_on_key
from services.settlement.outcomes import ENDS, outcome_row
from services.settlement.outgoing import Outgoing
from services.settlement.store import Rows


class Effects:
    """Collects the effects of one poll's decisions, in order."""

    def __init__(
        self,
        now: datetime,
        books: Books,
        outgoing: Outgoing,
        rows: Rows,
        still_open: OpenPayments,
        postings: dict[int, list[Posting]],
    ) -> None:
        self._now = now
        self._books = books
        self._outgoing = outgoing
        self._rows = rows
        self._still_open = still_open
        self._postings = postings

    def apply(self, lane: int, payment: Payment | None, decision: Decision) -> None:
        """Take a decision into the poll; what comes later in it sees what was decided."""
        books, rows = self._books, self._rows
        if payment is not None:
            if decision.standing is not None:
                books.standings[payment.payment_id] = decision.standing
            if decision.withdrawn:
                rows.add("batch_withdrawals", payment.batch_id, payment.payment_id, lane, self._now)
            if decision.status is not None:
                told = decision.status
                row = (payment.payment_id, told.status, lane, told.reason_code, told.reason, self._now)
                rows.add("payment_statuses", *row)
        if decision.note is not None:
            self.remember(lane, decision.note)
        if decision.forward is not None:
            to_lane, account, event = decision.forward
            self._outgoing.send_on(lane, to_lane, account, type(event).__name__, event.encode())
        if decision.postings:
            self._postings.setdefault(lane, []).extend(decision.postings)
        self._outcomes(lane, payment, decision)

    def remember(self, lane: int, note: Note) -> None:
        """Keep a report, so that it is not taken again."""
        key = note.booking_key
        row = (key, note.source, note.identity, lane, note.effect, note.payment_id, self._now)
        self._rows.add("noted_reports", *row)
        self._books.remember(key, remember(self._books.memory(key), note))

    def send_on(
        self, lane: int, to_lane: int, account: str, answer: BankEntryReported | PaymentStatusReported
    ) -> None:
        """Have an answer that lies on a wrong lane handled in its own, once."""
        key, kind = sent_on_key(lane, answer), type(answer).__name__
        if self._books.memory(key).reports:
            return
        self.remember(lane, Note(key, kind, "", "forwarded", answer.payment_id))
        self._outgoing.send_on(lane, to_lane, account, kind, answer.encode())

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
