"""Reads what camt.053 and camt.054 share: statements and their entries, streamed, lenient but for money."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO

from lxml import etree

from goodfunds.files import camt_mapping as mapping
from goodfunds.files.camt_recurring import DETAIL, ENTRY, entry_again
from goodfunds.files.camt_warnings import batch_differs, does_not_add_up
from goodfunds.files.fields import ParsedLeaves, add_leaves, leaves_of
from goodfunds.files.kept_transactions import KeptTransactions
from goodfunds.files.leaves import Leaves, TextLeaves, Unsound
from goodfunds.files.records import FileError, InvalidFile
from goodfunds.files.recurring import Made, Recurring
from goodfunds.files.reports import Balance, Entry, EntryBatch, EntryTransaction, Statement, StatementEnd
from goodfunds.files.shape import Shape
from goodfunds.files.xml import MOST_ERRORS, Message, line_of, name_of
from goodfunds.rails.reasons import CONTENT_INCORRECT, INVALID_FILE_FORMAT, MANDATORY_ELEMENT_MISSING

_STATUS_IS_CHOICE = 8
"""The version from which on Sts holds Cd or Prtry."""

Record = Statement | Entry | StatementEnd


def shape(kind: str, root: str, part: str) -> Shape:
    """What is wanted of a message whose statements are elements `part`."""
    return Shape(
        kind=kind,
        roots=frozenset({root}),
        parts={"GrpHdr": ("",), part: ("",), "Ntry": (part,), "NtryDtls": ("Ntry",), "TxDtls": ("NtryDtls",)},
        versions=(2, 14),
        unqualified=True,
        lenient=True,
    )


def read_report(source: BinaryIO, wanted: Shape, part: str, default_status: str = "") -> Iterator[Record]:
    """Each statement, its entries, its end. Memory holds one entry's records, and not all of very many.

    `default_status`: of entries whose bank gave none.

    Banks break the schema: what harms no money is a warning at the statement's end. Raises InvalidFile,
    perhaps after some entries, for what is no XML of this kind and for money that cannot be read.
    """
    reading = _Reading(source, wanted, part, default_status)
    try:
        yield from reading.records()
    except Unsound as fault:
        error = FileError(fault.code, fault.line, f"{part}/{reading.place}{fault.path}", str(fault))
        raise InvalidFile([error], reading.message_id) from None
    except InvalidFile as fault:
        raise InvalidFile(fault.errors, reading.message_id) from None


class _Reading:
    """One reading of a message. `place`: where in a statement it is, for errors."""

    def __init__(self, source: BinaryIO, wanted: Shape, part: str, default_status: str) -> None:
        self.message_id = ""
        self.place = ""
        recurring = (Recurring(ENTRY, self._entry_again), Recurring(DETAIL, self._detail_again))
        self._message = Message(source, wanted, recurring)
        self._part = part
        self._default_status = default_status
        self._header = ParsedLeaves(0)
        self._statements = 0
        self._statement: Statement | None = None
        self._late: list[Balance] = []
        self._entries = 0
        self._booked: dict[str, int] = {}
        self._warnings: list[FileError] = []
        self._batch: EntryBatch | None = None
        self._found = ParsedLeaves(0)
        self._batches: list[EntryBatch] = []
        self._transactions = KeptTransactions()

    def records(self) -> Iterator[Record]:
        """The records in the message's order."""
        for found in self._message:
            if isinstance(found, Made):
                yield from self._again(found.record)
                continue
            end, name, element = found
            if name == "TxDtls":
                self._transaction(element, end)
            elif name == "NtryDtls":
                self._details(element, end)
            elif name == "Ntry":
                if end:
                    yield self._entry(element)
                else:
                    yield from self._begin_entry(element)
            elif name == self._part:
                if end:
                    yield from self._begin_statement(element)
                    yield self._end_statement(element)
                else:
                    self._reset()
            elif name == "GrpHdr" and end:
                self._header = leaves_of(element)
                self.message_id = self._header.text("MsgId").strip()[:35]
        if self._statements == 0:
            why = f"a {self._part} must be there"
            raise InvalidFile([FileError(MANDATORY_ELEMENT_MISSING, 0, self._part, why)])

    def _reset(self) -> None:
        self._statements += 1
        self._statement, self._entries = None, 0
        self._late, self._booked, self._warnings = [], {}, []
        self.place = ""

    def _begin_statement(self, element: etree._Element) -> Iterator[Statement]:
        """The statement, once what stands before its first entry is there."""
        if self._statement is None:
            balances = tuple(self._balance(child) for child in element if name_of(child) == "Bal")
            found = leaves_of(element, frozenset({"Bal", "Ntry", "TxsSummry"}))
            self._statement = mapping.statement(found, self._statements, self._header, balances)
            yield self._statement
        else:
            self._late_balances(element[-1] if len(element) else None)

    def _begin_entry(self, element: etree._Element) -> Iterator[Statement]:
        self._batches, self._transactions = [], KeptTransactions()
        self._found = ParsedLeaves(line_of(element))
        parent = element.getparent()
        if self._statement is not None:
            self._late_balances(element.getprevious())
        elif parent is not None:
            yield from self._begin_statement(parent)
        self.place = "Ntry/"

    def _late_balances(self, last: etree._Element | None) -> None:
        """Balances between entries or after them: no schema allows that, some banks do it."""
        found: list[Balance] = []
        while last is not None and name_of(last) != "Ntry":
            if name_of(last) == "Bal":
                found.insert(0, self._balance(last))
                self._warn(INVALID_FILE_FORMAT, "a balance stands after entries", last, "Bal")
            last = last.getprevious()
        self._late += found

    def _balance(self, element: etree._Element) -> Balance:
        self.place = "Bal/"
        found = mapping.balance(leaves_of(element))
        if not found.has_sign:
            why = f"{found.kind} has no CdtDbtInd: taken for a credit"
            self._warn(CONTENT_INCORRECT, why, element, "Bal")
        return found

    def _details(self, element: etree._Element, end: bool) -> None:
        if not end:
            self._batch = None
            self._gather(element.getprevious())
        elif self._batch is None:
            self._begin_details(element)

    def _gather(self, last: etree._Element | None) -> None:
        """Note the leaves that an entry has between its NtryDtls, which free what stands before them."""
        found: list[etree._Element] = []
        while last is not None and last.tag != f"{self._message.tag_prefix}NtryDtls":
            found.append(last)
            last = last.getprevious()
        for child in reversed(found):
            add_leaves(child, "", self._found)

    def _begin_details(self, element: etree._Element) -> EntryBatch:
        """What stands in an NtryDtls before its transactions."""
        self.place = "Ntry/NtryDtls/Btch/"
        self._batch = EntryBatch()
        for child in element:
            if name_of(child) == "Btch":
                self._batch = mapping.entry_batch(leaves_of(child))
                self._batches.append(self._batch)
        return self._batch

    def _transaction(self, element: etree._Element, end: bool) -> None:
        parent = element.getparent()
        if end:
            self.place = "Ntry/NtryDtls/TxDtls/"
            found = mapping.entry_transaction(leaves_of(element), self._batch or EntryBatch())
            self._transactions.append(found)
            self._message.learn("TxDtls", found)
        elif self._batch is None and parent is not None:
            self._begin_details(parent)

    def _again(self, made: object) -> Iterator[Entry]:
        """What a pattern made: an entry, or a detail of the one that is open."""
        if isinstance(made, EntryTransaction):
            self._transactions.append(made)
        else:
            assert isinstance(made, Entry)
            self._count(made)
            yield made

    def _detail_again(self, found: Sequence[TextLeaves]) -> EntryTransaction:
        return mapping.entry_transaction(found[0], self._batch or EntryBatch())

    def _entry_again(self, found: Sequence[TextLeaves]) -> Entry:
        """Raises ValueError for what a warning is due for: the parser knows where it stands."""
        entry = entry_again(found, self._entries + 1, self._default_status)
        if self._no_status(found[0], entry) or batch_differs(entry):
            raise ValueError("a warning is due")
        return entry

    def _entry(self, element: etree._Element) -> Entry:
        self.place = "Ntry/"
        self._gather(element[-1] if len(element) else None)
        found = self._found
        number = self._entries + 1
        entry = mapping.entry(found, number, self._default_status, self._batches, self._transactions.whole())
        no_status, differs = self._no_status(found, entry), batch_differs(entry)
        if no_status:
            self._warn(*no_status, element, "Ntry/Sts")
        if differs:
            self._warn(CONTENT_INCORRECT, differs, element, "Ntry/NtryDtls/Btch")
        if not no_status and not differs:
            self._message.learn("Ntry", entry)
        self._count(entry)
        return entry

    def _no_status(self, found: Leaves, entry: Entry) -> tuple[str, str] | None:
        """(code, what) of the warning about an entry's status."""
        if not mapping.status(found):
            return MANDATORY_ELEMENT_MISSING, f"no status: taken for {entry.status}"
        if found.first("Sts") and self._message.version >= _STATUS_IS_CHOICE:
            return CONTENT_INCORRECT, "the status stands without Cd or Prtry"
        return None

    def _count(self, entry: Entry) -> None:
        self._entries += 1
        if entry.status == "BOOK":
            self._booked[entry.currency] = self._booked.get(entry.currency, 0) + entry.signed_minor

    def _end_statement(self, element: etree._Element) -> StatementEnd:
        assert self._statement is not None
        whole = replace(self._statement, balances=(*self._statement.balances, *self._late))
        why = does_not_add_up(whole, self._booked)
        if why:
            self._warn(CONTENT_INCORRECT, why, element, "Bal")
        warnings = (*self._warnings, *self._message.stray)[:MOST_ERRORS]
        booked = next(iter(self._booked.values())) if len(self._booked) == 1 else None
        return StatementEnd(whole, self._entries, booked, warnings)

    def _warn(self, code: str, message: str, at: etree._Element, path: str) -> None:
        if len(self._warnings) < MOST_ERRORS:
            self._warnings.append(FileError(code, line_of(at), f"{self._part}/{path}", message))
