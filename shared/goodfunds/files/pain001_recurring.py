"""Transactions that recur in a pain.001: what their patterns read, checked and made into records."""

from goodfunds.files.leaves import TextLeaves
from goodfunds.files.outline import Kind
from goodfunds.files.pain001_mapping import credit_transfer, instructed_amount
from goodfunds.files.records import CreditTransfer, PaymentInformation
from goodfunds.files.schema import Schema

# Accounts of version 02 that the schema does not look into.
TRANSFER = Kind("CdtTrfTxInf", left_to_parser=frozenset({"BBAN", "UPIC"}))


def transfer_again(
    found: TextLeaves, information: PaymentInformation, index: int, schema: Schema
) -> CreditTransfer:
    """CdtTrfTxInf from its leaves, which stand where those of a sound one stood; their text is checked here.

    Raises ValueError for what is not sound: the parser tells why and where.
    """
    schema.check_again(found, TRANSFER.name)
    return credit_transfer(found, information, index, instructed_amount(found, schema.euro_only))
