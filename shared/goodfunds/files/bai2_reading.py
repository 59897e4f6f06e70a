"""Reads a BAI2 file: records in their order, each level's control total and counts kept as they pass."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from goodfunds.files import bai2_mapping as mapping
from goodfunds.files.bai2_fields import NotReadable, is_time
from goodfunds.files.bai2_lines import LogicalRecord, logical_records
from goodfunds.files.bai2_records import (
    AccountIdentifier,
    AccountTrailer,
    FileHeader,
    FileTrailer,
    GroupHeader,
    GroupTrailer,
    TransactionDetail,
)
from goodfunds.files.bai2_totals import Level, does_not_add_up
from goodfunds.files.findings import Findings
from goodfunds.rails.reasons import (
    CONTENT_INCORRECT,
    INVALID_DATE,
    INVALID_FILE_FORMAT,
    MANDATORY_ELEMENT_MISSING,
)

Record = (
    FileHeader
    | GroupHeader
    | AccountIdentifier
    | TransactionDetail
    | AccountTrailer
    | GroupTrailer
    | FileTrailer
)

_UNUSUAL_STATUS: Final = {"2": "deletes an earlier group", "3": "corrects an earlier group", "4": "is a test"}
_MODIFIERS: Final = frozenset(("", "1", "2", "3", "4"))
_WITHIN: Final = {"02": "a file (01)", "03": "a group (02)", "16": "an account (03)"}
_TRAILER_OF: Final = {"file": "99", "group": "98", "account": "49"}


class Reading:
    """One reading. Memory holds one logical record, and counters; `details_seen` counts 16 records."""

    def __init__(self, found: Iterable[bytes], findings: Findings) -> None:
        self._found = found
        self._findings = findings
        self._open: dict[str, Level] = {}
        self._group_currency = "USD"
        self._account: AccountIdentifier | None = None
        self._transactions = 0
        self._booked = 0
        self._ended = False
        self.details_seen = 0

    def records(self) -> Iterator[Record]:
        """All of them. Raises InvalidFile, perhaps late; what `findings` collects does not raise."""
        handlers: dict[str, Callable[[LogicalRecord], Record]] = {
            "01": self._file_header,
            "02": self._group_header,
            "03": self._account_identifier,
            "16": self._transaction,
            "49": self._account_trailer,
            "98": self._group_trailer,
            "99": self._file_trailer,
        }
        first = True
        for record in logical_records(self._found, self._findings):
            if first and record.code != "01":
                told = "the file does not begin with a 01"
                self._refuse(record.line, record.code, told, INVALID_FILE_FORMAT)
            first = False
            if self._ended:
                self._refuse(record.line, record.code, "a record follows the 99", INVALID_FILE_FORMAT)
            for level in self._open.values():
                level.records += record.physical
            try:
                yield handlers[record.code](record)
            except NotReadable as fault:
                path = f"{record.code}/{fault.path}" if fault.path else record.code
                self._findings.refuse(fault.code, record.line, path, str(fault))
        if first:
            self._refuse(1, "", "there is no BAI2 record", INVALID_FILE_FORMAT)
        elif not self._ended:
            self._refuse(0, "99", "the file ends without a 99: it is cut")

    def _file_header(self, record: LogicalRecord) -> FileHeader:
        if self._open:
            self._refuse(record.line, "01", "a second 01", INVALID_FILE_FORMAT)
        self._begin("file", record)
        header = mapping.file_header(record)
        if header.version_number != "2":
            told = f"version {header.version_number[:10]!r} is not read: 2 is"
            self._refuse(record.line, "01/version number", told, INVALID_FILE_FORMAT)
        if header.file_creation_date is None:
            told = "the file creation date must be there"
            self._findings.wrong(MANDATORY_ELEMENT_MISSING, record.line, "01/file creation date", told)
        self._check_time(header.file_creation_time, record.line, "01/file creation time")
        return header

    def _group_header(self, record: LogicalRecord) -> GroupHeader:
        self._end_left_open(("account", "group"), record.line)
        self._within("file", record)
        self._begin("group", record)
        self._group_currency = "USD"
        header = mapping.group_header(record)
        self._group_currency = header.currency
        if header.group_status in _UNUSUAL_STATUS:
            told = f"the group has status {header.group_status}: it {_UNUSUAL_STATUS[header.group_status]}"
            self._findings.warn(CONTENT_INCORRECT, record.line, "02/group status", told)
        elif not header.group_status:
            told = "the group status must be there: taken for an update"
            self._findings.wrong(MANDATORY_ELEMENT_MISSING, record.line, "02/group status", told)
        elif header.group_status != "1":
            told = f"{header.group_status[:10]!r} is no group status"
            self._refuse(record.line, "02/group status", told, CONTENT_INCORRECT)
        if header.as_of_time:
            self._check_time(header.as_of_time, record.line, "02/as-of-time")
        if header.as_of_date_modifier not in _MODIFIERS:
            told = f"{header.as_of_date_modifier[:10]!r} is no as-of-date modifier"
            self._findings.wrong(CONTENT_INCORRECT, record.line, "02/as-of-date modifier", told)
        return header

    def _account_identifier(self, record: LogicalRecord) -> AccountIdentifier:
        self._end_left_open(("account",), record.line)
        self._within("group", record)
        level = self._begin("account", record)
        self._account, self._transactions, self._booked = None, 0, 0
        self._account = mapping.account_identifier(record, self._group_currency)
        level.add_account(self._account)
        return self._account

    def _transaction(self, record: LogicalRecord) -> TransactionDetail:
        self._within("account", record)
        self._transactions += 1
        self.details_seen += 1
        transaction = mapping.transaction_detail(record, self._transactions)
        if transaction.amount_minor < 0:
            told = f"a negative amount of type {transaction.type_code} counts against its direction"
            self._findings.warn(CONTENT_INCORRECT, record.line, "16/amount", told)
        self._booked += transaction.signed_minor
        if "account" in self._open:
            self._open["account"].add_transaction(transaction)
        return transaction

    def _account_trailer(self, record: LogicalRecord) -> AccountTrailer:
        total, count = self._end("account", record, ("number of records",))
        account = self._account or AccountIdentifier("", self._group_currency)
        if "group" in self._open:
            self._open["group"].total += total
            self._open["group"].parts += 1
        why = does_not_add_up(account, self._booked)
        if why:
            self._findings.warn(CONTENT_INCORRECT, account.line, "03", why)
        warnings, self._account = self._findings.fresh(), None
        return AccountTrailer(
            account, total, count, self._transactions, self._booked, warnings, line=record.line
        )

    def _group_trailer(self, record: LogicalRecord) -> GroupTrailer:
        self._end_left_open(("account",), record.line)
        total, accounts, count = self._end("group", record, ("number of accounts", "number of records"))
        if "file" in self._open:
            self._open["file"].total += total
            self._open["file"].parts += 1
        return GroupTrailer(total, accounts, count, line=record.line)

    def _file_trailer(self, record: LogicalRecord) -> FileTrailer:
        self._end_left_open(("account", "group"), record.line)
        total, groups, count = self._end("file", record, ("number of groups", "number of records"))
        self._ended = True
        return FileTrailer(total, groups, count, line=record.line)

    def _begin(self, name: str, record: LogicalRecord) -> Level:
        level = self._open[name] = Level()
        level.records = record.physical
        return level

    def _end(self, name: str, record: LogicalRecord, counts: tuple[str, ...]) -> tuple[int, ...]:
        """What a trailer says, compared with what was there."""
        level = self._open.pop(name, None)
        told = mapping.trailer(record, counts)
        if level is None:
            self._refuse(record.line, record.code, f"no {name} is open", INVALID_FILE_FORMAT)
        else:
            parts = counts[0].removeprefix("number of ")
            level.compare(self._findings, record.line, record.code, told, parts)
        return told

    def _end_left_open(self, names: tuple[str, ...], line: int) -> None:
        for name in names:
            if self._open.pop(name, None) is not None:
                self._refuse(line, _TRAILER_OF[name], f"the {name} has no trailer")

    def _within(self, name: str, record: LogicalRecord) -> None:
        if name not in self._open:
            told = f"a {record.code} must stand in {_WITHIN[record.code]}"
            self._refuse(record.line, record.code, told, INVALID_FILE_FORMAT)

    def _check_time(self, text: str, line: int, path: str) -> None:
        if not is_time(text):
            self._findings.wrong(
                INVALID_DATE, line, path, f"{text[:10]!r} is no time of day of the form HHMM"
            )

    def _refuse(self, line: int, path: str, message: str, code: str = MANDATORY_ELEMENT_MISSING) -> None:
        self._findings.refuse(code, line, path, message)
