"""One batch of a NACHA file as it is read: its entries, each held until its last addenda is in."""

from dataclasses import dataclass, field, replace
from typing import Final

from goodfunds.files.nacha_addenda_records import Addenda
from goodfunds.files.nacha_codes import ACCOUNTING_ADVICES, CLASSES, TRANSACTION_CODES, is_digits
from goodfunds.files.nacha_fields import AchFindings, Fields
from goodfunds.files.nacha_parsing import (
    accounting_advice,
    batch_control,
    batch_header,
    entry_detail,
    international_entry,
)
from goodfunds.files.nacha_records import (
    AccountingAdvice,
    BatchControl,
    BatchHead,
    Entry,
    InternationalBatchHeader,
)
from goodfunds.files.nacha_rules import check_batch, check_entry
from goodfunds.files.nacha_totals import Totals, check_batch_control
from goodfunds.rails.reasons import (
    CONTENT_INCORRECT,
    INVALID_FILE_FORMAT,
    INVALID_NUMBER_OF_TRANSACTIONS,
    MANDATORY_ELEMENT_MISSING,
)

MOST_ADDENDA: Final = 9_999
"""What the four digits of an addenda's sequence number can state."""


@dataclass(slots=True)
class _Pending:
    """An entry whose addenda are still to come. `stated`: how many, None where the entry does not say."""

    entry: Entry
    indicator: str
    stated: int | None
    addenda: list[Addenda] = field(default_factory=list)


class Batch:
    """An open batch. `advices`: its records have the layouts of ADV."""

    def __init__(self, found: Fields, findings: AchFindings) -> None:
        self.header: BatchHead = batch_header(found, findings.line)
        self.totals = Totals()
        name, service = self.header.standard_entry_class, self.header.service_class_code
        self.advices = name == "ADV" or service == ACCOUNTING_ADVICES
        self._class = CLASSES.get(name)
        self._findings = findings
        self._last_trace = ""
        self._pending: _Pending | None = None
        check_batch(self.header, findings)

    def begin(self, found: Fields) -> None:
        """Record type 6; the entry above must be finished."""
        findings, header = self._findings, self.header
        findings.entry = self.totals.entries + 1
        stated: int | None = None
        entry: Entry
        if self.advices:
            entry = accounting_advice(found, findings.line)
        elif isinstance(header, InternationalBatchHeader):
            entry = international_entry(found, findings.line)
            stated = _stated(found, 13, 16)
        else:
            entry = entry_detail(found, header.standard_entry_class, findings.line)
            if self._class is not None and self._class.counted:
                stated = _stated(found, 55, 58)
        code = TRANSACTION_CODES.get(entry.transaction_code)
        self.totals.add_entry(entry.receiving_dfi, code.direction if code else "", entry.amount_minor)
        self._pending = _Pending(entry, found.record[78], stated)

    def add(self, each: Addenda | None) -> None:
        """Record type 7; None where it could not be read."""
        self.totals.addenda += 1
        pending = self._pending
        if pending is None:
            self._findings.error(INVALID_FILE_FORMAT, "Addenda", "an addenda outside of an entry")
        elif each is not None and len(pending.addenda) < MOST_ADDENDA:
            pending.addenda.append(each)
        elif each is not None:
            why = f"an entry has at most {MOST_ADDENDA} addenda"
            self._findings.error(INVALID_NUMBER_OF_TRANSACTIONS, "Addenda", why)

    def finished(self) -> Entry | None:
        """The entry above with its addenda, once."""
        pending, findings = self._pending, self._findings
        if pending is None:
            return None
        self._pending = None
        entry = pending.entry
        if pending.addenda:
            entry = replace(entry, addenda=tuple(pending.addenda))
        line, findings.line = findings.line, entry.line
        if pending.indicator != ("1" if pending.addenda else "0"):
            why = f"{pending.indicator!r} with {len(pending.addenda)} addenda: 1 with any, 0 without"
            findings.error(CONTENT_INCORRECT, "AddendaRecordIndicator", why)
        check_entry(entry, self.header, pending.stated, findings)
        if not isinstance(entry, AccountingAdvice):
            self._check_trace(entry.trace_number)
        findings.line, findings.entry = line, 0
        return entry

    def control(self, found: Fields) -> BatchControl:
        """Record type 8, which ends the batch."""
        control = batch_control(found, self.advices, self._findings.line)
        check_batch_control(control, self.header, self.totals, self._findings)
        if not self.totals.entries:
            self._findings.error(MANDATORY_ELEMENT_MISSING, "Entry", "a batch without entries")
        return control

    def _check_trace(self, trace: str) -> None:
        """Warnings only: it is the ODFI that numbers entries, and originators leave it to it."""
        if trace <= self._last_trace:
            self._findings.warning(CONTENT_INCORRECT, "TraceNumber", f"{trace} after {self._last_trace}")
        if trace[:8] != self.header.originating_dfi:
            why = f"{trace} does not begin with the bank of the batch, {self.header.originating_dfi}"
            self._findings.warning(CONTENT_INCORRECT, "TraceNumber", why)
        self._last_trace = trace


def _stated(found: Fields, first: int, last: int) -> int | None:
    text = found.record[first - 1 : last]
    if is_digits(text):
        return int(text)
    found.findings.warning(CONTENT_INCORRECT, "NumberOfAddendaRecords", f"{text!r} is no number")
    return None
