"""The bank's days: statements of the one that ends, returns and executions of the one that begins."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from goodfunds.clock import Clock
from tests.simulation.bank.books import RETURN, Account, Books, Line, Planted, Status, Terms
from tests.simulation.bank.outbox import CAMT053, Outbox
from tests.simulation.bank.statements import Statement, statement_message
from tests.simulation.bank.teller import Teller
from tests.simulation.bank.wishes import Wishes


class Days:
    """What the bank stated; `stated`: statements by account, corrections included."""

    def __init__(
        self, books: Books, outbox: Outbox, wishes: Wishes, teller: Teller, clock: Clock, terms: Terms
    ) -> None:
        self.stated: defaultdict[str, list[Statement]] = defaultdict(list)
        self._books = books
        self._outbox = outbox
        self._wishes = wishes
        self._teller = teller
        self._clock = clock
        self._terms = terms

    def end(self, parts: int, files: int, to: date) -> list[str]:
        """State the day, open the next; the names of the statements' messages."""
        if files not in (1, parts) or to <= self._books.day:
            raise ValueError("a message holds one part or all, and days go on")
        before = len(self._outbox.answers)
        for account in self._books.accounts.values():
            statements = [self._state(account, part, parts) for part in range(parts)]
            chunks = [statements] if files == 1 else [[each] for each in statements]
            for chunk in chunks:
                self._send(account, chunk)
        names = [each.name for each in self._outbox.answers[before:]]
        self._books.day = to
        self._teller.book_returns(
            [each for each in self._books.payments if each.return_code and each.status is Status.BOOKED]
        )
        due = [
            each
            for each in self._books.payments
            if each.status is Status.PENDING and each.order.execution_date <= to
        ]
        self._teller.book_due(self._teller.refuse_unfunded(due))
        return names

    def correct(self, account: str, number: int) -> bool:
        """State a number again as it is in the books."""
        of_number = [each for each in self.stated[account] if each.number == number]
        if len(of_number) != 1:
            return False
        corrected = replace(of_number[0], statement_id=f"{of_number[0].statement_id}-C", damages={})
        self.stated[account].append(corrected)
        self._books.planted.append(
            Planted("corrected_statement", f"number {number}", statement=corrected.statement_id)
        )
        self._send(self._books.accounts[account], [corrected])
        return True

    def _state(self, account: Account, part: int, parts: int) -> Statement:
        """The next statement, with an even share of the lines that none has yet; the last part has all."""
        rest = account.lines[account.stated :]
        lines = tuple(rest[: len(rest) // (parts - part)])
        opening = account.stated_minor
        account.statements += 1
        account.stated += len(lines)
        account.stated_minor = opening + sum(each.signed_minor for each in lines)
        if part + 1 == parts:
            assert account.stated_minor == account.balance_minor, "the bank states what it cannot prove"
        day = self._books.day
        statement_id = f"SIMSTM-{day:%Y%m%d}-{account.account[-8:]}-{account.statements:06d}"
        statement = Statement(
            account.statements, statement_id, day, opening, account.stated_minor, lines, (part, parts),
            self._damages(statement_id, lines),
        )  # fmt: skip
        self.stated[account.account].append(statement)
        return statement

    def _damages(self, statement_id: str, lines: Sequence[Line]) -> dict[int, tuple[int, bool]]:
        found: dict[int, tuple[int, bool]] = {}
        for wish in list(self._wishes.damages):
            line = next((each for each in lines if wish.fits(each)), None)
            if line is None:
                continue
            self._wishes.damages.remove(wish)
            payment, sign = line.payments[0], 1 if line.kind == RETURN else -1
            payment.damaged.add(line.kind)
            found[line.number] = (wish.more_minor, wish.left_out)
            self._books.planted.append(
                Planted(
                    "short_statement" if wish.left_out else "wrong_amount_line", f"line {line.number}",
                    payment.instruction_id, line.kind, statement_id,
                    sign * line.amount_minor if wish.left_out else -sign * wish.more_minor,
                )
            )  # fmt: skip
        return found

    def _send(self, account: Account, statements: Sequence[Statement]) -> None:
        fate = self._outbox.put(
            CAMT053,
            self._books.day,
            lambda message_id: statement_message(
                message_id, self._clock.now(), self._terms, account, statements
            ),
        )
        self._teller.note(fate, CAMT053)
