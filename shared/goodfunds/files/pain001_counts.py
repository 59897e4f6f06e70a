"""How a pain.001's counts and control sums hold against what stands in it."""

from collections.abc import Iterator

from goodfunds.files.records import FileError, GroupHeader, PaymentInformation
from goodfunds.files.totals import Total
from goodfunds.rails.reasons import INVALID_CONTROL_SUM, INVALID_NUMBER_OF_TRANSACTIONS


class Counted:
    """All transactions of a part, and the total of those that are sound."""

    __slots__ = ("all", "total")

    def __init__(self) -> None:
        self.all = 0
        self.total = Total()


def differences(path: str, told: GroupHeader | PaymentInformation, found: Counted) -> Iterator[FileError]:
    """Where NbOfTxs and CtrlSum of a part at `path` are not what was found in it."""
    count, total = told.number_of_transactions, told.control_sum
    if count is not None and count != found.all:
        why = f"NbOfTxs says {count}, there are {found.all}"
        yield FileError(INVALID_NUMBER_OF_TRANSACTIONS, told.line, f"{path}/NbOfTxs", why)
    # Where a transaction is not sound, its amount is not known, and it has been refused for that.
    if total is not None and found.total.count == found.all and total != found.total.amount:
        why = f"CtrlSum says {total:f}, the amounts make {found.total.amount:f}"
        yield FileError(INVALID_CONTROL_SUM, told.line, f"{path}/CtrlSum", why)
