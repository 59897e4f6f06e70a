"""Reads pain.002 leniently: what a bank says of a file, of its batches and of its payments, streamed."""

from collections.abc import Iterator
from decimal import Decimal
from typing import BinaryIO

from lxml import etree

from goodfunds.files.fields import Leaves, leaves_of, read_count, read_decimal
from goodfunds.files.records import (
    FileError,
    GroupStatus,
    InvalidFile,
    PaymentInformationStatus,
    TransactionStatus,
)
from goodfunds.files.xml import Message, Shape, line_of
from goodfunds.rails.reasons import MANDATORY_ELEMENT_MISSING

Record = GroupStatus | PaymentInformationStatus | TransactionStatus

_SHAPE = Shape(
    kind="pain.002",
    roots=frozenset({"CstmrPmtStsRpt"}),
    parts={
        "GrpHdr": "",
        "OrgnlGrpInfAndSts": "",
        "OrgnlPmtInfAndSts": "",
        "TxInfAndSts": "OrgnlPmtInfAndSts",
    },
    versions=(3, 14),
    unqualified=True,
)


def read(source: BinaryIO) -> Iterator[Record]:
    """The status of the group first, then each PmtInf and after it its transactions.

    A status that is not given is empty, at every level. Raises InvalidFile, perhaps after some records,
    for what is no XML of this kind or names no original message.
    """
    header = Leaves(0)
    batch: PaymentInformationStatus | None = None
    group: GroupStatus | None = None
    try:
        for end, name, element in Message(source, _SHAPE):
            if name == "GrpHdr" and end:
                header = leaves_of(element)
            elif name == "OrgnlGrpInfAndSts" and end:
                group = _group(leaves_of(element), header)
                yield group
            elif name == "OrgnlPmtInfAndSts":
                if not end:
                    batch = None
                    if group is None:
                        raise _missing("OrgnlGrpInfAndSts", line_of(element))
                elif batch is None:
                    yield _batch(element)
            elif name == "TxInfAndSts":
                parent = element.getparent()
                if not end and batch is None and parent is not None:
                    batch = _batch(parent)
                    yield batch
                elif end and batch is not None:
                    yield _transaction(leaves_of(element), batch)
        if group is None:
            raise _missing("OrgnlGrpInfAndSts", 0)
    except InvalidFile as fault:
        raise InvalidFile(fault.errors, _text(header, "MsgId")[:35]) from None


def _group(found: Leaves, header: Leaves) -> GroupStatus:
    original = _text(found, "OrgnlMsgId")
    if not original:
        raise _missing("OrgnlMsgId", found.line)
    code, reason = _reason(found)
    return GroupStatus(
        message_id=_text(header, "MsgId"),
        created_at=_text(header, "CreDtTm"),
        original_message_id=original,
        original_message_name=_text(found, "OrgnlMsgNmId"),
        status=_text(found, "GrpSts"),
        reason_code=code,
        reason=reason,
        original_created_at=_text(found, "OrgnlCreDtTm"),
        original_number_of_transactions=_count(found),
        original_control_sum=_sum(found),
        initiating_party=_text(header, "InitgPty/Nm"),
        agent=_text(header, "DbtrAgt/FinInstnId/BICFI", "DbtrAgt/FinInstnId/BIC"),
        line=found.line,
    )


def _batch(element: etree._Element) -> PaymentInformationStatus:
    found = leaves_of(element, frozenset({"TxInfAndSts"}))
    code, reason = _reason(found)
    return PaymentInformationStatus(
        payment_information_id=_text(found, "OrgnlPmtInfId"),
        status=_text(found, "PmtInfSts"),
        reason_code=code,
        reason=reason,
        line=found.line,
    )


def _transaction(found: Leaves, batch: PaymentInformationStatus) -> TransactionStatus:
    code, reason = _reason(found)
    return TransactionStatus(
        payment_information_id=batch.payment_information_id,
        instruction_id=_text(found, "OrgnlInstrId"),
        end_to_end_id=_text(found, "OrgnlEndToEndId"),
        status=_text(found, "TxSts"),
        reason_code=code,
        reason=reason,
        uetr=_text(found, "OrgnlUETR"),
        bank_reference=_text(found, "AcctSvcrRef"),
        line=found.line,
    )


def _reason(found: Leaves) -> tuple[str, str]:
    """The first reason's code, and the text of all."""
    code = _text(found, "StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry")
    return code, " ".join(text.strip() for text in found.texts("StsRsnInf/AddtlInf"))


def _count(found: Leaves) -> int | None:
    """The bank's echo of a count; one that is none says nothing."""
    try:
        return read_count(_text(found, "OrgnlNbOfTxs"))
    except ValueError:
        return None


def _sum(found: Leaves) -> Decimal | None:
    try:
        return read_decimal(_text(found, "OrgnlCtrlSum"))
    except ValueError:
        return None


def _text(found: Leaves, *paths: str) -> str:
    return found.text(*paths).strip()


def _missing(name: str, line: int) -> InvalidFile:
    return InvalidFile([FileError(MANDATORY_ELEMENT_MISSING, line, name, f"{name} must be there")])
