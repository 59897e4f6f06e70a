"""pacs.004, payment return: read strictly, for it moves money."""

from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from goodfunds.files.amounts import money_at
from goodfunds.files.interbank import InterbankHeader, Original, PaymentReturn
from goodfunds.files.interbank_mapping import day, header, of_group, original, reason
from goodfunds.files.interbank_reading import read_strictly
from goodfunds.files.kinds import TRANSACTIONS
from goodfunds.files.leaves import Leaves, Unsound
from goodfunds.rails.reasons import CONTENT_INCORRECT, MANDATORY_ELEMENT_MISSING

_KIND = TRANSACTIONS["pacs.004"]
Record = InterbankHeader | PaymentReturn


def read(source: BinaryIO) -> Iterator[Record]:
    """The header, then each return; versions 01 to 15. Raises InvalidFile, perhaps after some returns.

    A group that is returned whole is one return, of what its header says is settled.
    """
    return read_strictly(source, _KIND, _Returns().record, _money)


def _money(record: Record) -> tuple[int, str]:
    assert isinstance(record, PaymentReturn), "a header is no return"
    return record.amount_minor, record.currency


class _Returns:
    """Makes the records of one message: a return takes what it does not say from its group and the header."""

    def __init__(self) -> None:
        self._header = InterbankHeader("", "", "")
        self._is_whole = False
        self._group = PaymentReturn("", Original(), 0, "")

    def record(self, name: str, found: Leaves, message_name: str) -> Record | None:
        """That of a part. Raises Unsound."""
        if name == "GrpHdr":
            self._is_whole = found.stripped("GrpRtr") in ("true", "1")
            self._header = header(found, message_name, _KIND.total)
            return self._header
        if name == "OrgnlGrpInf":
            code, text = _reason(found)
            self._group = PaymentReturn("", original(found), 0, "", reason_code=code, reason=text)
            return self._whole(found) if self._is_whole else None
        return self._return(found) if name == _KIND.entry else None

    def _whole(self, found: Leaves) -> PaymentReturn:
        told = self._header
        if told.total_minor is None:
            why = f"what is returned whole says how much in {_KIND.total}"
            raise Unsound(MANDATORY_ELEMENT_MISSING, found.line, "", why)
        return replace(
            self._group,
            amount_minor=told.total_minor,
            currency=told.total_currency,
            settlement_date=told.settlement_date,
            whole_message=True,
            line=found.line,
        )

    def _return(self, found: Leaves) -> PaymentReturn:
        if self._is_whole:
            raise Unsound(CONTENT_INCORRECT, found.line, "", "GrpRtr says that no payment is named")
        minor, currency = money_at(found, "RtrdIntrBkSttlmAmt")
        code, text = _reason(found)
        return PaymentReturn(
            return_id=found.stripped("RtrId"),
            original=of_group(original(found, "OrgnlIntrBkSttlmAmt"), self._group.original),
            amount_minor=minor,
            currency=currency,
            settlement_date=day(found, "IntrBkSttlmDt") or self._header.settlement_date,
            reason_code=code or self._group.reason_code,
            reason=text or self._group.reason,
            line=found.line,
        )


def _reason(found: Leaves) -> tuple[str, str]:
    code, text = reason(found, "RtrRsnInf")
    # The name is from version 02 on; before, a return's reason stood in RtrRsnInf/RtrRsn.
    return code or found.stripped("RtrRsnInf/RtrRsn/Cd", "RtrRsnInf/RtrRsn/Prtry"), text
