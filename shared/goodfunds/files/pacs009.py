"""pacs.009, credit transfer of a bank's own money: read as a pacs.008 is."""

from collections.abc import Iterator
from typing import BinaryIO

from goodfunds.files.interbank_mapping import Transfers
from goodfunds.files.interbank_reading import read_strictly
from goodfunds.files.kinds import TRANSACTIONS
from goodfunds.files.pacs008 import Record, money

_KIND = TRANSACTIONS["pacs.009"]


def read(source: BinaryIO) -> Iterator[Record]:
    """The header, then each transfer; versions 01 to 13. Raises InvalidFile, perhaps after some transfers.

    What a cover payment tells of its customers' payment (UndrlygCstmrCdtTrf) is not read.
    """
    made = Transfers(_KIND.total, _KIND.entry, between_banks=True)
    return read_strictly(source, _KIND, made.record, money)
