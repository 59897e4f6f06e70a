"""Rows of a CSV statement to its lines, by a mapping whose columns were found in the file's header."""

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from goodfunds.files.csv_cells import AmountFormat, DateFormat
from goodfunds.files.csv_mapping import Column, IndicatedAmount, Mapping, SplitAmount
from goodfunds.money import UnknownCurrency, exponent
from goodfunds.rails.reasons import (
    CONTENT_INCORRECT,
    INVALID_AMOUNT,
    INVALID_DATE,
    INVALID_FILE_FORMAT,
    INVALID_TRANSACTION_CURRENCY,
)

_SPACE = " \t\u00a0"


@dataclass(frozen=True, slots=True)
class StatementLine:
    """An entry of a CSV statement. `amount_minor` signed, credit positive; an unknown currency is "".

    `balance_minor`: signed, after it; None where the bank gave none. Cells of text are as they stand, also
    where a spreadsheet would take them for formulas.
    """

    account: str
    currency: str
    amount_minor: int
    booking_date: date
    value_date: date | None = None
    booked: bool = True
    text: str = ""
    reference: str = ""
    counterparty_name: str = ""
    counterparty_account: str = ""
    balance_minor: int | None = None
    line: int = field(default=0, compare=False)


class WrongCell(ValueError):
    """A cell that does not say what its column should: reason code and the column's name."""

    def __init__(self, code: str, column: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.column = column


class Columns:
    """Where the columns of a mapping stand in a file. Raises LookupError with those that are missing."""

    def __init__(self, mapping: Mapping, header: Sequence[str]) -> None:
        names = [fold(name) for name in header]
        self.width = max((place + 1 for place, name in enumerate(names) if name), default=0)
        self._header = [name.strip() for name in header]
        found: dict[str, list[int]] = {}
        missing = []
        for what, column in mapping.columns():
            place = _place(column, names)
            if place is not None:
                found.setdefault(what, []).append(place)
            elif what not in mapping.may_lack:
                missing.append(" or ".join(map(str, column)))
        if missing:
            raise LookupError(", ".join(missing))
        self._places: Map[str, Sequence[int]] = found

    def has(self, what: str) -> bool:
        """Whether there is a column of that."""
        return what in self._places

    def cell(self, cells: Sequence[str], what: str) -> str:
        """The cell of a row without the space around it; empty where it has none."""
        places = self._places.get(what)
        if places is None or places[0] >= len(cells):
            return ""
        return cells[places[0]].strip(_SPACE)

    def cells(self, cells: Sequence[str], what: str) -> list[str]:
        """All cells of a row that say that."""
        return [
            cells[place].strip(_SPACE) if place < len(cells) else "" for place in self._places.get(what, ())
        ]

    def name(self, what: str) -> str:
        """What messages call a column: its name in the header, else its number."""
        place = self._places[what][0]
        named = self._header[place] if place < len(self._header) else ""
        return named or f"column {place + 1}"


def fold(name: str) -> str:
    """A header's name as names are compared: whatever its case and the space in and around it."""
    return " ".join(name.split()).casefold()


class Entries:
    """Makes lines of rows. `account` and `currency` may be told by rows that are no entries."""

    def __init__(self, mapping: Mapping, columns: Columns) -> None:
        self.account = mapping.account.fixed or ""
        self.currency = mapping.currency.fixed or ""
        self.columns = columns
        self._mapping = mapping
        self._dates = [DateFormat(written) for written in mapping.dates]
        self._amounts = AmountFormat(
            mapping.decimal,
            mapping.thousands,
            mapping.symbols,
            mapping.trailing_zeros,
            guessed=mapping.knows.any_header,
        )
        booked = mapping.booked
        self._booked = frozenset(map(fold, booked.values)) if booked else frozenset()
        amount = mapping.amount
        self._ways: dict[str, int] = {}
        if isinstance(amount, IndicatedAmount):
            self._ways = {fold(each): 1 for each in amount.credit} | {fold(each): -1 for each in amount.debit}

    def is_entry(self, cells: Sequence[str]) -> bool:
        """Whether a row has what an entry has."""
        if not any(cells):
            return False
        return all(self.columns.cells(cells, "entries_have"))

    def line(self, number: int, cells: Sequence[str]) -> StatementLine:
        """The line of a row that begins on line `number`. Raises WrongCell."""
        columns = self.columns
        width = columns.width
        if width and any(cell.strip(_SPACE) for cell in cells[width:]):
            why = f"the row has {len(cells)} cells, the header {width}: is a delimiter not quoted?"
            raise WrongCell(INVALID_FILE_FORMAT, "", why)
        currency, places = self.currency_of(cells)
        booked = columns.cell(cells, "booked")
        return StatementLine(
            account=self.account_of(cells),
            currency=currency,
            amount_minor=self._amount(cells, places),
            booking_date=self._date(cells, "booking_date"),
            value_date=self._date(cells, "value_date") if columns.cell(cells, "value_date") else None,
            booked=not self._booked or fold(booked) in self._booked,
            text=" ".join(filter(None, columns.cells(cells, "text"))),
            reference=columns.cell(cells, "reference"),
            counterparty_name=columns.cell(cells, "counterparty_name"),
            counterparty_account=columns.cell(cells, "counterparty_account"),
            line=number,
        )

    def account_of(self, cells: Sequence[str]) -> str:
        """The account that a row is of."""
        return self.columns.cell(cells, "account") or self.account

    def currency_of(self, cells: Sequence[str]) -> tuple[str, int]:
        """(currency, its decimal places) of a row. Raises WrongCell."""
        code = self.columns.cell(cells, "currency") or self.currency
        unknown = self._mapping.currency.decimal_places
        if not code and unknown is not None:
            return "", unknown
        # Some exports write `eur`; no two codes differ in their case alone.
        code = code.upper() if code.isascii() else code
        try:
            return code, exponent(code)
        except UnknownCurrency as fault:
            name = self.columns.name("currency") if self.columns.has("currency") else ""
            raise WrongCell(INVALID_TRANSACTION_CURRENCY, name, str(fault)) from None

    def read_amount(self, text: str, places: int, column: str) -> int:
        """Signed minor units of a cell. Raises WrongCell."""
        try:
            return self._amounts.read(text, places)
        except ValueError as fault:
            raise WrongCell(INVALID_AMOUNT, column, str(fault)) from None

    def _amount(self, cells: Sequence[str], places: int) -> int:
        amount, columns = self._mapping.amount, self.columns
        if isinstance(amount, SplitAmount):
            return self._split_amount(cells, places, -1 if amount.debits_are == "positive" else 1)
        minor = self.read_amount(columns.cell(cells, "amount"), places, columns.name("amount"))
        if not isinstance(amount, IndicatedAmount):
            return minor if amount.positive_is == "credit" else -minor
        if minor < 0:
            why = "an amount with an indicator has no sign"
            raise WrongCell(INVALID_AMOUNT, columns.name("amount"), why)
        indicator = columns.cell(cells, "indicator")
        way = self._ways.get(fold(indicator))
        if way is None:
            why = f"{indicator[:40]!r} says neither credit nor debit"
            raise WrongCell(CONTENT_INCORRECT, columns.name("indicator"), why)
        return way * minor

    def _split_amount(self, cells: Sequence[str], places: int, debit_way: int) -> int:
        columns = self.columns
        credit, debit = columns.cell(cells, "credit"), columns.cell(cells, "debit")
        if not credit and not debit:
            raise WrongCell(INVALID_AMOUNT, columns.name("credit"), "neither a credit nor a debit")
        credited = self.read_amount(credit, places, columns.name("credit")) if credit else 0
        debited = self.read_amount(debit, places, columns.name("debit")) if debit else 0
        if credited and debited:
            raise WrongCell(INVALID_AMOUNT, columns.name("debit"), "both a credit and a debit")
        return credited + debit_way * debited

    def _date(self, cells: Sequence[str], what: str) -> date:
        text = self.columns.cell(cells, what)
        for each in self._dates:
            found = each.read(text)
            if found is not None:
                return found
        written = " or ".join(each.written for each in self._dates)
        raise WrongCell(INVALID_DATE, self.columns.name(what), f"{text[:40]!r} is no date like {written}")


def _place(column: Column, names: Sequence[str]) -> int | None:
    """Where a column stands; None where it does not, or where two have its name."""
    for name in column:
        if isinstance(name, int):
            return name - 1
        if names.count(fold(name)) == 1:
            return names.index(fold(name))
    return None
