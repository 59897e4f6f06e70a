"""`python -m … camt054|camt053|pain002 COUNT`: takes an answer of so many entries in a process of its own.

As JSON: how many events the lanes were told, and the most memory that it took above what there was before.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from goodfunds.ids import reference
from services.settlement.gateway.reports import Reporter
from tests.unit.settlement.answers import NOSTRO, NOW
from tests.unit.settlement.outbox import Outbox

_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd"
_ROOTS = {"camt054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"), "camt053": ("BkToCstmrStmt", "Stmt")}
_PIECE = 1 << 20


class _LargeOutbox(Outbox):
    """One answer, that lies on a disk as it does at the bank."""

    async def download(self, name: str, into: BinaryIO) -> None:
        """In pieces, as over a line."""
        with TemporaryFile() as file:
            for text in _text(name[:7], COUNT):
                file.write(text.encode())
            file.seek(0)
            while piece := file.read(_PIECE):
                into.write(piece)


def _text(message: str, count: int) -> Iterator[str]:
    if message == "pain002":
        yield (
            f'<Document xmlns="{_NAMESPACE}:pain.002.001.10"><CstmrPmtStsRpt>'
            "<GrpHdr><MsgId>P</MsgId></GrpHdr>"
            "<OrgnlGrpInfAndSts><OrgnlMsgId>GF1</OrgnlMsgId></OrgnlGrpInfAndSts>"
            "<OrgnlPmtInfAndSts><OrgnlPmtInfId>B</OrgnlPmtInfId>"
        )
        for number in range(count):
            yield (
                f"<TxInfAndSts><OrgnlInstrId>{_reference(number)}</OrgnlInstrId><OrgnlEndToEndId>E{number}"
                "</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf></TxInfAndSts>"
            )
        yield "</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
        return
    root, part = _ROOTS[message]
    yield (
        f'<Document xmlns="{_NAMESPACE}:{message[:4]}.{message[4:]}.001.08"><{root}><GrpHdr><MsgId>M</MsgId>'
        "<CreDtTm>2026-03-02T19:00:00</CreDtTm>"
        f"</GrpHdr><{part}><Id>S-1</Id><Acct><Id><IBAN>{NOSTRO}</IBAN></Id></Acct>"
    )
    for number in range(count):
        yield (
            f'<Ntry><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
            f"<BookgDt><Dt>2026-03-02</Dt></BookgDt><AcctSvcrRef>SB{number}</AcctSvcrRef><NtryDtls><TxDtls><Refs>"
            f"<InstrId>{_reference(number)}</InstrId><EndToEndId>E{number}</EndToEndId></Refs></TxDtls></NtryDtls>"
            "</Ntry>"
        )
    yield f"</{part}></{root}></Document>"


def _reference(number: int) -> str:
    return reference(number % 4, number.to_bytes(16, "big"))


def _megabytes(what: str) -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition(f"{what}:")[2].split()[0]) * 1024 / 1e6


async def main(message: str) -> None:
    outbox = _LargeOutbox({f"{message}-1.xml": b""}, Reporter(NOSTRO, nostro_lane=2, partitions=4), NOW)
    reader, told = outbox.reader(), 0
    before = _megabytes("VmRSS")
    while (taken := await reader.next()) is not None:
        outbox.record(taken)
        told += len(taken.emissions)
    print(json.dumps({"told": told, "megabytes": _megabytes("VmHWM") - before}))


COUNT = int(sys.argv[2]) if __name__ == "__main__" else 0
if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
