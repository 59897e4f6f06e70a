"""camt.052, bank to customer account report: reads what a bank says of an account within the day."""

from collections.abc import Iterator
from typing import BinaryIO

from goodfunds.files.camt_reading import Record, read_report, shape

_ROOT, _PART = "BkToCstmrAcctRpt", "Rpt"
_SHAPE = shape("camt.052", _ROOT, _PART)


def read(source: BinaryIO) -> Iterator[Record]:
    """Each report as Statement, its Entry records and a StatementEnd; versions 02 to 14.

    Entries may be pending (PDNG), balances interim (ITBD, ITAV). Streams, lenient where no money is harmed
    (warnings at the end). Raises InvalidFile, perhaps late.
    """
    return read_report(source, _SHAPE, _PART)
