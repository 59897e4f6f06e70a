"""Which format a file is in: told from its content, never from its name."""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from typing import BinaryIO, Final

from goodfunds.files import csv_detection
from goodfunds.files.encodings import encoding_of
from goodfunds.files.message_detection import message_in, without_comments

HEAD_BYTES: Final = 1 << 16
"""How much of a file is looked at."""
LONG_HEAD_BYTES: Final = 1 << 20
"""How much of an XML file, where nothing is found in the first part: comments and headers may be long."""

UNKNOWN: Final = "unknown"

_LINES: Final = 60
_SEPARATORS: Final = (";", "\t", ",", "|")
_NOT_TEXT: Final = (
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive, such as a spreadsheet"),
    (b"\x1f\x8b", "compressed by gzip, more than once"),
    (b"{\\rtf", "a document in Rich Text Format"),
    (b"\xd0\xcf\x11\xe0", "a document of an office program"),
)
# Blocks of SWIFT FIN stand at the start of a line; some banks put control characters or a $ before them.
_FIN_BLOCK = re.compile(r"(?m)^[ \t\x01\x03$]*\{[12]:")
_MT_TYPE = re.compile(r"\{2:[IO]([1-9][0-9]{2})")
_MT_FIELD = re.compile(r"(?m)^:(20|25P?|28C?|34F|60[FM]|61|62[FM]|64|65|86|90[CD]|NS):")
_BEFORE_FIELDS = re.compile(r"(?:[\s\x01\x03$-]|:?9[0-9]{2}:?)*+")
# Nacha Operating Rules, appendix three: where digits must be in records of 94 characters.
_NACHA_RECORD = re.compile(
    r"1[0-9]{2}.{31}094"
    r"|5(?:200|220|225|280).{74}[012][0-9]{15}"
    r"|6[0-9]{11}.{17}[0-9]{10}.{39}[01][0-9]{15}"
    r"|799.{76}[0-9]{15}"
    r"|705.{80}[0-9]{11}"
)
_FEDWIRE = re.compile(r"\{[1-9][0-9]{3}\}")
# OFX 1.0.2 section 2.2 (OFXHEADER:100), OFX 2.1.1 section 2.2 (`<?OFX OFXHEADER="200"?>`).
_OFX = re.compile(r"(?:<\?xml\b[^>]*>\s*)?(?:<\?OFX\b|<OFX>)|OFXHEADER\s{0,8}[:=]")
_HTML = re.compile(r"(?i)<!doctype\s+html|<html\b")


@dataclass(frozen=True, slots=True)
class Detected:
    """A format as an Inspection names it (`pain.001.001.09`, `mt940`), UNKNOWN for none.

    `encoding`: the codec of its text, empty where it is none that is known. `why`: it is in no known format.
    """

    format: str
    encoding: str
    why: str = ""


def detect(source: BinaryIO) -> Detected:
    """The format of a file by its first 64 KiB, an XML file's by 1 MiB; the file is left where it was."""
    place = source.tell()
    head = source.read(HEAD_BYTES)
    found = detect_head(head)
    if found.format == UNKNOWN and len(head) == HEAD_BYTES and _is_xml(head):
        found = detect_head(head + source.read(LONG_HEAD_BYTES - HEAD_BYTES))
    source.seek(place)
    return found


def detect_head(head: bytes) -> Detected:
    """The format of a file that begins so."""
    if not head.strip(b"\0 \t\r\n"):
        return Detected(UNKNOWN, "", "the file is empty")
    for magic, what in _NOT_TEXT:
        if head.startswith(magic):
            return Detected(UNKNOWN, "", f"the file is {what}")
    text, encoding = _text(head)
    if text.startswith("<"):
        text = without_comments(text).lstrip()
    for look in _LOOKS:
        found = look(text)
        if found:
            return Detected(found, encoding)
    return Detected(UNKNOWN, encoding, _what(text))


def _text(head: bytes) -> tuple[str, str]:
    """(text without space before it, codec) of a file that begins so."""
    encoding, skip = encoding_of(head)
    return head[skip:].decode(encoding or "iso8859-1", "replace").lstrip(), encoding


def _is_xml(head: bytes) -> bool:
    return _text(head)[0].startswith("<")


def _xml(text: str) -> str:
    return message_in(text) if text.startswith("<") and not _ofx(text) else ""


def _ofx(text: str) -> str:
    return "ofx" if _OFX.match(text) else ""


def _mt(text: str) -> str:
    """SWIFT FIN: by the type in its application header, else, for banks send no blocks, by its fields.

    What stands in a cell or an element is no message: a block comes before all fields, and fields begin the
    file, or are several beneath a bank's own heading.
    """
    if text.startswith("<"):
        return ""
    text = text.replace("\r", "\n")
    block, first = _FIN_BLOCK.search(text), _MT_FIELD.search(text)
    if block is not None and (first is None or block.start() < first.start()):
        typed = _MT_TYPE.search(text, block.start(), len(text) if first is None else first.start())
        if typed is not None:
            return f"mt{typed[1]}"
    if first is None:
        return ""
    fields = {found[1] for found in _MT_FIELD.finditer(text)}
    if _BEFORE_FIELDS.fullmatch(text, 0, first.start()) is None and (
        len(fields) == 1 or csv_detection.detect(text.splitlines(keepends=True)[:_LINES]) is not None
    ):
        return ""
    interim = fields & {"34F", "90C", "90D"} and not fields & {"60F", "60M", "62F", "62M"}
    return "mt942" if interim else "mt940"


def _fedwire(text: str) -> str:
    return "fedwire" if _FEDWIRE.match(text) else ""


def _nacha(text: str) -> str:
    # Files without line ends hold their records of 94 characters one after the other.
    return "nacha" if any(_NACHA_RECORD.match(line) for line in _first_lines(text)[:3]) else ""


def _bai2(text: str) -> str:
    """BAI2 (Cash Management Balance Reporting Specifications, version 2): a file header that says 2, or,

    where a bank left that out, a group header before an account. A continuation (88) goes on with a record.
    """
    records: list[list[str]] = []
    for line in _first_lines(text.replace("/", "\n")):
        fields = line.strip().split(",")
        if fields[0] == "88" and records:
            records[-1] += fields[1:]
        else:
            records.append(fields)
    first, *others = records or [[""]]
    if first[0] == "01":
        return "bai2" if len(first) > 8 and first[8].strip() == "2" else ""
    return "bai2" if first[0].startswith("02") and others and others[0][0] == "03" else ""


def _csv(text: str) -> str:
    """Rows of several fields, most of them as many as is usual; no prose, whose commas have space behind."""
    if "\0" in text or text[:1] in ("<", "{", "["):
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
        prose = usual == 2 and all(row[1].startswith(" ") for row in rows if len(row) == usual)
        if usual > 1 and 2 * sum(width >= usual for width in widths) > len(widths) and not prose:
            return "csv"
    return ""


_LOOKS: Final[tuple[Callable[[str], str], ...]] = (_xml, _ofx, _fedwire, _mt, _nacha, _bai2, _csv)
"""In this order: what bears its own name first."""


def _first_lines(text: str) -> list[str]:
    return list(islice((line for line in text.splitlines() if line.strip()), _LINES))


def _what(text: str) -> str:
    if _HTML.match(text):
        return "the file is an HTML page"
    if text.startswith("<"):
        return "the file is XML, and no message of ISO 20022"
    if text[:1] in ("{", "["):
        return "the file looks like JSON"
    return "the file is in no format that is known here"
