"""The count and the sums that a header tells of its transactions, against what was counted."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from goodfunds.files.counting import Sums, amount_at, as_decimal
from goodfunds.files.fields import read_count, read_decimal
from goodfunds.files.leaves import Leaves, Unsound
from goodfunds.files.records import FileError
from goodfunds.rails.reasons import INVALID_CONTROL_SUM, INVALID_NUMBER_OF_TRANSACTIONS

Read = TypeVar("Read")


class Counted:
    """Transactions of a part, and the sums of their amounts.

    `sound`: all of them could be read; `complete`: and each had one.
    """

    def __init__(self) -> None:
        self.count = 0
        self.sums = Sums()
        self.sound = self.complete = True

    def add(self, money: tuple[int, str] | None) -> None:
        """Count a transaction: (minor, currency), no currency where it has no amount; None if unsound."""
        self.count += 1
        self.sound = self.sound and money is not None
        if money is not None and money[1]:
            self.sums.add(*money)
        else:
            self.complete = False


class Told:
    """NbOfTxs, CtrlSum and the total amount of a header; None where they are not there, or cannot be read."""

    def __init__(self, found: Leaves, total: str = "") -> None:
        self.message_id = found.stripped("MsgId")
        self.whole_group = found.stripped("GrpRtr") in ("true", "1")
        self.total: tuple[int, str] | None = None
        self._line = found.line
        self._total_path = total
        self._unread: list[FileError] = []
        self.count = self._read(found, "NbOfTxs", read_count, INVALID_NUMBER_OF_TRANSACTIONS)
        self.control_sum = self._read(found, "CtrlSum", read_decimal, INVALID_CONTROL_SUM)
        try:
            self.total = amount_at(found, total) if total else None
        except Unsound as fault:
            self._unread.append(FileError(fault.code, fault.line, fault.path, str(fault)))

    def _read(self, found: Leaves, path: str, read: Callable[[str], Read], code: str) -> Read | None:
        if not found.first(path):
            return None
        try:
            return read(found.stripped(path))
        except ValueError as fault:
            self._unread.append(FileError(code, found.line_at(path), path, str(fault)))
            return None

    def differences(self, path: str, counted: Counted) -> list[FileError]:
        """Where what was counted in the part at `path` is not what is told, or that cannot be read."""
        errors = [replace(each, path=f"{path}/{each.path}") for each in self._unread]
        if self.whole_group and not counted.count:
            # A group is returned whole without naming its transactions.
            return errors
        if self.count is not None and self.count != counted.count:
            why = f"NbOfTxs says {self.count}, there are {counted.count}"
            errors.append(FileError(INVALID_NUMBER_OF_TRANSACTIONS, self._line, f"{path}/NbOfTxs", why))
        if not counted.complete or not counted.count:
            return errors
        found, made = counted.sums.by_currency, counted.sums.decimal()
        if self.control_sum is not None and self.control_sum != made:
            why = f"CtrlSum says {self.control_sum:f}, the amounts make {made:f}"
            errors.append(FileError(INVALID_CONTROL_SUM, self._line, f"{path}/CtrlSum", why))
        if self.total is not None and found != {self.total[1]: self.total[0]}:
            told = f"{as_decimal(*self.total):f} {self.total[1]}"
            why = f"{self._total_path} says {told}, the amounts make {_readable(found)}"
            errors.append(FileError(INVALID_CONTROL_SUM, self._line, f"{path}/{self._total_path}", why))
        return errors


def _readable(sums: Mapping[str, int]) -> str:
    return " and ".join(f"{as_decimal(minor, currency):f} {currency}" for currency, minor in sums.items())
