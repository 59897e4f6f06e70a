"""camt.029, resolution of investigation: what became of a payment that was asked back; read leniently."""

from collections.abc import Iterator
from typing import BinaryIO

from goodfunds.files.interbank import Assignment, CancellationStatus, InterbankEnd, Original
from goodfunds.files.interbank_mapping import assignment, original, reason
from goodfunds.files.interbank_reading import read_leniently
from goodfunds.files.kinds import TRANSACTIONS
from goodfunds.files.leaves import Leaves

_KIND = TRANSACTIONS["camt.029"]
Record = Assignment | CancellationStatus


def read(source: BinaryIO) -> Iterator[Record | InterbankEnd]:
    """The assignment, the status of the whole, of each transaction, and InterbankEnd; versions 03 to 14.

    Raises InvalidFile, perhaps late, for what is no XML of this kind.
    """
    return read_leniently(source, _KIND, _record)


def _record(name: str, found: Leaves, message_name: str) -> Record | None:
    if name == "Assgnmt":
        return assignment(found, message_name)
    if name == "Sts":
        told = found.stripped("Conf", "RjctdMod")
        return CancellationStatus(Original(), told, whole_message=True, line=found.line) if told else None
    if name != _KIND.entry:
        return None
    code, text = reason(found, "CxlStsRsnInf")
    return CancellationStatus(
        original=original(found, "OrgnlIntrBkSttlmAmt"),
        status=found.stripped("TxCxlSts"),
        whole_message=False,
        cancellation_id=found.stripped("CxlStsId"),
        reason_code=code,
        reason=text,
        line=found.line,
    )
