"""What moved in a statement message, and whether its balances and totals say the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from goodfunds.files.findings import Findings
from goodfunds.files.mt_records import Balance, EntriesTotal, Statement, StatementLine
from goodfunds.rails.reasons import CONTENT_INCORRECT, INVALID_TRANSACTION_CURRENCY


@dataclass(slots=True)
class Movements:
    """`number` counts fields 61, readable or not; `booked` is the signed sum of the booked lines."""

    number: int = 0
    booked: int = 0
    debits: int = 0
    debit_sum: int = 0
    credits: int = 0
    credit_sum: int = 0

    def add(self, line: StatementLine) -> None:
        """One line more."""
        if line.booked:
            self.booked += line.signed_minor
        if line.signed_minor < 0:
            self.debits += 1
            self.debit_sum += line.amount_minor
        else:
            self.credits += 1
            self.credit_sum += line.amount_minor

    def check(
        self,
        statement: Statement,
        closing: Balance | None,
        totals: Sequence[EntriesTotal],
        findings: Findings,
    ) -> None:
        """Warn where opening balance and lines miss the closing one, or 90D and 90C the lines.

        Only warnings: banks give balances and totals of what they do not list line by line, and an MT941
        lists nothing.
        """
        if statement.kind == "mt941":
            return
        opening = statement.opening
        if opening is not None and closing is not None and closing.currency == opening.currency:
            made = opening.amount_minor + self.booked
            if made != closing.amount_minor:
                told = f"opening balance and lines make {made}, the closing balance is {closing.amount_minor}"
                findings.warn(CONTENT_INCORRECT, closing.line, closing.tag, f"{told} (minor units)")
        for total in totals:
            if total.currency != statement.currency:
                continue
            is_debit = total.tag == "90D"
            number, summed = (self.debits, self.debit_sum) if is_debit else (self.credits, self.credit_sum)
            if (number, summed) != (total.number, total.amount_minor):
                told = f"{total.number} of {total.amount_minor} are told, {number} of {summed} are listed"
                findings.warn(CONTENT_INCORRECT, total.line, total.tag, told)


def check_currencies(
    statement: Statement,
    closing: Balance | None,
    others: Sequence[Balance | EntriesTotal],
    findings: Findings,
) -> None:
    """A message is of one currency (network validated rule C27).

    Where the closing balance has another than the opening one, nobody can say which the lines have.
    """
    currency = statement.currency
    if closing is not None and closing.currency != currency:
        told = f"the closing balance is in {closing.currency}, the statement in {currency}"
        findings.refuse(INVALID_TRANSACTION_CURRENCY, closing.line, closing.tag, told)
    for each in others:
        if currency and each.currency != currency:
            told = f"it is in {each.currency}, the statement in {currency}"
            findings.wrong(INVALID_TRANSACTION_CURRENCY, each.line, each.tag, told)
