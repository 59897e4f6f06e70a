"""pacs.004, payment return: read strictly, for it moves money."""

from collections.abc import Iterator
from typing import BinaryIO

from goodfunds.files.interbank import InterbankHeader, PaymentReturn
from goodfunds.files.interbank_mapping import day, header, money, original, reason
from goodfunds.files.interbank_reading import read_strictly
from goodfunds.files.kinds import TRANSACTIONS
from goodfunds.files.leaves import Leaves

_KIND = TRANSACTIONS["pacs.004"]
Record = InterbankHeader | PaymentReturn


def read(source: BinaryIO) -> Iterator[Record]:
    """The header, then each return; versions 01 to 15. Raises InvalidFile, perhaps after some returns."""
    return read_strictly(source, _KIND, _record, _money)


def _money(record: Record) -> tuple[int, str]:
    assert isinstance(record, PaymentReturn), "a header is no return"
    return record.amount_minor, record.currency


def _record(name: str, found: Leaves, message_name: str) -> Record | None:
    if name == "GrpHdr":
        return header(found, message_name, _KIND.total)
    if name != _KIND.entry:
        return None
    minor, currency = money(found, "RtrdIntrBkSttlmAmt")
    # The name is from version 02 on; before, a return's reason stood in RtrRsnInf/RtrRsn.
    code, text = reason(found, "RtrRsnInf")
    return PaymentReturn(
        return_id=found.stripped("RtrId"),
        original=original(found, "OrgnlIntrBkSttlmAmt"),
        amount_minor=minor,
        currency=currency,
        settlement_date=day(found, "IntrBkSttlmDt"),
        reason_code=code or found.stripped("RtrRsnInf/RtrRsn/Cd", "RtrRsnInf/RtrRsn/Prtry"),
        reason=text,
        line=found.line,
    )
