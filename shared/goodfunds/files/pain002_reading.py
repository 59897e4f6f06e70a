"""Reads pain.002 leniently: what a bank says of a file, of its batches and of its payments, streamed."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import BinaryIO

from lxml import etree

from goodfunds.files.fields import ParsedLeaves, leaves_of, read_count, read_decimal
from goodfunds.files.leaves import Leaves, TextLeaves
from goodfunds.files.outline import Kind
from goodfunds.files.records import (
    FileError,
    GroupStatus,
    InvalidFile,
    PaymentInformationStatus,
    TransactionStatus,
)
from goodfunds.files.recurring import Made, Recurring
from goodfunds.files.shape import Shape
from goodfunds.files.xml import Message, line_of
from goodfunds.rails.reasons import MANDATORY_ELEMENT_MISSING

Record = GroupStatus | PaymentInformationStatus | TransactionStatus

_SHAPE = Shape(
    kind="pain.002",
    roots=frozenset({"CstmrPmtStsRpt"}),
    parts={
        "GrpHdr": ("",),
        "OrgnlGrpInfAndSts": ("",),
        "OrgnlPmtInfAndSts": ("",),
        "TxInfAndSts": ("OrgnlPmtInfAndSts",),
    },
    versions=(3, 14),
    unqualified=True,
)

_TRANSACTION = Kind("TxInfAndSts")


def read(source: BinaryIO) -> Iterator[Record]:
    """The status of the group first, then each PmtInf and after it its transactions.

    A status that is not given is empty, at every level. Raises InvalidFile, perhaps after some records,
    for what is no XML of this kind or names no original message.
    """
    reading = _Reading(source)
    try:
        yield from reading.records()
    except InvalidFile as fault:
        raise InvalidFile(fault.errors, reading.header.stripped("MsgId")[:35]) from None


class _Reading:
    """One reading of a message."""

    def __init__(self, source: BinaryIO) -> None:
        self.header: Leaves = ParsedLeaves(0)
        self._message = Message(source, _SHAPE, [Recurring(_TRANSACTION, self._transaction_again)])
        self._group: GroupStatus | None = None
        self._batch: PaymentInformationStatus | None = None

    def records(self) -> Iterator[Record]:
        """The records in the message's order."""
        for part in self._message:
            if isinstance(part, Made):
                assert isinstance(part.record, TransactionStatus)
                yield part.record
            else:
                yield from self._of(*part)
        if self._group is None:
            raise _missing("OrgnlGrpInfAndSts", 0)

    def _of(self, end: bool, name: str, element: etree._Element) -> Iterator[Record]:
        if name == "GrpHdr" and end:
            self.header = leaves_of(element)
        elif name == "OrgnlGrpInfAndSts" and end:
            self._group = _group(leaves_of(element), self.header)
            yield self._group
        elif name == "OrgnlPmtInfAndSts":
            if not end:
                self._batch = None
                if self._group is None:
                    raise _missing("OrgnlGrpInfAndSts", line_of(element))
            elif self._batch is None:
                yield _batch(element)
        elif name == "TxInfAndSts":
            parent = element.getparent()
            if not end and self._batch is None and parent is not None:
                self._batch = _batch(parent)
                yield self._batch
            elif end and self._batch is not None:
                transaction = _transaction(leaves_of(element), self._batch)
                self._message.learn(name, transaction)
                yield transaction

    def _transaction_again(self, found: Sequence[TextLeaves]) -> TransactionStatus:
        assert self._batch is not None, "one was read before its like"
        return _transaction(found[0], self._batch)


def _group(found: Leaves, header: Leaves) -> GroupStatus:
    original = found.stripped("OrgnlMsgId")
    if not original:
        raise _missing("OrgnlMsgId", found.line)
    code, reason = _reason(found)
    return GroupStatus(
        message_id=header.stripped("MsgId"),
        created_at=header.stripped("CreDtTm"),
        original_message_id=original,
        original_message_name=found.stripped("OrgnlMsgNmId"),
        status=found.stripped("GrpSts"),
        reason_code=code,
        reason=reason,
        original_created_at=found.stripped("OrgnlCreDtTm"),
        original_number_of_transactions=_count(found),
        original_control_sum=_sum(found),
        initiating_party=header.stripped("InitgPty/Nm"),
        agent=header.stripped("DbtrAgt/FinInstnId/BICFI", "DbtrAgt/FinInstnId/BIC"),
        line=found.line,
    )


def _batch(element: etree._Element) -> PaymentInformationStatus:
    found = leaves_of(element, frozenset({"TxInfAndSts"}))
    code, reason = _reason(found)
    return PaymentInformationStatus(
        payment_information_id=found.stripped("OrgnlPmtInfId"),
        status=found.stripped("PmtInfSts"),
        reason_code=code,
        reason=reason,
        line=found.line,
    )


def _transaction(found: Leaves, batch: PaymentInformationStatus) -> TransactionStatus:
    code, reason = _reason(found)
    return TransactionStatus(
        payment_information_id=batch.payment_information_id,
        instruction_id=found.stripped("OrgnlInstrId"),
        end_to_end_id=found.stripped("OrgnlEndToEndId"),
        status=found.stripped("TxSts"),
        reason_code=code,
        reason=reason,
        uetr=found.stripped("OrgnlUETR"),
        bank_reference=found.stripped("AcctSvcrRef"),
        line=found.line,
    )


def _reason(found: Leaves) -> tuple[str, str]:
    """The first reason's code, and the text of all."""
    code = found.stripped("StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry")
    return code, " ".join(text.strip() for text in found.texts("StsRsnInf/AddtlInf"))


def _count(found: Leaves) -> int | None:
    """The bank's echo of a count; one that is none says nothing."""
    try:
        return read_count(found.stripped("OrgnlNbOfTxs"))
    except ValueError:
        return None


def _sum(found: Leaves) -> Decimal | None:
    try:
        return read_decimal(found.stripped("OrgnlCtrlSum"))
    except ValueError:
        return None


def _missing(name: str, line: int) -> InvalidFile:
    return InvalidFile([FileError(MANDATORY_ELEMENT_MISSING, line, name, f"{name} must be there")])
