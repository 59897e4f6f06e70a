"""Payment instructions on their way between formats: where each stood, and what every format demands."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

from goodfunds.events.types import PaymentInstruction
from goodfunds.files.records import CreditTransfer, FileError, InvalidFile, PaymentInformation
from goodfunds.files.xml import MOST_ERRORS
from goodfunds.money import MAX_DIGITS, MAX_MINOR, UnknownCurrency, exponent
from goodfunds.rails.reasons import INVALID_AMOUNT, INVALID_TRANSACTION_CURRENCY, ZERO_AMOUNT

FIELDS: Final = tuple(each.name for each in fields(PaymentInstruction))

RAIL: Final = "sepa-credit"
"""The rail of what a pain.001 asks for."""
NOT_PROVIDED: Final = "NOTPROVIDED"


@dataclass(frozen=True, slots=True)
class Placed:
    """An instruction and the line of its file that it began on."""

    line: int
    instruction: PaymentInstruction


class Faults:
    """What is wrong with a file, up to 100 things."""

    def __init__(self) -> None:
        self.found: list[FileError] = []

    def note(self, code: str, line: int, path: str, message: str) -> None:
        """Note one thing. Raises InvalidFile with all that was found when it is the hundredth."""
        self.found.append(FileError(code, line, path, message))
        if len(self.found) >= MOST_ERRORS:
            self.end()

    def end(self) -> None:
        """Raises InvalidFile if anything was found."""
        if self.found:
            raise InvalidFile(self.found)


def of_transfer(
    client: str, message_id: str, information: PaymentInformation, transfer: CreditTransfer
) -> PaymentInstruction:
    """The payment that a transaction asks for. Key: MsgId / index of the PmtInf / index in it, from 1."""
    address = transfer.creditor_address
    end_to_end_id = transfer.end_to_end_id
    return PaymentInstruction(
        amount_minor=transfer.amount_minor,
        requested_execution_date=information.requested_execution_date,
        currency=transfer.currency,
        rail=RAIL,
        client=client,
        idempotency_key=(f"{message_id}/{transfer.payment_information_index}/{transfer.transaction_index}"),
        end_to_end_id="" if end_to_end_id == NOT_PROVIDED else end_to_end_id,
        uetr=transfer.uetr,
        debtor_account=information.debtor_account,
        debtor_name=information.debtor_name,
        creditor_account=transfer.creditor_account,
        creditor_name=transfer.creditor_name,
        creditor_agent=transfer.creditor_agent,
        charge_bearer=transfer.charge_bearer,
        remittance_unstructured=" ".join(transfer.remittance_unstructured),
        remittance_reference=transfer.remittance_reference,
        creditor_street=address.street,
        creditor_building=address.building,
        creditor_postcode=address.postcode,
        creditor_town=address.town,
        creditor_country=address.country,
        creditor_address_lines=address.lines,
    )


def sound(found: Iterator[Placed | None], faults: Faults) -> Iterator[Placed]:
    """Those whose amount is one: of a currency, over zero, 18 digits at most. Raises InvalidFile at the end.

    None stands for what could not be read, and was noted.
    """
    for placed in found:
        if placed is not None and _has_an_amount(placed, faults):
            yield placed
    faults.end()


def _has_an_amount(placed: Placed, faults: Faults) -> bool:
    instruction = placed.instruction
    try:
        exponent(instruction.currency)
    except UnknownCurrency as fault:
        faults.note(INVALID_TRANSACTION_CURRENCY, placed.line, "currency", str(fault))
        return False
    if instruction.amount_minor == 0:
        faults.note(ZERO_AMOUNT, placed.line, "amount", "the amount is zero")
        return False
    if not 0 < instruction.amount_minor <= MAX_MINOR:
        why = f"an amount is over zero and has at most {MAX_DIGITS} digits"
        faults.note(INVALID_AMOUNT, placed.line, "amount", why)
        return False
    return True
