"""Payment instructions to a pain.001.001.09: in two readings, since its header says what all of it holds."""

from collections.abc import Iterable, Iterator
from typing import Final

from goodfunds.events.types import PaymentInstruction
from goodfunds.files.instructions import NOT_PROVIDED, Faults, Placed
from goodfunds.files.instructions_pain001_planning import Parts, Plan, plan
from goodfunds.files.markup import account, agent, amount, day, element, moment, nest, postal_address
from goodfunds.files.records import Address

__all__ = ["Plan", "plan", "write"]

_NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_CHUNK: Final = 1 << 16


def write(found: Iterable[Placed], planned: Plan) -> Iterator[bytes]:
    """The message of the same instructions, in pieces."""
    header = (
        element("MsgId", planned.message_id, 35)
        + element("CreDtTm", moment(planned.created_at))
        + element("NbOfTxs", str(planned.number_of_transactions))
        + element("CtrlSum", planned.control_sum)
        + (nest("InitgPty", element("Nm", planned.client, 140)) or "<InitgPty/>")
    )
    written = [
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_NAMESPACE}">\n'
        f"<CstmrCdtTrfInitn><GrpHdr>{header}</GrpHdr>"
    ]
    size, faults, parts = 0, Faults(), Parts(planned.message_id if planned.new_keys else "")
    for placed in found:
        if parts.begins(placed, faults):
            written.append(
                ("</PmtInf>" if parts.index > 1 else "") + _opening(parts.index, placed.instruction)
            )
        written.append(_transaction(placed.instruction))
        size += len(written[-1])
        if size > _CHUNK:
            yield "".join(written).encode()
            written, size = [], 0
    faults.end()
    written.append("</PmtInf></CstmrCdtTrfInitn></Document>\n")
    yield "".join(written).encode()


def _opening(index: int, instruction: PaymentInstruction) -> str:
    return (
        f"\n<PmtInf><PmtInfId>{index}</PmtInfId><PmtMtd>TRF</PmtMtd>"
        + nest("PmtTpInf/SvcLvl/Cd", "SEPA")
        + day("ReqdExctnDt", instruction.requested_execution_date)
        + (nest("Dbtr", element("Nm", instruction.debtor_name, 140)) or "<Dbtr/>")
        + account("DbtrAcct", instruction.debtor_account)
        # The schema demands an agent; one that is not known is said not to be provided (EPC132-08).
        + nest("DbtrAgt/FinInstnId/Othr/Id", NOT_PROVIDED)
    )


def _transaction(instruction: PaymentInstruction) -> str:
    address = Address(
        instruction.creditor_street,
        instruction.creditor_building,
        instruction.creditor_postcode,
        instruction.creditor_town,
        instruction.creditor_country,
        instruction.creditor_address_lines,
    )
    creditor = element("Nm", instruction.creditor_name, 140) + postal_address(address)
    return (
        "\n<CdtTrfTxInf><PmtId>"
        + element("EndToEndId", instruction.end_to_end_id or NOT_PROVIDED, 35)
        + element("UETR", instruction.uetr, 36)
        + "</PmtId><Amt>"
        + amount("InstdAmt", instruction.amount_minor, instruction.currency)
        + "</Amt>"
        + element("ChrgBr", instruction.charge_bearer)
        + agent("CdtrAgt", instruction.creditor_agent)
        + nest("Cdtr", creditor)
        + account("CdtrAcct", instruction.creditor_account)
        + _remittance(instruction)
        + "</CdtTrfTxInf>"
    )


def _remittance(instruction: PaymentInstruction) -> str:
    reference = ""
    if instruction.remittance_reference:
        reference = (
            "<Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp>"
            + element("Ref", instruction.remittance_reference, 35)
            + "</CdtrRefInf></Strd>"
        )
    return nest("RmtInf", element("Ustrd", instruction.remittance_unstructured, 140) + reference)
