"""pacs.008, customer credit transfer between banks: read strictly, for it moves money."""

from collections.abc import Iterator
from typing import BinaryIO

from goodfunds.files.interbank import InterbankHeader, InterbankTransfer
from goodfunds.files.interbank_mapping import Transfers
from goodfunds.files.interbank_reading import read_strictly
from goodfunds.files.kinds import TRANSACTIONS

_KIND = TRANSACTIONS["pacs.008"]
Record = InterbankHeader | InterbankTransfer


def read(source: BinaryIO) -> Iterator[Record]:
    """The header, then each transfer; versions 01 to 14. Raises InvalidFile, perhaps after some transfers."""
    made = Transfers(_KIND.total, _KIND.entry, between_banks=False)
    return read_strictly(source, _KIND, made.record, money)


def money(record: Record) -> tuple[int, str]:
    """(minor, currency) of a transfer."""
    assert isinstance(record, InterbankTransfer), "a header is no transfer"
    return record.amount_minor, record.currency
