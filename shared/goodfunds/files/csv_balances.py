"""What the lines of a CSV statement add up to, and how its balances hold, account by account."""

from dataclasses import dataclass
from datetime import date

from goodfunds.files.csv_entries import StatementLine
from goodfunds.files.inspection import StatementFacts
from goodfunds.files.records import FileError
from goodfunds.rails.reasons import WRONG_AMOUNT


@dataclass(slots=True)
class Told:
    """A balance that a cell tells."""

    minor: int
    line: int


class AccountTotals:
    """Lines of one account and currency as they come. `order` as in the mapping."""

    __slots__ = (
        "_above_last", "_account", "_backward", "_backward_holds", "_currency", "_first", "_forward",
        "_forward_holds", "_last", "_last_balance", "_order", "_sum", "_up_to_last", "closing", "entries",
        "opening",
    )  # fmt: skip

    def __init__(self, account: str, currency: str, order: str) -> None:
        self.entries = 0
        self.opening: Told | None = None
        self.closing: Told | None = None
        self._account = account
        self._currency = currency
        self._order = order
        self._sum = 0
        self._first: date | None = None
        self._last: date | None = None
        # Read forward, the opening is what a balance leaves of all lines up to its own; read backward, the
        # closing is a balance and all lines above its own. Each balance must give the same.
        self._forward: Told | None = None
        self._backward: Told | None = None
        self._forward_holds = self._backward_holds = True
        self._last_balance = self._above_last = self._up_to_last = 0

    def add(self, line: StatementLine) -> None:
        """Count a line; one that is not booked moves nothing."""
        self.entries += 1
        if not line.booked:
            return
        above, self._sum = self._sum, self._sum + line.amount_minor
        self._first = self._first or line.booking_date
        self._last = line.booking_date
        balance = line.balance_minor
        if balance is None:
            return
        if self._forward is None or self._backward is None:
            self._forward = Told(balance - self._sum, line.line)
            self._backward = Told(balance + above, line.line)
        self._forward_holds = self._forward_holds and balance - self._sum == self._forward.minor
        self._backward_holds = self._backward_holds and balance + above == self._backward.minor
        self._last_balance, self._above_last, self._up_to_last = balance, above, self._sum

    def facts(self, warnings: list[FileError]) -> StatementFacts:
        """The statement; where its balances do not hold, `warnings` gets it."""
        opening, closing = self._by_running_balances(warnings)
        if self.opening is not None:
            opening = self.opening.minor
        if self.closing is not None:
            closing = self.closing.minor
        if opening is not None and closing is not None and opening + self._sum != closing:
            told = self.closing or self.opening or self._forward
            why = (
                f"opening {opening} and entries {self._sum} make {opening + self._sum}, closing is {closing}"
            )
            line = told.line if told else 0
            warnings.append(FileError(WRONG_AMOUNT, line, "balance", f"{why} (minor units)"))
        return StatementFacts(self._account, self._currency, self.entries, self._sum, opening, closing)

    def _by_running_balances(self, warnings: list[FileError]) -> tuple[int | None, int | None]:
        forward, backward = self._forward, self._backward
        if forward is None or backward is None:
            return None, None
        newest_first = self._newest_first()
        if newest_first and self._backward_holds:
            return backward.minor - self._sum, backward.minor
        if not newest_first and self._forward_holds:
            return forward.minor, forward.minor + self._sum
        why = "the balances after each entry do not follow from the amounts"
        warnings.append(FileError(WRONG_AMOUNT, forward.line, "balance", why))
        if newest_first:
            return self._last_balance - (self._sum - self._above_last), backward.minor
        return forward.minor, self._last_balance + self._sum - self._up_to_last

    def _newest_first(self) -> bool:
        if self._order != "detected":
            return self._order == "newest_first"
        if self._forward_holds != self._backward_holds:
            return self._backward_holds
        return self._first is not None and self._last is not None and self._first > self._last
