"""pacs.002, payment status report between banks: read leniently, for a status that is there must be heard."""

from collections.abc import Iterator
from typing import BinaryIO

from goodfunds.files.interbank import InterbankEnd, InterbankHeader, InterbankStatus
from goodfunds.files.interbank_mapping import header, original, reason
from goodfunds.files.interbank_reading import read_leniently
from goodfunds.files.kinds import TRANSACTIONS
from goodfunds.files.leaves import Leaves

_KIND = TRANSACTIONS["pacs.002"]
Record = InterbankHeader | InterbankStatus


def read(source: BinaryIO) -> Iterator[Record | InterbankEnd]:
    """The header, the status of each message, of each transaction, and InterbankEnd; versions 01 to 16.

    A status that is not given is empty. Raises InvalidFile, perhaps late, for what is no XML of this kind.
    """
    return read_leniently(source, _KIND, _record)


def _record(name: str, found: Leaves, message_name: str) -> Record | None:
    if name == "GrpHdr":
        return header(found, message_name, "")
    if name not in ("OrgnlGrpInfAndSts", _KIND.entry):
        return None
    code, text = reason(found, "StsRsnInf")
    return InterbankStatus(
        original=original(found),
        status=found.stripped("TxSts", "GrpSts"),
        whole_message=name != _KIND.entry,
        reason_code=code,
        reason=text,
        clearing_reference=found.stripped("ClrSysRef"),
        line=found.line,
    )
