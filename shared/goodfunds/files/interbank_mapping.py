"""From the leaves of messages between banks to their records: which element is which field."""

from dataclasses import replace
from datetime import date

from goodfunds.files.amounts import money_at
from goodfunds.files.fields import read_date
from goodfunds.files.interbank import Assignment, InterbankHeader, InterbankTransfer, Original
from goodfunds.files.leaves import Leaves, Unsound
from goodfunds.files.told_totals import Told
from goodfunds.rails.reasons import INVALID_DATE


def header(found: Leaves, message_name: str, total: str) -> InterbankHeader:
    """GrpHdr with its total amount, which stands at `total`."""
    told = Told(found, total)
    minor, currency = told.total or (None, "")
    return InterbankHeader(
        message_name=message_name,
        message_id=found.stripped("MsgId"),
        created_at=found.stripped("CreDtTm"),
        number_of_transactions=told.count,
        control_sum=told.control_sum,
        total_minor=minor,
        total_currency=currency,
        settlement_date=day(found, "IntrBkSttlmDt"),
        settlement_method=found.stripped("SttlmInf/SttlmMtd"),
        instructing_agent=agent(found, "InstgAgt"),
        instructed_agent=agent(found, "InstdAgt"),
        line=found.line,
    )


class Transfers:
    """Makes the records of one pacs.008 or pacs.009 (`between_banks`).

    A transfer is settled on the day of the header where it has none of its own.
    """

    def __init__(self, total: str, entry: str, between_banks: bool) -> None:
        self._total = total
        self._entry = entry
        self._between_banks = between_banks
        self._settlement_date: date | None = None

    def record(
        self, name: str, found: Leaves, message_name: str
    ) -> InterbankHeader | InterbankTransfer | None:
        """That of a part. Raises Unsound."""
        if name == "GrpHdr":
            made = header(found, message_name, self._total)
            self._settlement_date = made.settlement_date
            return made
        if name != self._entry:
            return None
        return _transfer(found, self._between_banks, self._settlement_date)


def _transfer(found: Leaves, between_banks: bool, settlement_date: date | None) -> InterbankTransfer:
    minor, currency = money_at(found, "IntrBkSttlmAmt")
    return InterbankTransfer(
        instruction_id=found.text("PmtId/InstrId"),
        end_to_end_id=found.text("PmtId/EndToEndId"),
        transaction_id=found.text("PmtId/TxId"),
        uetr=found.text("PmtId/UETR"),
        amount_minor=minor,
        currency=currency,
        settlement_date=day(found, "IntrBkSttlmDt") or settlement_date,
        charge_bearer=found.text("ChrgBr"),
        debtor_name=_party(found, "Dbtr", between_banks),
        debtor_account=account(found, "DbtrAcct"),
        debtor_agent=agent(found, "DbtrAgt"),
        creditor_name=_party(found, "Cdtr", between_banks),
        creditor_account=account(found, "CdtrAcct"),
        creditor_agent=agent(found, "CdtrAgt"),
        remittance_unstructured=found.texts("RmtInf/Ustrd"),
        remittance_reference=found.text("RmtInf/Strd/CdtrRefInf/Ref"),
        line=found.line,
    )


def original(found: Leaves, *amounts: str) -> Original:
    """The payment that a part is about, by its Orgnl… elements; `amounts`: where its amount may be."""
    path = found.first(*amounts)
    minor, currency = money_at(found, path) if path else (None, "")
    return Original(
        instruction_id=found.stripped("OrgnlInstrId"),
        end_to_end_id=found.stripped("OrgnlEndToEndId"),
        transaction_id=found.stripped("OrgnlTxId"),
        uetr=found.stripped("OrgnlUETR", "UETR"),
        message_id=found.stripped("OrgnlGrpInf/OrgnlMsgId", "OrgnlMsgId"),
        message_name=found.stripped("OrgnlGrpInf/OrgnlMsgNmId", "OrgnlMsgNmId"),
        amount_minor=minor,
        currency=currency,
        payment_information_id=found.stripped("OrgnlPmtInfId"),
    )


def of_group(payment: Original, group: Original) -> Original:
    """The payment, of the original message that its group names where it names none itself."""
    if payment.message_id:
        return payment
    return replace(payment, message_id=group.message_id, message_name=group.message_name)


def assignment(found: Leaves, message_name: str) -> Assignment:
    """Assgnmt."""
    return Assignment(
        message_name=message_name,
        message_id=found.stripped("Id"),
        created_at=found.stripped("CreDtTm"),
        assigner=agent(found, "Assgnr/Agt"),
        assignee=agent(found, "Assgne/Agt"),
        line=found.line,
    )


def reason(found: Leaves, name: str) -> tuple[str, str]:
    """(code, text) of a status, a return or a cancellation; of several the first code, and all text."""
    code = found.stripped(f"{name}/Rsn/Cd", f"{name}/Rsn/Prtry")
    return code, " ".join(text.strip() for text in found.texts(f"{name}/AddtlInf"))


def day(found: Leaves, path: str) -> date | None:
    """A date, None where there is none. Raises Unsound."""
    text = found.stripped(path)
    try:
        return read_date(text) if text else None
    except ValueError as fault:
        raise Unsound(INVALID_DATE, found.line_at(path), path, str(fault)) from None


def account(found: Leaves, name: str) -> str:
    """An account's IBAN, else its other identification."""
    return found.text(f"{name}/Id/IBAN", f"{name}/Id/Othr/Id", f"{name}/Id/PrtryAcct/Id", f"{name}/Id/BBAN")


def agent(found: Leaves, name: str) -> str:
    """A bank's BIC, else its number in a clearing system."""
    place = f"{name}/FinInstnId"
    return found.stripped(f"{place}/BICFI", f"{place}/BIC", f"{place}/ClrSysMmbId/MmbId")


def _party(found: Leaves, name: str, bank: bool) -> str:
    return agent(found, name) or found.text(f"{name}/FinInstnId/Nm") if bank else found.text(f"{name}/Nm")
