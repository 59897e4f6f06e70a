"""Payment instructions as CSV, for people with a spreadsheet: strict to read, safe and lossless to write."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, BinaryIO, Final

from goodfunds.events.types import PaymentInstruction
from goodfunds.files.csv_text import LONGEST_LINE, Text, rows
from goodfunds.files.decoding import refusal
from goodfunds.files.instructions import FIELDS, Faults, Placed, sound
from goodfunds.files.spreadsheet import guarded, is_rounded, unguarded
from goodfunds.money import InvalidAmount, UnknownCurrency, format_amount, parse_amount
from goodfunds.rails.reasons import (
    CONTENT_INCORRECT,
    INVALID_AMOUNT,
    INVALID_DATE,
    INVALID_FILE_FORMAT,
    INVALID_TRANSACTION_CURRENCY,
    MANDATORY_ELEMENT_MISSING,
)

COLUMNS: Final = ("amount", *FIELDS[1:])
"""The fields in the order of the schema; the amount as `10.50` in its currency."""
WANTED: Final = frozenset({
    "amount", "requested_execution_date", "currency", "rail", "client", "idempotency_key", "debtor_account",
    "debtor_name", "creditor_account", "creditor_name",
})  # fmt: skip
"""Columns that must be there; the others count as empty where they are not."""
DELIMITERS: Final = (",", ";", "\t")

_BOM = "\ufeff"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LINES = "creditor_address_lines"
_BREAK = "\n"


class _Wrong(ValueError):
    def __init__(self, code: str, column: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.column = column


def delimiter_of(header: str) -> str:
    """The delimiter of a file whose first line this is; empty where it has none of the columns' names."""
    for delimiter in DELIMITERS:
        names = next(csv.reader([header], delimiter=delimiter), [])
        if {name.strip().removeprefix(_BOM) for name in names} >= {"amount", "currency"}:
            return delimiter
    return ""


def read(source: BinaryIO) -> Iterator[Placed]:
    """The instructions of a file, in flat memory. Raises InvalidFile at the end with what is wrong.

    UTF-8, or UTF-16 with its mark. The header names columns, in any order and none unknown; a row has as
    many cells. Dates are YYYY-MM-DD, lines of an address stand below each other in their cell.
    """
    faults = Faults()
    return sound(_rows(source, faults), faults)


def write(found: Iterable[Placed]) -> Iterator[bytes]:
    """UTF-8 with its mark, every cell quoted, what looks like a formula guarded. RFC 4180.

    Raises InvalidFile for what a cell cannot hold: a NUL, an empty line of an address or one with a break.
    """
    yield (_BOM + _row(COLUMNS)).encode()
    for placed in found:
        faults = Faults()
        cells = _cells(placed, faults)
        faults.end()
        row = _row(cells)
        if len(row) > LONGEST_LINE:
            why = f"a row has at most {LONGEST_LINE} characters"
            faults.note(CONTENT_INCORRECT, placed.line, "", why)
        if "\0" in row:
            name = next(name for name, cell in zip(COLUMNS, cells, strict=True) if "\0" in cell)
            faults.note(CONTENT_INCORRECT, placed.line, name, "a cell holds no NUL")
        faults.end()
        yield row.encode()


def _row(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerow(map(guarded, cells))
    return written.getvalue()


def _cells(placed: Placed, faults: Faults) -> list[str]:
    instruction = placed.instruction
    told: dict[str, Any] = {name: getattr(instruction, name) for name in FIELDS}
    lines = instruction.creditor_address_lines
    if any(not line or "\n" in line or "\r" in line for line in lines):
        why = "CSV cannot say a line of an address that is empty or holds a break"
        faults.note(CONTENT_INCORRECT, placed.line, _LINES, why)
    told["amount"] = format_amount(instruction.amount_minor, instruction.currency)
    told["requested_execution_date"] = instruction.requested_execution_date.isoformat()
    told[_LINES] = _BREAK.join(lines)
    return [told[name] for name in COLUMNS]


def _rows(source: BinaryIO, faults: Faults) -> Iterator[Placed | None]:
    text = Text(source, "utf-8")
    delimiter = delimiter_of(next(iter(text.head()), ""))
    if not delimiter:
        raise refusal(1, "the header has no columns amount and currency")
    found = rows(text, delimiter, '"')
    header = _header(next(found)[1], faults)
    for number, cells in found:
        if not cells:
            continue
        if len(cells) != len(header):
            why = f"the row has {len(cells)} cells, the header {len(header)}"
            faults.note(INVALID_FILE_FORMAT, number, "", why)
            yield None
            continue
        try:
            _check_rounded(header, cells)
            yield Placed(number, _instruction(dict(zip(header, map(unguarded, cells), strict=True))))
        except _Wrong as fault:
            faults.note(fault.code, number, fault.column, str(fault))
            yield None


def _check_rounded(header: Sequence[str], cells: Sequence[str]) -> None:
    for name, cell in zip(header, cells, strict=True):
        if is_rounded(cell) and name != "amount":
            raise _Wrong(CONTENT_INCORRECT, name, f"a spreadsheet has lost the digits of {cell[:40]!r}")


def _header(cells: Sequence[str], faults: Faults) -> list[str]:
    """The columns' names. Raises InvalidFile."""
    names = [cell.strip() for cell in cells]
    for name in names:
        if name not in COLUMNS:
            faults.note(INVALID_FILE_FORMAT, 1, name[:70], "no such column")
        elif names.count(name) > 1:
            faults.note(INVALID_FILE_FORMAT, 1, name, "a column stands twice")
    for name in COLUMNS:
        if name in WANTED and name not in names:
            faults.note(MANDATORY_ELEMENT_MISSING, 1, name, "the column must be there")
    faults.end()
    return names


def _instruction(cells: dict[str, str]) -> PaymentInstruction:
    lines = cells.get(_LINES, "")
    told: dict[str, Any] = {name: cells.get(name, "") for name in FIELDS[1:]}
    told["requested_execution_date"] = _date(cells["requested_execution_date"])
    # Spreadsheets save the break within a cell either way.
    told[_LINES] = tuple(lines.replace("\r\n", _BREAK).split(_BREAK)) if lines else ()
    if not all(told[_LINES]):
        raise _Wrong(CONTENT_INCORRECT, _LINES, "a line of the address is empty")
    return PaymentInstruction(amount_minor=_amount(cells["amount"], cells["currency"]), **told)


def _date(text: str) -> date:
    try:
        if _DATE.fullmatch(text) is None:
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        why = f"{text[:40]!r}: a date is written YYYY-MM-DD"
        raise _Wrong(INVALID_DATE, "requested_execution_date", why) from None


def _amount(text: str, currency: str) -> int:
    try:
        return parse_amount(text, currency)
    except UnknownCurrency as fault:
        raise _Wrong(INVALID_TRANSACTION_CURRENCY, "currency", str(fault)) from None
    except InvalidAmount as fault:
        raise _Wrong(INVALID_AMOUNT, "amount", str(fault)) from None
