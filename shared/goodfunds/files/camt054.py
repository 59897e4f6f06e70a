"""camt.054, bank to customer debit credit notification: reads what a bank says it booked, and writes it."""

from collections.abc import Iterator
from typing import BinaryIO

from goodfunds.files.camt_reading import Record, read_report, shape
from goodfunds.files.camt_writing import write_report
from goodfunds.files.reports import AccountReport

_ROOT, _PART = "BkToCstmrDbtCdtNtfctn", "Ntfctn"
_SHAPE = shape("camt.054", _ROOT, _PART)


def read(source: BinaryIO) -> Iterator[Record]:
    """Each notification as Statement, its Entry records and a StatementEnd; versions 02 to 14.

    Streams, lenient where no money is harmed (warnings at the end). Raises InvalidFile, perhaps late.
    """
    return read_report(source, _SHAPE, _PART)


def write(report: AccountReport) -> bytes:
    """A camt.054.001.08; its notifications have no balances. Raises Unwritable, UnknownCurrency."""
    return write_report(report, "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08", _ROOT, _PART)
