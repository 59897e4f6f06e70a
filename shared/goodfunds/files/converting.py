"""Payment files from one form to another that can say the same: pain.001, JSON Lines, CSV of instructions."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import BinaryIO, Final

from goodfunds.files import (
    instructions_csv,
    instructions_json,
    instructions_pain001,
    instructions_pain001_writing,
)
from goodfunds.files.instructions import Placed
from goodfunds.files.records import FileError, InvalidFile
from goodfunds.rails.reasons import MANDATORY_ELEMENT_MISSING

HEAD: Final = 4_096
"""Bytes that tell the form of a file."""

_BOM = b"\xef\xbb\xbf"


class Form(StrEnum):
    """A form of payment files."""

    PAIN001 = "pain001"
    JSONL = "jsonl"
    CSV = "csv"


SUFFIXES: Final[Mapping[str, Form]] = MappingProxyType(
    {".xml": Form.PAIN001, ".jsonl": Form.JSONL, ".ndjson": Form.JSONL, ".csv": Form.CSV}
)


@dataclass(frozen=True, slots=True)
class Conversion:
    """What was converted. `sums`: minor units by currency.

    `left_out`: what the file says beyond its payments and the target does not, each element once.
    """

    form: Form
    target: Form
    payments: int
    sums: Mapping[str, int]
    left_out: tuple[FileError, ...] = ()


def form_of(head: bytes) -> Form | None:
    """The form of a file that begins so, by its content; None where it has none of them."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head.decode("utf-16", "replace")
    elif head[:2] in (b"<\0", b"\0<"):
        return Form.PAIN001
    else:
        text = head.removeprefix(_BOM).decode("utf-8", "replace")
    text = text.lstrip(" \t\r\n")
    if text.startswith("<"):
        return Form.PAIN001
    if text.startswith("{"):
        return Form.JSONL
    first = text.splitlines()[0] if text else ""
    return Form.CSV if instructions_csv.delimiter_of(first) else None


def convert(
    source: BinaryIO,
    form: Form,
    target: Form,
    *,
    client: str,
    created_at: datetime,
    message_id: str = "",
    leave_out: Collection[str] = (),
) -> tuple[Conversion, Iterator[bytes]]:
    """What is converted, and the target's bytes in pieces, in flat memory. The source is read several times.

    All of it is looked through before: raises InvalidFile where it is wrong, or says what the target cannot,
    with line and element, 100 things at most. `client`: whose payments a pain.001 holds; `created_at`: UTC,
    of a pain.001; `message_id` gives payments new keys in it; `leave_out`: elements of a pain.001 that may
    be lost.
    """
    payments, sums = 0, dict[str, int]()
    for placed in _read(source, form, client):
        each = placed.instruction
        payments += 1
        sums[each.currency] = sums.get(each.currency, 0) + each.amount_minor
    if not payments:
        why = "the file holds no payments"
        raise InvalidFile([FileError(MANDATORY_ELEMENT_MISSING, 1, "", why)])
    left_out: tuple[FileError, ...] = ()
    if form is Form.PAIN001:
        left_out = instructions_pain001.unsaid(_again(source), leave_out)
    made = Conversion(form, target, payments, MappingProxyType(sums), left_out)
    if target is Form.PAIN001:
        planned = instructions_pain001_writing.plan(
            _read(source, form, client), client, created_at, message_id
        )
        return made, instructions_pain001_writing.write(_read(source, form, client), planned)
    write = instructions_json.write if target is Form.JSONL else instructions_csv.write
    return made, write(_read(source, form, client))


def _read(source: BinaryIO, form: Form, client: str) -> Iterator[Placed]:
    source = _again(source)
    if form is Form.PAIN001:
        return instructions_pain001.read(source, client)
    return instructions_json.read(source) if form is Form.JSONL else instructions_csv.read(source)


def _again(source: BinaryIO) -> BinaryIO:
    source.seek(0)
    return source
