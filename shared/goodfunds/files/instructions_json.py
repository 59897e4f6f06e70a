"""Payment instructions as JSON Lines: lines as payment-instructions takes them of clients without Avro."""

import json
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from goodfunds.errors import Unreadable
from goodfunds.events.json_bodies import decode_json
from goodfunds.events.types import PaymentInstruction
from goodfunds.files.instructions import FIELDS, Faults, Placed, sound
from goodfunds.rails.reasons import CONTENT_INCORRECT, INVALID_FILE_FORMAT

LONGEST_LINE: Final = 1_000_000
"""Bytes, as on the topic."""

_BOM = b"\xef\xbb\xbf"


def read(source: BinaryIO) -> Iterator[Placed]:
    """The instructions of a file, in flat memory. Raises InvalidFile at the end with what is wrong.

    A line holds one JSON object in UTF-8 with the fields of PaymentInstruction and no other; an empty one
    is passed over.
    """
    faults = Faults()
    return sound(_lines(source, faults), faults)


def write(found: Iterable[Placed]) -> Iterator[bytes]:
    """A line each, all fields in the order of the schema. Raises InvalidFile for one that is too long."""
    for placed in found:
        line = _line(placed.instruction)
        if len(line) > LONGEST_LINE:
            faults = Faults()
            why = f"a line of JSON has at most {LONGEST_LINE} bytes"
            faults.note(CONTENT_INCORRECT, placed.line, "", why)
            faults.end()
        yield line + b"\n"


def _line(instruction: PaymentInstruction) -> bytes:
    told = {name: getattr(instruction, name) for name in FIELDS}
    told["requested_execution_date"] = instruction.requested_execution_date.isoformat()
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _lines(source: BinaryIO, faults: Faults) -> Iterator[Placed | None]:
    number = 0
    while raw := source.readline(LONGEST_LINE + 2):
        number += 1
        line = raw.removesuffix(b"\n").removesuffix(b"\r")
        if number == 1:
            line = line.removeprefix(_BOM)
        if len(line) > LONGEST_LINE:
            faults.note(INVALID_FILE_FORMAT, number, "", f"a line is longer than {LONGEST_LINE} bytes")
            faults.end()
        if not line:
            continue
        try:
            event = decode_json("PaymentInstruction", line)
        except Unreadable as fault:
            told = str(fault)
            name = told.partition(":")[0]
            known = name in FIELDS
            code = CONTENT_INCORRECT if known else INVALID_FILE_FORMAT
            faults.note(code, number, name if known else "", told[:300])
            yield None
            continue
        assert isinstance(event, PaymentInstruction)
        yield Placed(number, event)
