"""A file's format and encoding are told from its content: with and without envelopes, marks, declarations."""

import time
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.files.detection import HEAD_BYTES, UNKNOWN, detect, detect_head
from goodfunds.files.encodings import codec_named, encoding_of, western

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
DOCUMENT = f'<Document xmlns="{NAMESPACE}pacs.008.001.08"><FIToFICstmrCdtTrf/></Document>'
HEADER = f'<AppHdr xmlns="{NAMESPACE}head.001.001.02"><MsgDefIdr>pacs.008.001.08</MsgDefIdr></AppHdr>'


def detected(text: str) -> str:
    return detect_head(text.encode()).format


@pytest.mark.parametrize(
    "text",
    [
        DOCUMENT,
        f"<!-- a note on <Document> --><?xml version='1.0'?>{DOCUMENT}",
        f'<Envelope xmlns="urn:swift">{HEADER}{DOCUMENT}</Envelope>',
        f'<n:Document xmlns:x="urn:other" xmlns:n="{NAMESPACE}pacs.008.001.08"><n:FIToFICstmrCdtTrf/>',
        f'<wrap xmlns:n="{NAMESPACE}pacs.008.001.08"><n:Document><n:FIToFICstmrCdtTrf/></n:Document></wrap>',
        f'<Message xmlns="urn:tch" xmlns:c="{NAMESPACE}pacs.008.001.08"><c:FIToFICstmrCdtTrf/></Message>',
        HEADER,
    ],
)
def test_a_message_of_iso_20022_is_found_in_whatever_it_is_wrapped(text: str) -> None:
    assert detected(text) == "pacs.008.001.08"


def test_a_document_without_a_namespace_is_known_by_its_element() -> None:
    assert detected("<Document><BkToCstmrAcctRpt/></Document>") == "camt.052"
    assert detected("<Document><Something/></Document>") == UNKNOWN
    hint = 'xsi:schemaLocation="urn:x:pain.001.003.03 pain.001.003.03.xsd" xmlns="urn:x:pain"'
    assert detected(f"<Document {hint}><CstmrCdtTrfInitn/></Document>") == "pain.001.003.03"


def test_a_dialects_namespace_names_the_message_that_it_is_a_dialect_of() -> None:
    swiss = "http://www.six-interbank-clearing.com/de/pain.001.001.03.ch.02.xsd"
    assert detected(f'<Document xmlns="{swiss}"><CstmrCdtTrfInitn/></Document>') == "pain.001.001.03"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{1:F01BANKDEFFAXXX0000000000}{2:I940BANKDEFFXXXXN}{4:\n:20:X\n-}", "mt940"),
        ("\x01{1:F01BANKDEFFAXXX0000000000}{2:O1030805221020BANKDEFFXXXX00}{4:\n:20:X\n-}", "mt103"),
        (":20:STARTUMS\r\n:25:12345678/1\r\n:28C:1/1\r\n:60F:C260302EUR1,00\r\n", "mt940"),
        ("0000 01BANKNL2AXXXX00001\n940 00\n:20:X\n:25:1\n", "mt940"),
        (":20:X\n:25:1\n:28C:1\n:34F:EUR0,\n:13D:2603020900+0100\n", "mt942"),
        ("01,122099999,123456789,260302,0200,1,65,,2/\n02,1,1,1,260302,,USD,2/\n03,1,USD,010,1,,/\n", "bai2"),
        ("101 231380104 1210428822603021655A094101BANK                   ORIGIN                 \n", "nacha"),
        ("Date;Text;Amount\n02.03.2026;Rent;-1.000,00\n", "csv"),
        ('"Date","Text, long","Amount"\n"2026-03-02","a ""b"", c","1.00"\n', "csv"),
        ("OFXHEADER:100\nDATA:OFXSGML\n", "ofx"),
        ("<?xml version='1.0'?>\n<!-- x --><?OFX OFXHEADER='200'?><OFX/>", "ofx"),
        ("\r\n\r\nOFXHEADER:100\n", "ofx"),
        ("\ufeffOFXHEADER: 100\n", "ofx"),
        ("<OFX><SIGNONMSGSRSV1>", "ofx"),
        ("Examples of our bank, 2026\n\n:20:X\n:25:1\n:28C:1/1\n:60F:C260302EUR1,00\n", "mt940"),
        ("-\n:940:\n:20:X\n", "mt940"),
        (":61:2603020302C1,00NTRFNONREF\n", "mt940"),
        ("\r$\r:20:X\r:25:1\r:34F:EUR0,\r", "mt942"),
        ("01,A,B,260302,0200,1/\n88,65,,2/\n02,1,1,1,260302,,USD,2/\n", "bai2"),
        ("01,A,B,260302,0200,1,65,,2/02,1,1,1,260302,,USD,2/03,1,USD,010,1,,/", "bai2"),
        ("02,1,1,1,260302,,USD,2/\n03,1,USD,010,1,,/\n", "bai2"),
        ("{1500}30User ReqT \n{1510}1000\n", "fedwire"),
    ],
)
def test_each_format_is_told_from_its_own_marks(text: str, name: str) -> None:
    assert detected(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "Date,OFXHEADER:100,Amount\n2026-03-02,a,1.00\n",
        'Date,Description,Amount,Currency\n2026-03-02,"x {2:I103BANK} y",1.00,EUR\n',
        'Date,Description,Amount,Currency\n2026-03-02,"x\n:20:REF",1.00,EUR\n',
        'Date,Description,Amount,Currency\n2026-03-02,"x\n:20:REF\n:86:more",1.00,EUR\n',
        "01,02,03\n16,a,b\n",
        "01,first,1.00\n02,second,2.00\n03,third,3.00\n",
        "612,345678901,some text that goes on and on, for longer than a line of a payment file is\n",
    ],
)
def test_what_stands_in_the_cells_of_a_sheet_does_not_decide_its_format(text: str) -> None:
    assert detected(text) == "csv"


def test_what_stands_in_an_element_does_not_decide_the_format_of_its_message() -> None:
    message = DOCUMENT.replace("/></Document>", ">see OFXHEADER: 100 {2:I103BANK}\n:20:X</FIToFICstmrCdtTrf>")
    assert detected(message + "</Document>") == "pacs.008.001.08"
    assert detected("<a><![CDATA[{1:F01X}{2:I940BANKDEFFXXXXN}{4:\n:20:X\n-}]]></a>") == UNKNOWN


def test_records_of_nacha_without_their_header_are_known_by_their_digits() -> None:
    batch = "5220" + "COMPANY".ljust(36) + "1234567890PPDPAYROLL   260302260303   1091000010000001"
    entry = "622231380104" + "744-5678-99      " + "0000500000" + "".ljust(15) + "Steven Tander".ljust(24)
    for record in (batch, entry + "0121042880000001"):
        assert len(record) == 94
        assert detected(record + "\n") == "nacha"
        assert detected(record[:-1] + "x\n") != "nacha"


def test_a_message_behind_a_long_beginning_is_found() -> None:
    for between in (" " * 70_000, "<!--" + "x" * 70_000 + "-->"):
        source = BytesIO(f"<?xml version='1.0'?>{between}{DOCUMENT}".encode())
        assert detect(source).format == "pacs.008.001.08"
        assert source.tell() == 0


def test_an_attribute_may_hold_what_ends_a_tag() -> None:
    assert detected(DOCUMENT.replace("<Document ", '<Document xmlns:a="b>c" ')) == "pacs.008.001.08"


@pytest.mark.parametrize(
    "head",
    [
        "<!--a-->" * 8_000 + "<foo/>",
        "<!--" * 16_000,
        "<a " + "xmlns:" * 10_000,
        "<a " + "xmlns = " * 8_000,
        "<Document " + "'" * 60_000,
        '<Document "' * 6_000,
        "<a:" * 20_000 + "Document",
        "<MsgDefIdr> " * 5_000,
        "{1:" * 20_000,
        "\x01" * 60_000 + ":20",
        "-" * 60_000,
        "01," * 20_000,
        "02/" * 20_000,
        ' "' * 30_000,
    ],
)
def test_no_head_takes_longer_than_its_length(head: str) -> None:
    started = time.process_time()
    detect(BytesIO(head.encode().ljust(HEAD_BYTES)))
    # Linear it takes some milliseconds, squared minutes.
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b"%PDF-1.7\n", "PDF"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"{\\rtf1\\ansi 101 231380104", "Rich Text"),
        (b"<!DOCTYPE html><html><body>Sorry, later</body></html>", "HTML"),
        (b'{"a": 1, "b": 2}\n', "JSON"),
        (b"<a><b/></a>", "XML"),
        (b"<!-- sorry -->\n<!-- later --><html></html>", "HTML"),
        (b"nothing but words\nof two lines\n", "no format"),
        (b"Dear Sir, hello\nWe met, once\nand then, twice\n", "no format"),
    ],
)
def test_what_is_no_bank_file_is_called_what_it_is(content: bytes, why: str) -> None:
    found = detect_head(content)
    assert found.format == UNKNOWN
    assert why in found.why


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("\ufeffGrüße".encode(), "utf-8"),
        ("Grüße".encode(), "utf-8"),
        (b"plain", "utf-8"),
        ("\ufeff<a/>".encode("utf-16-le"), "utf-16-le"),
        ("\ufeff<a/>".encode("utf-16-be"), "utf-16-be"),
        ("Date;Amount".encode("utf-16-le"), "utf-16-le"),
        ("Date;Amount".encode("utf-16-be"), "utf-16-be"),
        ("Grüße".encode("latin-1"), "iso8859-1"),
        ("Grüße für 5 €".encode("cp1252"), "cp1252"),
        (b"<?xml version='1.0' encoding='ISO-8859-15'?><a/>", "iso8859-15"),
        (b"<?xml version='1.0' encoding='made-up'?><a/>", ""),
        ("\ufeff<a/>".encode("utf-32-le"), "utf-32-le"),
        (b"<?xml version='1.0' encoding='utf-16'?><a/>", "utf-8"),
    ],
)
def test_an_encoding_is_told_by_its_mark_its_declaration_or_the_bytes(content: bytes, encoding: str) -> None:
    assert encoding_of(content)[0] == encoding


@pytest.mark.parametrize("name", ["ISO_8859-1", "iso8859-1", "latin-1", "Latin1", "ISO-8859-1"])
def test_the_names_of_an_encoding_differ_by_case_and_marks_alone(name: str) -> None:
    assert codec_named(name) == "iso-8859-1"


@pytest.mark.parametrize(
    "name",
    ["rot13", "hex", "base64", "zlib", "idna", "punycode", "undefined", "unicode_escape", "utf-7", "cp037"],
)
def test_what_is_no_encoding_of_files_is_none_though_python_has_a_codec_of_that_name(name: str) -> None:
    head = f'<?xml version="1.0" encoding="{name}"?>{DOCUMENT}'.encode()
    assert (codec_named(name), detect_head(head).encoding) == ("", "")
    assert detect_head(head).format == "pacs.008.001.08"


@given(st.binary(max_size=60))
def test_windows_1252_is_read_byte_by_byte_wherever_the_pieces_end(content: bytes) -> None:
    assert western(content) == "".join(western(content[at : at + 1]) for at in range(len(content)))
    assert len(western(content)) == len(content)


def test_a_head_that_ends_within_a_character_is_utf_8_all_the_same() -> None:
    assert encoding_of("ß".encode()[:1]) == ("utf-8", 0)


def test_a_file_is_looked_at_where_it_is_and_left_there() -> None:
    source = BytesIO(b"  " + DOCUMENT.encode())
    source.seek(2)
    assert detect(source).format == "pacs.008.001.08"
    assert source.tell() == 2


@given(st.binary(max_size=400))
def test_any_bytes_have_a_format_or_none(content: bytes) -> None:
    found = detect_head(content)
    assert found.format
    assert (found.format == UNKNOWN) == bool(found.why)
