"""Reads pain.001 strictly: a payment file that breaks its schema, its counts or its sums is refused."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from lxml import etree

from goodfunds.files.leaves import Leaves, TextLeaves
from goodfunds.files.pain001_counts import Counted, differences
from goodfunds.files.pain001_mapping import (
    NoAmount,
    credit_transfer,
    group_header,
    instructed_amount,
    payment_information,
)
from goodfunds.files.pain001_recurring import TRANSFER, transfer_again
from goodfunds.files.pain001_schema import ROOT, ROOT_02, VERSIONS, PaymentSchema, schema
from goodfunds.files.records import (
    CreditTransfer,
    FileError,
    GroupHeader,
    InvalidFile,
    PaymentFile,
    PaymentInformation,
)
from goodfunds.files.recurring import Made, Recurring
from goodfunds.files.shape import Shape
from goodfunds.files.xml import MOST_ERRORS, Message, Part, line_of, name_of
from goodfunds.rails.reasons import (
    INVALID_DEBTOR_ACCOUNT,
    INVALID_FILE_FORMAT,
    MANDATORY_ELEMENT_MISSING,
)

Record = GroupHeader | PaymentInformation | CreditTransfer

_SHAPE = Shape(
    kind="pain.001",
    roots=frozenset({ROOT, ROOT_02}),
    parts={"GrpHdr": ("",), "PmtInf": ("",), "CdtTrfTxInf": ("PmtInf",)},
    versions=VERSIONS,
)


def read(source: BinaryIO) -> Iterator[Record]:
    """The file's records as they come, in flat memory: header, and each PmtInf before its transactions.

    Raises InvalidFile where one breaks the schema, or at the end if counts or sums do not hold; what came
    before stands in a file that is refused. Transactions with an equivalent amount are refused.
    """
    reading = _Reading(source)
    try:
        for record in reading.records():
            if reading.errors:
                break
            yield record
    except InvalidFile as fault:
        raise InvalidFile(fault.errors, reading.message_id) from None
    if reading.errors:
        raise InvalidFile(reading.errors, reading.message_id)


def read_whole(source: BinaryIO) -> PaymentFile:
    """The file, if all of it holds together. Raises InvalidFile with what is wrong, 100 things at most."""
    reading = _Reading(source)
    informations: list[PaymentInformation] = []
    transfers: list[CreditTransfer] = []
    header: GroupHeader | None = None
    try:
        for record in reading.records():
            if isinstance(record, CreditTransfer):
                transfers.append(record)
            elif isinstance(record, PaymentInformation):
                informations.append(record)
            else:
                header = record
            if len(reading.errors) >= MOST_ERRORS:
                break
    except InvalidFile as fault:
        errors = (*reading.errors, *fault.errors)[-MOST_ERRORS:]
        raise InvalidFile(errors, reading.message_id) from None
    if reading.errors or header is None:
        raise InvalidFile(reading.errors, reading.message_id)
    return PaymentFile(header, tuple(informations), tuple(transfers))


class _Reading:
    """One reading of a file: its sound records; what is wrong with it gathers in `errors`."""

    def __init__(self, source: BinaryIO) -> None:
        self.errors: list[FileError] = []
        self.message_id = ""
        self._message = Message(source, _SHAPE, [Recurring(TRANSFER, self._transfer_again)])
        self._header: GroupHeader | None = None
        self._information: PaymentInformation | None = None
        self._informations = 0
        self._whole = Counted()
        self._part = Counted()

    def records(self) -> Iterator[Record]:
        """The records in the file's order. Raises InvalidFile for what cannot be read on."""
        for part in self._message:
            found = self._again(part.record) if isinstance(part, Made) else self._part_of(part)
            if found is not None:
                yield found
        self.errors += self._message.stray[: MOST_ERRORS - len(self.errors)]

    def _part_of(self, part: Part) -> Record | None:
        end, name, element = part
        if name == "CdtTrfTxInf":
            if not end:
                return self._before_transfer(element)
            transfer = self._transfer(element)
            self._part.all += 1
            return transfer
        if name == "GrpHdr":
            return self._group_header(element) if end else None
        if name != "PmtInf":
            if end:
                self._end_message(element)
        elif end:
            self._end_information(element)
        else:
            self._begin_information(element)
        return None

    def _group_header(self, element: etree._Element) -> GroupHeader | None:
        if element.getprevious() is not None:
            self._refuse(INVALID_FILE_FORMAT, element, "GrpHdr", "it must stand first and once")
        before = len(self.errors)
        found = self._leaves(element, "GrpHdr", "GrpHdr")
        self.message_id = found.text("MsgId")[:35]
        if len(self.errors) > before:
            return None
        self._header = group_header(found, self._message.name)
        return self._header

    def _begin_information(self, element: etree._Element) -> None:
        self._informations += 1
        self._information, self._part = None, Counted()
        if not self._follows(element, "GrpHdr", "PmtInf"):
            self._refuse(INVALID_FILE_FORMAT, element, "PmtInf", "it must stand after GrpHdr or a PmtInf")

    def _before_transfer(self, element: etree._Element) -> PaymentInformation | None:
        """The PmtInf, once what stands before its first transaction is there."""
        parent = element.getparent()
        if self._part.all == 0 and parent is not None:
            return self._information_of(parent)
        if not self._follows(element, "CdtTrfTxInf"):
            self._refuse(INVALID_FILE_FORMAT, element, "PmtInf", "elements stand among its transactions")
        return None

    def _information_of(self, element: etree._Element) -> PaymentInformation | None:
        before = len(self.errors)
        found = self._leaves(element, "PmtInf", "PmtInf")
        if len(self.errors) > before:
            return None
        information = payment_information(found, self._informations)
        if not information.debtor_account:
            self._refuse(INVALID_DEBTOR_ACCOUNT, element, "PmtInf/DbtrAcct", "the account must be there")
            return None
        self._information = information
        return information

    def _transfer(self, element: etree._Element) -> CreditTransfer | None:
        before, path = len(self.errors), "PmtInf/CdtTrfTxInf"
        found = self._leaves(element, "CdtTrfTxInf", path)
        if len(self.errors) > before:
            return None
        try:
            money = instructed_amount(found, self._schema().euro_only)
        except NoAmount as fault:
            self._note(FileError(fault.code, fault.line, f"{path}/Amt", str(fault)))
            return None
        self._add(money)
        if self._information is None:
            return None
        transfer = credit_transfer(found, self._information, self._part.all + 1, money)
        self._message.learn("CdtTrfTxInf", transfer)
        return transfer

    def _again(self, made: object) -> CreditTransfer:
        """A transaction that a pattern read."""
        assert isinstance(made, CreditTransfer)
        self._part.all += 1
        self._add((made.amount_minor, made.currency))
        return made

    def _transfer_again(self, found: Sequence[TextLeaves]) -> CreditTransfer:
        if self._information is None:
            raise ValueError("it stands in no PmtInf that is sound")
        return transfer_again(found[0], self._information, self._part.all + 1, self._schema())

    def _add(self, money: tuple[int, str]) -> None:
        self._part.total.add(*money)
        self._whole.total.add(*money)

    def _end_information(self, element: etree._Element) -> None:
        if self._part.all == 0:
            self._information_of(element)
            return
        self._only(element, "CdtTrfTxInf")
        self._whole.all += self._part.all
        if self._information is not None:
            self._note(*differences("PmtInf", self._information, self._part))

    def _end_message(self, element: etree._Element) -> None:
        """The message's end: nothing in it but its parts, and they are as many and as much as it says."""
        self._only(element, "PmtInf", "SplmtryData")
        self._schema().check_message(element, self.errors)
        if (name_of(element) == ROOT_02) != (self._message.version == 2):
            self._refuse(INVALID_FILE_FORMAT, element, "", "it bears the name of another version's message")
        header = self._header
        if header is None:
            if not self.errors:
                self._refuse(MANDATORY_ELEMENT_MISSING, element, "", "GrpHdr must be there")
            return
        if self._informations == 0:
            self._refuse(MANDATORY_ELEMENT_MISSING, element, "", "a PmtInf must be there")
        self._note(*differences("GrpHdr", header, self._whole))

    def _leaves(self, element: etree._Element, kind: str, path: str) -> Leaves:
        return self._schema().check(element, kind, path, self.errors)

    def _schema(self) -> PaymentSchema:
        return schema(self._message.name, self._message.tag_prefix)

    def _follows(self, element: etree._Element, *names: str) -> bool:
        """Whether it stands right after one of these, which are the message's own and no namesakes."""
        before = element.getprevious()
        return before is not None and before.tag in [self._message.tag_prefix + name for name in names]

    def _only(self, element: etree._Element, *names: str) -> None:
        """Refuse what else stands in an element, its last parts included; text too."""
        self._message.note_stray(element)
        for child in element:
            self._message.note_stray_behind(child)
            name = name_of(child)
            if name not in (*names, "GrpHdr") or child.tag != self._message.tag_prefix + name:
                why = f"{name[:70]} is not expected here"
                self._refuse(INVALID_FILE_FORMAT, child, name_of(element), why)

    def _refuse(self, code: str, at: etree._Element, path: str, message: str) -> None:
        self._note(FileError(code, line_of(at), path, message))

    def _note(self, *errors: FileError) -> None:
        self.errors += errors[: MOST_ERRORS - len(self.errors)]
