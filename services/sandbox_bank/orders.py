"""Reading: the orders of an uploaded pain.001, or why the whole file is refused."""

from io import BytesIO

from goodfunds.files import pain001
from goodfunds.files.records import InvalidFile
from services.sandbox_bank.model import Order, Submission, Unread

INVALID_FORMAT = "FF01"


def read_orders(content: bytes) -> Submission | Unread:
    """The file's orders in their order; nothing is taken from one that does not hold together."""
    try:
        file = pain001.read_whole(BytesIO(content))
    except InvalidFile as fault:
        return Unread(
            fault.message_id, fault.errors[0].code or INVALID_FORMAT, printable(str(fault.errors[0]))
        )
    informations = {each.index: each for each in file.payment_informations}
    orders = []
    for transfer in file.transfers:
        information = informations[transfer.payment_information_index]
        orders.append(
            Order(
                information.payment_information_id,
                transfer.instruction_id,
                transfer.end_to_end_id,
                transfer.amount_minor,
                transfer.currency,
                information.requested_execution_date,
                information.debtor_account,
                transfer.creditor_account,
                transfer.creditor_agent,
                transfer.creditor_name,
                " ".join(transfer.remittance_unstructured) or transfer.remittance_reference,
            )
        )
    header = file.header
    return Submission(header.message_id, header.message_name, header.created_at, tuple(orders))


def printable(text: str) -> str:
    """The text with what no XML may carry replaced by question marks."""
    return "".join(character if character.isprintable() else "?" for character in text)
