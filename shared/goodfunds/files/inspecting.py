"""Inspects a file of any format: which one it is, whether it keeps to it, entries, sums, balances."""

import gzip
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import BinaryIO, Final

from goodfunds.files import bai2, csv_statement, message_inspecting, mt940, nacha
from goodfunds.files.csv_mapping import Mapping as CsvMapping
from goodfunds.files.detection import UNKNOWN, Detected, detect
from goodfunds.files.inspection import Inspection
from goodfunds.files.records import FileError, InvalidFile
from goodfunds.files.unpacking import unpacked
from goodfunds.rails.reasons import INVALID_FILE_FORMAT

INSPECTORS: Final[Mapping[str, Callable[[BinaryIO], Inspection]]] = MappingProxyType(
    {"bai2": bai2.inspect, "csv": csv_statement.inspect, "mt": mt940.inspect, "nacha": nacha.inspect}
)
"""Format as it is detected → how it is inspected; `mt` stands for all of SWIFT's messages.

Messages of ISO 20022 have kinds of their own.
"""


def inspect(source: BinaryIO, mapping: CsvMapping | None = None) -> Inspection:
    """What a file says; `source` can be sought in, also compressed by gzip. With a mapping it is CSV.

    `valid` is None for a format that is recognised and not read. A file in no known format is not valid, and
    its format is `unknown`.
    """
    source = unpacked(source)
    found = Detected(UNKNOWN, "")
    try:
        found = detect(source)
        inspection = _inspection(source, found) if mapping is None else csv_statement.inspect(source, mapping)
    except InvalidFile as fault:
        return _refused(found.format, False, *fault.errors)
    except (EOFError, gzip.BadGzipFile, zlib.error) as fault:
        error = FileError(INVALID_FILE_FORMAT, 0, "", f"the file is not what gzip has made: {fault}")
        return _refused(UNKNOWN, False, error)
    # A reader that tells its encoding has seen more than the beginning.
    return replace(inspection, details={"encoding": found.encoding, **inspection.details})


def _inspection(source: BinaryIO, found: Detected) -> Inspection:
    if message_inspecting.is_known(found.format):
        return message_inspecting.inspect(source, found.format)
    inspector = INSPECTORS.get("mt" if found.format.startswith("mt") else found.format)
    if inspector is not None:
        return inspector(source)
    if found.format == UNKNOWN:
        return _refused(UNKNOWN, False, FileError(INVALID_FILE_FORMAT, 1, "", found.why))
    why = f"{found.format} is recognised, and not read"
    return _refused(found.format, None, FileError(INVALID_FILE_FORMAT, 1, "", why))


def _refused(name: str, valid: bool | None, *errors: FileError) -> Inspection:
    return Inspection(format=name, valid=valid, readable=False, entries=0, errors=errors)
