"""CSV statements by a declared mapping, the shipped ones found by content. Every bank writes its own."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import BinaryIO

from goodfunds.files.csv_detection import detect
from goodfunds.files.csv_entries import StatementLine
from goodfunds.files.csv_mapping import Mapping
from goodfunds.files.csv_reading import Reading
from goodfunds.files.csv_text import DETECTED, Text
from goodfunds.files.decoding import refusal
from goodfunds.files.inspection import Inspection
from goodfunds.files.records import FileError, InvalidFile
from goodfunds.files.xml import MOST_ERRORS

_FORMAT = "csv"


def read(source: BinaryIO, mapping: Mapping | None = None) -> Iterator[StatementLine]:
    """The entries of a statement in the file's order, in flat memory; without a mapping by one that is known.

    Raises InvalidFile at the first row that cannot be read; what came before stands in a file that is wrong.
    """
    text, found = _opened(source, mapping)
    if found is None:
        raise _unknown()
    reading = Reading(text, found)
    for line in reading.lines():
        if reading.errors:
            break
        yield line
    if reading.errors:
        raise InvalidFile(reading.errors)


def inspect(source: BinaryIO, mapping: Mapping | None = None) -> Inspection:
    """What a statement says. `details`: mapping, encoding and delimiter. Nothing is raised for a bad file.

    Entries that are not booked count as entries and in no sum.
    """
    try:
        text, found = _opened(source, mapping)
        if found is None:
            raise _unknown()
    except InvalidFile as fault:
        return Inspection(_FORMAT, valid=False, readable=False, entries=0, errors=fault.errors)
    reading = Reading(text, found)
    refused: tuple[FileError, ...] = ()
    try:
        for _ in reading.lines():
            pass
    except InvalidFile as fault:
        refused = fault.errors
    statements = reading.statements()
    sums: dict[str, int] = {}
    for statement in statements:
        sums[statement.currency] = sums.get(statement.currency, 0) + statement.sum_minor
    errors = (*reading.errors, *refused)[:MOST_ERRORS]
    details = {"mapping": found.name, "encoding": text.encoding, "delimiter": found.delimiter}
    return Inspection(
        format=_FORMAT,
        valid=not errors,
        readable=not errors,
        entries=sum(statement.entries for statement in statements),
        sums=MappingProxyType(sums),
        statements=statements,
        errors=errors,
        warnings=tuple(reading.warnings),
        details=MappingProxyType(details),
    )


def _opened(source: BinaryIO, mapping: Mapping | None) -> tuple[Text, Mapping | None]:
    text = Text(source, mapping.encoding if mapping else DETECTED)
    head = text.head()
    if not any(line.strip() for line in head):
        raise refusal(1, "the file is empty")
    return text, mapping or detect(head)


def _unknown() -> InvalidFile:
    return refusal(1, "no known CSV statement: no shipped mapping knows its header; give one of your own")
