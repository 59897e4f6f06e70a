"""A payment file's pain.002: what is known of each of its payments, in the words of ISO 20022. Pure."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from goodfunds.files import pain001, pain002
from goodfunds.files.records import (
    CreditTransfer,
    GroupHeader,
    GroupStatus,
    PaymentInformation,
    PaymentInformationStatus,
    StatusReport,
    TransactionStatus,
)

ACCEPTED, REJECTED, PENDING, IN_PART, RECEIVED = "ACCP", "RJCT", "PDNG", "PART", "RCVD"
"""ExternalPaymentTransactionStatus1Code. ACCP: checked, and the customer can pay; what the bank did of it is
in statements and notifications."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a payment; a reason where it is rejected, here or by the bank."""

    rejected: bool
    reason_code: str = ""
    reason: str = ""


def report(content: bytes, fates: Mapping[str, Fate], message_id: str, now: datetime) -> bytes:
    """The pain.002 of a file that is valid; `fates` by idempotency key, of those that are decided."""
    header: GroupHeader | None = None
    informations: list[PaymentInformation] = []
    transactions: list[TransactionStatus] = []
    of_batch: dict[int, set[str]] = {}
    for record in pain001.read(io.BytesIO(content)):
        if isinstance(record, GroupHeader):
            header = record
        elif isinstance(record, PaymentInformation):
            informations.append(record)
        else:
            assert header is not None
            found = _status(record, informations[-1], fates.get(_key(header, record)))
            of_batch.setdefault(record.payment_information_index, set()).add(found.status)
            transactions.append(found)
    assert header is not None
    group = GroupStatus(
        message_id=message_id,
        created_at=now.strftime("%Y-%m-%dT%H:%M:%S"),
        original_message_id=header.message_id,
        original_message_name=header.message_name,
        status=_together(set().union(*of_batch.values())),
        original_created_at=header.created_at,
        original_number_of_transactions=header.number_of_transactions,
        original_control_sum=header.control_sum,
    )
    batches = [
        PaymentInformationStatus(each.payment_information_id, _together(of_batch.get(each.index, set())))
        for each in informations
    ]
    return pain002.write(StatusReport(group, batches, transactions))


def _key(header: GroupHeader, transfer: CreditTransfer) -> str:
    return f"{header.message_id}/{transfer.payment_information_index}/{transfer.transaction_index}"


def _status(
    transfer: CreditTransfer, information: PaymentInformation, fate: Fate | None
) -> TransactionStatus:
    status = PENDING if fate is None else REJECTED if fate.rejected else ACCEPTED
    code, reason = (fate.reason_code, fate.reason) if fate is not None and fate.rejected else ("", "")
    return TransactionStatus(
        payment_information_id=information.payment_information_id,
        instruction_id=transfer.instruction_id,
        end_to_end_id=transfer.end_to_end_id,
        status=status,
        reason_code=code,
        reason=reason,
        uetr=transfer.uetr,
    )


def _together(statuses: set[str]) -> str:
    """The status of a group from those in it."""
    if len(statuses) == 1:
        (status,) = statuses
        return RECEIVED if status == PENDING else status
    return PENDING if PENDING in statuses else IN_PART
