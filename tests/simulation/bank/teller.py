"""The teller: judges files, books what is due, and owes the answers that say so."""

from collections.abc import Sequence
from itertools import groupby

from goodfunds.clock import Clock
from tests.simulation.bank.answers import TEXTS, group_status, status_report
from tests.simulation.bank.books import (
    PAYMENT,
    RETURN,
    Account,
    Booking,
    Books,
    File,
    Line,
    Payment,
    Standing,
    Status,
    Terms,
)
from tests.simulation.bank.judging import judged, reject
from tests.simulation.bank.orders import INVALID_FORMAT, Submission, Unusable, read_orders
from tests.simulation.bank.outbox import CAMT054, PAIN002, Fate, Outbox
from tests.simulation.bank.statements import notification
from tests.simulation.bank.wishes import Wishes


class Teller:
    """Works on the books; nothing of it waits."""

    def __init__(self, books: Books, outbox: Outbox, wishes: Wishes, clock: Clock, terms: Terms) -> None:
        self._books = books
        self._outbox = outbox
        self._wishes = wishes
        self._clock = clock
        self._terms = terms

    def judge(self, file: File) -> None:
        """Take a file, or refuse it whole: unreadable, taken or refused before, or because it was ordered."""
        try:
            submission = read_orders(file.content)
        except Unusable as fault:
            self._refuse(file, Standing.UNREADABLE, INVALID_FORMAT, str(fault))
            return
        file.message_name, file.created_at = submission.message_name, submission.created_at
        copies = (each for each in self._books.files if each.message_id == file.message_id)
        if any(each.standing in (Standing.STANDS, Standing.REFUSED) for each in copies):
            code = self._terms.duplicate_code
            self._refuse(file, Standing.DUPLICATE, code, TEXTS["AM05"])
            return
        code = self._wishes.next_file()
        if code:
            self._books.plant("refused_file", f"{file.message_id} {code}")
            self._refuse(file, Standing.REFUSED, code, TEXTS.get(code, ""))
            return
        self._take(file, submission)

    def book_due(self, payments: Sequence[Payment]) -> None:
        """Book payments that were found good, sorted by file; notify them, then contradict."""
        for file, of_file in groupby(payments, lambda each: each.file):
            members = list(of_file)
            lines: list[Line] = []
            for _, run in groupby(members, lambda each: (each.order.debtor_account, each.order.information)):
                lines += self._lines(list(run))
            self.notify(lines)
            later = [each for each in members if each.told_later]
            if later:
                self.tell(file, later)

    def book_returns(self, payments: Sequence[Payment]) -> None:
        """Give payments back, a line each; notify them."""
        self.notify([self._books.book(RETURN, [each], Booking.INDIVIDUAL) for each in payments])

    def refuse_unfunded(self, payments: Sequence[Payment]) -> list[Payment]:
        """Reject what its account cannot pay on its day, and say so; the others."""
        left = {each.account: each.balance_minor for each in self._books.accounts.values()}
        refused, funded = [], []
        for each in payments:
            order = each.order
            if left[order.debtor_account] < order.amount_minor:
                self._books.forget_faults(each)
                reject(each, "AM04")
                refused.append(each)
            else:
                left[order.debtor_account] -= order.amount_minor
                funded.append(each)
        for file, run in groupby(refused, lambda each: each.file):
            self.tell(file, list(run))
        return funded

    def tell(self, file: File, payments: Sequence[Payment]) -> None:
        """A later pain.002 that tells RJCT of single payments."""
        self._report(file, "PART", (), payments)

    def notify(self, lines: Sequence[Line]) -> None:
        """Owe the camt.054s of lines, each of one account and not too long."""
        most = self._terms.lines_a_notification
        for name, run in groupby(lines, lambda each: each.account):
            of_account = list(run)
            for start in range(0, len(of_account), most):
                self._notify(self._books.accounts[name], of_account[start : start + most])

    def note(self, fate: Fate, kind: str) -> None:
        """Note what becomes of an answer, if it is a fault."""
        if fate is not Fate.ON_TIME:
            self._books.plant("doubled_answer" if fate is Fate.DOUBLED_BYTES else fate.value, kind)

    def _notify(self, account: Account, lines: Sequence[Line]) -> None:
        fate = self._outbox.put(
            CAMT054,
            self._books.day,
            lambda message_id: notification(message_id, self._clock.now(), self._terms, account, lines),
        )
        if fate is not Fate.LOST:
            self.note(fate, CAMT054)
        for line in lines:
            for payment in line.payments:
                if fate is Fate.LOST:
                    self._books.plant(fate.value, CAMT054, payment, line.kind)
                else:
                    payment.notified.add(line.kind)

    def _take(self, file: File, submission: Submission) -> None:
        payments = judged(self._books, self._wishes, file, submission.orders)
        self._books.payments.extend(payments)
        day = self._books.day
        due = [
            each for each in payments if each.status is Status.PENDING and each.order.execution_date <= day
        ]
        told = [each for each in payments if each.told_code and not each.told_later]
        file.standing, file.transactions = Standing.STANDS, len(payments)
        rejected = sum(each.status is Status.REJECTED for each in payments)
        # An enquiry hears what the books say; what answers contradict is not rejected.
        file.group_status = group_status(len(payments), rejected, True)
        kept = [each for each in payments if each.status is Status.PENDING and each not in due]
        informations = []
        for name in dict.fromkeys(each.order.information for each in payments if not each.echo_only):
            members = [each for each in payments if each.order.information == name]
            executed = not any(each in kept for each in members)
            informations.append((name, group_status(len(members), sum(p in told for p in members), executed)))
        self._report(file, group_status(len(payments), len(told), not kept), informations, told)
        self.book_due(due)

    def _refuse(self, file: File, standing: Standing, code: str, reason: str) -> None:
        file.standing, file.group_status, file.reason_code, file.reason = standing, "RJCT", code, reason[:105]
        self._report(file, "RJCT", (), ())

    def _report(
        self, file: File, status: str, informations: Sequence[tuple[str, str]], told: Sequence[Payment]
    ) -> None:
        rejections = [(each, each.told_code) for each in told]
        fate = self._outbox.put(
            PAIN002,
            self._books.day,
            lambda message_id: status_report(
                message_id, self._clock.now(), self._terms.bic, file, status, informations, rejections
            ),
        )
        for each in told:
            each.rejection_lost = fate is Fate.LOST
        self.note(fate, PAIN002)

    def _lines(self, run: Sequence[Payment]) -> list[Line]:
        """The lines of payments of one PmtInf: one where the terms say so and nothing is wrong about them.

        Without details only if it is the whole PmtInf: the house compares count and sum.
        """
        wanted = self._terms.booking
        if wanted is Booking.INDIVIDUAL:
            return [self._books.book(PAYMENT, [each], wanted) for each in run]
        odd = [each for each in run if each.echo_only or each.contradicted]
        plain = [each for each in run if not (each.echo_only or each.contradicted)]
        lines = [self._books.book(PAYMENT, [each], Booking.INDIVIDUAL) for each in odd]
        if not plain:
            return lines
        first = plain[0]
        whole = [
            each
            for each in self._books.payments
            if each.file is first.file and each.order.information == first.order.information
        ]
        if wanted is Booking.WITHOUT_DETAILS and len(whole) != len(plain):
            wanted = Booking.WITH_DETAILS
        for each in plain:
            each.blind = wanted is Booking.WITHOUT_DETAILS
        return [*lines, self._books.book(PAYMENT, plain, wanted)]
