"""Payment files between pain.001, JSON Lines and CSV: nothing is lost, or it is refused where it stands."""

import csv
import io
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goodfunds.events.json_bodies import decode_json
from goodfunds.events.types import PaymentInstruction
from goodfunds.files import instructions_csv, instructions_json, pain001
from goodfunds.files.converting import Conversion, Form, convert, form_of
from goodfunds.files.instructions import Placed
from goodfunds.files.records import InvalidFile
from goodfunds.files.spreadsheet import guarded, unguarded
from tests.unit.files.made import BICS, CURRENCIES, DATES, IBANS, UETRS, text

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)

PLAIN = PaymentInstruction(
    100_50, date(2026, 3, 3), "EUR", "sepa-credit", "acme", "M1/1/1", "E2E-1", "", "customer-1", "Ada",
    "FR1420041010050500013M02606", "Bruno", "", "SLEV", "Invoice 1", "", "", "", "", "", "", (),
)  # fmt: skip

bounded = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def placed(*instructions: PaymentInstruction) -> list[Placed]:
    return [Placed(number, each) for number, each in enumerate(instructions, 1)]


def converted(content: bytes, target: Form, **named: Any) -> tuple[Conversion, bytes]:
    form = form_of(content[:4096])
    assert form is not None
    named = {"client": "acme", "created_at": NOW, **named}
    done, pieces = convert(io.BytesIO(content), form, target, **named)
    return done, b"".join(pieces)


def json_lines(*instructions: PaymentInstruction) -> bytes:
    return b"".join(instructions_json.write(placed(*instructions)))


def refused(content: bytes, target: Form, **named: Any) -> list[tuple[int, str]]:
    """(line, element) of each thing that is refused."""
    with pytest.raises(InvalidFile) as fault:
        converted(content, target, **named)
    return [(each.line, each.path) for each in fault.value.errors]


# --- what each form can say comes back ---------------------------------------------------------------

_SPEAKABLE = st.builds(
    PaymentInstruction,
    amount_minor=st.integers(1, 10**12),
    requested_execution_date=DATES,
    currency=CURRENCIES,
    rail=st.just("sepa-credit"),
    client=st.just("acme"),
    idempotency_key=st.just(""),
    end_to_end_id=text(35).filter(lambda each: each != "NOTPROVIDED"),
    uetr=st.one_of(st.just(""), UETRS),
    debtor_account=st.one_of(IBANS, text(34, 1)),
    debtor_name=text(140),
    creditor_account=st.one_of(IBANS, text(34)),
    creditor_name=text(140),
    creditor_agent=st.one_of(st.just(""), BICS),
    charge_bearer=st.sampled_from(["", "SLEV", "SHAR", "DEBT", "CRED"]),
    remittance_unstructured=text(140),
    remittance_reference=text(35),
    creditor_street=text(70),
    creditor_building=text(16),
    creditor_postcode=text(16),
    creditor_town=text(35),
    creditor_country=st.sampled_from(["", "DE", "FR"]),
    creditor_address_lines=st.lists(text(70, 1), max_size=7).map(tuple),
)
"""What a pain.001.001.09 can say, but for the key."""


@st.composite
def _messages(draw: st.DrawFn) -> list[PaymentInstruction]:
    """Payments with the keys that a message gives them; those of a PmtInf share debtor and day."""
    message_id = draw(text(35, 1).filter(lambda each: "/" not in each))
    found: list[PaymentInstruction] = []
    for index in range(1, draw(st.integers(1, 3)) + 1):
        members = draw(st.lists(_SPEAKABLE, min_size=1, max_size=3))
        first = members[0]
        for number, each in enumerate(members, 1):
            found.append(
                replace(
                    each,
                    debtor_account=first.debtor_account,
                    debtor_name=first.debtor_name,
                    requested_execution_date=first.requested_execution_date,
                    idempotency_key=f"{message_id}/{index}/{number}",
                )
            )
    return found


@bounded
@given(_messages())
def test_instructions_come_back_from_a_pain001_as_they_were(made: list[PaymentInstruction]) -> None:
    lines = json_lines(*made)
    done, message = converted(lines, Form.PAIN001)
    assert done.payments == len(made)
    assert converted(message, Form.JSONL)[1] == lines


@bounded
@given(_messages())
def test_a_pain001_that_was_written_is_one_that_the_strict_reader_takes(
    made: list[PaymentInstruction],
) -> None:
    _, message = converted(json_lines(*made), Form.PAIN001)
    found = pain001.read_whole(io.BytesIO(message))
    assert found.header.number_of_transactions == len(made)
    assert [each.amount_minor for each in found.transfers] == [each.amount_minor for each in made]


_ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
_FORMULAS = st.builds(
    lambda guards, start, rest: "'" * guards + start + rest,
    st.integers(0, 3),
    st.sampled_from(["=", "+", "-", "@", "\t", "\r", "\n", "", "\uff1d"]),
    _ANY_TEXT,
)
_CELLS = st.one_of(_ANY_TEXT, _FORMULAS)
_ANYTHING = st.builds(
    PaymentInstruction,
    amount_minor=st.integers(1, 10**18 - 1),
    requested_execution_date=st.dates(),
    currency=CURRENCIES,
    **{
        name: _CELLS
        for name, kind in PaymentInstruction.__annotations__.items()
        if kind is str and name != "currency"
    },
    creditor_address_lines=st.lists(
        _CELLS.map(lambda each: re.sub("[\r\n]", " ", each) or "-"), max_size=9
    ).map(tuple),
)


@bounded
@given(st.lists(_ANYTHING, min_size=1, max_size=4))
def test_instructions_come_back_from_a_sheet_as_they_were(made: list[PaymentInstruction]) -> None:
    lines = json_lines(*made)
    _, sheet = converted(lines, Form.CSV)
    assert converted(sheet, Form.JSONL)[1] == lines
    assert converted(sheet, Form.CSV)[1] == sheet


@bounded
@given(st.lists(_ANYTHING, min_size=1, max_size=4))
def test_every_line_of_json_is_what_the_topic_takes(made: list[PaymentInstruction]) -> None:
    lines = json_lines(*made).split(b"\n")[:-1]
    assert [decode_json("PaymentInstruction", line) for line in lines] == made


@given(_CELLS)
def test_no_cell_that_is_written_is_a_formula_and_each_gives_its_text_back(told: str) -> None:
    cell = guarded(told)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert unguarded(cell) == told


def test_an_apostrophe_of_a_name_is_no_guard() -> None:
    assert (guarded("'t Hooft"), unguarded("'t Hooft"), unguarded("'=1+1")) == (
        "'t Hooft",
        "'t Hooft",
        "=1+1",
    )


def test_a_sheet_is_quoted_guarded_and_marked_as_utf8() -> None:
    _, sheet = converted(json_lines(replace(PLAIN, creditor_name="=cmd|'/C calc'!A0")), Form.CSV)
    assert sheet.startswith(b'\xef\xbb\xbf"amount","requested_execution_date","currency"')
    row = next(csv.DictReader(io.StringIO(sheet.decode("utf-8-sig"))))
    assert (row["amount"], row["creditor_name"]) == ("100.50", "'=cmd|'/C calc'!A0")


def test_the_three_forms_tell_the_same_sums() -> None:
    lines = json_lines(PLAIN, replace(PLAIN, currency="JPY", amount_minor=7, idempotency_key="M1/1/2"))
    _, message = converted(lines, Form.PAIN001)
    _, sheet = converted(lines, Form.CSV)
    for content in (lines, message, sheet):
        done, _ = converted(content, Form.JSONL)
        assert (done.payments, dict(done.sums)) == (2, {"EUR": 100_50, "JPY": 7})


# --- what a sheet and JSON may not say ---------------------------------------------------------------


def _sheet(header: str, *rows: str) -> bytes:
    return "\n".join([header, *rows]).encode() + b"\n"


_HEADER = (
    "amount,currency,requested_execution_date,rail,client,idempotency_key,debtor_account,debtor_name,"
    "creditor_account,creditor_name"
)
_ROW = "10.50,EUR,2026-03-03,sepa-credit,acme,K1,A1,Ada,FR1420041010050500013M02606,Bruno"


def test_a_sheet_by_hand_needs_no_columns_that_may_be_empty() -> None:
    for delimiter in (",", ";", "\t"):
        content = _sheet(_HEADER.replace(",", delimiter), _ROW.replace(",", delimiter), "")
        done, lines = converted(content, Form.JSONL)
        assert (done.payments, dict(done.sums)) == (1, {"EUR": 1050})
        assert decode_json("PaymentInstruction", lines.strip()).client == "acme"


@pytest.mark.parametrize(
    "amount",
    ["1_000", "1E3", "-1", "10,50", "1 000", "١٢", "１０", "0", "0.00", "1.005", "", "NaN", "+1", "1" * 17],
)
def test_a_sheet_takes_amounts_by_the_standards_own_grammar(amount: str) -> None:
    row = _ROW.replace("10.50", f'"{amount}"')
    assert refused(_sheet(_HEADER, row), Form.JSONL) == [(2, "amount")]


@pytest.mark.parametrize(
    ("wrong", "right", "path"),
    [
        ("EUR", "XXX", "currency"),
        ("EUR", "eur", "currency"),
        ("2026-03-03", "03.03.2026", "requested_execution_date"),
        ("2026-03-03", "2026-02-30", "requested_execution_date"),
        ("2026-03-03", "٢٠٢٦-٠٣-٠٣", "requested_execution_date"),
    ],
)
def test_a_wrong_cell_of_a_sheet_is_told_by_line_and_column(wrong: str, right: str, path: str) -> None:
    assert refused(_sheet(_HEADER, _ROW, _ROW.replace(wrong, right)), Form.JSONL) == [(3, path)]


def test_a_column_that_is_unknown_missing_or_twice_there_is_refused() -> None:
    assert refused(_sheet(_HEADER + ",purpose", _ROW + ",SALA"), Form.JSONL) == [(1, "purpose")]
    assert refused(_sheet(_HEADER.replace("rail,", ""), _ROW), Form.JSONL) == [(1, "rail")]
    assert refused(_sheet(_HEADER + ",rail", _ROW + ",x"), Form.JSONL) == [(1, "rail"), (1, "rail")]
    assert refused(_sheet(_HEADER, _ROW + ",x"), Form.JSONL) == [(2, "")]


@pytest.mark.parametrize("rounded", ["1.23457E+19", "1,2E+19", "4E+21"])
def test_an_account_that_a_spreadsheet_has_rounded_is_refused_and_one_of_that_name_comes_back(
    rounded: str,
) -> None:
    row = _ROW.replace("FR1420041010050500013M02606", f'"{rounded}"')
    assert refused(_sheet(_HEADER, row), Form.JSONL) == [(2, "creditor_account")]
    lines = json_lines(replace(PLAIN, creditor_account=rounded))
    assert converted(converted(lines, Form.CSV)[1], Form.JSONL)[1] == lines


def test_a_sheet_in_another_encoding_is_refused_and_not_guessed() -> None:
    assert refused(_sheet(_HEADER) + _ROW.replace("Ada", "Zoë").encode("cp1252"), Form.JSONL) == [(2, "")]


def test_a_sheet_cannot_say_an_address_line_that_is_empty_or_broken() -> None:
    for lines in (("",), ("a\nb",), ("a\rb",)):
        wrong = replace(PLAIN, creditor_address_lines=lines)
        done, pieces = convert(
            io.BytesIO(json_lines(PLAIN, wrong)), Form.JSONL, Form.CSV, client="acme", created_at=NOW
        )
        assert done.payments == 2
        with pytest.raises(InvalidFile) as fault:
            list(pieces)
        assert [(each.line, each.path) for each in fault.value.errors] == [(2, "creditor_address_lines")]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (b'"amount_minor":10050', None),
        (b'"amount_minor":10050.0', "amount_minor"),
        (b'"amount_minor":1e3', "amount_minor"),
        (b'"amount_minor":"10050"', "amount_minor"),
        (b'"amount_minor":true', "amount_minor"),
        (b'"amount_minor":0', "amount"),
        (b'"amount_minor":-1', "amount"),
        (b'"amount_minor":1,"purpose":"x"', ""),
    ],
)
def test_json_is_as_strict_as_the_topic(wrong: bytes, path: str | None) -> None:
    content = json_lines(PLAIN) + json_lines(PLAIN).replace(b'"amount_minor":10050', wrong)
    if path is None:
        assert converted(content, Form.JSONL)[1] == content
    else:
        assert refused(content, Form.JSONL) == [(2, path)]


def test_a_line_of_json_without_end_is_refused() -> None:
    assert refused(b'{"client":"' + b"x" * 1_100_000, Form.JSONL) == [(1, "")]


def test_of_many_wrong_lines_a_hundred_are_told() -> None:
    assert len(refused(b"{}\n" * 5_000, Form.CSV)) == 100


# --- what a pain.001 cannot say ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rail", "ach"),
        ("client", "other"),
        ("end_to_end_id", "NOTPROVIDED"),
        ("end_to_end_id", "x" * 36),
        ("uetr", "not-a-uuid"),
        ("debtor_account", ""),
        ("debtor_account", "x" * 35),
        ("debtor_name", "x" * 141),
        ("creditor_name", "a\x01"),
        ("creditor_agent", "bic"),
        ("charge_bearer", "OUR"),
        ("remittance_unstructured", "x" * 141),
        ("remittance_reference", "x" * 36),
        ("creditor_country", "Germany"),
        ("creditor_address_lines", tuple("12345678")),
        ("creditor_address_lines", ("",)),
        ("idempotency_key", "order-77"),
        ("idempotency_key", "M1/1/3"),
        ("idempotency_key", "M2/1/2"),
        ("idempotency_key", "M1/01/2"),
        ("requested_execution_date", date(2026, 3, 4)),
    ],
)
def test_what_a_pain001_cannot_say_is_refused_by_line_and_field(field: str, value: object) -> None:
    wrong = replace(PLAIN, **{"idempotency_key": "M1/1/2", field: value})  # type: ignore[arg-type]
    path = "idempotency_key" if field == "requested_execution_date" else field
    found = refused(json_lines(PLAIN, wrong), Form.PAIN001)
    assert (2, path) in found
    assert {line for line, _ in found} == {2}


def test_a_message_id_gives_new_keys_and_runs_of_one_debtor_and_day_a_pmtinf_each() -> None:
    payments: Sequence[PaymentInstruction] = [
        replace(PLAIN, idempotency_key="order-1"),
        replace(PLAIN, idempotency_key="order-2"),
        replace(PLAIN, idempotency_key="order-3", debtor_account="customer-2"),
    ]
    _, message = converted(json_lines(*payments), Form.PAIN001, message_id="NEW")
    _, lines = converted(message, Form.JSONL)
    found = [decode_json("PaymentInstruction", line).idempotency_key for line in lines.split(b"\n")[:-1]]
    assert found == ["NEW/1/1", "NEW/1/2", "NEW/2/1"]


def test_a_key_that_repeats_gets_no_new_ones_under_which_its_payment_would_be_made_twice() -> None:
    lines = json_lines(PLAIN, replace(PLAIN, idempotency_key="other"), PLAIN)
    assert refused(lines, Form.PAIN001, message_id="NEW") == [(3, "idempotency_key")]
    assert converted(lines, Form.CSV)[0].payments == 3


def test_amounts_beyond_the_digits_of_a_control_sum_are_refused() -> None:
    big = replace(PLAIN, amount_minor=10**18 - 1)
    assert refused(json_lines(big, replace(big, idempotency_key="M1/1/2")), Form.PAIN001) == [(1, "amount")]


# --- what no instruction can say ---------------------------------------------------------------------

_MESSAGE = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-03-02T09:00:00Z</CreDtTm><NbOfTxs>1</NbOfTxs>
<InitgPty><Nm>Ada Ltd</Nm></InitgPty></GrpHdr>
<PmtInf><PmtInfId>P1</PmtInfId><PmtMtd>TRF</PmtMtd><BtchBookg>true</BtchBookg>
<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf>
<ReqdExctnDt><Dt>2026-03-03</Dt></ReqdExctnDt>
<Dbtr><Nm>Ada</Nm></Dbtr><DbtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></DbtrAcct>
<DbtrAgt><FinInstnId><BICFI>COBADEFF</BICFI></FinInstnId></DbtrAgt>
<CdtTrfTxInf><PmtId><EndToEndId>E1</EndToEndId></PmtId><Amt><InstdAmt Ccy="EUR">10.00</InstdAmt></Amt>
<Cdtr><Nm>Bruno</Nm></Cdtr><CdtrAcct><Id><IBAN>FR1420041010050500013M02606</IBAN></Id></CdtrAcct>
<RmtInf><Ustrd>Invoice 1</Ustrd></RmtInf></CdtTrfTxInf></PmtInf></CstmrCdtTrfInitn></Document>
"""


def test_what_is_the_messages_own_is_left_out_and_told() -> None:
    content = _MESSAGE.replace("<EndToEndId>", "<InstrId>I1</InstrId><EndToEndId>", 1)
    done, lines = converted(content.encode(), Form.JSONL)
    found = decode_json("PaymentInstruction", lines.strip())
    assert isinstance(found, PaymentInstruction)
    assert (found.amount_minor, found.idempotency_key, found.client) == (1000, "M1/1/1", "acme")
    assert [(each.line, each.path) for each in done.left_out] == [
        (3, "GrpHdr/CreDtTm"),
        (4, "GrpHdr/InitgPty/Nm"),
        (5, "PmtInf/PmtInfId"),
        (5, "PmtInf/BtchBookg"),
        (9, "PmtInf/DbtrAgt/FinInstnId/BICFI"),
        (10, "PmtInf/CdtTrfTxInf/PmtId/InstrId"),
    ]


@pytest.mark.parametrize(
    ("before", "added", "line", "path"),
    [
        ("<Cdtr>", "<UltmtDbtr><Nm>Eve</Nm></UltmtDbtr>", 11, "PmtInf/CdtTrfTxInf/UltmtDbtr/Nm"),
        ("<RmtInf>", "<UltmtCdtr><Nm>Eve</Nm></UltmtCdtr>", 12, "PmtInf/CdtTrfTxInf/UltmtCdtr/Nm"),
        ("<RmtInf>", "<Purp><Cd>SALA</Cd></Purp>", 12, "PmtInf/CdtTrfTxInf/Purp/Cd"),
        ("<Ustrd>Invoice 1", "<Ustrd>Order 7</Ustrd>", 12, "PmtInf/CdtTrfTxInf/RmtInf/Ustrd"),
        ("</RmtInf>", "<Strd><AddtlRmtInf>x</AddtlRmtInf></Strd>", 12,
         "PmtInf/CdtTrfTxInf/RmtInf/Strd/AddtlRmtInf"),
        ("<CdtTrfTxInf>", "<UltmtDbtr><Nm>Eve</Nm></UltmtDbtr>", 10, "PmtInf/UltmtDbtr/Nm"),
        ("</Dbtr>", "<PstlAdr><Ctry>DE</Ctry></PstlAdr>", 8, "PmtInf/Dbtr/PstlAdr/Ctry"),
    ],
)  # fmt: skip
def test_what_no_instruction_can_say_is_refused_by_line_and_element(
    before: str, added: str, line: int, path: str
) -> None:
    content = _MESSAGE.replace(before, added + before, 1).encode()
    assert refused(content, Form.JSONL) == [(line, path)]
    assert refused(content, Form.CSV) == [(line, path)]


@pytest.mark.parametrize(
    ("said", "instead", "path"),
    [
        ("<Cd>SEPA</Cd>", "<Cd>URGP</Cd>", "PmtInf/PmtTpInf/SvcLvl/Cd"),
        ("<PmtMtd>TRF", "<PmtMtd>CHK", "PmtInf/PmtMtd"),
        ("<Dt>2026-03-03</Dt>", "<DtTm>2026-03-03T10:00:00</DtTm>", "PmtInf/ReqdExctnDt/DtTm"),
        ("</Id></DbtrAcct>", "</Id><Ccy>USD</Ccy></DbtrAcct>", "PmtInf/DbtrAcct/Ccy"),
        ("<IBAN>FR1420041010050500013M02606</IBAN>", "<Othr><Id>FR1420041010050500013M02606</Id></Othr>",
         "PmtInf/CdtTrfTxInf/CdtrAcct/Id"),
    ],
)  # fmt: skip
def test_what_an_instruction_would_say_otherwise_is_refused(said: str, instead: str, path: str) -> None:
    content = _MESSAGE.replace(said, instead, 1).encode()
    assert [found for _, found in refused(content, Form.JSONL)] == [path]


def test_a_payment_in_no_euro_and_of_no_service_level_does_not_become_one_of_sepa() -> None:
    plain = _MESSAGE.replace("<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf>\n", "")
    assert converted(plain.encode(), Form.JSONL)[0].payments == 1
    dollars = plain.replace('Ccy="EUR"', 'Ccy="USD"').encode()
    assert refused(dollars, Form.JSONL) == [(9, "PmtInf/CdtTrfTxInf/Amt/InstdAmt")]


def test_an_element_that_may_be_lost_is_told_and_one_that_would_change_the_payment_stays_refused() -> None:
    content = _MESSAGE.replace("<RmtInf>", "<Purp><Cd>SALA</Cd></Purp><RmtInf>", 1).encode()
    for name in ("Purp", "PmtInf/CdtTrfTxInf/Purp"):
        done, _ = converted(content, Form.JSONL, leave_out=[name])
        assert "PmtInf/CdtTrfTxInf/Purp/Cd" in [each.path for each in done.left_out]
    cheque = _MESSAGE.replace("<PmtMtd>TRF", "<PmtMtd>CHK").encode()
    assert refused(cheque, Form.JSONL, leave_out=["PmtMtd"]) == [(5, "PmtInf/PmtMtd")]


def test_a_message_that_is_not_valid_is_refused_before_anything_is_converted() -> None:
    assert refused(_MESSAGE.replace("<NbOfTxs>1<", "<NbOfTxs>2<").encode(), Form.CSV) == [
        (3, "GrpHdr/NbOfTxs")
    ]


# --- which form a file has ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "form"),
    [
        (_MESSAGE.encode(), Form.PAIN001),
        (_MESSAGE.encode("utf-16"), Form.PAIN001),
        (_MESSAGE.encode("utf-16-le"), Form.PAIN001),
        (b"\xef\xbb\xbf" + _MESSAGE.encode(), Form.PAIN001),
        (b'\xef\xbb\xbf{"client":1}', Form.JSONL),
        (b"client,amount,currency\n", Form.CSV),
        ("client;amount;currency\n".encode("utf-16"), Form.CSV),
        (b"date,description\n", None),
        (b"", None),
        (b"\x00\x01\x02\x03", None),
    ],
)
def test_the_form_of_a_file_is_known_by_its_content(head: bytes, form: Form | None) -> None:
    assert form_of(head) is form


@given(st.binary(max_size=200), st.sampled_from([b"", b"{", b"amount,currency\n", _HEADER.encode() + b"\n"]))
@settings(max_examples=200)
def test_no_bytes_bring_the_readers_down(content: bytes, start: bytes) -> None:
    form_of(start + content)
    for read in (instructions_json.read, instructions_csv.read):
        with suppress(InvalidFile):
            list(read(io.BytesIO(start + content)))
