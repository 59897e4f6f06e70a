"""The declared mapping of a bank's CSV statements: which column says what, and how it is written."""

import codecs
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from goodfunds.files.csv_cells import DateFormat
from goodfunds.files.csv_text import DETECTED, MOST_COLUMNS
from goodfunds.money import exponent

_ENCODINGS = re.compile(
    "utf-8|ascii|utf-16-(?:le|be)|iso8859-[0-9]{1,2}|cp125[0-8]|cp437|cp85[028]|mac-roman"
)
"""As Python names them: each byte, or pair, is a character or is not, and no state is kept."""


def _column(value: Any) -> Any:
    names = value if isinstance(value, list | tuple) else [value]
    for name in names:
        if isinstance(name, bool) or not isinstance(name, int | str) or name == "":
            raise ValueError("a column is the name in its header, a list of such names, or a number from 1")
        if isinstance(name, int) and not 1 <= name <= MOST_COLUMNS:
            raise ValueError(f"columns are numbered from 1 to {MOST_COLUMNS}")
    if not names:
        raise ValueError("a list of names has at least one")
    return tuple(names)


def _currency(code: str) -> str:
    exponent(code)
    return code


def _codec(name: str) -> str:
    if name == DETECTED:
        return name
    try:
        found = codecs.lookup(name).name
    except LookupError:
        found = ""
    if _ENCODINGS.fullmatch(found) is None:
        raise ValueError(f"{name!r} is no encoding that statements are written in")
    return found


def _date_format(written: str) -> str:
    return DateFormat(written).written


Column = Annotated[tuple[int | str, ...], BeforeValidator(_column)]
"""Names of a header, the first that it has counts; or a number from 1."""
Text = Annotated[str, Field(min_length=1, max_length=200)]
Mark = Annotated[str, Field(min_length=1, max_length=1)]
Currency = Annotated[str, AfterValidator(_currency)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)


class SignedAmount(_Part):
    """One column with a sign."""

    style: Literal["signed"]
    column: Column
    positive_is: Literal["credit", "debit"] = "credit"


class SplitAmount(_Part):
    """A column for credits and one for debits, one of them filled; `debits_are` how debits are written."""

    style: Literal["split"]
    credit: Column
    debit: Column
    debits_are: Literal["positive", "negative"] = "positive"


class IndicatedAmount(_Part):
    """An amount without a sign, and a column that says which way it goes."""

    style: Literal["indicator"]
    column: Column
    indicator: Column
    credit: tuple[Text, ...] = Field(min_length=1)
    debit: tuple[Text, ...] = Field(min_length=1)


class CurrencySource(_Part):
    """Where the currency stands: a column, a fixed one (also for empty cells of the column), or nowhere.

    `decimal_places`: of amounts whose currency the file does not say; it is then "".
    """

    column: Column | None = None
    fixed: Currency | None = None
    decimal_places: int | None = Field(default=None, ge=0, le=4)
    labelled: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> "CurrencySource":
        if self.column is None and self.fixed is None and self.decimal_places is None and not self.labelled:
            raise ValueError("a column, a fixed currency, labelled, or decimal_places is wanted")
        return self


class AccountSource(_Part):
    """The account that an entry is of: a column, or fixed."""

    column: Column | None = None
    fixed: Text | None = None


class Booked(_Part):
    """Which entries are booked: a column with one of these values, whatever their case."""

    column: Column
    values: tuple[Text, ...] = Field(min_length=1)


class Labelled(_Part):
    """A row that is no entry and begins with a label; the numbers of its cells that say something."""

    label: Text
    account: int | None = Field(default=None, ge=1, le=MOST_COLUMNS)
    currency: int | None = Field(default=None, ge=1, le=MOST_COLUMNS)
    opening_balance: int | None = Field(default=None, ge=1, le=MOST_COLUMNS)
    closing_balance: int | None = Field(default=None, ge=1, le=MOST_COLUMNS)


Optional = Literal[
    "value_date", "currency", "account", "balance", "opening_balance", "closing_balance", "text",
    "reference", "counterparty_name", "counterparty_account",
]  # fmt: skip


class Knows(_Part):
    """How a mapping knows its files: header lines by all of their names; any header with all columns that

    are declared, and no others that could change what an amount means (`any_header`), tried after those; or,
    where there is none, the number of columns.
    """

    headers: tuple[tuple[str, ...], ...] = ()
    any_header: bool = False
    columns: int | None = Field(default=None, ge=1, le=MOST_COLUMNS)


class Mapping(_Part):
    """A dialect of CSV statements. See docs of each part; `shared/goodfunds/files/csv_dialects` has examples.

    `skip_lines`: rows that are passed over before all; the header is then the first row with all columns
    that are declared, but for those of what it `may_lack`. `footer_rows`: the last rows, which are no
    entries; `ends_at`: a first cell that ends the entries. `entries_have`: columns that an entry fills; a
    row without them is none. `balance` after each entry; `opening_balance` and `closing_balance` on rows of
    any kind.
    """

    name: Text
    title: Text
    knows: Knows = Knows()
    encoding: Annotated[str, AfterValidator(_codec)] = DETECTED
    delimiter: Mark = ","
    quote: Annotated[str, Field(max_length=1)] = '"'
    header: bool = True
    skip_lines: int = Field(default=0, ge=0, le=1_000)
    footer_rows: int = Field(default=0, ge=0, le=100)
    ends_at: Text | None = None
    entries_have: tuple[Column, ...] = ()
    labelled: tuple[Labelled, ...] = ()
    decimal: Mark = "."
    thousands: Annotated[str, Field(max_length=6)] = ""
    symbols: tuple[Text, ...] = ()
    trailing_zeros: bool = False
    dates: tuple[Annotated[str, AfterValidator(_date_format)], ...] = Field(min_length=1)
    booking_date: Column
    value_date: Column | None = None
    amount: Annotated[SignedAmount | SplitAmount | IndicatedAmount, Field(discriminator="style")]
    currency: CurrencySource
    account: AccountSource = AccountSource()
    balance: Column | None = None
    opening_balance: Column | None = None
    closing_balance: Column | None = None
    order: Literal["detected", "oldest_first", "newest_first"] = "detected"
    booked: Booked | None = None
    text: tuple[Column, ...] = ()
    reference: Column | None = None
    counterparty_name: Column | None = None
    counterparty_account: Column | None = None
    may_lack: tuple[Optional, ...] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> "Mapping":
        marks = [self.decimal, *self.thousands]
        if len(set(marks)) != len(marks):
            raise ValueError("decimal and thousands are different characters")
        if any(mark.isalnum() or mark in "+-\u2212" for mark in marks):
            raise ValueError("decimal and thousands are no letters, digits or signs")
        if any(character.isdigit() for symbol in self.symbols for character in symbol):
            raise ValueError("a symbol has no digits")
        if any(character in "+-\u2212()" for symbol in self.symbols for character in symbol):
            raise ValueError("a symbol has no signs or parentheses, which would change what an amount means")
        if self.delimiter in ("\r", "\n", "\0", self.quote) or self.quote in ("\r", "\n", "\0"):
            raise ValueError("delimiter and quote are different characters, and no ends of lines")
        if not self.header and any(isinstance(name, str) for _, column in self.columns() for name in column):
            raise ValueError("without a header, columns are numbers")
        return self

    def columns(self) -> tuple[tuple[str, Column], ...]:
        """All columns that are declared, each with the field that it fills."""
        amount = self.amount
        found: list[tuple[str, Column | None]] = [("booking_date", self.booking_date)]
        if isinstance(amount, SplitAmount):
            found += [("credit", amount.credit), ("debit", amount.debit)]
        else:
            found.append(("amount", amount.column))
        if isinstance(amount, IndicatedAmount):
            found.append(("indicator", amount.indicator))
        found += [
            ("value_date", self.value_date),
            ("currency", self.currency.column),
            ("account", self.account.column),
            ("balance", self.balance),
            ("opening_balance", self.opening_balance),
            ("closing_balance", self.closing_balance),
            ("booked", self.booked.column if self.booked else None),
            ("reference", self.reference),
            ("counterparty_name", self.counterparty_name),
            ("counterparty_account", self.counterparty_account),
            *(("entries_have", column) for column in self.entries_have),
            *(("text", column) for column in self.text),
        ]
        return tuple((name, column) for name, column in found if column is not None)
