"""BAI2 control totals: what the records of an account, a group and a file add up to, and their trailers."""

from goodfunds.files.bai2_codes import CLOSING_LEDGER, OPENING_LEDGER, TOTAL_CREDITS, TOTAL_DEBITS
from goodfunds.files.bai2_records import AccountIdentifier, TransactionDetail
from goodfunds.files.findings import Findings
from goodfunds.rails.reasons import INVALID_CONTROL_SUM, INVALID_NUMBER_OF_TRANSACTIONS


class Level:
    """What is in an account, a group or the file so far.

    `total` adds the amounts as they stand, with their signs and whatever they mean: of an account those of
    its 03 and 16 records without availability, of a group its accounts' control totals, of a file its
    groups'. `records` counts physical records with the level's own header, `parts` accounts or groups.
    """

    __slots__ = ("parts", "records", "total")

    def __init__(self) -> None:
        self.total = 0
        self.parts = 0
        self.records = 0

    def add_account(self, account: AccountIdentifier) -> None:
        """The amounts of a 03."""
        self.total += sum(each.amount_minor or 0 for each in account.summaries)

    def add_transaction(self, transaction: TransactionDetail) -> None:
        """The amount of a 16."""
        self.total += transaction.amount_minor

    def compare(self, findings: Findings, line: int, code: str, told: tuple[int, ...], names: str) -> None:
        """Against a trailer: (control total, records), or with the number of parts between them."""
        total, *counts = told
        if total != self.total:
            message = f"the control total is {total}, the amounts make {self.total}"
            findings.refuse(INVALID_CONTROL_SUM, line, code, message)
        if counts[-1] != self.records:
            message = f"{counts[-1]} records are told, {self.records} are there"
            findings.refuse(INVALID_NUMBER_OF_TRANSACTIONS, line, code, message)
        if len(counts) > 1 and counts[0] != self.parts:
            message = f"{counts[0]} {names} are told, {self.parts} are there"
            findings.refuse(INVALID_NUMBER_OF_TRANSACTIONS, line, code, message)


def does_not_add_up(account: AccountIdentifier, booked: int) -> str:
    """How the opening ledger balance and what moved miss the closing one; empty where they do not.

    What moved is total credits less total debits where the bank tells both, for it need not detail all.
    """
    opening, closing = account.amount_minor(OPENING_LEDGER), account.amount_minor(CLOSING_LEDGER)
    if opening is None or closing is None:
        return ""
    credited, debited = account.amount_minor(TOTAL_CREDITS), account.amount_minor(TOTAL_DEBITS)
    moved = booked if credited is None or debited is None else credited - debited
    if opening + moved == closing:
        return ""
    return f"opening ledger {opening} and what moved, {moved}, make {opening + moved}, not {closing}"
