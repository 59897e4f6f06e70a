"""NACHA (ACH) files: reads them strictly, tells what one holds, and writes them (Nacha Operating Rules)."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import BinaryIO

from goodfunds.files.inspection import Inspection
from goodfunds.files.nacha_reading import Reading, Record
from goodfunds.files.nacha_writing import write
from goodfunds.files.records import InvalidFile

__all__ = ["Record", "inspect", "read", "read_batches", "write"]


def read(source: BinaryIO) -> Iterator[Record]:
    """The file's records in its order, an entry with its addenda; flat memory. ASCII, with or without breaks.

    Raises InvalidFile with what is wrong, 100 things at most, perhaps late: then what came before stands in a
    file that is refused.
    """
    return _sound(Reading(source))


def read_batches(source: BinaryIO) -> Iterator[Record]:
    """As `read`, of a file that may lack its header and control: banks hand on returns like that."""
    return _sound(Reading(source, framed=False))


def inspect(source: BinaryIO) -> Inspection:
    """What the file holds. The sum is credits less debits in cents; both are in `details`.

    Details: debit_minor, credit_minor, addenda, batches, sec_codes, returns with return_codes, corrections
    with change_codes; lists are parted by commas. What lacks only its file's header or control is readable.
    """
    reading = Reading(source)
    errors = reading.findings.errors
    try:
        for _ in reading.records():
            pass
    except InvalidFile as fault:
        reading.findings.stop(fault)
    totals = reading.totals
    details = {
        "debit_minor": str(totals.debit_minor),
        "credit_minor": str(totals.credit_minor),
        "addenda": str(totals.addenda),
        "batches": str(reading.batches),
        "sec_codes": ",".join(sorted(reading.classes)),
        "returns": str(reading.returns.total()),
        "return_codes": ",".join(sorted(reading.returns)),
        "corrections": str(reading.changes.total()),
        "change_codes": ",".join(sorted(reading.changes)),
    }
    return Inspection(
        format="nacha",
        valid=not errors,
        readable=not reading.findings.refused,
        entries=totals.entries,
        sums=MappingProxyType({"USD": totals.credit_minor - totals.debit_minor}),
        errors=tuple(errors),
        warnings=tuple(reading.findings.warnings),
        details=MappingProxyType(details),
    )


def _sound(reading: Reading) -> Iterator[Record]:
    errors = reading.findings.errors
    for record in reading.records():
        if not errors:
            yield record
    if errors:
        raise InvalidFile(errors)
