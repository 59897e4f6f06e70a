"""The simulated bank: what callers and a story do with it. Deterministic; time is handed in."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, timedelta

from goodfunds.clock import Clock
from goodfunds.errors import Unavailable
from tests.simulation.bank.books import Books, File, Payment, Standing, Status, Terms
from tests.simulation.bank.days import Days
from tests.simulation.bank.orders import Order, Unusable, message_id_of, read_orders
from tests.simulation.bank.outbox import Fate, Outbox
from tests.simulation.bank.statements import Statement
from tests.simulation.bank.teller import Teller
from tests.simulation.bank.wishes import Damage, Outages, Treatment, Wish, Wishes


class SimulatedBank:
    """A bank that does nothing by itself: files wait for `judge`, days for `end_day`.

    Every fault is ordered beforehand and noted in `books.planted` once it is committed. Where two faults
    together would leave open what the house must make of them, the later one is not committed.
    """

    def __init__(self, day: date, clock: Clock, terms: Terms | None = None) -> None:
        self.books = Books(day)
        self.outbox = Outbox()
        self.wishes = Wishes()
        self.drafts: dict[str, bytes] = {}
        self._outages = Outages()
        self.terms = terms or Terms()
        self._teller = Teller(self.books, self.outbox, self.wishes, clock, self.terms)
        self._days = Days(self.books, self.outbox, self.wishes, self._teller, clock, self.terms)

    # --- what callers do, through the doors

    def receive_draft(self, name: str, attempt: int, content: bytes) -> None:
        """An upload under a temporary name of its attempt; what earlier attempts left is gone."""
        for earlier in range(1, attempt):
            self.drafts.pop(f"{name}.{earlier}", None)
        if self._outages.cuts_upload():
            self.drafts[f"{name}.{attempt}"] = content[: len(content) // 2]
            self.books.plant("drop_upload", name)
            raise Unavailable(f"upload of {name}: cut in the middle")
        self.drafts[f"{name}.{attempt}"] = content

    def take_in(self, name: str, attempt: int) -> None:
        """The rename of an upload: from here on the bank has the file. Raises Unavailable."""
        draft = f"{name}.{attempt}"
        if draft not in self.drafts:
            raise Unavailable(f"delivery of {name}: no upload of attempt {attempt}")
        if any(each.name == name and each.standing is Standing.RECEIVED for each in self.books.files):
            raise Unavailable(f"delivery of {name}: it lies in the inbox")
        content = self.drafts.pop(draft)
        self.books.files.append(File(len(self.books.files) + 1, name, content, message_id_of(content)))

    def standing_of(self, name: str, message_id: str) -> tuple[bool, tuple[str, str] | None]:
        """Whether a file is known by name or message id, and (code, reason) where it is rejected whole."""
        file = self.books.file(message_id)
        if file is None:
            return any(each.name == name for each in self.books.files), None
        if file.group_status != "RJCT":
            return True, None
        return True, (file.reason_code, file.reason)

    def rejection_of(self, message_id: str, instruction_id: str) -> tuple[str, str] | None:
        """(code, reason) of a payment that is rejected in the books, whatever answers say."""
        payment = self.books.payment(message_id, instruction_id)
        if payment is None or payment.status is not Status.REJECTED:
            return None
        return payment.reason_code, payment.reason

    def breaks(self, call: str, after: bool) -> bool:
        """Whether this call fails, before or after its effect."""
        struck = self._outages.strikes(call, after)
        if struck:
            self.books.plant("timeout_after_upload" if (call, after) == ("deliver", True) else "outage", call)
        return struck

    # --- what the story orders

    def open_account(self, account: str, currency: str, opening_minor: int) -> None:
        """Open an account of the house's; its opening balance is in nobody's statement lines."""
        self.books.open_account(account, currency, opening_minor)

    def waiting(self) -> list[str]:
        """Names of files that wait for `judge`, in the order of their arrival."""
        return [each.name for each in self.books.files if each.standing is Standing.RECEIVED]

    def waiting_orders(self) -> list[Order]:
        """The orders of those files that can be read, in their order."""
        found: list[Order] = []
        for file in self.books.files:
            if file.standing is Standing.RECEIVED:
                with suppress(Unusable):
                    found += read_orders(file.content).orders
        return found

    def judge(self, count: int | None = None) -> int:
        """Judge files that wait (the first `count`), book what is due, answer; how many were judged."""
        files = [each for each in self.books.files if each.standing is Standing.RECEIVED][:count]
        for file in files:
            self._teller.judge(file)
        return len(files)

    def end_day(self, parts: int = 1, files: int = 1, to: date | None = None) -> list[str]:
        """State every account, open the next business day, and book its returns and what falls due.

        The day's lines are in `parts` statements, each with its balances and number, in `files` messages
        (1, or as many as parts). The names of the messages; orders for camt.053 hold for them.
        """
        return self._days.end(parts, files, to or next_day(self.books.day))

    def reject(self, instruction_id: str = "", code: str = "") -> None:
        """Reject a payment when it is judged: that one, or the next that could be paid."""
        self.wishes.add(Wish(Treatment.REJECT, code, instruction_id))

    def refuse_file(self, code: str) -> None:
        """Refuse the next file whole."""
        self.wishes.refuse_file(code)

    def echo_only(self, instruction_id: str = "") -> None:
        """Answers and lines of a payment carry its EndToEndId alone; only where that is unique so far."""
        self.wishes.add(Wish(Treatment.ECHO_ONLY, "", instruction_id))

    def return_later(self, instruction_id: str = "", code: str = "") -> None:
        """A payment that is judged later comes back on the business day after its booking."""
        self.wishes.add(Wish(Treatment.RETURN, code, instruction_id))

    def contradict_later(self, told_first: bool, instruction_id: str = "", code: str = "") -> None:
        """A payment that is judged later is booked, and told RJCT before that or after it."""
        treatment = Treatment.CONTRADICT_BEFORE if told_first else Treatment.CONTRADICT_AFTER
        self.wishes.add(Wish(treatment, code, instruction_id))

    def open_to_faults(self) -> list[str]:
        """InstrIds of booked payments about which nothing is wrong: they may be returned or contradicted."""
        return [each.instruction_id for each in self.books.payments if _is_sound(each)]

    def return_booked(self, instruction_id: str, code: str = "AC04") -> bool:
        """A booked payment comes back on the next business day. False where it may not."""
        payment = self._sound(instruction_id)
        if payment is None:
            return False
        payment.return_code = code
        self.books.plant("return", instruction_id, payment)
        return True

    def contradict_booked(self, instruction_id: str, code: str = "MS03") -> bool:
        """Tell RJCT of a booked payment now. False where it may not."""
        payment = self._sound(instruction_id)
        if payment is None or payment.blind:
            return False
        payment.told_code, payment.contradicted = code, True
        self.books.plant("contradictory_answer", "contradict_booked", payment)
        self._teller.tell(payment.file, [payment])
        return True

    def leave_out_line(self, instruction_id: str = "", side: str = "") -> None:
        """The next statement leaves out a line (of that payment, or the first that may be damaged)."""
        self.wishes.damages.append(Damage(0, instruction_id, side))

    def misstate_line(self, instruction_id: str = "", side: str = "", more_minor: int = 1) -> None:
        """The next statement states a line with so much more."""
        assert more_minor > 0
        self.wishes.damages.append(Damage(more_minor, instruction_id, side))

    def correct_statement(self, account: str, number: int) -> bool:
        """State a number again, undamaged, under another Id; False where it was not stated or corrected.

        Order it only once the reader has taken the first: what comes second is the correction to it.
        """
        return self._days.correct(account, number)

    def statements(self, account: str) -> Sequence[Statement]:
        """What was stated of an account, corrections included."""
        return self._days.stated[account]

    def meet_next(self, kind: str, fate: Fate, count: int = 1) -> None:
        """The next answers of a kind are late, lost, doubled or half written."""
        self.outbox.meet_next(kind, fate, count)

    def break_calls(self, count: int, call: str = "", after: bool = False) -> None:
        """The next calls of a name (as in their gates; empty: any) raise Unavailable."""
        self._outages.add(count, call, after)

    def cut_uploads(self, count: int = 1) -> None:
        """The next uploads break off in the middle."""
        self._outages.cut_uploads(count)

    def settle_down(self) -> list[str]:
        """Quiet: late answers appear, half-written ones are whole, nothing more goes wrong. Their names."""
        self.wishes.clear()
        self._outages.clear()
        return self.outbox.settle_down()

    def _sound(self, instruction_id: str) -> Payment | None:
        found = (each for each in self.books.payments if each.instruction_id == instruction_id)
        return next((each for each in found if _is_sound(each)), None)


def _is_sound(payment: Payment) -> bool:
    wrong = payment.contradicted or payment.echo_only or payment.damaged or payment.return_code
    return payment.status is Status.BOOKED and not wrong


def next_day(day: date) -> date:
    """The next Monday to Friday: whether the bank is shut on holidays too is the story's business."""
    day += timedelta(days=1)
    return day + timedelta(days=max(0, 7 - day.weekday())) if day.weekday() >= 5 else day
