"""pain.008, customer direct debit initiation: read and counted, and never taken as an instruction."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from goodfunds.files.amounts import money_at
from goodfunds.files.interbank import InterbankHeader
from goodfunds.files.interbank_mapping import account, header
from goodfunds.files.interbank_reading import read_strictly
from goodfunds.files.kinds import TRANSACTIONS
from goodfunds.files.leaves import Leaves

_KIND = TRANSACTIONS["pain.008"]


@dataclass(frozen=True, slots=True)
class DirectDebit:
    """DrctDbtTxInf: an amount to be collected from a debtor under a mandate."""

    instruction_id: str
    end_to_end_id: str
    amount_minor: int
    currency: str
    mandate_id: str
    debtor_name: str
    debtor_account: str
    line: int = field(default=0, compare=False)


Record = InterbankHeader | DirectDebit


def read(source: BinaryIO) -> Iterator[Record]:
    """The header, then each direct debit; versions 01 to 12. Raises InvalidFile, perhaps after some.

    The PmtInf that they stand in, with the creditor, are not read; the sums of the whole are checked.
    """
    return read_strictly(source, _KIND, _record, _money)


def _money(record: Record) -> tuple[int, str]:
    assert isinstance(record, DirectDebit), "a header is no direct debit"
    return record.amount_minor, record.currency


def _record(name: str, found: Leaves, message_name: str) -> Record | None:
    if name == "GrpHdr":
        return header(found, message_name, "")
    if name != _KIND.entry:
        return None
    minor, currency = money_at(found, "InstdAmt")
    return DirectDebit(
        instruction_id=found.text("PmtId/InstrId"),
        end_to_end_id=found.text("PmtId/EndToEndId"),
        amount_minor=minor,
        currency=currency,
        mandate_id=found.text("DrctDbtTx/MndtRltdInf/MndtId"),
        debtor_name=found.text("Dbtr/Nm"),
        debtor_account=account(found, "DbtrAcct"),
        line=found.line,
    )
