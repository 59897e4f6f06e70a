"""camt.029, resolution of investigation: what became of a payment that was asked back; read leniently."""

from collections.abc import Iterator
from typing import BinaryIO

from goodfunds.files.interbank import Assignment, CancellationStatus, InterbankEnd, Original
from goodfunds.files.interbank_mapping import assignment, of_group, original, reason
from goodfunds.files.interbank_reading import read_leniently
from goodfunds.files.kinds import TRANSACTIONS
from goodfunds.files.leaves import Leaves

_KIND = TRANSACTIONS["camt.029"]
Record = Assignment | CancellationStatus


def read(source: BinaryIO) -> Iterator[Record | InterbankEnd]:
    """The assignment, each status (of the whole, of messages, of transactions), and InterbankEnd.

    Versions 03 to 14. Raises InvalidFile, perhaps late, for what is no XML of this kind.
    """
    return read_leniently(source, _KIND, _Statuses().record)


class _Statuses:
    """Makes the records of one message: a transaction is of the original message that its group names."""

    def __init__(self) -> None:
        self._group = Original()

    def record(self, name: str, found: Leaves, message_name: str) -> Record | None:
        """That of a part. Raises Unsound."""
        if name == "Assgnmt":
            return assignment(found, message_name)
        if name == "Sts":
            told = found.stripped("Conf", "RjctdMod")
            return CancellationStatus(Original(), told, whole_message=True, line=found.line) if told else None
        if name == "CxlDtls":
            self._group = Original()
            return None
        if name == "OrgnlGrpInfAndSts":
            self._group = original(found)
            return _of_several(found, self._group, "GrpCxlSts", "OrgnlGrpCxlId")
        if name == "OrgnlPmtInfAndSts":
            return _of_several(
                found, of_group(original(found), self._group), "PmtInfCxlSts", "OrgnlPmtInfCxlId"
            )
        if name != _KIND.entry:
            return None
        code, text = reason(found, "CxlStsRsnInf")
        return CancellationStatus(
            original=of_group(original(found, "OrgnlIntrBkSttlmAmt"), self._group),
            status=found.stripped("TxCxlSts"),
            whole_message=False,
            cancellation_id=found.stripped("CxlStsId"),
            reason_code=code,
            reason=text,
            line=found.line,
        )


def _of_several(found: Leaves, of: Original, status: str, identification: str) -> CancellationStatus | None:
    """The status of a message or a PmtInf; None where only its transactions have one."""
    told = found.stripped(status)
    if not told:
        return None
    code, text = reason(found, "CxlStsRsnInf")
    return CancellationStatus(of, told, True, found.stripped(identification), code, text, found.line)
