"""Which format a file is in: told from its content, never from its name."""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from typing import BinaryIO, Final

from goodfunds.files.encodings import encoding_of
from goodfunds.files.message_detection import message_in

HEAD_BYTES: Final = 1 << 16
"""How much of a file is looked at."""

UNKNOWN: Final = "unknown"

_LINES: Final = 60
_SEPARATORS: Final = (";", "\t", ",", "|")
_NOT_TEXT: Final = (
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive, such as a spreadsheet"),
    (b"{\\rtf", "a document in Rich Text Format"),
    (b"\xd0\xcf\x11\xe0", "a document of an office program"),
)
_MT_TYPE = re.compile(r"\{2:[IO]([1-9][0-9]{2})")
_MT_FIELD = re.compile(r"(?m)^:(20|25P?|28C?|34F|60[FM]|61|62[FM]|64|65|86|90[CD]|NS):")
_BAI_RECORD = re.compile(r"\s*(?:01|02|03|16|49|88|98|99),")
_NACHA_HEADER = re.compile(r"1[0-9]{2}.{31}094")
_NACHA_RECORD = re.compile(r"5(?:200|220|225|280).{50}|6[0-9]{2}[0-9 ]{9}.{50}|799.{60}|705.{60}")
_FEDWIRE = re.compile(r"\{[1-9][0-9]{3}\}")
_OFX = re.compile(r"OFXHEADER\s*[:=]|<\?OFX|<OFX>")
_HTML = re.compile(r"(?i)\s*(?:<!--.*?-->\s*)*(?:<!doctype\s+html|<html)\b", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Detected:
    """A format as an Inspection names it (`pain.001.001.09`, `mt940`), UNKNOWN for none.

    `encoding`: the codec of its text, empty where it is none that is known. `why`: it is in no known format.
    """

    format: str
    encoding: str
    why: str = ""


def detect(source: BinaryIO) -> Detected:
    """The format of a file by its first 64 KiB; the file is left where it was."""
    place = source.tell()
    head = source.read(HEAD_BYTES)
    source.seek(place)
    return detect_head(head)


def detect_head(head: bytes) -> Detected:
    """The format of a file that begins so."""
    if not head.strip(b"\0 \t\r\n"):
        return Detected(UNKNOWN, "", "the file is empty")
    for magic, what in _NOT_TEXT:
        if head.startswith(magic):
            return Detected(UNKNOWN, "", f"the file is {what}")
    encoding, skip = encoding_of(head)
    text = head[skip:].decode(encoding or "iso8859-1", "replace")
    for look in _LOOKS:
        found = look(text)
        if found:
            return Detected(found, encoding)
    return Detected(UNKNOWN, encoding, _what(text))


def _xml(text: str) -> str:
    return message_in(text) if text.lstrip().startswith("<") and not _OFX.search(text) else ""


def _ofx(text: str) -> str:
    return "ofx" if _OFX.search(text) else ""


def _mt(text: str) -> str:
    """SWIFT FIN: by the type in its application header, else, for banks send no blocks, by its fields."""
    typed = _MT_TYPE.search(text)
    fields = {found[1] for found in _MT_FIELD.finditer(text)}
    if typed is not None:
        return f"mt{typed[1]}"
    if not fields or text.lstrip().startswith("<"):
        return ""
    interim = fields & {"34F", "90C", "90D"} and not fields & {"60F", "60M", "62F", "62M"}
    return "mt942" if interim else "mt940"


def _fedwire(text: str) -> str:
    return "fedwire" if _FEDWIRE.match(text.lstrip()) else ""


def _nacha(text: str) -> str:
    lines = _first_lines(text)
    # Files without line ends hold their records of 94 characters one after the other.
    headed = any(_NACHA_HEADER.match(line) for line in lines[:3])
    return "nacha" if headed or any(_NACHA_RECORD.match(line) for line in lines[:3]) else ""


def _bai2(text: str) -> str:
    lines = _first_lines(text)
    records = [line for line in lines if _BAI_RECORD.match(line)]
    begins = bool(lines) and lines[0].lstrip().startswith(("01,", "02"))
    return "bai2" if begins and 2 * len(records) >= len(lines) and len(records) > 1 else ""


def _csv(text: str) -> str:
    """Rows of several fields, most of them as many as is usual."""
    if "\0" in text or text.lstrip()[:1] in ("<", "{", "["):
        return ""
    for separator in _SEPARATORS:
        try:
            rows = [
                row
                for row in islice(csv.reader(StringIO(text, newline=None), delimiter=separator), _LINES)
                if row
            ]
        except csv.Error:
            continue
        widths = [len(row) for row in rows]
        usual = max(widths, key=widths.count, default=0)
        if usual > 1 and 2 * sum(width >= usual for width in widths) > len(widths):
            return "csv"
    return ""


_LOOKS: Final[tuple[Callable[[str], str], ...]] = (_xml, _ofx, _fedwire, _mt, _nacha, _bai2, _csv)
"""In this order: what bears its own name first."""


def _first_lines(text: str) -> list[str]:
    return list(islice((line for line in text.splitlines() if line.strip()), _LINES))


def _what(text: str) -> str:
    if _HTML.match(text):
        return "the file is an HTML page"
    if text.lstrip().startswith("<"):
        return "the file is XML, and no message of ISO 20022"
    if text.lstrip()[:1] in ("{", "["):
        return "the file looks like JSON"
    return "the file is in no format that is known here"
