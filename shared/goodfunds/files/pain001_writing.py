"""Writes pain.001.001.09, the order to a bank: the same bytes for the same records."""

from goodfunds.files.markup import (
    account,
    agent,
    amount,
    control_sum,
    day,
    document,
    element,
    moment,
    nest,
    postal_address,
)
from goodfunds.files.records import BankFile, BankFileBatch, BankFilePayment

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
NOT_PROVIDED = "NOTPROVIDED"


def write(message: BankFile) -> bytes:
    """A message to a bank, a PmtInf for each batch. Raises Unwritable, UnknownCurrency.

    ISO 20022 Message Definition Report, Payments Initiation 2019 (pain.001.001.09).
    """
    amounts = (
        (payment.amount_minor, batch.currency) for batch in message.batches for payment in batch.payments
    )
    header = (
        element("MsgId", message.message_id, 35)
        + element("CreDtTm", moment(message.created_at))
        + element("NbOfTxs", str(sum(len(batch.payments) for batch in message.batches)))
        + element("CtrlSum", control_sum(amounts))
        + nest("InitgPty", element("Nm", message.initiating_party, 140))
    )
    batches = "".join(map(_batch, message.batches))
    return document(NAMESPACE, f"<CstmrCdtTrfInitn><GrpHdr>{header}</GrpHdr>{batches}</CstmrCdtTrfInitn>")


def _batch(batch: BankFileBatch) -> str:
    currency = batch.currency
    booking = "" if batch.batch_booking is None else str(batch.batch_booking).lower()
    # The schema demands an agent; one that is not known is said not to be provided (EPC132-08).
    servicer = agent("DbtrAgt", batch.debtor_agent) or nest("DbtrAgt/FinInstnId/Othr/Id", NOT_PROVIDED)
    return (
        "<PmtInf>"
        + element("PmtInfId", batch.payment_information_id, 35)
        + "<PmtMtd>TRF</PmtMtd>"
        + element("BtchBookg", booking)
        + element("NbOfTxs", str(len(batch.payments)))
        + element("CtrlSum", control_sum((payment.amount_minor, currency) for payment in batch.payments))
        + nest("PmtTpInf/SvcLvl/Cd", batch.service_level)
        + day("ReqdExctnDt", batch.requested_execution_date)
        + nest("Dbtr", element("Nm", batch.debtor_name, 140))
        + account("DbtrAcct", batch.debtor_account, currency)
        + servicer
        + element("ChrgBr", batch.charge_bearer)
        + "".join([_payment(payment, currency) for payment in batch.payments])
        + "</PmtInf>"
    )


def _payment(payment: BankFilePayment, currency: str) -> str:
    creditor = element("Nm", payment.creditor_name, 140) + postal_address(payment.creditor_address)
    return (
        "<CdtTrfTxInf><PmtId>"
        + element("InstrId", payment.instruction_id, 35)
        + element("EndToEndId", payment.end_to_end_id or NOT_PROVIDED, 35)
        + element("UETR", payment.uetr, 36)
        + "</PmtId><Amt>"
        + amount("InstdAmt", payment.amount_minor, currency)
        + "</Amt>"
        + nest("UltmtDbtr", element("Nm", payment.ultimate_debtor_name, 140))
        + agent("CdtrAgt", payment.creditor_agent)
        + nest("Cdtr", creditor)
        + account("CdtrAcct", payment.creditor_account)
        + _remittance(payment)
        + "</CdtTrfTxInf>"
    )


def _remittance(payment: BankFilePayment) -> str:
    reference = ""
    if payment.remittance_reference:
        reference = (
            "<Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp>"
            + element("Ref", payment.remittance_reference, 35)
            + "</CdtrRefInf></Strd>"
        )
    return nest("RmtInf", element("Ustrd", payment.remittance_unstructured, 140) + reference)
