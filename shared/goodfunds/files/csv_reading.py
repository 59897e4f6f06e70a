"""Reads a CSV statement by its mapping: preamble, header, entries, labelled rows, footer; in flat memory."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from goodfunds.files.csv_balances import AccountTotals, Told
from goodfunds.files.csv_entries import Columns, Entries, StatementLine, WrongCell
from goodfunds.files.csv_mapping import Labelled, Mapping
from goodfunds.files.csv_text import Text, rows
from goodfunds.files.decoding import refusal
from goodfunds.files.inspection import StatementFacts
from goodfunds.files.records import FileError
from goodfunds.files.xml import MOST_ERRORS
from goodfunds.rails.reasons import WRONG_AMOUNT

MOST_STATEMENTS: Final = 1_000
"""Accounts and currencies of one file."""
MOST_BEFORE_HEADER: Final = 100
"""Rows among which the header must stand."""

Row = tuple[int, list[str]]


class Reading:
    """One reading of a file: its sound lines; what is wrong with it gathers in `errors`, 100 at most.

    `warnings`: balances that do not hold or cannot be read.
    """

    def __init__(self, text: Text, mapping: Mapping) -> None:
        self.errors: list[FileError] = []
        self.warnings: list[FileError] = []
        self._text = text
        self._mapping = mapping
        self._totals: dict[tuple[str, str], AccountTotals] = {}
        self._labels: list[tuple[int, str, str]] = []
        self._told_account = self._told_currency = ""
        self._entries: Entries | None = None

    def lines(self) -> Iterator[StatementLine]:
        """The entries in the file's order. Raises InvalidFile for what cannot be read on."""
        mapping, skipped = self._mapping, self._mapping.skip_lines
        source = iter(self._text)
        for _ in islice(source, skipped):
            pass
        found = rows(source, mapping.delimiter, mapping.quote, skipped + 1)
        header, columns = self._header(found)
        entries = self._entries = Entries(mapping, columns)
        if mapping.account.fixed is None:
            entries.account = self._told_account
        for number, cells in self._body(found):
            if len(self.errors) >= MOST_ERRORS:
                return
            if self._is_labelled(number, cells) or cells == header:
                continue
            line = self._line(entries, number, cells)
            if line is not None:
                yield line

    def statements(self) -> tuple[StatementFacts, ...]:
        """What was read, by account and currency, once all lines were asked for."""
        self._settle_labels()
        warnings: list[FileError] = []
        found = tuple(totals.facts(warnings) for totals in self._totals.values())
        self.warnings += warnings[: MOST_ERRORS - len(self.warnings)]
        return found

    def _header(self, found: Iterator[Row]) -> tuple[list[str], Columns]:
        """The header's cells, none where the file has no header, and where the columns stand."""
        if not self._mapping.header:
            return [], Columns(self._mapping, ())
        missing = ""
        for number, cells in islice(found, MOST_BEFORE_HEADER):
            if self._is_labelled(number, cells) or not any(cells):
                continue
            try:
                return cells, Columns(self._mapping, cells)
            except LookupError as fault:
                missing = missing or f": it lacks {fault.args[0]}"
        raise refusal(1, f"no header line of the mapping {self._mapping.name!r}{missing[:300]}")

    def _body(self, found: Iterator[Row]) -> Iterator[Row]:
        """Rows after the header, up to the footer."""
        ends_at, footer_rows = self._mapping.ends_at, self._mapping.footer_rows
        held: deque[Row] = deque()
        for number, cells in found:
            if ends_at and cells and cells[0].startswith(ends_at):
                return
            if not any(cells):
                continue
            held.append((number, cells))
            if len(held) > footer_rows:
                yield held.popleft()

    def _line(self, entries: Entries, number: int, cells: Sequence[str]) -> StatementLine | None:
        entries.currency = entries.currency or self._told_currency
        try:
            if not entries.is_entry(cells):
                self._note_balances(entries, number, cells)
                return None
            line = entries.line(number, cells)
        except WrongCell as fault:
            self.errors.append(FileError(fault.code, number, fault.column, str(fault)))
            return None
        line = self._with_balance(entries, line, cells)
        self._totals_of(line.account, line.currency, number).add(line)
        self._note_balances(entries, number, cells)
        return line

    def _with_balance(self, entries: Entries, line: StatementLine, cells: Sequence[str]) -> StatementLine:
        text = entries.columns.cell(cells, "balance")
        if not text:
            return line
        balance = self._balance(entries, text, cells, "balance", line.line)
        return line if balance is None else replace(line, balance_minor=balance)

    def _note_balances(self, entries: Entries, number: int, cells: Sequence[str]) -> None:
        """Opening and closing where columns tell them; each row that does must tell the same."""
        for what in ("opening_balance", "closing_balance"):
            text = entries.columns.cell(cells, what)
            minor = self._balance(entries, text, cells, what, number) if text else None
            if minor is None:
                continue
            currency, _ = entries.currency_of(cells)
            totals = self._totals_of(entries.account_of(cells), currency, number)
            told = totals.opening if what == "opening_balance" else totals.closing
            if told is not None and told.minor != minor:
                self._warn(number, entries.columns.name(what), f"another balance than on line {told.line}")
            elif told is None and what == "opening_balance":
                totals.opening = Told(minor, number)
            elif told is None:
                totals.closing = Told(minor, number)

    def _balance(
        self, entries: Entries, text: str, cells: Sequence[str], what: str, number: int
    ) -> int | None:
        name = entries.columns.name(what)
        try:
            return entries.read_amount(text, entries.currency_of(cells)[1], name)
        except WrongCell as fault:
            self._warn(number, name, str(fault))
            return None

    def _is_labelled(self, number: int, cells: Sequence[str]) -> bool:
        for rule in self._mapping.labelled:
            if cells and cells[0].startswith(rule.label):
                self._note_label(rule, number, cells)
                return True
        return False

    def _note_label(self, rule: Labelled, number: int, cells: Sequence[str]) -> None:
        self._told_account = _told(rule, rule.account, cells) or self._told_account
        self._told_currency = _told(rule, rule.currency, cells) or self._told_currency
        for what, place in (("opening", rule.opening_balance), ("closing", rule.closing_balance)):
            text = _told(rule, place, cells)
            if text and len(self._labels) < MOST_ERRORS:
                self._labels.append((number, what, text))

    def _settle_labels(self) -> None:
        """Balances that labelled rows told: they are those of the file's one statement."""
        entries = self._entries
        if not self._labels or entries is None:
            return
        number = self._labels[0][0]
        if len(self._totals) > 1:
            self._warn(number, "balance", "a balance of which of the file's accounts?")
            return
        try:
            entries.currency = next(iter(self._totals), ("", entries.currency or self._told_currency))[1]
            currency, places = entries.currency_of(())
            account = next(iter(self._totals), (entries.account, ""))[0]
            totals = self._totals_of(account, currency, number)
            for number, what, text in self._labels:
                told = Told(entries.read_amount(text, places, what), number)
                if what == "opening":
                    totals.opening = told
                else:
                    totals.closing = told
        except WrongCell as fault:
            self._warn(number, fault.column, str(fault))

    def _totals_of(self, account: str, currency: str, number: int) -> AccountTotals:
        known = self._totals.get((account, currency))
        if known is None:
            if len(self._totals) >= MOST_STATEMENTS:
                raise refusal(number, f"more than {MOST_STATEMENTS} accounts and currencies")
            known = self._totals[account, currency] = AccountTotals(account, currency, self._mapping.order)
        return known

    def _warn(self, number: int, path: str, message: str) -> None:
        if len(self.warnings) < MOST_ERRORS:
            self.warnings.append(FileError(WRONG_AMOUNT, number, path, message))


def _told(rule: Labelled, place: int | None, cells: Sequence[str]) -> str:
    """What a labelled row's cell says, without its label and the colon after it."""
    if place is None or place > len(cells):
        return ""
    return cells[place - 1].removeprefix(rule.label).strip(" \t\u00a0:")
