"""Reads a file of ours that lies at the bank: which batches it carries, and what they are made of."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from hashlib import sha256
from io import BytesIO

from goodfunds.errors import InvariantBroken
from goodfunds.files import pain001
from goodfunds.files.records import CreditTransfer, InvalidFile, PaymentInformation
from goodfunds.ids import read_message_id, read_reference
from services.settlement.batching import batch_id
from services.settlement.gateway.work import BankFileClaim, FileFound, FoundBatch
from services.settlement.model import BatchKey

_MOST_SEQUENCES = 100_000
"""Batches of one lane and day that are looked for: one every second of a day, and some."""


def is_ours(name: str) -> bool:
    """Whether a file's name is one that we give."""
    return read_message_id(name) is not None


def read_found(name: str, content: bytes, rails: Iterable[str]) -> FileFound:
    """The file of that name as we made it.

    Its batches' ids were derived from what they are: which rail and sequence is found by deriving again.
    Raises InvariantBroken where it is none that we can have made.
    """
    try:
        file = pain001.read_whole(BytesIO(content))
    except InvalidFile as fault:
        raise InvariantBroken(f"{name} lies at the bank, and cannot be read: {fault}") from fault
    message_id = file.header.message_id
    file_id = read_message_id(message_id)
    if file_id is None or message_id != name or not file.transfers:
        raise InvariantBroken(f"{name} lies at the bank, and is no file that we made: {message_id}")
    transfers: dict[int, list[CreditTransfer]] = {}
    for transfer in file.transfers:
        transfers.setdefault(transfer.payment_information_index, []).append(transfer)
    first = file.payment_informations[0]
    nostro, currency = first.debtor_account, file.transfers[0].currency
    rail, batches = "", []
    for information in file.payment_informations:
        rail, batch = _batch(information, transfers[information.index], currency, rails)
        batches.append(batch)
    claim = BankFileClaim(
        file_id,
        rail,
        nostro,
        currency,
        first.requested_execution_date,
        message_id,
        name,
        datetime.fromisoformat(file.header.created_at).astimezone(UTC),
        sha256(content).digest(),
        (),
    )
    return FileFound(claim, tuple(batches))


def _batch(
    information: PaymentInformation, transfers: list[CreditTransfer], currency: str, rails: Iterable[str]
) -> tuple[str, FoundBatch]:
    named = read_reference(information.payment_information_id)
    payments = [read_reference(transfer.instruction_id) for transfer in transfers]
    if named is None or None in payments:
        raise InvariantBroken(
            f"{information.payment_information_id} lies at the bank, and has references that are not ours"
        )
    lane, identifier = named
    day, nostro = information.requested_execution_date, information.debtor_account
    rail, sequence = _made_of(identifier, lane, nostro, currency, day, rails)
    return rail, FoundBatch(
        identifier,
        lane,
        sequence,
        sum(transfer.amount_minor for transfer in transfers),
        tuple(each[1] for each in payments if each is not None),
    )


def _made_of(
    identifier: bytes, lane: int, nostro: str, currency: str, day: date, rails: Iterable[str]
) -> tuple[str, int]:
    keys = [BatchKey(lane, rail, nostro, currency, day) for rail in rails]
    for sequence in range(1, _MOST_SEQUENCES):
        for key in keys:
            if batch_id(key, sequence) == identifier:
                return key.rail, sequence
    raise InvariantBroken(f"batch {identifier.hex()} lies at the bank, and is none that we can have made")
