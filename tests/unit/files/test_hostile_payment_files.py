"""Payment files that are cut, wrong by a cent or made to harm: refused whole, and nothing else happens."""

import random
import re
import time
from collections.abc import Callable
from datetime import date
from io import BytesIO

import pytest

from goodfunds.files import camt053, camt054, pain001, pain002
from goodfunds.files.records import CreditTransfer, FileError, InvalidFile, PaymentFile
from goodfunds.local.demo_file import demo_file
from goodfunds.rails import reasons as code
from tests.unit.files.texts import NOTIFICATION, STATEMENT, STATUS_REPORT

SMALL = demo_file(2, 1, date(2026, 3, 2))


def errors(raw: bytes) -> tuple[FileError, ...]:
    """What is wrong with a payment file."""
    with pytest.raises(InvalidFile) as refused:
        pain001.read_whole(BytesIO(raw))
    assert refused.value.errors
    return refused.value.errors


def whole(raw: bytes) -> PaymentFile:
    return pain001.read_whole(BytesIO(raw))


def changed(pattern: bytes, to: bytes, raw: bytes = SMALL) -> bytes:
    """The file with the first of a pattern replaced."""
    made, count = re.subn(pattern, lambda found: to, raw, count=1)
    assert count == 1
    return made


def test_a_file_that_is_cut_at_any_byte_is_refused() -> None:
    last = SMALL.rindex(b">")
    for at in range(last + 1):
        errors(SMALL[:at])
    assert len(whole(SMALL[: last + 1]).transfers) == 2


@pytest.mark.parametrize(
    ("reader", "raw"),
    [(pain002.read, STATUS_REPORT), (camt053.read, STATEMENT), (camt054.read, NOTIFICATION)],
)
def test_a_bank_message_that_is_cut_at_any_byte_ends_in_a_refusal(
    reader: Callable[[BytesIO], object], raw: bytes
) -> None:
    last = raw.rindex(b">")
    for at in range(last + 1):
        with pytest.raises(InvalidFile):
            list(reader(BytesIO(raw[:at])))  # type: ignore[call-overload]


@pytest.mark.parametrize("where", ["GrpHdr", "PmtInf"])
def test_a_control_sum_that_is_off_by_one_cent_is_refused(where: str) -> None:
    found = re.search(rb"<CtrlSum>(\d+)\.(\d\d)</CtrlSum>", SMALL)
    assert found is not None
    wrong = b"<CtrlSum>%d.%02d</CtrlSum>" % divmod(int(found[1] + found[2]) + 1, 100)
    start = SMALL.index(f"<{where}>".encode())
    raw = SMALL[:start] + SMALL[start:].replace(found[0], wrong, 1)
    assert [(error.code, error.path) for error in errors(raw)] == [
        (code.INVALID_CONTROL_SUM, f"{where}/CtrlSum")
    ]


@pytest.mark.parametrize("where", ["GrpHdr", "PmtInf"])
@pytest.mark.parametrize("count", [b"1", b"3"])
def test_a_number_of_transactions_that_is_off_by_one_is_refused(where: str, count: bytes) -> None:
    start = SMALL.index(f"<{where}>".encode())
    raw = SMALL[:start] + changed(rb"<NbOfTxs>2<", b"<NbOfTxs>" + count + b"<", SMALL[start:])
    assert [(error.code, error.path) for error in errors(raw)] == [
        (code.INVALID_NUMBER_OF_TRANSACTIONS, f"{where}/NbOfTxs")
    ]


@pytest.mark.parametrize(
    "declared",
    [
        b"<!DOCTYPE Document>",
        b'<!DOCTYPE Document SYSTEM "file:///etc/passwd">',
        b'<!DOCTYPE d [<!ENTITY x "y">]>',
        b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE d [<!ENTITY % x SYSTEM "http://localhost/x.dtd"> %x;]>',
        b'<!DOCTYPE d [<!ENTITY a0 "lol">'
        + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
        + b"]>",
    ],
)
def test_a_document_type_is_refused_whether_its_entities_are_used_or_not(declared: bytes) -> None:
    raw = SMALL.replace(b"<Document", declared + b"<Document", 1)
    for used in (b"", b"&x;", b"&a9;"):
        found = errors(changed(rb"<Nm>", b"<Nm>" + used, raw))
        assert "root:" not in str(found)
        assert {error.code for error in found} == {code.INVALID_FILE_FORMAT}


@pytest.mark.parametrize("size", [65_400, 65_470, 65_482, 65_490, 70_000])
def test_a_document_type_across_the_pieces_that_are_read_is_refused_with_its_line(size: int) -> None:
    comment = b"<!--" + b"x" * size + b"-->"
    (found,) = errors(SMALL.replace(b"<Document", comment + b"<!DOCTYPE d><Document", 1))
    assert (found.line, found.code) == (2, code.INVALID_FILE_FORMAT)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-1.00", "+-1.00", "1e3", "1E3", "1,00", "1.000,00", "1_000", ".", "+", "１０.00", "٣",
        "NaN", "INF", "0x10", "1 0", "1.001", "12345678901234567.00", "1\u00a0000", "true", "<b>1</b>",
    ],
)  # fmt: skip
def test_what_is_no_amount_of_the_standard_is_refused_at_its_place(text: str) -> None:
    found = errors(changed(rb"(?<=Ccy=\"EUR\">)[^<]+", text.encode()))
    assert found[0].path.startswith("PmtInf/CdtTrfTxInf/Amt")


def test_white_space_around_an_amount_is_no_part_of_it() -> None:
    amount = re.search(rb"(?<=Ccy=\"EUR\">)[^<]+", SMALL)
    assert amount is not None
    spaced = SMALL.replace(amount[0], b" \r\n\t" + amount[0] + b"\n", 1)
    assert whole(spaced).transfers[0].amount_minor == whole(SMALL).transfers[0].amount_minor


@pytest.mark.parametrize(
    ("currency", "reason"),
    [
        (b"JPY", code.INVALID_AMOUNT),
        (b"XXX", code.INVALID_TRANSACTION_CURRENCY),
        (b"eur", code.INVALID_TRANSACTION_CURRENCY),
        (b"", code.INVALID_TRANSACTION_CURRENCY),
        (b"E&#85;RO", code.INVALID_TRANSACTION_CURRENCY),
    ],
)
def test_an_amount_in_a_currency_that_cannot_be_is_refused(currency: bytes, reason: str) -> None:
    assert errors(changed(rb"(?<=InstdAmt Ccy=\")EUR", currency))[0].code == reason


@pytest.mark.parametrize(
    ("text", "minor"), [("+1.00", 1_00), (".5", 50), ("5.", 5_00), ("10.00000", 10_00), (" 2.10 ", 2_10)]
)
def test_an_amount_as_xml_schema_writes_it_is_read_and_summed(text: str, minor: int) -> None:
    raw = re.sub(rb"<CtrlSum>[^<]+</CtrlSum>", b"", SMALL)
    raw = re.sub(rb"(?<=Ccy=\"EUR\">)[^<]+", text.encode(), raw)
    assert [each.amount_minor for each in whole(raw).transfers] == [minor, minor]
    total = b"<NbOfTxs>2</NbOfTxs><CtrlSum>+%d.%02d000</CtrlSum>" % divmod(2 * minor, 100)
    assert whole(raw.replace(b"<NbOfTxs>2</NbOfTxs>", total, 1)).transfers


def test_zero_is_no_amount_to_pay() -> None:
    assert errors(changed(rb"(?<=Ccy=\"EUR\">)[^<]+", b"0.00"))[0].code == code.ZERO_AMOUNT


@pytest.mark.parametrize(
    "namespace",
    [
        b"urn:iso:std:iso:20022:tech:xsd:pain.001.001.99",
        b"urn:iso:std:iso:20022:tech:xsd:pain.001.001.01",
        b"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10",
        b"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09x",
        b"URN:ISO:std:iso:20022:tech:xsd:pain.001.001.09",
        b"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}",
        b"}",
        b"{}",
        b"a b",
        b"urn:example",
        b"",
    ],
)
def test_a_namespace_that_is_not_known_is_refused(namespace: bytes) -> None:
    errors(changed(rb"urn:iso[^\"]+", namespace))


@pytest.mark.parametrize("name", [b"CstmrDrctDbtInitn", b"pain.001.001.02", b"Cstmr"])
def test_another_message_in_the_document_is_refused(name: bytes) -> None:
    errors(SMALL.replace(b"CstmrCdtTrfInitn", name))


@pytest.mark.parametrize(
    ("reader", "raw"),
    [
        (pain001.read, SMALL),
        (pain002.read, STATUS_REPORT),
        (camt053.read, STATEMENT),
        (camt054.read, NOTIFICATION),
    ],
)
def test_a_prefix_that_is_not_declared_is_no_fault_of_the_reader(
    reader: Callable[[BytesIO], object], raw: bytes
) -> None:
    for tag in set(re.findall(rb"<(\w+)", raw)):
        strange = re.sub(rb"<(/?)" + tag + rb"\b", rb"<\1x:" + tag, raw)
        told = _refused(reader, strange)
        assert told is None or told
    assert _refused(reader, raw.replace(b"Document", b"x:Document"))


@pytest.mark.parametrize("name", ["GrpHdr", "PmtInf", "CdtTrfTxInf"])
def test_namesakes_of_another_namespace_are_refused_and_never_passed_over(name: str) -> None:
    pattern = f"<{name}>.*?</{name}>".encode()
    raw = demo_file(4, 2, date(2026, 3, 2))
    part = re.search(pattern, raw)
    assert part is not None
    foreign = part[0].replace(f"<{name}>".encode(), f'<{name} xmlns="urn:example">'.encode(), 1)
    errors(raw.replace(part[0], part[0] + foreign, 1))
    errors(raw.replace(part[0], foreign + part[0], 1))
    padding = b"<!--" + b" " * 70_000 + b"-->"
    errors(raw.replace(part[0], part[0] + padding + foreign + padding, 1))


def test_deep_nesting_is_refused() -> None:
    errors(changed(rb"<Nm>", b"<a>" * 5_000))
    errors(b"<a>" * 100_000)


@pytest.mark.parametrize("place", [rb"<Nm>", rb"<Ustrd>", rb"<CdtTrfTxInf>"])
def test_an_element_of_many_megabytes_is_refused(place: bytes) -> None:
    found = re.search(place, SMALL)
    assert found is not None
    errors(SMALL[: found.end()] + b"x" * 5_000_000 + SMALL[found.end() :])


def test_an_element_of_many_children_is_freed_in_a_time_that_grows_with_it_and_not_with_its_square() -> None:
    many = b"<Id><PrvtId>" + b"<Othr><Id>1</Id></Othr>" * 150_000 + b"</PrvtId></Id>"
    raw = changed(rb"(?<=<Dbtr>)<Nm>[^<]*</Nm>", b"<Nm>N</Nm>" + many)
    started = time.process_time()
    assert len(whole(raw).transfers) == 2
    # Linear it takes half a second, squared a minute.
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (rb"(?<=</Nm>)(?=</Dbtr>)", b"<Id><PrvtId><Nm>A</Nm></PrvtId></Id>"),
        (rb"<PmtMtd>", b'<PmtMtd Id="1">'),
        (rb"<Dbtr>", b'<Dbtr Nm="N">'),
        (rb"(?<=<RmtInf>)", b"<Strd><RfrdDocInf><Nb>1</Nb><Tp/></RfrdDocInf></Strd>"),
        (rb"<Document ", b'<Document Id="1" '),
        (rb"<CstmrCdtTrfInitn>", b'<CstmrCdtTrfInitn Id="1">'),
        (rb"</CstmrCdtTrfInitn>", b"<SplmtryData><Foo/></SplmtryData></CstmrCdtTrfInitn>"),
        (rb"<PmtInf>", b"<SplmtryData><Envlp><a/></Envlp></SplmtryData><PmtInf>"),
    ],
)
def test_what_moves_no_money_and_breaks_the_schema_is_refused_all_the_same(
    pattern: bytes, replacement: bytes
) -> None:
    assert errors(changed(pattern, replacement))[0].code == code.INVALID_FILE_FORMAT


def test_what_a_bank_agreed_on_beside_the_message_is_passed_over_where_it_may_stand() -> None:
    beside = b"<SplmtryData><Envlp><a><b/></a></Envlp></SplmtryData>"
    located = b'<Document xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" '
    raw = SMALL.replace(b"</CstmrCdtTrfInitn>", beside * 2 + b"</CstmrCdtTrfInitn>")
    assert whole(raw.replace(b"<Document ", located)) == whole(SMALL)


@pytest.mark.parametrize(
    "junk", [b"", b" \n", b"\0", b"<html/>", b"{}", b"PK\3\4", b"\xff\xfe", b"\xef\xbb\xbf"]
)
def test_what_is_no_message_at_all_is_refused(junk: bytes) -> None:
    assert errors(junk)[0].code == code.INVALID_FILE_FORMAT


@pytest.mark.parametrize("at", [0, 100, len(SMALL) // 2, len(SMALL)])
def test_a_zero_byte_anywhere_is_refused(at: int) -> None:
    errors(SMALL[:at] + b"\0" + SMALL[at:])


NAMED = changed(rb"(?<=<Nm>)[^<]+", "Björn Åß €".encode())


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "windows-1252", "iso-8859-15"]
)
def test_a_file_in_an_encoding_that_it_declares_is_read_the_same(codec: str) -> None:
    text = NAMED.decode().replace('"UTF-8"', f'"{codec.removesuffix("-le").removesuffix("-be")}"')
    found = whole(text.encode(codec))
    assert found == whole(NAMED)
    assert found.header.initiating_party == "Björn Åß €"


def test_a_byte_order_mark_of_utf_8_is_no_text() -> None:
    assert whole(b"\xef\xbb\xbf" + NAMED) == whole(NAMED)


@pytest.mark.parametrize(
    "raw",
    [
        NAMED.decode().encode("windows-1252"),
        NAMED.replace(b'"UTF-8"', b'"utf-7"'),
        NAMED.replace(b'"UTF-8"', b'"EBCDIC-CP-BE"'),
        NAMED.replace(b'"UTF-8"', b'"utf-16"'),
        NAMED.replace(b'"UTF-8"', b'"us-ascii"'),
        b"\xff\xfe" + NAMED,
        NAMED.replace("€".encode(), b"\xe2\x82"),
        NAMED.replace("€".encode(), b"\xc0\xaf"),
        NAMED.replace("€".encode(), b"\xed\xa0\x80"),
    ],
)
def test_bytes_that_are_not_what_the_file_claims_are_refused(raw: bytes) -> None:
    errors(raw)


def test_an_error_tells_the_line_of_its_element_beyond_line_65535_too() -> None:
    raw = changed(rb"(?<=</CdtTrfTxInf>)<CdtTrfTxInf>", b"\n" * 70_000 + b"<CdtTrfTxInf>\n<Other/>")
    assert {error.line for error in errors(raw)} == {70_003}


def test_instructions_that_move_no_money_are_passed_over() -> None:
    raw = SMALL.replace(b"<PmtTpInf>", b"<PmtTpInf><InstrPrty>HIGH</InstrPrty>")
    assert whole(raw) == whole(SMALL)


def test_a_hundred_errors_are_told_at_most() -> None:
    raw = demo_file(300, 1, date(2026, 3, 2)).replace(b"<Cdtr>", b"<Other/><Cdtr>")
    assert len(errors(raw)) == 100


@pytest.mark.parametrize("seed", range(4))
def test_random_damage_ends_in_records_or_in_a_refusal_and_in_nothing_else(seed: int) -> None:
    source = random.Random(seed)
    readers = ((pain001.read, SMALL), (pain002.read, STATUS_REPORT), (camt053.read, STATEMENT))
    for _ in range(400):
        reader, raw = source.choice((*readers, (camt054.read, NOTIFICATION)))
        damaged = bytearray(raw)
        for _ in range(source.randint(1, 4)):
            at = source.randrange(len(damaged))
            tag = source.choice(re.findall(rb"<[^>]*>|[0-9]+|[A-Z]+", raw))
            match source.randrange(4):
                case 0:
                    damaged[at] = source.randrange(256)
                case 1:
                    del damaged[at : at + source.randint(1, 30)]
                case 2:
                    damaged[at:at] = tag
                case _:
                    other = source.choice(re.findall(rb"<[^>]*>|[0-9]+|[A-Z]+", raw))
                    damaged = bytearray(bytes(damaged).replace(tag, other, source.randint(1, 3)))
        told = _refused(reader, bytes(damaged))
        assert told is None or told


def _refused(reader: Callable[[BytesIO], object], raw: bytes) -> tuple[FileError, ...] | None:
    """What a reader has against a message; None where it takes it. Any other fault comes through."""
    try:
        list(reader(BytesIO(raw)))  # type: ignore[call-overload]
    except InvalidFile as fault:
        return fault.errors
    return None


def test_a_streamed_file_tells_of_its_transactions_before_it_has_read_the_last() -> None:
    raw = BytesIO(demo_file(3_000, 1, date(2026, 3, 2)))
    records = pain001.read(raw)
    first = next(record for record in records if isinstance(record, CreditTransfer))
    assert first.transaction_index == 1
    assert raw.tell() < len(raw.getvalue()) / 4
