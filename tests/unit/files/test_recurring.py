"""Elements read by patterns, or tag by tag from plain markup, say what the parser alone reads of them."""

from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.files import camt053, pain001, pain002, plain, recurring
from goodfunds.files.inspecting import inspect
from goodfunds.files.records import (
    GroupStatus,
    PaymentInformationStatus,
    StatusReport,
    TransactionStatus,
)
from goodfunds.files.reports import AccountReport, Balance, Entry, EntryBatch, EntryTransaction, Statement
from goodfunds.local.demo_file import demo_file
from tests.bench import large_files
from tests.fuzz.mutating import mutated
from tests.unit.files.outcome import Read, outcome

_DAY = date(2026, 3, 2)


def _entry(number: int, details: int) -> Entry:
    detail = EntryTransaction(
        end_to_end_id="E", instruction_id="I", payment_information_id="P", message_id="M", amount_minor=100,
        currency="EUR", creditor_name="Ada", remittance_unstructured=f"Invoice {number}",
    )  # fmt: skip
    transactions = tuple(replace(detail, end_to_end_id=f"E{number}-{each}") for each in range(details))
    batches = (EntryBatch("M", "P", details, 100 * details, "EUR"),) if number % 2 else ()
    return Entry(
        number, 100 * details, "EUR", "DBIT", "BOOK", False, _DAY, _DAY, f"R{number}", f"B{number}",
        "PMNT/ICDT/ESCT", batches, transactions,
    )  # fmt: skip


def _statement(details: tuple[int, ...]) -> bytes:
    entries = [_entry(number, each) for number, each in enumerate(details, 1)]
    whole = Statement(
        1, "M", "S", "2026-03-02T00:00:00", "DE89370400440532013000", "EUR", "1",
        balances=(Balance("OPBD", 10_000_000, "EUR", _DAY),
                  Balance("CLBD", 10_000_000 - sum(each.amount_minor for each in entries), "EUR", _DAY)),
    )  # fmt: skip
    return camt053.write(AccountReport("M", datetime(2026, 3, 2, tzinfo=UTC), [(whole, entries)]))


def _statuses(count: int) -> bytes:
    transactions = [
        TransactionStatus("P", f"I{number}", f"E{number}", "RJCT", "AC04", "closed")
        for number in range(count)
    ]
    group = GroupStatus("M", "2026-03-02T08:00:00Z", "O", "pain.001.001.09")
    return pain002.write(StatusReport(group, [PaymentInformationStatus("P")], transactions))


def _unlike(message: str) -> bytes:
    """Some sixty transactions, hardly two of which have the same elements."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "file.xml")
        large_files.write(file, message, unlike=True, size=50_000)
        return file.read_bytes()


def _broken_into_lines(content: bytes) -> bytes:
    return content.replace(b"><", b">\n  <").replace(b">\n  </", b"></")


_PAYMENTS, _ENTRIES = _unlike("pain.001"), _unlike("camt.053")
_READERS: dict[str, tuple["Read", tuple[bytes, ...]]] = {
    "pain.001": (
        pain001.read,
        (demo_file(12, 2, _DAY), _broken_into_lines(demo_file(9, 1, _DAY)), _PAYMENTS,
         _broken_into_lines(_PAYMENTS)),
    ),
    "pain.002": (pain002.read, (_statuses(9), _broken_into_lines(_statuses(9)))),
    "camt.053": (
        camt053.read,
        (_statement((1,) * 12), _broken_into_lines(_statement((1, 2) * 6)), _statement((12, 1, 12)), _ENTRIES,
         _broken_into_lines(_ENTRIES)),
    ),
}  # fmt: skip


def _same_as_by_parser(read: Read, content: bytes) -> bool:
    """The same records, refused alike; before a fault more may be read, up to another one perhaps, than of

    a chunk that holds it.
    """
    with patch.object(recurring, "MOST", 0):
        plainly = outcome(read, content)
        with patch.object(recurring, "MOST_MISSES", 0):
            by_parser, its_fault = outcome(read, content)
    return all(
        bool(fault) == bool(its_fault) and (found[: len(by_parser)] if fault else found) == by_parser
        for found, fault in (plainly, outcome(read, content))
    )


@pytest.mark.parametrize("name", _READERS)
@pytest.mark.parametrize("chunk", [1, 7, 100, 1 << 16])
def test_patterns_read_what_the_parser_reads_wherever_the_bytes_are_cut(name: str, chunk: int) -> None:
    read, contents = _READERS[name]
    for content in contents:
        with patch("goodfunds.files.decoding.CHUNK", chunk):
            assert _same_as_by_parser(read, content)


@pytest.mark.parametrize("name", _READERS)
@given(seed=st.integers(0, 2**32), times=st.integers(1, 4))
def test_of_a_damaged_file_patterns_read_what_the_parser_reads(name: str, seed: int, times: int) -> None:
    read, contents = _READERS[name]
    random = Random(seed)
    content = random.choice(contents)
    for _ in range(times):
        content = mutated(content, random)
    assert _same_as_by_parser(read, content)


@pytest.mark.parametrize(("name", "least"), [("pain.001", 8), ("pain.002", 6), ("camt.053", 6)])
def test_from_the_fourth_on_elements_of_one_outline_are_read_by_its_pattern(name: str, least: int) -> None:
    read, contents = _READERS[name]
    made = []

    class Watched(recurring.Recurring):
        def read(self, text: str, at: int, line: int) -> tuple[object, int] | None:
            found = super().read(text, at, line)
            made.extend([found] if found is not None else [])
            return found

    module = read.__module__.replace("camt053", "camt_reading")
    with patch(f"{module}.Recurring", Watched):
        list(read(BytesIO(contents[0])))
    assert len(made) >= least


@pytest.mark.parametrize(("read", "content"), [(pain001.read, _PAYMENTS), (camt053.read, _ENTRIES)])
def test_elements_of_many_outlines_are_read_from_plain_markup(read: Read, content: bytes) -> None:
    with patch.object(plain.Plain, "read", autospec=True, side_effect=plain.Plain.read) as reading:
        records = list(read(BytesIO(content)))
    assert reading.call_count > 0.7 * len(records)


@pytest.mark.parametrize("stranger", ["Foo", "RltdPties", "TxDtls"])
def test_what_only_bears_the_name_of_a_part_is_in_none(stranger: str) -> None:
    entries = _ENTRIES.decode().split("</Ntry>")
    inner = (
        "<NtryDtls><Btch><MsgId>IN</MsgId></Btch><TxDtls><Refs><EndToEndId>IN</EndToEndId></Refs></TxDtls>"
    )
    entries[20] += f"<{stranger}>{inner}</NtryDtls></{stranger}>"
    assert _same_as_by_parser(camt053.read, "</Ntry>".join(entries).encode())


@pytest.mark.parametrize("content", [_PAYMENTS, _ENTRIES, _broken_into_lines(_ENTRIES)])
@given(seed=st.integers(0, 2**32), times=st.integers(0, 3))
def test_an_inspection_finds_in_plain_markup_what_it_finds_by_the_parser(
    content: bytes, seed: int, times: int
) -> None:
    random = Random(seed)
    for _ in range(times):
        content = mutated(content, random)
    with patch.object(recurring, "MOST", 0):
        found = inspect(BytesIO(content))
        with patch.object(recurring, "MOST_MISSES", 0):
            by_parser = inspect(BytesIO(content))
    # Of what cannot be read to its end more may have been counted.
    assert found == by_parser if by_parser.readable else found.valid == by_parser.valid


_BROKEN = (
    ("<EndToEndId>E2E-{0}</EndToEndId>", "<EndToEndId>E2E-{0}</EndToEndId><EndToEndId>E2E-{0}</EndToEndId>"),
    ("<Nm>Creditor", "<Nm/><Nm>Creditor"),
    ("<Amt><InstdAmt", '<Amt Ccy="EUR"><InstdAmt'),
    (' Ccy="EUR"', ' Ccy="EUR" Ccy="EUR"'),
    (' Ccy="EUR"', ' Ccy="EUR" Of="EUR"'),
    (' Ccy="EUR"', ""),
    ("<Cdtr><Nm>", "<Cdtr><Foo>1</Foo><Nm>"),
    ("<Cdtr><Nm>Creditor {0}</Nm>", "<Cdtr>Creditor"),
    ("<CdtrAcct><Id><IBAN>", "<CdtrAcct><Id><Id>1</Id><IBAN>"),
    ("<Cdtr>", "<Cdtr><Cdtr>"),
    ("</CdtTrfTxInf>", "<CdtTrfTxInf></CdtTrfTxInf></CdtTrfTxInf>"),
    ("</PmtId>", "</Cdtr>"),
    ("<PmtId>", "<p:PmtId>"),
)
"""What stands in a transaction, and what must not stand there."""


@pytest.mark.parametrize(("sound", "broken"), _BROKEN)
def test_a_transaction_in_plain_markup_that_breaks_the_standard_is_refused_as_by_the_parser(
    sound: str, broken: str
) -> None:
    transactions = _PAYMENTS.decode().split("</CdtTrfTxInf>")
    of, number = next(
        (each, number) for number, each in enumerate(transactions, 1)
        if number > 20 and sound.format(number) in each + "</CdtTrfTxInf>"
    )  # fmt: skip
    whole = of + "</CdtTrfTxInf>"
    changed = _PAYMENTS.decode().replace(whole, whole.replace(sound.format(number), broken.format(number)))
    assert changed != _PAYMENTS.decode()
    assert _same_as_by_parser(pain001.read, changed.encode())
    assert outcome(pain001.read, changed.encode())[1] != ""


@pytest.mark.parametrize(
    "entry",
    [
        b"<!-- <Ntry> -->", b"<Ntry><Amt>", b"<x:Ntry xmlns:x='urn:x'/>", b"&#32;", b"<?pi </Ntry>?>",
        b"<![CDATA[ ]]>", b"\x01", b"]]>", b"<!-- </Ntry> --><!-- </Ntry> -->",
    ],
)  # fmt: skip
def test_what_stands_between_elements_is_seen_as_the_parser_sees_it(entry: bytes) -> None:
    content = _statement((1,) * 12)
    for part in (6, 8, 11):
        pieces = content.split(b"</Ntry>")
        pieces[part] = entry + pieces[part]
        changed = b"</Ntry>".join(pieces)
        assert _same_as_by_parser(camt053.read, changed)


def test_an_element_hidden_in_a_comment_is_not_read() -> None:
    content = _statement((1,) * 12)
    first, rest = content.split(b"</Ntry>", 1)
    entry = first[first.index(b"<Ntry>") :] + b"</Ntry>"
    hidden = rest.split(b"</Ntry>")
    hidden[6] = b"<!-- " + entry + b" -->" + hidden[6]
    changed = first + b"</Ntry>" + b"</Ntry>".join(hidden)
    assert len(outcome(camt053.read, changed)[0]) == len(outcome(camt053.read, content)[0])
