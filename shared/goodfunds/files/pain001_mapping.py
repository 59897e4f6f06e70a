"""From the leaves of a sound pain.001 to its records: which element is which field, in all versions."""

from goodfunds.files.amounts import read_amount
from goodfunds.files.fields import SPACE, read_count, read_date, read_decimal, read_flag
from goodfunds.files.leaves import Leaves
from goodfunds.files.records import Address, CreditTransfer, GroupHeader, PaymentInformation
from goodfunds.money import InvalidAmount, UnknownCurrency
from goodfunds.rails.reasons import (
    INVALID_AMOUNT,
    INVALID_TRANSACTION_CURRENCY,
    TRANSACTION_NOT_SUPPORTED,
    ZERO_AMOUNT,
)

_OTHER_ACCOUNTS = ("Id/Othr/Id", "Id/PrtryAcct/Id", "Id/BBAN", "Id/UPIC")
"""Accounts that have no IBAN; all but the first in version 02 alone."""

_STRUCTURED = "RmtInf/Strd"
_REFERENCE = f"{_STRUCTURED}/CdtrRefInf/Ref"
_READ_OF_STRUCTURED = (f"{_REFERENCE}/", f"{_STRUCTURED}/CdtrRefInf/Tp/")


class NoAmount(ValueError):
    """An amount that is none, with the reason code and the line of it."""

    def __init__(self, code: str, line: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.line = line


def group_header(found: Leaves, message_name: str) -> GroupHeader:
    """GrpHdr."""
    control_sum = found.text("CtrlSum")
    return GroupHeader(
        message_id=found.text("MsgId"),
        created_at=found.text("CreDtTm").strip(SPACE),
        number_of_transactions=read_count(found.text("NbOfTxs")),
        control_sum=read_decimal(control_sum) if control_sum else None,
        initiating_party=found.text("InitgPty/Nm"),
        message_name=message_name,
        line=found.line,
    )


def payment_information(found: Leaves, index: int) -> PaymentInformation:
    """PmtInf, from what stands in it before its transactions."""
    account, is_iban = _account(found, "DbtrAcct")
    booking, control_sum, count = found.text("BtchBookg"), found.text("CtrlSum"), found.text("NbOfTxs")
    requested = found.text("ReqdExctnDt", "ReqdExctnDt/Dt", "ReqdExctnDt/DtTm")
    return PaymentInformation(
        index=index,
        payment_information_id=found.text("PmtInfId"),
        method=found.text("PmtMtd"),
        requested_execution_date=read_date(requested),
        debtor_name=found.text("Dbtr/Nm"),
        debtor_account=account,
        debtor_account_is_iban=is_iban,
        debtor_account_currency=found.text("DbtrAcct/Ccy"),
        debtor_agent=_agent(found, "DbtrAgt"),
        charge_bearer=found.text("ChrgBr"),
        service_level=_service_level(found),
        ultimate_debtor_name=found.text("UltmtDbtr/Nm"),
        batch_booking=read_flag(booking) if booking else None,
        number_of_transactions=read_count(count) if count else None,
        control_sum=read_decimal(control_sum) if control_sum else None,
        line=found.line,
    )


def credit_transfer(
    found: Leaves, information: PaymentInformation, index: int, money: tuple[int, str]
) -> CreditTransfer:
    """CdtTrfTxInf, with what it takes from its PmtInf where it says nothing of its own."""
    account, is_iban = _account(found, "CdtrAcct")
    return CreditTransfer(
        payment_information_index=information.index,
        transaction_index=index,
        end_to_end_id=found.text("PmtId/EndToEndId"),
        instruction_id=found.text("PmtId/InstrId"),
        uetr=found.text("PmtId/UETR"),
        amount_minor=money[0],
        currency=money[1],
        creditor_name=found.text("Cdtr/Nm"),
        creditor_account=account,
        creditor_account_is_iban=is_iban,
        creditor_agent=_agent(found, "CdtrAgt"),
        creditor_address=_address(found),
        ultimate_debtor_name=found.text("UltmtDbtr/Nm") or information.ultimate_debtor_name,
        remittance_unstructured=found.texts("RmtInf/Ustrd"),
        remittance_reference=found.text(_REFERENCE),
        remittance_left_out=_leaves_out(found),
        charge_bearer=found.text("ChrgBr") or information.charge_bearer,
        service_level=_service_level(found) or information.service_level,
        line=found.line,
    )


def instructed_amount(found: Leaves, euro_only: bool) -> tuple[int, str]:
    """(minor, currency) of a transaction. Raises NoAmount; zero is none either."""
    if not found.first("Amt/InstdAmt"):
        why = "an amount in another currency's equivalent (EqvtAmt) is not supported"
        raise NoAmount(TRANSACTION_NOT_SUPPORTED, found.line, why)
    line, currency = found.line_at("Amt/InstdAmt"), found.attribute("Amt/InstdAmt", "Ccy")
    if euro_only and currency != "EUR":
        why = f"the currency is {currency[:10]!r}, this message takes EUR alone"
        raise NoAmount(INVALID_TRANSACTION_CURRENCY, line, why)
    try:
        minor = read_amount(found.text("Amt/InstdAmt"), currency)
    except UnknownCurrency as fault:
        raise NoAmount(INVALID_TRANSACTION_CURRENCY, line, str(fault)) from None
    except InvalidAmount as fault:
        raise NoAmount(INVALID_AMOUNT, line, str(fault)) from None
    if minor == 0:
        raise NoAmount(ZERO_AMOUNT, line, "the amount is zero")
    return minor, currency


def _account(found: Leaves, name: str) -> tuple[str, bool]:
    """The account, and whether it is an IBAN."""
    iban = found.text(f"{name}/Id/IBAN")
    return iban or found.text(*(f"{name}/{each}" for each in _OTHER_ACCOUNTS)), bool(iban)


def _agent(found: Leaves, name: str) -> str:
    return found.text(f"{name}/FinInstnId/BICFI", f"{name}/FinInstnId/BIC")


def _service_level(found: Leaves) -> str:
    return found.text("PmtTpInf/SvcLvl/Cd", "PmtTpInf/SvcLvl/Prtry")


def _leaves_out(found: Leaves) -> bool:
    if not found.has(_STRUCTURED):
        return False
    if len(found.texts(_REFERENCE)) > 1:
        return True
    return any(not f"{path}/".startswith(_READ_OF_STRUCTURED) for path in found.below(_STRUCTURED))


def _address(found: Leaves) -> Address:
    return Address(
        street=found.text("Cdtr/PstlAdr/StrtNm"),
        building=found.text("Cdtr/PstlAdr/BldgNb"),
        postcode=found.text("Cdtr/PstlAdr/PstCd"),
        town=found.text("Cdtr/PstlAdr/TwnNm"),
        country=found.text("Cdtr/PstlAdr/Ctry"),
        lines=found.texts("Cdtr/PstlAdr/AdrLine"),
    )
