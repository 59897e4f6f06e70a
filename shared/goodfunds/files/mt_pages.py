"""Pages of a statement: messages that intermediate balances join, each to the next one of its account.

SWIFT Standards MT, category 9, MT940 and MT950: a page that others follow ends with 62M, and the next begins
with 60M, which is that balance, under the same statement number and the next sequence number.
"""

from typing import Final

from goodfunds.files.findings import Findings
from goodfunds.files.mt_records import Balance, Statement
from goodfunds.rails.reasons import CONTENT_INCORRECT

MOST_OPEN: Final = 1000
"""Accounts whose next page is awaited at once."""


class Pages:
    """The pages that wait for their next one, by account. Warnings only: banks send pages in files apart."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._open: dict[str, tuple[Statement, Balance]] = {}

    def add(self, statement: Statement, closing: Balance | None) -> None:
        """One message more, whole."""
        opening = statement.opening
        if opening is not None:
            before = self._open.pop(statement.account, None)
            why = _not_joined(before, statement, opening)
            if why:
                self._findings.warn(CONTENT_INCORRECT, opening.line, opening.tag, why)
        if closing is not None and closing.tag == "62M" and len(self._open) < MOST_OPEN:
            self._open[statement.account] = statement, closing

    def close(self) -> None:
        """The file ends."""
        for statement, closing in self._open.values():
            why = f"the page after {_numbered(statement)} is not there"
            self._findings.warn(CONTENT_INCORRECT, closing.line, closing.tag, why)
        self._open.clear()


def _not_joined(before: tuple[Statement, Balance] | None, statement: Statement, opening: Balance) -> str:
    """How a message does not go on where the page before it ended; empty where it does, or begins."""
    if before is None:
        return "the page before is not there" if opening.tag == "60M" else ""
    page, closing = before
    if opening.tag != "60M":
        return f"the page after {_numbered(page)} is not there: another statement begins"
    if (closing.amount_minor, closing.currency) != (opening.amount_minor, opening.currency):
        ended = f"{_numbered(page)} ended with {closing.amount_minor} {closing.currency}"
        return f"{ended}: this is no page after it"
    numbers = page.sequence_number, statement.sequence_number
    follows = all(numbers) and int(numbers[0]) + 1 == int(numbers[1])
    if all(numbers) and (not follows or page.statement_number != statement.statement_number):
        return f"{_numbered(statement)} is not the page after {_numbered(page)}"
    return ""


def _numbered(statement: Statement) -> str:
    return f"statement {statement.statement_number}/{statement.sequence_number}"
