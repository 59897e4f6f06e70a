"""camt.056, payment cancellation request between banks: a bank asks a payment back; read leniently."""

from collections.abc import Iterator
from typing import BinaryIO

from goodfunds.files.interbank import Assignment, CancellationRequest, InterbankEnd, Original
from goodfunds.files.interbank_mapping import assignment, of_group, original, reason
from goodfunds.files.interbank_reading import read_leniently
from goodfunds.files.kinds import TRANSACTIONS
from goodfunds.files.leaves import Leaves

_KIND = TRANSACTIONS["camt.056"]
Record = Assignment | CancellationRequest


def read(source: BinaryIO) -> Iterator[Record | InterbankEnd]:
    """The assignment, each request for a payment or for a whole message, and InterbankEnd.

    Versions 01 to 12. Raises InvalidFile, perhaps late, for what is no XML of this kind; a request whose
    amount cannot be read is left out and among the warnings.
    """
    return read_leniently(source, _KIND, _Requests().record)


class _Requests:
    """Makes the records of one message: a request is about the original message that its group names."""

    def __init__(self) -> None:
        self._group = Original()
        self._of_all: CancellationRequest | None = None

    def record(self, name: str, found: Leaves, message_name: str) -> Record | None:
        """That of a part. Raises Unsound."""
        part, flag = _KIND.whole
        if name == "Assgnmt":
            return assignment(found, message_name)
        if name == part:
            request = _request(found, "GrpCxlId", Original(), whole_message=True)
            told = found.stripped(flag)
            # Without a flag, all of the message is asked back where none of its payments is named.
            self._group, self._of_all = request.original, None if told else request
            return request if told in ("true", "1") else None
        if name == "Undrlyg":
            asked, self._group, self._of_all = self._of_all, Original(), None
            return asked
        if name != _KIND.entry:
            return None
        self._of_all = None
        return _request(found, "CxlId", self._group, whole_message=False)


def _request(found: Leaves, identification: str, group: Original, whole_message: bool) -> CancellationRequest:
    code, text = reason(found, "CxlRsnInf")
    return CancellationRequest(
        cancellation_id=found.stripped(identification),
        original=of_group(original(found, "OrgnlIntrBkSttlmAmt"), group),
        case_id=found.stripped("Case/Id"),
        reason_code=code,
        reason=text,
        whole_message=whole_message,
        line=found.line,
    )
