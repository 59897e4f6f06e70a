"""BAI2: what its records say, what its trailers prove, and what is refused."""

import tracemalloc
from datetime import date
from io import BytesIO
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.files import bai2, bai2_codes
from goodfunds.files.bai2_reading import Record
from goodfunds.files.bai2_records import (
    AccountIdentifier,
    AccountTrailer,
    FileHeader,
    FileTrailer,
    FundsType,
    GroupHeader,
    TransactionDetail,
)
from goodfunds.files.inspection import StatementFacts
from goodfunds.files.records import InvalidFile
from goodfunds.rails import reasons as code
from tests.fuzz.mutating import mutated
from tests.unit.files.bank_texts import BAI2


def records(raw: bytes) -> list[Record]:
    return list(bai2.read(BytesIO(raw)))


def details(raw: bytes) -> list[TransactionDetail]:
    return [each for each in records(raw) if isinstance(each, TransactionDetail)]


def made(*transactions: str, account: str = "03,1,USD,010,0,,/", currency: str = "USD") -> bytes:
    """A file of one account with right totals. A transaction may have continuations: lines of its own."""
    lines = [account, *transactions]
    amounts = [line.split(",")[2] for line in transactions if line.startswith("16,")]
    total = sum(int(each) for each in amounts)
    count = sum(len(line.split("\n")) for line in lines) + 1
    group = f"02,R,O,1,261119,,{currency},/"
    whole = [
        "01,S,R,261120,0900,1,,,2/",
        group,
        *lines,
        f"49,{total},{count}/",
        f"98,{total},1,{count + 2}/",
        f"99,{total},1,{count + 4}/",
    ]
    return "\n".join(whole).encode()


def refusal(raw: bytes) -> tuple[str, int, str]:
    """Code, line and path of the first thing wrong."""
    with pytest.raises(InvalidFile) as refused:
        records(raw)
    error = refused.value.errors[0]
    return error.code, error.line, error.path


def test_each_record_says_what_its_fields_mean() -> None:
    found = records(BAI2)
    assert [type(each).__name__ for each in found] == [
        "FileHeader",
        "GroupHeader",
        "AccountIdentifier",
        "TransactionDetail",
        "TransactionDetail",
        "AccountTrailer",
        "AccountIdentifier",
        "TransactionDetail",
        "AccountTrailer",
        "GroupTrailer",
        "FileTrailer",
    ]
    assert found[0] == FileHeader("BANKOFALL", "HOUSE", date(2026, 11, 20), "0900", "7", 80, None, "2")
    assert found[1] == GroupHeader("HOUSE", "BANKOFALL", "1", date(2026, 11, 19), "2400", "USD", "2")
    assert found[-1] == FileTrailer(247550, 1, 14)


def test_summaries_go_on_in_continuation_records() -> None:
    account = records(BAI2)[2]
    assert isinstance(account, AccountIdentifier)
    assert [(each.type_code, each.amount_minor, each.item_count) for each in account.summaries] == [
        ("010", 100000, None),
        ("015", 113000, None),
        ("100", 15000, 1),
        ("400", 2000, 1),
        ("072", 500, None),
    ]
    assert account.summaries[2].funds_type == FundsType("0")


def test_text_keeps_its_commas_and_slashes_and_goes_on_in_continuation_records() -> None:
    wire, out, book = details(BAI2)
    assert wire.text == "Incoming wire, from A/S Nord\ninvoice 12/2026"
    assert (wire.bank_reference_number, wire.customer_reference_number) == ("REF1", "CUST1")
    assert out.text == "Outgoing wire"
    assert book.text == "Book transfer"


def test_the_fields_after_a_funds_type_are_as_many_as_it_wants() -> None:
    wire, out, book = details(BAI2)
    assert wire.funds_type == FundsType("V", date(2026, 11, 20))
    assert out.funds_type == FundsType("S", distribution=((0, 1000), (1, 600), (2, 400)))
    assert book.funds_type == FundsType("D", distribution=((0, 20), (3, 30)))
    (one,) = details(made("16,195,5,S,1,2,2/\n88,REF,/\n88,text"))
    assert (one.bank_reference_number, one.customer_reference_number, one.text) == ("REF", "", "text")
    for kind in ("", "Z", "0", "1", "2"):
        assert details(made(f"16,195,5,{kind},A,B,"))[0].funds_type == FundsType(kind)


def test_an_account_has_its_currency_else_the_groups_else_dollars() -> None:
    def currency(raw: bytes) -> str:
        account = next(each for each in records(raw) if isinstance(each, AccountIdentifier))
        return account.currency

    assert currency(made(account="03,1,JPY/", currency="EUR")) == "JPY"
    assert currency(made(account="03,1,/", currency="EUR")) == "EUR"
    assert currency(made(account="03,1,/", currency="")) == "USD"
    assert refusal(made(account="03,1,QQQ/"))[::2] == (code.INVALID_TRANSACTION_CURRENCY, "03/currency")


def test_amounts_are_minor_units_whatever_the_currency() -> None:
    for currency in ("JPY", "KWD", "USD"):
        found = bai2.inspect(BytesIO(made("16,195,12345,,,,", account=f"03,1,{currency}/")))
        assert found.valid
        assert found.sums == {currency: 12345}


@pytest.mark.parametrize(
    "amount", ["1.00", "1_000", "1e3", "", "٣", "１００", "--1", "+", "NaN", "9" * 19, "1 0"]
)
def test_what_is_no_number_of_minor_units_is_refused(amount: str) -> None:
    raw = made("16,195,5,,,,").replace(b"16,195,5,", f"16,195,{amount},".encode())
    assert refusal(raw) == (code.INVALID_AMOUNT, 4, "16/amount")


@pytest.mark.parametrize(
    ("type_code", "signed"),
    [("101", 1), ("399", 1), ("401", -1), ("699", -1), ("721", 1), ("760", -1), ("921", 1), ("960", -1)],
)
def test_the_type_code_says_whether_money_came_or_went(type_code: str, signed: int) -> None:
    assert details(made(f"16,{type_code},7,,,,"))[0].signed_minor == 7 * signed


@pytest.mark.parametrize("type_code", ["010", "750", "800", "901", "000", "19", "1955", "٣٣٣"])
def test_an_amount_that_neither_came_nor_went_is_refused(type_code: str) -> None:
    assert refusal(made(f"16,{type_code},7,,,,"))[1:] == (4, "16/type code")


def test_information_without_money_has_no_direction() -> None:
    (told,) = details(made("16,890,0,,,,Closed on Monday"))
    assert (told.direction, told.signed_minor, told.text) == ("", 0, "Closed on Monday")
    assert refusal(made("16,890,5,,,,"))[0] == code.INVALID_AMOUNT


def test_every_type_code_has_at_most_one_direction() -> None:
    for number in range(1, 1000):
        assert bai2_codes.direction(f"{number:03}") in ("", "CRDT", "DBIT")


@pytest.mark.parametrize(
    ("right", "wrong", "reason", "line", "path"),
    [
        (b"49,247500,6", b"49,247501,6", code.INVALID_CONTROL_SUM, 8, "49"),
        (b"49,247500,6", b"49,247500,7", code.INVALID_NUMBER_OF_TRANSACTIONS, 8, "49"),
        (b"98,247550,2,12", b"98,247551,2,12", code.INVALID_CONTROL_SUM, 13, "98"),
        (b"98,247550,2,12", b"98,247550,3,12", code.INVALID_NUMBER_OF_TRANSACTIONS, 13, "98"),
        (b"98,247550,2,12", b"98,247550,2,11", code.INVALID_NUMBER_OF_TRANSACTIONS, 13, "98"),
        (b"99,247550,1,14", b"99,-247550,1,14", code.INVALID_CONTROL_SUM, 14, "99"),
        (b"99,247550,1,14", b"99,247550,2,14", code.INVALID_NUMBER_OF_TRANSACTIONS, 14, "99"),
        (b"99,247550,1,14", b"99,247550,1,15", code.INVALID_NUMBER_OF_TRANSACTIONS, 14, "99"),
        (b"16,195,15000", b"16,195,15001", code.INVALID_CONTROL_SUM, 8, "49"),
    ],
)
def test_a_total_or_count_that_is_off_by_one_is_refused(
    right: bytes, wrong: bytes, reason: str, line: int, path: str
) -> None:
    raw = BAI2.replace(right, wrong)
    assert raw != BAI2
    assert refusal(raw)[0] == reason
    assert (reason, line, path) in [
        (each.code, each.line, each.path) for each in bai2.inspect(BytesIO(raw)).errors
    ]


def test_a_file_that_is_cut_anywhere_is_refused() -> None:
    last = BAI2.rindex(b"/")
    for at in range(last - len(b"14")):
        with pytest.raises(InvalidFile):
            records(BAI2[:at])
    assert records(BAI2[:last])


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"", ""),
        (b"hello", ""),
        (b"02,R,O,1,261119,,,/", "02"),
        (b"88,x", "88"),
        (BAI2.replace(b"02,HOUSE", b"01,HOUSE"), "01"),
        (BAI2.replace(b",80,,2/", b",80,,1/"), "01/version number"),
        (BAI2.replace(b"49,247500,6/\n", b""), "49"),
        (BAI2.replace(b"98,247550,2,12/\n", b""), "98"),
        (BAI2 + BAI2, "01"),
        (BAI2.replace(b",1,261119", b",9,261119"), "02/group status"),
        (BAI2.replace(b"1,261119", b"1,261332"), "02/as-of-date"),
        (BAI2.replace(b"03,000999999,EUR/", b"03,,EUR/"), "03/account number"),
        (BAI2.replace(b"S,1000", b"Q,1000"), "16/funds type"),
        (BAI2.replace(b"D,2,0", b"D,999999,0"), "16/number of distributions"),
    ],
)
def test_what_is_no_bai2_is_refused_where_it_goes_wrong(raw: bytes, path: str) -> None:
    assert refusal(raw)[2] == path


def test_an_inspection_tells_entries_sums_balances_and_all_that_is_wrong() -> None:
    found = bai2.inspect(BytesIO(BAI2))
    assert (found.format, found.valid, found.readable, found.entries) == ("bai2", True, True, 3)
    assert found.sums == {"USD": 13000, "EUR": 50}
    assert found.statements == (
        StatementFacts("000123456", "USD", 2, 13000, 100000, 113000),
        StatementFacts("000999999", "EUR", 1, 50),
    )
    assert found.errors == found.warnings == ()
    wrong = bai2.inspect(BytesIO(BAI2.replace(b"16,495,2000", b"16,495,x").replace(b"\n99,", b"\n99,1")))
    assert (wrong.valid, wrong.readable, wrong.entries) == (False, False, 3)
    assert [each.line for each in wrong.errors] == [7, 8, 14]


def test_ledger_balances_that_the_entries_do_not_explain_are_a_warning() -> None:
    found = bai2.inspect(BytesIO(made("16,195,5,,,,", account="03,1,USD,010,0,,,015,0,,/")))
    assert found.valid
    assert [each.path for each in found.warnings] == ["03"]


def test_a_group_that_deletes_or_corrects_or_tests_is_told_and_moves_money_only_where_it_corrects() -> None:
    for status, sums in ((b"2", {}), (b"3", {"USD": 13000, "EUR": 50}), (b"4", {})):
        found = bai2.inspect(BytesIO(BAI2.replace(b"FALL,1,", b"FALL," + status + b",")))
        assert [each.path for each in found.warnings] == ["02/group status"]
        assert (found.valid, found.entries, found.sums) == (True, 3, sums)
        assert len(found.statements) == len(sums)


def test_only_what_stands_of_several_groups_is_counted() -> None:
    lines = BAI2.decode().splitlines()
    test_group = [lines[1].replace("FALL,1,", "FALL,4,"), *lines[2:-1]]
    raw = "\n".join([lines[0], *test_group, *lines[1:-1], "99,495100,2,26/"])
    found = bai2.inspect(BytesIO(raw.encode()))
    assert (found.valid, found.entries, found.sums) == (True, 6, {"USD": 13000, "EUR": 50})


@pytest.mark.parametrize(
    ("right", "wrong", "path"),
    [
        (b",261120,0900,7", b",,0900,7", "01/file creation date"),
        (b",261120,0900,7", b",261120,,7", "01/file creation time"),
        (b",261120,0900,7", b",261120,9x00,7", "01/file creation time"),
        (b",2400,USD", b",2460,USD", "02/as-of-time"),
        (b"FALL,1,", b"FALL,,", "02/group status"),
        (b"USD,2/", b"USD,9/", "02/as-of-date modifier"),
    ],
)
def test_a_header_that_says_not_all_of_when_is_not_valid_and_readable(
    right: bytes, wrong: bytes, path: str
) -> None:
    raw = BAI2.replace(right, wrong, 1)
    found = bai2.inspect(BytesIO(raw))
    assert (found.valid, found.readable, [each.path for each in found.errors]) == (False, True, [path])
    assert found.sums == {"USD": 13000, "EUR": 50}
    assert records(raw)


def test_an_inspection_tells_that_it_holds_not_the_facts_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bai2, "MOST_ACCOUNTS", 1)
    found = bai2.inspect(BytesIO(BAI2))
    assert (len(found.statements), [each.message for each in found.warnings]) == (
        1,
        ["there are 2 accounts: the facts of the first 1 are told"],
    )


def test_a_negative_detail_counts_against_its_direction_and_is_told() -> None:
    trailers = [each for each in records(made("16,195,-5,,,,")) if isinstance(each, AccountTrailer)]
    assert trailers[0].booked_minor == -5
    assert [each.path for each in trailers[0].warnings] == ["16/amount"]


def test_records_may_be_padded_end_in_any_way_or_stand_without_line_ends() -> None:
    expected = [*map(str, map(type, records(BAI2)))]
    lines = BAI2.decode().splitlines()
    padded = [line.ljust(80) for line in lines]
    for raw in ("\r\n".join(lines), "\r".join(lines), "\n\n".join(padded), "".join(padded)):
        found = records(raw.encode())
        assert [*map(str, map(type, found))] == expected
        assert found[3] == records(BAI2)[3]
    unblocked = "".join(padded)
    for text in (BAI2.decode(), unblocked):
        for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"):
            assert records(text.encode(encoding)) == records(text.encode())


def test_a_header_that_is_longer_than_it_says_does_not_hide_the_line_ends() -> None:
    raw = BAI2.replace(b"01,BANKOFALL,", b"01," + b"B" * 40 + b",").replace(b",80,,2", b",50,,2")
    found = bai2.inspect(BytesIO(raw))
    assert (found.valid, found.entries, min(each.line for each in found.warnings)) == (True, 3, 1)


def test_a_record_that_is_longer_than_the_header_says_is_told() -> None:
    found = bai2.inspect(BytesIO(BAI2.replace(b",80,,2", b",50,,2")))
    assert found.valid
    assert {each.line for each in found.warnings} == {3, 5}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["108", "195", "409", "495"]),
            st.integers(0, 10**18 - 1),
            st.sampled_from(["", "0", "V,261120,", "S,1,2,3", "D,1,0,9"]),
            st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f\x85\xa0")),
        ),
        max_size=5,
    )
)
def test_what_was_written_is_read(given_details: list[tuple[str, int, str, str]]) -> None:
    lines = [f"16,{kind},{amount},{funds},B,C,{text}/" for kind, amount, funds, text in given_details]
    found = details(made(*lines))
    assert [(each.type_code, each.amount_minor, each.text) for each in found] == [
        (kind, amount, text.rstrip()) for kind, amount, _, text in given_details
    ]
    assert bai2.inspect(BytesIO(made(*lines))).valid


def test_mutated_files_end_in_records_or_a_refusal() -> None:
    random = Random(20)
    for _ in range(400):
        raw = mutated(BAI2, random)
        found = bai2.inspect(BytesIO(raw))
        try:
            records(raw)
        except InvalidFile:
            assert not found.readable
        else:
            assert found.readable


def test_memory_is_flat_and_hostile_repeats_end_soon() -> None:
    many = made(*["16,195,5,,,,text/"] * 5_000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in bai2.read(BytesIO(many))) == 5_006
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    for raw in (
        BAI2[:100] + b"\n88,x" * 300_000,
        BAI2[:60] + b"\n03" * 50_000,
        b"0" * 10_000_000,
        b"01," * 1_000_000,
        BAI2.replace(b"15000,V", b"0" * 15_000 + b"x,V"),
    ):
        assert not bai2.inspect(BytesIO(raw)).valid
