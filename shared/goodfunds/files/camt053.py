"""camt.053, bank to customer statement: reads a bank's account of a day, and writes one."""

from collections.abc import Iterator
from typing import BinaryIO

from goodfunds.files.camt_reading import Record, read_report, shape
from goodfunds.files.camt_writing import write_report
from goodfunds.files.reports import AccountReport

_ROOT, _PART = "BkToCstmrStmt", "Stmt"
_SHAPE = shape("camt.053", _ROOT, _PART)


def read(source: BinaryIO) -> Iterator[Record]:
    """Each statement as Statement, its Entry records and a StatementEnd; versions 02 to 14.

    Streams, lenient where no money is harmed (warnings at the end): an entry without a status is BOOK, for
    a statement reports booked entries. Raises InvalidFile, perhaps late.
    """
    return read_report(source, _SHAPE, _PART, default_status="BOOK")


def write(report: AccountReport) -> bytes:
    """A camt.053.001.08; every statement has balances. Raises Unwritable, UnknownCurrency."""
    return write_report(report, "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08", _ROOT, _PART)
