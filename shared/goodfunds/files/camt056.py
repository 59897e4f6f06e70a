"""camt.056, payment cancellation request between banks: a bank asks a payment back; read leniently."""

from collections.abc import Iterator
from typing import BinaryIO

from goodfunds.files.interbank import Assignment, CancellationRequest, InterbankEnd
from goodfunds.files.interbank_mapping import assignment, original, reason
from goodfunds.files.interbank_reading import read_leniently
from goodfunds.files.kinds import TRANSACTIONS
from goodfunds.files.leaves import Leaves

_KIND = TRANSACTIONS["camt.056"]
Record = Assignment | CancellationRequest


def read(source: BinaryIO) -> Iterator[Record | InterbankEnd]:
    """The assignment, each request, and InterbankEnd; versions 01 to 12.

    Raises InvalidFile, perhaps late, for what is no XML of this kind; a request whose amount cannot be read
    is left out and among the warnings.
    """
    return read_leniently(source, _KIND, _record)


def _record(name: str, found: Leaves, message_name: str) -> Record | None:
    if name == "Assgnmt":
        return assignment(found, message_name)
    if name != _KIND.entry:
        return None
    code, text = reason(found, "CxlRsnInf")
    return CancellationRequest(
        cancellation_id=found.stripped("CxlId"),
        original=original(found, "OrgnlIntrBkSttlmAmt"),
        case_id=found.stripped("Case/Id"),
        reason_code=code,
        reason=text,
        line=found.line,
    )
