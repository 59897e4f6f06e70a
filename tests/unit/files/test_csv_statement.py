"""CSV statements: each style of amounts, encodings, what is told of a wrong row, and what no file can do."""

import io
import tracemalloc
from datetime import date
from typing import BinaryIO, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodfunds.files import csv_statement
from goodfunds.files.csv_detection import detect, shipped
from goodfunds.files.csv_mapping import Mapping
from goodfunds.files.csv_mapping_file import InvalidMapping, load
from goodfunds.files.csv_text import LONGEST_LINE, MOST_COLUMNS, Text
from goodfunds.files.inspection import Inspection
from goodfunds.files.records import InvalidFile
from goodfunds.money import format_amount

_PLAIN = """
name: plain
title: A plain one
dates: [YYYY-MM-DD]
booking_date: Date
amount: {style: signed, column: Amount}
currency: {fixed: EUR}
text: [Text]
"""


def mapping(*lines: str, without: str = "") -> Mapping:
    """The plain mapping, with lines added and those left out that begin with `without`."""
    kept = [line for line in _PLAIN.splitlines() if not (without and line.startswith(without))]
    return load("\n".join([*kept, *lines]).encode())


def inspect(text: str | bytes, of: Mapping | None = None) -> Inspection:
    content = text if isinstance(text, bytes) else text.encode()
    return csv_statement.inspect(io.BytesIO(content), of)


# --- amounts -----------------------------------------------------------------------------------------


def test_a_signed_column_sums_to_the_cent_with_credits_positive() -> None:
    found = inspect("Date,Amount,Text\n2026-03-02,0.10,a\n2026-03-03,-0.30,b\n", mapping())
    assert (found.format, found.valid, found.entries, dict(found.sums)) == ("csv", True, 2, {"EUR": -20})


def test_a_card_that_writes_what_was_spent_without_a_sign_is_turned_round() -> None:
    of = mapping("amount: {style: signed, column: Amount, positive_is: debit}", without="amount")
    assert dict(inspect("Date,Amount,Text\n2026-03-02,5.00,a\n", of).sums) == {"EUR": -500}


@pytest.mark.parametrize(("debits_are", "debit"), [("positive", "3.00"), ("negative", "-3.00")])
def test_columns_of_their_own_for_credits_and_debits(debits_are: str, debit: str) -> None:
    of = mapping(
        f"amount: {{style: split, credit: In, debit: Out, debits_are: {debits_are}}}", without="amount"
    )
    found = inspect(f"Date,In,Out,Text\n2026-03-02,10.00,,a\n2026-03-02,,{debit},b\n", of)
    assert dict(found.sums) == {"EUR": 700}


def test_a_row_with_both_a_credit_and_a_debit_or_neither_is_wrong() -> None:
    of = mapping("amount: {style: split, credit: In, debit: Out}", without="amount")
    found = inspect("Date,In,Out,Text\n2026-03-02,1.00,1.00,a\n2026-03-02,,,b\n", of)
    assert not found.valid
    assert [(each.code, each.line) for each in found.errors] == [("AM12", 2), ("AM12", 3)]


def test_an_indicator_says_which_way_an_amount_goes_and_nothing_else_does() -> None:
    of = mapping(
        "amount: {style: indicator, column: Amount, indicator: S/H, credit: [H], debit: [S]}",
        without="amount",
    )
    rows = "Date,Amount,S/H,Text\n2026-03-02,1.00,h,a\n2026-03-02,3.00,S,b\n"
    assert dict(inspect(rows, of).sums) == {"EUR": -200}
    wrong = inspect(rows + "2026-03-02,1.00,?,c\n2026-03-02,-1.00,S,d\n", of)
    assert [(each.code, each.line, each.path) for each in wrong.errors] == [
        ("CH16", 4, "S/H"),
        ("AM12", 5, "Amount"),
    ]


@pytest.mark.parametrize(
    "amount",
    ["1_000", "1E3", "NaN", "Infinity", "١٢", "１０", "1,00", "1,0000.00", "--1", "-1-", "1.005", "0x10",
     "1 000", "+", "", "1.0.0", "=1+1", "1" * 17, "12,34,567.00"],
)  # fmt: skip
def test_what_is_no_amount_by_the_declared_grammar_is_told_and_not_guessed(amount: str) -> None:
    of = mapping('thousands: ","')
    found = inspect(f'Date,Amount,Text\n2026-03-02,"{amount}",a\n', of)
    assert not found.valid
    assert [(each.code, each.line, each.path) for each in found.errors] == [("AM12", 2, "Amount")]


@pytest.mark.parametrize(
    ("decimal", "thousands", "amount", "minor"),
    [
        (".", ",", "1,234,567.89", 123456789),
        (",", ".", "-1.250,00", -125000),
        (".", "'\u2019", "11'373.94", 1137394),
        (",", "\u00a0\u202f ", "1\u202f250,5\u00a0$", 125050),
        (".", ",", "5.00-", -500),
        (".", ",", "\u22125.00", -500),
        (".", ",", "+ $73.01", 7301),
        (".", ",", "000.00", 0),
    ],
)
def test_separators_signs_and_symbols_are_those_that_are_declared(
    decimal: str, thousands: str, amount: str, minor: int
) -> None:
    of = mapping(f'decimal: "{decimal}"', f'thousands: "{thousands}"', 'symbols: ["$"]')
    found = inspect(f'Date,Amount,Text\n2026-03-02,"{amount}",a\n', of)
    assert (found.errors, dict(found.sums)) == ((), {"EUR": minor})


def test_zeros_beyond_the_currency_are_read_only_where_they_are_declared() -> None:
    row = "Date,Amount,Text\n2026-03-02,29.000,a\n"
    assert not inspect(row, mapping()).valid
    assert dict(inspect(row, mapping("trailing_zeros: true")).sums) == {"EUR": 2900}


def test_each_currency_keeps_its_own_decimal_places() -> None:
    of = mapping("currency: {column: Ccy}", without="currency")
    found = inspect("Date,Amount,Text,Ccy\n2026-03-02,5,a,JPY\n2026-03-02,1.234,b,kwd\n", of)
    assert dict(found.sums) == {"JPY": 5, "KWD": 1234}
    wrong = inspect("Date,Amount,Text,Ccy\n2026-03-02,5.0,a,JPY\n2026-03-02,1,b,XXX\n2026-03-02,1,b,\n", of)
    assert [each.code for each in wrong.errors] == ["AM12", "AM11", "AM11"]


def test_a_currency_that_the_file_does_not_say_stays_empty() -> None:
    of = mapping("currency: {decimal_places: 2}", without="currency")
    assert dict(inspect("Date,Amount,Text\n2026-03-02,5.00,a\n", of).sums) == {"": 500}


@given(st.integers(-(10**17), 10**17), st.sampled_from(["EUR", "JPY", "KWD"]), st.booleans())
def test_every_amount_is_read_as_it_was_written(minor: int, currency: str, grouped: bool) -> None:
    sign = "-" if minor < 0 else ""
    whole, _, fraction = format_amount(abs(minor), currency).partition(".")
    written = f"{int(whole):,}".replace(",", ".") if grouped else whole
    amount = sign + written + ("," + fraction if fraction else "")
    of = mapping(
        'decimal: ","',
        'thousands: "."',
        'delimiter: ";"',
        f"currency: {{fixed: {currency}}}",
        without="currency",
    )
    found = inspect(f"Date;Amount;Text\n2026-03-02;{amount};a\n", of)
    assert (found.errors, dict(found.sums)) == ((), {currency: minor})


# --- rows, headers, balances -------------------------------------------------------------------------


def test_a_cell_that_looks_like_a_formula_is_text() -> None:
    rows = b"Date,Amount,Text\n2026-03-02,1.00,\"=cmd|'/C calc'!A0\"\n2026-03-02,1.00,@SUM(A1)\n"
    lines = list(csv_statement.read(io.BytesIO(rows), mapping()))
    assert [line.text for line in lines] == ["=cmd|'/C calc'!A0", "@SUM(A1)"]


def test_lines_before_the_header_and_after_the_entries_are_no_entries() -> None:
    header = "Date,Amount,Text\n"
    rows = f"Bank,Export\n\n{header}2026-03-02,1.00,a\n\n{header}2026-03-03,1.00,b\nTotal,2.00,\n"
    assert inspect(rows, mapping("footer_rows: 1")).entries == 2
    assert inspect(rows, mapping("ends_at: Total")).entries == 2
    assert inspect("x,y\n" + rows, mapping("skip_lines: 2", "footer_rows: 1")).entries == 2


def test_an_error_names_the_line_of_the_file_also_after_cells_of_several_lines() -> None:
    rows = 'one\ntwo\nDate,Amount,Text\n2026-03-02,1.00,"a\nb"\n2026-03-02,x,c\n'
    found = inspect(rows, mapping("skip_lines: 2"))
    assert [(each.line, each.path) for each in found.errors] == [(6, "Amount")]


def test_an_amount_with_its_delimiter_unquoted_does_not_shift_the_columns_in_silence() -> None:
    found = inspect("Date,Text,Amount\n2026-03-02,a,1,234.50\n", mapping('thousands: ","'))
    assert [each.code for each in found.errors] == ["FF01"]


def test_a_header_that_names_a_column_twice_does_not_have_it() -> None:
    found = inspect("Date,Amount,Amount,Text\n2026-03-02,1.00,2.00,a\n", mapping())
    assert not found.valid
    assert "lacks Amount" in found.errors[0].message


@pytest.mark.parametrize("newest_first", [False, True])
def test_running_balances_give_opening_and_closing_in_either_order(newest_first: bool) -> None:
    rows = ["2026-03-02,10.00,a,110.00", "2026-03-03,-5.00,b,105.00", "2026-03-03,1.00,c,106.00"]
    lines = ["Date,Amount,Text,Saldo", *(reversed(rows) if newest_first else rows)]
    found = inspect("\n".join(lines), mapping("balance: Saldo"))
    (statement,) = found.statements
    assert (statement.opening_minor, statement.closing_minor) == (10000, 10600)
    assert found.warnings == ()


def test_balances_that_do_not_follow_are_a_warning_and_not_an_error() -> None:
    rows = "Date,Amount,Text,Saldo\n2026-03-02,10.00,a,110.00\n2026-03-03,-5.00,b,105.01\n"
    found = inspect(rows, mapping("balance: Saldo"))
    assert found.valid
    assert {each.code for each in found.warnings} == {"AM09"}


def test_labelled_rows_tell_account_currency_and_balances() -> None:
    of = mapping(
        "labelled:",
        "  - {label: Account, account: 1, currency: 2}",
        "  - {label: Opening, opening_balance: 2}",
        "  - {label: Closing, closing_balance: 2}",
        "currency: {labelled: true}",
        without="currency",
    )
    rows = "Account : 1234,: EUR\nClosing,15.00\nDate,Amount,Text\n2026-03-02,5.00,a\nOpening,10.00\n"
    found = inspect(rows, of)
    (statement,) = found.statements
    assert (statement.account, statement.currency) == ("1234", "EUR")
    assert (statement.opening_minor, statement.closing_minor, found.warnings) == (1000, 1500, ())


def test_entries_that_are_not_booked_are_counted_and_not_summed() -> None:
    of = mapping("booked: {column: Status, values: [Booked]}")
    rows = "Date,Amount,Text,Status\n2026-03-02,1.00,a,BOOKED\n2026-03-02,7.00,b,Pending\n"
    found = inspect(rows, of)
    assert (found.entries, dict(found.sums)) == (2, {"EUR": 100})


def test_accounts_and_currencies_of_one_file_are_statements_of_their_own() -> None:
    of = mapping("account: {column: Account}")
    rows = "Date,Amount,Text,Account\n2026-03-02,1.00,a,A\n2026-03-02,2.00,b,B\n2026-03-02,3.00,c,A\n"
    found = inspect(rows, of)
    assert [(each.account, each.entries, each.sum_minor) for each in found.statements] == [
        ("A", 2, 400),
        ("B", 1, 200),
    ]


@pytest.mark.parametrize(
    ("written", "text", "wanted"),
    [
        ("DD.MM.YYYY", "02.03.2026", date(2026, 3, 2)),
        ("M/D/YY", "3/2/26", date(2026, 3, 2)),
        ("DD-MMM-YY", "02-Mar-26", date(2026, 3, 2)),
        ("YYYY-MM-DDThh:mm:ss", "2026-03-02T23:59:59", date(2026, 3, 2)),
        ("YYYYMMDD", "20260302", date(2026, 3, 2)),
    ],
)
def test_dates_are_read_in_the_form_that_is_declared(written: str, text: str, wanted: date) -> None:
    rows = f"Date,Amount,Text\n{text},1.00,a\n".encode()
    of = mapping(f'dates: ["{written}"]', without="dates")
    (line,) = csv_statement.read(io.BytesIO(rows), of)
    assert line.booking_date == wanted


@pytest.mark.parametrize("text", ["2026-02-30", "02.03.2026", "2026-3-2", "٢٠٢٦-٠٣-٠٢", "", "2026-03-02x"])
def test_what_is_no_date_of_the_declared_form_is_told(text: str) -> None:
    found = inspect(f"Date,Amount,Text\n{text},1.00,a\n", mapping())
    assert [(each.code, each.line, each.path) for each in found.errors] == [("DT01", 2, "Date")]


# --- encodings and ends of lines ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codec", "mark", "told"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be"),
        ("utf-16-le", b"", "utf-16-le"),
        ("cp1252", b"", "cp1252"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_and_end_of_line_gives_the_same_text(
    codec: str, mark: bytes, told: str, end: str
) -> None:
    rows = end.join(["Date,Amount,Text", "2026-03-02,1.00,Zürich ü", ""])
    source = io.BytesIO(mark + rows.encode(codec))
    assert csv_statement.inspect(source, mapping()).details["encoding"] == told
    source.seek(0)
    assert [line.text for line in csv_statement.read(source, mapping())] == ["Zürich ü"]


def test_bytes_that_are_neither_are_refused_with_their_line() -> None:
    broken = "Date,Amount,Text\n2026-03-02,1.00,ü\n".encode() + b"2026-03-02,1.00,\xff\n"
    with pytest.raises(InvalidFile) as refused:
        list(csv_statement.read(io.BytesIO(broken), mapping()))
    assert refused.value.errors[0].line == 3


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"), max_size=8)))
def test_lines_are_cut_at_their_ends_wherever_the_pieces_end(texts: list[str]) -> None:
    whole = "\r\n".join([*texts, "x"])

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(3)

    assert "".join(Text(Slow(whole.encode()), "utf-8")) == whole.removeprefix("\ufeff")
    assert len(list(Text(Slow(whole.encode()), "utf-8"))) == len(texts) + 1


# --- hostile files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n\n",
        b"\0" * 100,
        b"Date,Amount,Text\n2026-03-02,1.00,\0\n",
        b"<html><body>503</body></html>",
        b'Date,Amount,Text\n2026-03-02,1.00,"never closed\n' + b"x\n" * 200_000,
        b"Date,Amount,Text\n" + b"x" * (LONGEST_LINE + 1),
        b"Date,Amount,Text\n" + b"," * (MOST_COLUMNS + 1),
        b'Date,Amount,Text\n2026-03-02,1.00,"a"b\n',
        b"Date,Amount,Text\n2026-03-02,1.00,\xff\xfe\xc3\x28\n",
    ],
)
def test_a_hostile_file_is_told_what_is_wrong_with_it_and_no_more(content: bytes) -> None:
    found = csv_statement.inspect(io.BytesIO(content), mapping())
    if found.valid:
        assert content.endswith(b"\x28\n"), "bytes that Windows-1252 knows"
    else:
        assert 1 <= len(found.errors) <= 100


def test_of_many_wrong_rows_a_hundred_are_told() -> None:
    rows = "Date,Amount,Text\n" + "x,y,z\n" * 5_000
    assert len(inspect(rows, mapping()).errors) == 100


def test_a_file_of_more_accounts_than_any_statement_has_is_refused() -> None:
    rows = "".join(f"2026-03-02,1.00,a,{number}\n" for number in range(1_001))
    found = inspect("Date,Amount,Text,Account\n" + rows, mapping("account: {column: Account}"))
    assert not found.valid
    assert "accounts" in found.errors[0].message


@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_no_bytes_bring_the_reader_down(content: bytes) -> None:
    for start in (b"", b"Date,Amount,Text\n"):
        assert csv_statement.inspect(io.BytesIO(start + content), mapping()).format == "csv"
        assert csv_statement.inspect(io.BytesIO(start + content)).format == "csv"


# --- mappings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("", "a YAML mapping is wanted"),
        ("a: [", "no YAML"),
        ("a: &x [1]\nb: *x", "aliases are not allowed"),
        ("name: a\nname: b", "stands twice"),
        ("name: plain", "booking_date: Field required"),
        (_PLAIN + "colour: red", "colour: Extra inputs are not permitted"),
        (_PLAIN.replace("fixed: EUR", "fixed: EURO"), "currency.fixed"),
        (_PLAIN.replace("{fixed: EUR}", "{}"), "currency: a column, a fixed currency"),
        (_PLAIN.replace("YYYY-MM-DD", "YYYY-DD"), "dates.0"),
        (_PLAIN.replace("column: Amount", "column: 0"), "amount.signed.column: columns are numbered from 1"),
        (_PLAIN.replace("style: signed", "style: odd"), "amount"),
        (_PLAIN + "header: false", "without a header, columns are numbers"),
        (_PLAIN + 'thousands: "."', "decimal and thousands are different"),
        (_PLAIN + 'delimiter: "\\n"', "delimiter and quote"),
        (_PLAIN + "encoding: rot13", "encoding"),
        (_PLAIN + "encoding: idna", "encoding"),
        (_PLAIN + 'symbols: ["("]', "a symbol has no signs or parentheses"),
        (_PLAIN + 'symbols: ["1"]', "a symbol has no digits"),
        (_PLAIN + 'decimal: "0"', "no letters, digits or signs"),
        ("x: " + "y" * 70_000, "more than 65536 bytes"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_where_and_why(written: str, told: str) -> None:
    with pytest.raises(InvalidMapping) as refused:
        load(written.encode(), "mine.yaml")
    assert "mine.yaml: " in str(refused.value)
    assert told in str(refused.value)


def test_shipped_mappings_are_known_by_each_header_that_they_know() -> None:
    for name, each in shipped().items():
        for header in each.knows.headers:
            found = detect([each.delimiter.join(f'"{cell}"' for cell in header) + "\r\n"])
            assert found is not None
            assert found.name == name


def test_only_what_has_to_be_asked_for_has_no_rule_of_detection() -> None:
    unknown = [
        name
        for name, each in shipped().items()
        if not (each.knows.headers or each.knows.any_header or each.knows.columns)
    ]
    assert unknown == ["sheet-card"]


def test_a_header_of_usual_names_is_known_unless_a_column_could_change_what_an_amount_means() -> None:
    assert (
        inspect("date,description,amount,currency\n2026-03-02,a,1.00,EUR\n").details["mapping"]
        == "common-point"
    )
    german = "Buchungstag;Verwendungszweck;Betrag;Währung\n02.03.2026;Miete;-1.250,00;EUR\n".encode("cp1252")
    assert dict(inspect(german).sums) == {"EUR": -125000}
    directed = inspect("date,description,amount,currency,type\n2026-03-02,a,1.00,EUR,debit\n")
    assert (directed.details["mapping"], dict(directed.sums)) == ("common-point-indicator", {"EUR": -100})
    assert not inspect("date,description,amount,currency,type\n2026-03-02,a,1.00,EUR,fee\n").valid
    assert not inspect("date,description,amount,currency,status\n2026-03-02,a,1.00,EUR,pending\n").valid
    assert not inspect("date,description,amount\n2026-03-02,a,1.00\n").valid


def test_a_date_that_may_be_read_in_two_ways_is_not_guessed() -> None:
    found = inspect("date,description,amount,currency\n03/02/2026,a,1.00,EUR\n")
    assert [each.code for each in found.errors] == ["DT01"]


@pytest.mark.parametrize(
    "column",
    ["Direction of travel", "Sens de l'opération", "Fees", "Booking Status", "Original Amount",
     "Transaction Amount"],
)  # fmt: skip
def test_a_header_with_a_column_that_is_not_known_is_not_guessed(column: str) -> None:
    rows = f"Date,Description,Amount,Currency,{column}\n2026-03-02,a,10.00,EUR,x\n"
    assert "no known CSV" in inspect(rows).errors[0].message


def test_columns_that_say_nothing_of_an_amount_do_no_harm() -> None:
    rows = "Date,Time,Category,Description,Amount,Currency,Notes,\n2026-03-02,09:00,food,a,10.00,EUR,,\n"
    assert dict(inspect(rows).sums) == {"EUR": 10_00}


@pytest.mark.parametrize(
    ("header", "out", "into"),
    [
        ("Date,Amount,Currency,Direction", "OUT", "IN"),
        ("Date,Amount,Currency,CdtDbtInd", "DBIT", "CRDT"),
        ("Date,Amount,Currency,Debit or Credit", "D", "C"),
        ("Datum;Betrag;Währung;Richtung", "Ausgang", "Eingang"),
    ],
)
def test_a_direction_under_its_usual_names_counts(header: str, out: str, into: str) -> None:
    text = f"{header}\n2026-03-02,10.00,EUR,{out}\n2026-03-02,3.00,EUR,{into}\n"
    if ";" in header:
        text = text.replace(",", ";").replace(".", ",")
    assert dict(inspect(text).sums) == {"EUR": -7_00}


@pytest.mark.parametrize("amount", ["1.250", "12.500", "-1.250"])
def test_an_amount_that_may_be_read_in_two_ways_is_not_guessed(amount: str) -> None:
    for currency in ("KWD", "EUR"):
        found = inspect(f"Date;Amount;Currency\n2026-03-02;{amount};{currency}\n")
        assert [(each.code, each.path) for each in found.errors] == [("AM12", "Amount")]
    declared = mapping('decimal: ","', 'thousands: "."', 'delimiter: ";"')
    assert inspect(f"Date;Amount;Text\n2026-03-02;{amount};a\n", declared).valid


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("1.250,500", "KWD", 1_250_500),
        ("1.250.000", "KWD", 1_250_000_000),
        ("1.250", "JPY", 1_250),
        ("1000,00", "JPY", 1_000),
        ("1.000,00", "JPY", 1_000),
    ],
)
def test_an_amount_that_can_be_read_in_one_way_alone_is(amount: str, currency: str, minor: int) -> None:
    found = inspect(f"Date;Amount;Currency\n2026-03-02;{amount};{currency}\n")
    assert (found.errors, dict(found.sums)) == ((), {currency: minor})


def test_memory_is_flat_in_the_size_of_a_statement() -> None:
    class Endless(io.RawIOBase):
        """A statement of many rows that are made as they are read."""

        def __init__(self, entries: int) -> None:
            self._left = entries
            self._next = b"Date,Amount,Text\n"

        def read(self, size: int = -1, /) -> bytes:
            found = self._next
            rows = min(self._left, size // 40)
            self._left -= rows
            self._next = b"2026-03-02,1.00,some text of an entry\n" * rows
            return found

    csv_statement.inspect(io.BytesIO(b"Date,Amount,Text\n"), mapping())
    tracemalloc.start()
    found = csv_statement.inspect(cast(BinaryIO, Endless(15_000)), mapping())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found.entries, dict(found.sums)) == (15_000, {"EUR": 1_500_000})
    assert peak < 2 << 20, "the rows held as records would be over 5 MiB"
