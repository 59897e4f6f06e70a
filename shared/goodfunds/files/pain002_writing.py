"""Writes pain.002.001.10, a bank's answer to a payment file: the same bytes for the same records."""

from collections.abc import Sequence
from textwrap import wrap

from goodfunds.files.markup import agent, decimal_number, document, element, nest
from goodfunds.files.records import (
    GroupStatus,
    PaymentInformationStatus,
    StatusReport,
    TransactionStatus,
)

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
NOT_PROVIDED = "NOTPROVIDED"


def write(message: StatusReport) -> bytes:
    """A status report. Raises Unwritable.

    ISO 20022 Message Definition Report, Payments Initiation 2019 (pain.002.001.10).
    """
    group = message.group
    header = (
        element("MsgId", group.message_id, 35)
        + element("CreDtTm", group.created_at)
        + nest("InitgPty", element("Nm", group.initiating_party, 140))
        + agent("DbtrAgt", group.agent)
    )
    by_batch: dict[str, list[TransactionStatus]] = {
        each.payment_information_id: [] for each in message.payment_informations
    }
    stated = {each.payment_information_id: each for each in message.payment_informations}
    for transaction in message.transactions:
        by_batch.setdefault(transaction.payment_information_id, []).append(transaction)
    batches = "".join(
        _batch(stated.get(name) or PaymentInformationStatus(name), members)
        for name, members in by_batch.items()
    )
    return document(
        NAMESPACE,
        f"<CstmrPmtStsRpt><GrpHdr>{header}</GrpHdr>{_group(group)}{batches}</CstmrPmtStsRpt>",
    )


def _group(group: GroupStatus) -> str:
    count, total = group.original_number_of_transactions, group.original_control_sum
    return nest(
        "OrgnlGrpInfAndSts",
        element("OrgnlMsgId", group.original_message_id or NOT_PROVIDED, 35)
        + element("OrgnlMsgNmId", group.original_message_name or NOT_PROVIDED, 35)
        + element("OrgnlCreDtTm", group.original_created_at)
        + element("OrgnlNbOfTxs", "" if count is None else str(count), 15)
        + element("OrgnlCtrlSum", "" if total is None else decimal_number("OrgnlCtrlSum", total))
        + element("GrpSts", group.status, 4)
        + reason("StsRsnInf", group.reason_code, group.reason),
    )


def _batch(batch: PaymentInformationStatus, members: Sequence[TransactionStatus]) -> str:
    return (
        "<OrgnlPmtInfAndSts>"
        + element("OrgnlPmtInfId", batch.payment_information_id or NOT_PROVIDED, 35)
        + element("PmtInfSts", batch.status, 4)
        + reason("StsRsnInf", batch.reason_code, batch.reason)
        + "".join([_transaction(member) for member in members])
        + "</OrgnlPmtInfAndSts>"
    )


def _transaction(found: TransactionStatus) -> str:
    return (
        "<TxInfAndSts>"
        + element("OrgnlInstrId", found.instruction_id, 35)
        + element("OrgnlEndToEndId", found.end_to_end_id, 35)
        + element("OrgnlUETR", found.uetr, 36)
        + element("TxSts", found.status, 4)
        + reason("StsRsnInf", found.reason_code, found.reason)
        + element("AcctSvcrRef", found.bank_reference, 35)
        + "</TxInfAndSts>"
    )


def reason(name: str, code: str, text: str) -> str:
    """A reason: a code of the external list (four characters) or the bank's own, and lines of text."""
    coded = nest("Rsn", element("Cd", code) if len(code) <= 4 else element("Prtry", code, 35))
    return nest(name, coded + "".join(element("AddtlInf", line, 105) for line in wrap(text, 105)))
