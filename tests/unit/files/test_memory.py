"""Memory while reading: flat in the size of the file, so that a large one cannot take a service down."""

import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO

import psutil
import pytest

from goodfunds.files import camt053, pain001
from goodfunds.files.inspecting import inspect
from goodfunds.files.records import InvalidFile
from tests.unit.files.texts import ENTRY, statement

TRANSACTIONS = 50_000
TRACED = 20_000
"""To trace each allocation takes ten times the time."""
PEAK = 4 << 20
"""A piece of 64 KiB with its text and records is under 1 MiB; 20,000 records held are 9 MiB."""

GROWTH = 16 << 20
"""What the process may grow by after a tenth of a file: the XML of the other nine tenths, held as a tree, is
some 60 MiB, and an allocator's own slack is a few MiB."""

pytestmark = pytest.mark.long
"""Large files, and some of them traced: half a minute of CPU, as much as all other tests of files."""


def _payments(count: int) -> bytes:
    header = (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn><GrpHdr>'
        "<MsgId>M</MsgId><CreDtTm>2026-03-02T08:00:00Z</CreDtTm>"
        f"<NbOfTxs>{count}</NbOfTxs><CtrlSum>{count}.00</CtrlSum>"
        "<InitgPty><Nm>I</Nm></InitgPty></GrpHdr><PmtInf><PmtInfId>P</PmtInfId><PmtMtd>TRF</PmtMtd>"
        "<ReqdExctnDt><Dt>2026-03-02</Dt></ReqdExctnDt><Dbtr><Nm>D</Nm></Dbtr>"
        "<DbtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></DbtrAcct>"
        "<DbtrAgt><FinInstnId><BICFI>INGDDEFFXXX</BICFI></FinInstnId></DbtrAgt>"
    )
    payment = (
        '<CdtTrfTxInf><PmtId><EndToEndId>E</EndToEndId></PmtId><Amt><InstdAmt Ccy="EUR">1.00</InstdAmt></Amt>'
        "<Cdtr><Nm>C</Nm></Cdtr><CdtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></CdtrAcct></CdtTrfTxInf>"
    )
    return f"{header}{payment * count}</PmtInf></CstmrCdtTrfInitn></Document>".encode()


@pytest.mark.parametrize(
    ("read", "raw", "records"),
    [
        (pain001.read, _payments(TRACED), TRACED + 2),
        (camt053.read, statement(*[ENTRY] * 5_000), 5_000 + 2),
    ],
    ids=["pain.001", "camt.053"],
)
def test_memory_is_flat_however_many_transactions_a_file_has(
    read: Callable[[BytesIO], Iterator[object]], raw: bytes, records: int
) -> None:
    source = BytesIO(raw)
    tracemalloc.start()
    try:
        found = sum(1 for _ in read(source))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == records
    assert peak < PEAK


# What has a character reference in its text is left to the parser.
_UNLIKE = [ENTRY.replace("<NtryRef>1", f"<NtryRef>&#49;{number}") for number in range(5_000)]

_DETAIL = "<TxDtls><AddtlTxInf>A</AddtlTxInf></TxDtls>"


@pytest.mark.parametrize(
    ("raw", "entries"),
    [
        (_payments(TRACED), TRACED),
        (statement(*[ENTRY] * 5_000), 5_000),
        (statement(*_UNLIKE), 5_000),
        (statement(ENTRY.replace("</NtryDtls>", f"{_DETAIL * 20_000}</NtryDtls>")), 1),
    ],
    ids=["pain.001", "camt.053", "unlike entries", "one entry of many details"],
)
def test_memory_is_flat_however_large_a_file_is_inspected(raw: bytes, entries: int) -> None:
    source = BytesIO(raw)
    inspect(BytesIO(statement(ENTRY)))
    tracemalloc.start()
    try:
        found = inspect(source)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.entries == entries
    assert peak < PEAK


class Watched(BytesIO):
    """A file that notes how large the process is when more of it is asked for."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw)
        self._process = psutil.Process()
        self.least, self.most = self._process.memory_info().rss, 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.most = max(self.most, self._process.memory_info().rss)
        return super().read(size)


_JUNK = "<X>" + "a" * 1_000_000 + "</X>"
_ONE_BY_ONE = "<NtryDtls><TxDtls><Refs><EndToEndId>&#69;</EndToEndId></Refs></TxDtls></NtryDtls>"


@pytest.mark.parametrize(
    "take", [inspect, lambda source: list(camt053.read(source))], ids=["inspect", "read"]
)
@pytest.mark.parametrize(
    "raw",
    [
        statement(*[ENTRY, _JUNK] * 60),
        statement(*[ENTRY, "<AddtlStmtInf>" + "a" * 400 + "</AddtlStmtInf>" * 50] * 2_000),
        statement(ENTRY.replace("</NtryDtls>", f"</NtryDtls>{'<NtryDtls/>' * 150_000}")),
        statement(ENTRY.replace("</NtryDtls>", "</NtryDtls>" + (_ONE_BY_ONE + "<X>a</X>") * 30_000)),
    ],
    ids=["unknown elements", "repeated elements", "empty parts", "parts of one detail"],
)
def test_what_belongs_nowhere_is_not_held(take: Callable[[BytesIO], object], raw: bytes) -> None:
    source = Watched(raw)
    with suppress(InvalidFile):
        take(source)
    assert source.most - source.least < 48 << 20


def test_parts_that_repeat_take_a_time_that_grows_with_their_number_and_not_with_its_square() -> None:
    head = '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"><FIToFICstmrCdtTrf>'
    raw = (head + "<GrpHdr/>" * 100_000 + "</FIToFICstmrCdtTrf></Document>").encode()
    started = time.process_time()
    assert inspect(BytesIO(raw)).valid is False
    # Linear it takes some seconds, squared minutes.
    assert time.process_time() - started < 30


def test_the_tree_of_a_large_file_is_never_held() -> None:
    process = psutil.Process()
    early = 0
    for place, _ in enumerate(pain001.read(BytesIO(_payments(TRANSACTIONS)))):
        if place == TRANSACTIONS // 10:
            early = process.memory_info().rss
    assert process.memory_info().rss - early < GROWTH
