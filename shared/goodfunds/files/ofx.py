"""OFX (also QFX, QBO): recognised, so that it is called by its name, and not read."""

import re
from typing import BinaryIO

from goodfunds.files.inspection import Inspection
from goodfunds.files.records import FileError
from goodfunds.rails.reasons import TRANSACTION_NOT_SUPPORTED

_HEAD = 4_096
_START = re.compile(rb"OFXHEADER:\s*[0-9]{3}\b|<\?xml\b[^>]*>\s*<\?OFX\b|<\?OFX\b|<OFX>")


def recognises(head: bytes) -> bool:
    """Whether a file that begins so is OFX: its header's first line, or that of version 2 in XML.

    OFX 1.0.2 section 2.2 (OFXHEADER:100), OFX 2.1.1 section 2.2 (`<?OFX OFXHEADER="200"?>`).
    """
    return _START.match(head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")) is not None


def inspect(source: BinaryIO) -> Inspection:
    """That it is OFX and cannot be read; nothing else is looked at. `format` is else `unknown`."""
    known = recognises(source.read(_HEAD))
    why = "OFX is recognised, not read: ask the bank for camt.053 or MT940" if known else "no OFX file"
    errors = (FileError(TRANSACTION_NOT_SUPPORTED, 1, "", why),)
    return Inspection("ofx" if known else "unknown", valid=False, readable=False, entries=0, errors=errors)
