"""The bank's answers to files: pain.002.001.03."""

from collections.abc import Sequence
from datetime import datetime

from tests.simulation.bank.books import NOT_PROVIDED, File, Payment
from tests.simulation.bank.markup import document, moment, tag, text

TEXTS = {
    "AM04": "the account does not hold the amount",
    "AM05": "a message with this identification was taken before",
    "AM03": "the account is kept in another currency",
    "AM01": "the amount is zero",
    "AC02": "no such account at this bank",
    "AC03": "the creditor's account number is invalid",
    "AC04": "the creditor's account is closed",
    "FF01": "the file cannot be read",
    "TM01": "the file came too late for its date",
    "MS03": "no reason given",
}


def group_status(total: int, rejected: int, executed: bool) -> str:
    """GrpSts or PmtInfSts of so many payments."""
    if rejected:
        return "RJCT" if rejected == total else "PART"
    return "ACSP" if executed else "ACCP"


def _reason(code: str, words: str) -> str:
    return tag("StsRsnInf", tag("Rsn", text("Cd", code, 4)), text("AddtlInf", words, 105)) if code else ""


def status_report(
    message_id: str,
    at: datetime,
    bic: str,
    file: File,
    status: str,
    informations: Sequence[tuple[str, str]],
    told: Sequence[tuple[Payment, str]],
) -> bytes:
    """A pain.002 of a file. `informations`: (PmtInfId, status); `told`: (payment, RJCT code).

    ISO 20022 Message Definition Report, Payments Initiation 2009 (pain.002.001.03).
    """
    by_information: dict[str, list[str]] = {name: [] for name, _ in informations}
    for payment, code in told:
        name = NOT_PROVIDED if payment.echo_only else payment.order.information
        by_information.setdefault(name, []).append(_transaction(payment, code))
    statuses = dict(informations)
    return document(
        "pain.002.001.03",
        tag(
            "CstmrPmtStsRpt",
            tag(
                "GrpHdr",
                text("MsgId", message_id, 35),
                text("CreDtTm", moment(at)),
                tag("DbtrAgt", tag("FinInstnId", text("BIC", bic))),
            ),
            tag(
                "OrgnlGrpInfAndSts",
                text("OrgnlMsgId", file.message_id or NOT_PROVIDED, 35),
                text("OrgnlMsgNmId", file.message_name or "pain.001", 35),
                text("OrgnlNbOfTxs", str(file.transactions or ""), 15),
                text("GrpSts", status),
                _reason(file.reason_code, file.reason),
            ),
            *(
                tag(
                    "OrgnlPmtInfAndSts",
                    text("OrgnlPmtInfId", name, 35),
                    text("PmtInfSts", statuses.get(name, "")),
                    *transactions,
                )
                for name, transactions in by_information.items()
            ),
        ),
    )


def _transaction(payment: Payment, code: str) -> str:
    return tag(
        "TxInfAndSts",
        "" if payment.echo_only else text("OrgnlInstrId", payment.instruction_id, 35),
        text("OrgnlEndToEndId", payment.order.end_to_end_id, 35),
        text("TxSts", "RJCT"),
        _reason(code, TEXTS.get(code, "")),
    )
