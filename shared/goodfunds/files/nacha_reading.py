"""Reads NACHA files: the order of their records, streamed, and what the file's control says of them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import BinaryIO, Final

from goodfunds.files.findings import MOST_FINDINGS
from goodfunds.files.nacha_addenda import addenda
from goodfunds.files.nacha_addenda_records import (
    ContestedReturn,
    DishonoredReturn,
    NotificationOfChange,
    Return,
)
from goodfunds.files.nacha_batch import Batch
from goodfunds.files.nacha_codes import CLASSES
from goodfunds.files.nacha_fields import AchFindings, Fields
from goodfunds.files.nacha_lines import BLOCK, RECORD, Line, lines
from goodfunds.files.nacha_parsing import file_control, file_header
from goodfunds.files.nacha_records import (
    BatchControl,
    BatchHead,
    Entry,
    FileControl,
    FileHeader,
    InternationalBatchHeader,
)
from goodfunds.files.nacha_totals import Totals, check_file_control
from goodfunds.rails.reasons import CONTENT_INCORRECT, INVALID_FILE_FORMAT, MANDATORY_ELEMENT_MISSING

Record = FileHeader | BatchHead | Entry | BatchControl | FileControl

_FILLER: Final = "9" * RECORD
_SHORTEST: Final[Mapping[str, int]] = MappingProxyType({"1": 40, "9": 55})
"""Up to where a record's fields must be there; the blanks behind are often cut off."""


class Reading:
    """One reading of a file: what is wrong gathers in `findings`, the counts are of all records seen.

    `returns` and `changes` by their codes; `has_header` and `has_control` of the file. `framed` False: of
    a file that holds nothing but batches, the lack of both is a warning.
    """

    def __init__(self, source: BinaryIO, framed: bool = True) -> None:
        self.findings = AchFindings()
        self.totals = Totals()
        self.batches = 0
        self.classes: set[str] = set()
        self.returns: Counter[str] = Counter()
        self.changes: Counter[str] = Counter()
        self.has_header = False
        self.has_control = False
        self._source = source
        self._framed = framed
        self._records = 0
        self._fillers = 0
        self._advices = False
        self._last_batch_number = -1
        self._batch: Batch | None = None

    def records(self) -> Iterator[Record]:
        """The file's records in its order, an entry with its addenda, as far as they can be read.

        Raises InvalidFile for more records than a file can have.
        """
        for line in lines(self._source):
            self.findings.line = line.number
            found = Fields(self._whole(line), self.findings)
            found.check_characters()
            if self.has_control:
                self._behind_control(found.record)
                continue
            self._records += 1
            kind = found.record[0]
            if self._records == 1 and kind != "1":
                self._unframed("FileHeader", "the file does not begin with its header")
            if kind == "7":
                self._addenda(found)
                continue
            if self._batch is not None and (entry := self._batch.finished()) is not None:
                yield entry
            if kind == "6":
                self._entry(found)
            elif (record := self._record(kind, found)) is not None:
                yield record
        if self._batch is not None and (entry := self._batch.finished()) is not None:
            yield entry
        self._finish()

    def _whole(self, line: Line) -> str:
        """The record with all its characters."""
        text = line.text
        if len(text) == RECORD:
            return text
        short = len(text) < RECORD
        bearable = len(text) >= _SHORTEST.get(text[0], RECORD) if short else not text[RECORD:].strip()
        why = f"a record of {len(text)} characters, {RECORD} it must have"
        if bearable:
            self.findings.warning(INVALID_FILE_FORMAT, "Record", why)
        else:
            self.findings.error(INVALID_FILE_FORMAT, "Record", why)
            self.findings.refused = True
        return text[:RECORD].ljust(RECORD)

    def _record(self, kind: str, found: Fields) -> Record | None:
        if kind == "5":
            return self._batch_header(found)
        if kind == "8":
            return self._batch_control(found)
        if kind == "9" and found.record != _FILLER:
            return self._file_control(found)
        if kind == "1" and not self.has_header:
            self.has_header = True
            if self._records > 1:
                why = "the file header is not the first record"
                self.findings.error(INVALID_FILE_FORMAT, "FileHeader", why)
            return file_header(found, self.findings.line)
        messages = {"1": "a second file header", "9": "filler before the file control"}
        why = messages.get(kind, f"{kind!r} is no record type")
        self.findings.error(INVALID_FILE_FORMAT, "Record", why)
        self.findings.refused |= kind not in messages
        return None

    def _batch_header(self, found: Fields) -> BatchHead:
        self._close("a batch header before the control of the batch above")
        self.batches += 1
        self.findings.batch = self.batches
        batch = Batch(found, self.findings)
        header, self._batch = batch.header, batch
        if header.standard_entry_class in CLASSES:
            self.classes.add(header.standard_entry_class)
        if header.batch_number <= self._last_batch_number:
            why = f"{header.batch_number} after {self._last_batch_number}"
            self.findings.warning(CONTENT_INCORRECT, "BatchNumber", why)
        self._last_batch_number = header.batch_number
        self._advices |= batch.advices
        return header

    def _entry(self, found: Fields) -> None:
        if self._batch is not None:
            self._batch.begin(found)
            return
        # Without a batch header nothing says which layout the entry has, and so what its amount is.
        self.findings.error(INVALID_FILE_FORMAT, "Entry", "an entry outside of a batch")
        self.findings.refused = True
        self.totals.entries += 1

    def _addenda(self, found: Fields) -> None:
        header = self._batch.header if self._batch is not None else None
        each = addenda(found, isinstance(header, InternationalBatchHeader), self.findings.line)
        if isinstance(each, NotificationOfChange):
            _count(self.changes, each.change_code)
        elif isinstance(each, Return | DishonoredReturn | ContestedReturn):
            _count(self.returns, each.return_reason_code)
        if self._batch is not None:
            self._batch.add(each)
        else:
            self.totals.addenda += 1
            self.findings.error(INVALID_FILE_FORMAT, "Addenda", "an addenda outside of a batch")

    def _batch_control(self, found: Fields) -> BatchControl | None:
        batch, self._batch = self._batch, None
        if batch is None:
            self.findings.error(INVALID_FILE_FORMAT, "BatchControl", "a batch control outside of a batch")
            return None
        control = batch.control(found)
        self.totals.add(batch.totals)
        self.findings.batch = 0
        return control

    def _file_control(self, found: Fields) -> FileControl:
        self._close("a file control before the control of the batch above")
        self.has_control = True
        control = file_control(found, self._advices, self.findings.line)
        check_file_control(control, self.totals, self.batches, self._records, self.findings)
        return control

    def _unframed(self, name: str, why: str) -> None:
        tell = self.findings.error if self._framed else self.findings.warning
        tell(MANDATORY_ELEMENT_MISSING, name, why)

    def _close(self, why: str) -> None:
        if self._batch is None:
            return
        self.findings.error(MANDATORY_ELEMENT_MISSING, "BatchControl", why)
        self.totals.add(self._batch.totals)
        self.findings.batch, self._batch = 0, None

    def _behind_control(self, record: str) -> None:
        if record.strip("9 "):
            self.findings.error(INVALID_FILE_FORMAT, "Record", "a record behind the file control")
            self.findings.refused = True
        self._fillers += 1

    def _finish(self) -> None:
        self._close("the file ends before the control of the batch")
        if not self._records:
            self.findings.line = 1
            self.findings.error(INVALID_FILE_FORMAT, "", "the file is empty")
            self.findings.refused = True
        elif not self.has_control:
            self._unframed("FileControl", "the file ends without its control")
        elif (self._records + self._fillers) % BLOCK:
            why = f"the file is not filled with nines to blocks of {BLOCK} records"
            self.findings.warning(INVALID_FILE_FORMAT, "Record", why)


def _count(codes: Counter[str], code: str) -> None:
    if code in codes or len(codes) < MOST_FINDINGS:
        codes[code] += 1
