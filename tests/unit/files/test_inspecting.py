"""An inspection tells whether a message keeps to the standard to the letter, and what it says at a glance."""

import gzip
import re
from datetime import date
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodfunds.files import camt053, pacs008
from goodfunds.files.detection import UNKNOWN
from goodfunds.files.inspecting import inspect
from goodfunds.files.inspection import Inspection
from goodfunds.files.records import InvalidFile
from goodfunds.files.reports import StatementEnd
from goodfunds.files.unpacking import FREE_BYTES
from goodfunds.local.demo_file import demo_file
from goodfunds.rails import reasons as code
from tests.unit.files.interbank_texts import (
    CAMT_029,
    CAMT_056,
    PACS_002,
    PACS_004,
    PACS_008,
    PACS_009,
    PAIN_008,
)
from tests.unit.files.texts import ENTRY, NOTIFICATION, STATEMENT, STATUS_REPORT, notification, statement

EXAMPLES = (PACS_008, PACS_009, PACS_004, PACS_002, CAMT_056, CAMT_029, PAIN_008, STATEMENT, NOTIFICATION)


def inspected(raw: bytes) -> Inspection:
    return inspect(BytesIO(raw))


def broken(raw: bytes, old: str, new: str) -> Inspection:
    """Inspected with the first such text replaced."""
    assert old.encode() in raw
    found = inspected(raw.replace(old.encode(), new.encode(), 1))
    assert found.valid is False
    return found


@pytest.mark.parametrize(
    ("raw", "name", "entries", "sums"),
    [
        (PACS_008, "pacs.008.001.08", 2, {"EUR": 20_03}),
        (PACS_009, "pacs.009.001.08", 1, {"JPY": 1000}),
        (PACS_004, "pacs.004.001.09", 1, {"EUR": 9_01}),
        (PACS_002, "pacs.002.001.10", 2, {}),
        (CAMT_056, "camt.056.001.08", 1, {}),
        (CAMT_029, "camt.029.001.09", 1, {}),
        (PAIN_008, "pain.008.001.08", 1, {"EUR": 12_34}),
    ],
)
def test_messages_of_payments_tell_their_number_and_sum(
    raw: bytes, name: str, entries: int, sums: dict[str, int]
) -> None:
    found = inspected(raw)
    assert (found.format, found.valid, found.readable, found.errors) == (name, True, True, ())
    assert (found.entries, dict(found.sums), found.statements) == (entries, sums, ())


def test_a_statement_tells_its_booked_lines_and_balances() -> None:
    pending = ENTRY.replace("BOOK", "PDNG")
    found = inspected(statement(ENTRY, pending, version="08"))
    assert (found.valid, found.entries, dict(found.sums)) == (True, 2, {"EUR": -10_00})
    (facts,) = found.statements
    assert (facts.account, facts.currency, facts.entries) == ("DE89370400440532013000", "EUR", 2)
    assert (facts.sum_minor, facts.opening_minor, facts.closing_minor) == (-10_00, 100_00, 90_00)
    assert found.warnings == ()


def test_a_notification_is_no_statement_and_its_sum_is_of_all_that_it_lists() -> None:
    found = inspected(notification(ENTRY, ENTRY.replace("BOOK", "INFO")))
    assert dict(found.sums) == {"EUR": -20_00}
    assert found.details["booked"] == "-10.00 EUR"


def test_a_statement_that_breaks_the_schema_is_not_valid_and_readable() -> None:
    found = broken(STATEMENT, "<BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd>", "")
    assert found.readable
    assert [(each.code, each.path) for each in found.errors] == [
        (code.MANDATORY_ELEMENT_MISSING, "Stmt/Ntry")
    ]
    assert dict(found.sums) == {"EUR": -10_00}


def test_a_statement_that_does_not_add_up_is_valid_with_a_warning() -> None:
    found = inspected(statement(ENTRY, closing="90.01"))
    assert found.valid
    assert "90.00, CLBD says 90.01" in found.warnings[0].message


def balances(currency: str, opening: str, closing: str) -> bytes:
    made = statement(opening=opening, closing=closing)
    return made[made.index(b"<Bal>") : made.rindex(b"</Bal>") + 6].replace(b"EUR", currency.encode())


def test_balances_in_several_currencies_are_each_held_against_their_own() -> None:
    raw = STATEMENT.replace(b"<Bal>", balances("USD", "7.00", "7.00") + b"<Bal>", 1)
    found = inspected(raw)
    assert (found.valid, found.warnings) == (True, ())
    (facts,) = found.statements
    assert (facts.currency, facts.opening_minor, facts.closing_minor) == ("EUR", 100_00, 90_00)
    *_, end = camt053.read(BytesIO(raw))
    assert isinstance(end, StatementEnd)
    assert (end.statement.opening, end.warnings) == (end.statement.balances[2], ())


def test_balances_in_none_but_another_currency_than_the_accounts_are_told_with_a_warning() -> None:
    found = inspected(STATEMENT.replace(b"<Ccy>EUR", b"<Ccy>USD"))
    (facts,) = found.statements
    assert (facts.currency, facts.sum_minor, facts.closing_minor) == ("EUR", -10_00, 90_00)
    assert [each.path for each in found.warnings] == ["Stmt/Acct/Ccy"]


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("<Cd>OPBD</Cd>", "<Cd>OPBDX</Cd>", "Stmt/Bal/Tp/CdOrPrtry/Cd"),
        ("<Document ", '<Document version="1" ', "Document"),
        ("</GrpHdr>", "</GrpHdr><Note/>", ""),
        ("<Acct><Id>", "<Acct><Nm>A</Nm><Id>", "Stmt/Acct"),
        ("<EndToEndId>E1</EndToEndId>", "<EndToEndId/>", "Stmt/Ntry/NtryDtls/TxDtls/Refs/EndToEndId"),
        ("</Btch>", "</Btch>stray", "Btch"),
        ("<NtryRef>1", '<NtryRef id="1">1', "Stmt/Ntry/NtryRef"),
        ('<Amt Ccy="EUR">10.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>',
         "<Amt>10.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>", "Stmt/Ntry/NtryDtls/TxDtls/Amt"),
        ("2026-03-02</Dt></BookgDt>", "2026-02-30</Dt></BookgDt>", "Stmt/Ntry/BookgDt/Dt"),
        ("BkToCstmrStmt>", "BkToCstmrStmtV01>", ""),
    ],
)  # fmt: skip
def test_whatever_breaks_the_standards_definition_is_told_with_its_place(
    old: str, new: str, path: str
) -> None:
    assert [each.path for each in broken(STATEMENT, old, new).errors][:1] == [path]


def test_one_broken_entry_among_many_of_its_like_is_found() -> None:
    entries = [ENTRY.replace("E1", f"E{number}") for number in range(60)]
    assert inspected(statement(*entries, closing="-500.00".replace("-", ""))).valid
    entries[41] = entries[41].replace("<InstrId>I1<", f"<InstrId>{'I' * 36}<")
    found = inspected(statement(*entries))
    assert [each.path for each in found.errors] == ["Stmt/Ntry/NtryDtls/TxDtls/Refs/InstrId"]
    assert found.entries == 60
    assert found.errors[0].line > 200


def test_amounts_as_xml_schema_writes_them_are_read_and_others_are_not() -> None:
    for text, minor in ((".5", 50), ("5.", 5_00), ("5.00000", 5_00), ("+5.1", 5_10), ("05.1000000", 5_10)):
        found = inspected(notification(ENTRY.replace("10.00", text)))
        assert (found.valid, dict(found.sums)) == (True, {"EUR": -minor})
    for text in ("1_000", "1E3", "NaN", "٣", "１０", "-1", ".", "1,00", "1.001", "1.000001", "", "+-1", "+"):
        assert inspected(notification(ENTRY.replace("10.00", text))).valid is False


def test_what_has_no_minor_unit_is_counted_in_hundredths_with_a_warning() -> None:
    found = inspected(PACS_009.replace(b'"JPY">1000', b'"XAU">1000.5'))
    assert (found.valid, dict(found.sums)) == (True, {"XAU": 1000_50})
    assert found.warnings[0].code == code.INVALID_TRANSACTION_CURRENCY
    assert inspected(PACS_009.replace(b"1000<", b"1000.5<")).valid is False


def test_wrong_check_digits_are_a_warning_for_the_schema_takes_them() -> None:
    found = inspected(PAIN_008.replace(b"DE89", b"DE88"))
    assert found.valid
    assert found.warnings[0].code == code.INCORRECT_ACCOUNT_NUMBER


def test_counts_and_sums_of_a_group_are_checked_too() -> None:
    told = "<PmtMtd>DD</PmtMtd><NbOfTxs>2</NbOfTxs><CtrlSum>12.35</CtrlSum>"
    found = broken(PAIN_008, "<PmtMtd>DD</PmtMtd>", told)
    assert [each.path for each in found.errors] == ["PmtInf/NbOfTxs", "PmtInf/CtrlSum"]


_MANY_ZEROS = "0" * 30


@pytest.mark.parametrize("text", ["20.03", "+20.03", " 20.03 ", f"{_MANY_ZEROS}20.03", f"20.03{_MANY_ZEROS}"])
def test_a_control_sum_is_read_as_xml_schema_writes_decimals(text: str) -> None:
    told = f"<NbOfTxs>2</NbOfTxs><CtrlSum>{text}</CtrlSum>".encode()
    assert inspected(PACS_008.replace(b"<NbOfTxs>2</NbOfTxs>", told)).valid


@pytest.mark.parametrize(
    "text", ["-20.03", "+99.00", ".5", "99.", f"{_MANY_ZEROS}99", f"99.{_MANY_ZEROS}", "1" * 19, "x", ""]
)
def test_a_control_sum_that_is_not_the_amounts_or_cannot_be_read_is_never_passed_over(text: str) -> None:
    told = f"<NbOfTxs>2</NbOfTxs><CtrlSum>{text}</CtrlSum>".encode()
    found = inspected(PACS_008.replace(b"<NbOfTxs>2</NbOfTxs>", told))
    assert (found.valid, [each.path for each in found.errors]) == (False, ["GrpHdr/CtrlSum"])
    with pytest.raises(InvalidFile):
        list(pacs008.read(BytesIO(PACS_008.replace(b"<NbOfTxs>2</NbOfTxs>", told))))


def test_a_total_that_is_no_amount_of_its_currency_is_an_error() -> None:
    found = broken(PACS_008, ">20.03</Ttl", ">20.031</Ttl")
    assert [each.path for each in found.errors] == ["GrpHdr/TtlIntrBkSttlmAmt"]
    assert inspected(PACS_008.replace(b">20.03</Ttl", b">+20.030000</Ttl")).valid


def test_a_version_that_is_not_known_is_valid_where_one_that_it_lies_between_is_and_is_told() -> None:
    found = inspected(PACS_004.replace(b"001.09", b"001.12"))
    assert (found.valid, [each.message for each in found.warnings]) == (
        True,
        ["pacs.004.001.12 is not known here: checked as pacs.004.001.13 and pacs.004.001.11"],
    )
    # What neither takes its own definition may take, but for what does not add up.
    odd = PACS_004.replace(b"001.09", b"001.12").replace(b"<RtrId>R1</RtrId>", b"<Rtr>R1</Rtr>")
    assert (inspected(odd).valid, inspected(odd).readable) == (None, True)
    assert inspected(odd.replace(b"<NbOfTxs>1<", b"<NbOfTxs>2<")).valid is False
    # What the version before takes and the next one does not.
    plain = ENTRY.replace("<Sts><Cd>BOOK</Cd></Sts>", "<Sts>BOOK</Sts>")
    assert inspected(statement(plain, version="06")).valid
    assert inspected(statement(ENTRY, version="14")).valid
    assert "not a version that is read" in inspected(statement(ENTRY, version="99")).errors[0].message


def test_a_bic_of_the_first_versions_is_not_taken_in_one_that_is_not_known() -> None:
    old = PACS_008.replace(b"BICFI>", b"BIC>")
    assert old != PACS_008
    assert inspected(old.replace(b"001.08", b"001.04")).valid is None


@pytest.mark.parametrize("name", ["BkToCstmrStmt", "BkToCstmrStmtV01", "camt.053.001.01"])
def test_the_element_of_a_first_version_may_bear_another_name(name: str) -> None:
    plain = ENTRY.replace("<Sts><Cd>BOOK</Cd></Sts>", "<Sts>BOOK</Sts>")
    detail = '<Amt Ccy="EUR">10.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>'
    raw = statement(plain.replace(detail, "</TxDtls>"), version="01")
    found = inspected(raw.replace(b"BkToCstmrStmt", name.encode()))
    assert (found.valid, found.entries, dict(found.sums)) == (True, 1, {"EUR": -10_00})


def test_a_pain_001_of_a_version_that_is_not_known_is_valid_where_payments_are_read() -> None:
    raw = demo_file(2, 1, date(2026, 3, 2)).replace(b"pain.001.001.09", b"pain.001.001.05")
    assert inspected(raw).valid is False
    plain = re.sub(rb"<ReqdExctnDt><Dt>([^<]+)</Dt></ReqdExctnDt>", rb"<ReqdExctnDt>\1</ReqdExctnDt>", raw)
    found = inspected(plain)
    assert (found.valid, found.entries, found.errors) == (True, 2, ())
    assert inspected(plain.replace(b"<NbOfTxs>2<", b"<NbOfTxs>3<", 1)).valid is False


def test_a_version_of_which_nothing_is_known_is_neither_valid_nor_invalid_and_counted() -> None:
    found = inspected(PAIN_008.replace(b"pain.008.001.08", b"pain.008.003.02"))
    assert (found.valid, found.readable, found.entries, dict(found.sums)) == (None, True, 1, {"EUR": 12_34})
    assert "not checked" in found.warnings[0].message


def test_a_message_that_is_not_read_into_records_is_checked_where_its_version_is_known() -> None:
    namespace = "urn:iso:std:iso:20022:tech:xsd:pacs.028.001.03"
    header = "<GrpHdr><MsgId>M</MsgId><CreDtTm>2026-03-02T09:00:00</CreDtTm></GrpHdr>"
    raw = f'<Document xmlns="{namespace}"><FIToFIPmtStsReq>{header}</FIToFIPmtStsReq></Document>'.encode()
    assert (inspected(raw).valid, inspected(raw).entries) == (True, 0)
    assert "MsgId must be there" in broken(raw, "<MsgId>M</MsgId>", "").errors[0].message
    assert inspected(raw.replace(b"001.03", b"001.99")).valid is None


def test_what_is_recognised_and_not_read_is_neither_valid_nor_invalid() -> None:
    raw = b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:admi.004.001.02"><SysEvtNtfctn/></Document>'
    found = inspected(raw)
    assert (found.format, found.valid, found.readable) == ("admi.004.001.02", None, False)


def test_what_is_nothing_that_is_known_is_not_valid() -> None:
    for raw in (b"", b"<html></html>", b"\x1f\x8bno gzip", b"words"):
        found = inspected(raw)
        assert (found.format, found.valid, found.readable, len(found.errors)) == (UNKNOWN, False, False, 1)


def test_a_compressed_file_is_what_is_in_it() -> None:
    assert inspected(gzip.compress(PACS_008)) == inspected(PACS_008)
    assert inspected(gzip.compress(PACS_008)[:-20]).valid is False


def test_a_compressed_file_that_makes_far_more_than_its_size_is_refused_before_it_has() -> None:
    row = b"2026-03-02,%s,1.00,EUR\n" % (b"x" * 10_000)
    bomb = gzip.compress(b"Date,Description,Amount,Currency\n" + row * (4 * FREE_BYTES // len(row)))
    found = inspected(bomb)
    assert (found.valid, found.readable) == (False, False)
    assert "compressed bytes" in found.errors[-1].message
    assert 0 < found.entries < 2 * FREE_BYTES // len(row)
    assert inspected(gzip.compress(PACS_008[:-1] + b" " * FREE_BYTES + b">")).readable is False
    twice = inspected(gzip.compress(gzip.compress(PACS_008)))
    assert (twice.format, "more than once" in twice.errors[0].message) == (UNKNOWN, True)


def test_the_encoding_that_a_reader_found_counts_before_that_of_the_beginning() -> None:
    rows = b"Date,Description,Amount,Currency\n" + b"2026-03-02,a,1.00,EUR\n" * 4_000
    found = inspected(rows + "2026-03-02,für,1.00,EUR\n".encode("cp1252"))
    assert (found.valid, found.entries, found.details["encoding"]) == (True, 4_001, "cp1252")


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_message_is_read_in_whatever_encoding_it_is_in(codec: str) -> None:
    mark = "" if codec in ("utf-8-sig", "utf-16") else "\ufeff"
    assert inspected((mark + PACS_008.decode()).encode(codec)).valid


def test_a_message_that_is_cut_off_tells_what_came_before() -> None:
    found = inspected(PACS_008[: PACS_008.index(b"<TxId>T2")])
    assert (found.format, found.valid, found.readable, found.entries) == ("pacs.008.001.08", False, False, 1)


def test_entities_are_refused_unread() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]>' + PACS_008.replace(b"Ada", b"&b;")
    assert "document type" in inspected(bomb).errors[0].message


def test_a_status_report_is_inspected_by_its_version() -> None:
    found = inspected(STATUS_REPORT)
    assert found.format.startswith("pain.002.001.")
    assert found.entries >= 1


def test_statuses_beside_that_of_their_group_are_counted_as_the_first_versions_have_them() -> None:
    name = "pain.002.001.02"
    status = "<TxInfAndSts><OrgnlEndToEndId>E1</OrgnlEndToEndId><TxSts>RJCT</TxSts></TxInfAndSts>"
    raw = f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{name}"><{name}>{status * 2}</{name}></Document>'
    found = inspected(raw.encode())
    assert (found.format, found.valid, found.readable, found.entries) == (name, None, True, 2)


@settings(max_examples=300)
@given(st.sampled_from(EXAMPLES), st.data())
def test_no_damage_to_a_message_is_more_than_an_error(raw: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(raw)))
    until = data.draw(st.integers(at, min(len(raw), at + 200)))
    put = data.draw(
        st.one_of(st.binary(max_size=8), st.sampled_from([b"<", b"</", b"&a;", b"]]>", b"<Amt>"]))
    )
    found = inspected(raw[:at] + put + raw[until:])
    assert found.valid or found.errors or found.warnings


@pytest.mark.parametrize("codec", ["latin-1", "cp1252"])
def test_a_statement_in_an_encoding_that_it_does_not_declare_is_readable_and_a_payment_is_not(
    codec: str,
) -> None:
    text = STATEMENT.decode().replace(' encoding="UTF-8"', "").replace(">E1<", ">Grüße<")
    found = inspected(text.encode(codec))
    assert (found.valid, found.readable, dict(found.sums)) == (False, True, {"EUR": -10_00})
    assert [each.line for each in found.errors] == [text[: text.index("Grüße")].count("\n") + 1]
    payment = PACS_008.decode().replace("Ada", "Grüße")
    assert inspected(payment.encode(codec)).readable is False
    declared = text.replace("?>", ' encoding="UTF-8"?>', 1)
    assert inspected(declared.encode(codec)).readable is False


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_statement_of_utf_8_that_declares_utf_16_is_readable_and_a_payment_is_not(mark: bytes) -> None:
    found = inspected(mark + STATEMENT.replace(b"UTF-8", b"utf-16"))
    assert (found.valid, found.readable, dict(found.sums)) == (False, True, {"EUR": -10_00})
    assert "taken for UTF-8" in found.errors[0].message
    payment = b'<?xml version="1.0" encoding="utf-16"?>' + PACS_008
    assert inspected(mark + payment).readable is False


@pytest.mark.parametrize("padding", [b"\0\0\0", b"\x1a", b"\r\n\x1a\0\n", b"\0" * 4_000])
def test_a_statement_that_is_filled_up_at_its_end_is_readable_and_a_payment_is_not(padding: bytes) -> None:
    found = inspected(STATEMENT + padding)
    assert (found.valid, found.readable, len(found.errors)) == (False, True, 1)
    assert "filled up" in found.errors[0].message
    assert inspected(PACS_008 + padding).readable is False
    assert inspected(STATEMENT + padding * 4_100).readable is False
    assert inspected(STATEMENT.replace(b">E1<", b">E" + padding + b"1<")).readable is False
    assert inspected(STATEMENT + b" \r\n" * 10_000).valid


def test_a_message_in_utf_32_is_read() -> None:
    assert inspected(PACS_008.decode().encode("utf-32")).valid
