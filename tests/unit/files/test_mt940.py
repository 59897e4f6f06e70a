"""SWIFT statements: lines, balances and texts as the standard and banks write them, and what is refused."""

import tracemalloc
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from random import Random

import mt940 as library
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.files import mt940
from goodfunds.files.inspection import StatementFacts
from goodfunds.files.mt_kind import kind_of
from goodfunds.files.mt_reading import Record
from goodfunds.files.mt_records import Balance, Details, EntriesTotal, Statement, StatementEnd, StatementLine
from goodfunds.files.records import InvalidFile
from goodfunds.files.withdrawn_currencies import WITHDRAWN
from goodfunds.money import CURRENCIES
from goodfunds.rails import reasons as code
from tests.fuzz.mutating import mutated
from tests.unit.files.bank_texts import BAI2, MT103, MT940, MT942


def records(raw: bytes) -> list[Record]:
    return list(mt940.read(BytesIO(raw)))


def entries(raw: bytes) -> list[StatementLine]:
    return [each for each in records(raw) if isinstance(each, StatementLine)]


def end(raw: bytes) -> StatementEnd:
    """The last message's end."""
    found = records(raw)[-1]
    assert isinstance(found, StatementEnd)
    return found


def made(*fields: str, opening: str = "C260101EUR0,", closing: str = "C260102EUR0,") -> bytes:
    """A message of these fields between its balances."""
    return "\n".join(
        [":20:R", ":25:A", ":28C:1", f":60F:{opening}", *fields, f":62F:{closing}", "-", ""]
    ).encode()


def refusal(raw: bytes) -> tuple[str, int, str]:
    """Code, line and path of the first thing wrong."""
    with pytest.raises(InvalidFile) as refused:
        records(raw)
    error = refused.value.errors[0]
    return error.code, error.line, error.path


def told(raw: bytes) -> list[tuple[str, str]]:
    """Code and path of each warning of a readable message."""
    return [(each.code, each.path) for each in end(raw).warnings]


def test_a_statement_says_who_and_when_and_what_was_there() -> None:
    statement = records(MT940)[0]
    opening = Balance("60F", 100000, "EUR", date(2025, 12, 30))
    assert statement == Statement(
        number=1,
        kind="mt940",
        transaction_reference="STMT1",
        account="DE75512108001245126199",
        currency="EUR",
        related_reference="NONREF",
        statement_number="231",
        sequence_number="1",
        opening=opening,
    )
    closing = Balance("62F", 120025, "EUR", date(2026, 1, 2))
    whole = end(MT940)
    assert (whole.closing, whole.entries, whole.booked_minor) == (closing, 4, 20025)
    assert (whole.available, len(whole.forward_available)) == (
        Balance("64", 120025, "EUR", date(2026, 1, 2)),
        1,
    )
    assert (whole.information, whole.warnings) == ("The whole", ())


def test_a_line_has_the_subfields_of_the_standard() -> None:
    first = entries(MT940)[0]
    assert first == StatementLine(
        number=1,
        mark="C",
        amount_minor=25050,
        currency="EUR",
        value_date=date(2025, 12, 31),
        entry_date=date(2026, 1, 2),
        funds_code="R",
        transaction_type="NTRF",
        account_owner_reference="E2E-1",
        account_servicer_reference="BANK1",
        supplementary_details="Card 42",
        information=first.information,
        details=first.details,
    )
    assert first.information.startswith("166?00GUTSCHRIFT?20EREF+E2E-1")
    assert first.information.count("\n") == 1


@pytest.mark.parametrize(
    ("mark", "signed"),
    [
        ("C", 1),
        ("D", -1),
        ("RC", -1),
        ("RD", 1),
        ("CR", 1),
        ("DR", -1),
        ("RCR", -1),
        ("RDR", 1),
        ("c", 1),
        ("d", -1),
    ],
)
def test_a_reversed_credit_debits_and_a_reversed_debit_credits(mark: str, signed: int) -> None:
    assert entries(made(f":61:260102{mark}5,NTRFX"))[0].signed_minor == 500 * signed


def test_expected_entries_of_an_interim_report_move_nothing() -> None:
    debit, expected = entries(MT942)
    assert (debit.booked, expected.booked, expected.signed_minor) == (True, False, 700)
    whole = end(MT942)
    assert (whole.booked_minor, whole.closing, whole.statement.kind) == (-1000, None, "mt942")
    assert whole.totals == (EntriesTotal("90D", 1, 1000, "GBP"), EntriesTotal("90C", 1, 700, "GBP"))
    assert whole.warnings == ()


@pytest.mark.parametrize(
    ("value", "entry", "expected"),
    [
        ("251231", "0102", date(2026, 1, 2)),
        ("260102", "1231", date(2025, 12, 31)),
        ("260630", "0629", date(2026, 6, 29)),
        ("240301", "0229", date(2024, 2, 29)),
        ("991231", "0101", date(2000, 1, 1)),
        ("260102", "    ", None),
        ("260102", "", None),
    ],
)
def test_an_entry_date_is_in_the_year_nearest_to_the_value_date(
    value: str, entry: str, expected: date | None
) -> None:
    assert entries(made(f":61:{value}{entry}C1,NTRFX"))[0].entry_date == expected


def test_a_day_that_is_none_is_left_out_and_told() -> None:
    raw = made(":61:2602300231C1,NTRFX", closing="C261341EUR1,")
    assert (entries(raw)[0].value_date, entries(raw)[0].entry_date, end(raw).closing) == (
        None,
        None,
        Balance("62F", 100, "EUR", None),
    )
    assert told(raw) == [(code.INVALID_DATE, "61"), (code.INVALID_DATE, "61"), (code.INVALID_DATE, "62F")]
    assert mt940.inspect(BytesIO(raw)).valid


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [
        ("EUR", "1,", 100),
        ("EUR", "1,5", 150),
        ("EUR", "000000000012,34", 1234),
        ("JPY", "15,", 15),
        ("KWD", "1,5", 1500),
        ("DEM", "2,", 200),
        ("ITL", "2000,", 2000),
        ("BYR", "2000,", 2000),
        ("VEF", "2,5", 250),
    ],
)
def test_an_amount_has_a_decimal_comma_and_its_currencys_places(currency: str, text: str, minor: int) -> None:
    raw = made(f":61:260102C{text}NTRFX", opening=f"C260101{currency}0,", closing=f"C260102{currency}{text}")
    assert entries(raw)[0].amount_minor == minor
    assert mt940.inspect(BytesIO(raw)).valid


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "1,000",
        "1.000",
        "1,234",
        "1.234",
        "1.234,56",
        "1,2,3",
        "1e3,",
        "1_0,",
        "٣,",
        "１,",
        ",5",
        "-1,",
        "1 0,",
        "",
        "1,5,",
    ],
)
def test_a_balance_that_is_no_amount_is_refused_and_never_read_in_part(text: str) -> None:
    raw = made(closing=f"C260102EUR{text}")
    assert refusal(raw)[1:] == (5, "62F")
    assert mt940.inspect(BytesIO(raw)).statements[0].closing_minor is None


def test_no_currency_in_force_is_among_the_withdrawn() -> None:
    assert not WITHDRAWN.keys() & CURRENCIES.keys()


def test_an_amount_of_too_many_digits_is_refused() -> None:
    assert refusal(made(":61:260102C" + "9" * 17 + ",NTRFX"))[0] == code.INVALID_AMOUNT
    assert entries(made(":61:260102C" + "9" * 16 + ",NTRFX"))


def test_a_decimal_point_that_can_be_no_other_is_read_but_not_valid() -> None:
    raw = made(":61:260102C2145.25NTRFX", closing="C260102EUR2145.25")
    assert entries(raw)[0].amount_minor == 214525
    found = mt940.inspect(BytesIO(raw))
    assert (found.valid, found.readable) == (False, True)
    assert [each.code for each in found.errors] == [code.INVALID_AMOUNT] * 2


def test_a_decimal_point_at_the_end_of_yen_is_read_but_not_valid() -> None:
    raw = made(":61:260102C2145.NTRFX", opening="C260101JPY0,", closing="C260102JPY2145.")
    found = mt940.inspect(BytesIO(raw))
    assert (found.valid, found.readable, dict(found.sums)) == (False, True, {"JPY": 2145})
    assert refusal(made(closing="C260102EUR2145."))[2] == "62F"


def test_a_whole_amount_without_comma_is_read_where_a_type_shows_that_it_is_not_cut() -> None:
    raw = made(":61:260102C500NTRFX", closing="C260102EUR500,")
    assert entries(raw)[0].amount_minor == 50000
    assert not mt940.inspect(BytesIO(raw)).valid
    assert refusal(made(":61:260102C500\n,00NTRFX"))[0] == code.INVALID_AMOUNT


@pytest.mark.parametrize(
    ("currency", "text"),
    [("JPY", "1,000"), ("JPY", "1,0"), ("JPY", "1.00"), ("KWD", "1.000"), ("KWD", "1.00"), ("EUR", "1,000")],
)
def test_what_may_be_thousands_is_never_read_as_ones(currency: str, text: str) -> None:
    opening, closing = f"C260101{currency}0,", f"C260102{currency}0,"
    assert refusal(made(f":61:260102C{text}NTRFX", opening=opening, closing=closing))[2] == "61"
    assert refusal(made(opening=opening, closing=f"C260102{currency}{text}"))[2] == "62F"


@pytest.mark.parametrize(
    "amount", ["5, 50NTRFX", "5,\n50NTRFX", "1 234,56NTRFX", "5,", "5,0", "5,/X", "5\nNTRF"]
)
def test_a_line_whose_amount_may_go_on_is_refused(amount: str) -> None:
    raw = made(f":61:260102C{amount}")
    assert refusal(raw) == (code.INVALID_AMOUNT, 5, "61")
    assert not mt940.inspect(BytesIO(raw)).readable


@pytest.mark.parametrize("amount", ["5,//BANK", "5, text", "5,\nNTRFX"])
def test_an_amount_without_a_type_is_read_where_no_digit_can_follow_it(amount: str) -> None:
    assert entries(made(f":61:260102C{amount}"))[0].amount_minor == 500


@pytest.mark.parametrize("tag", ["60F", "62F"])
def test_a_booked_balance_that_goes_on_in_the_next_line_is_refused(tag: str) -> None:
    for rest in ("25", ",25", "00,00"):
        raw = made().replace(f":{tag}:".encode(), f":{tag}:C260102EUR1200,\n{rest}\n:21:".encode())
        found = mt940.inspect(BytesIO(raw))
        assert (found.readable, found.errors[0].path) == (False, tag)


def test_an_available_balance_that_goes_on_in_the_next_line_is_left_out() -> None:
    raw = made().replace(b"-\n", b":64:C260102EUR1200,\n25\n-\n")
    assert (end(raw).available, told(raw)) == (None, [(code.CONTENT_INCORRECT, "64")])


def test_what_banks_put_behind_a_balance_is_passed_over() -> None:
    raw = made().replace(b"-\n", b"ABNANL2A\n940\n1. Overview\n-\n")
    assert mt940.inspect(BytesIO(raw)).valid
    assert mt940.inspect(BytesIO(made().replace(b"-\n", b"1. Overview\n-\n"))).valid


def test_zeros_beyond_the_currencys_places_are_read_but_not_valid() -> None:
    raw = made(opening="C260101JPY100,00", closing="C260101JPY100,00")
    assert end(raw).closing == Balance("62F", 100, "JPY", date(2026, 1, 1))
    assert not mt940.inspect(BytesIO(raw)).valid
    assert refusal(made(opening="C260101JPY100,50"))[0] == code.INVALID_AMOUNT


@pytest.mark.parametrize("currency", ["QQQ", "eur", "12"])
def test_an_amount_without_a_currency_that_is_known_is_refused(currency: str) -> None:
    assert refusal(made(opening=f"C260101{currency}0,"))[1:] == (4, "60F")


def test_a_closing_balance_without_currency_has_that_of_the_opening_balance() -> None:
    raw = made(closing="C26010210500,00")
    assert end(raw).closing == Balance("62F", 1050000, "EUR", date(2026, 1, 2))
    assert not mt940.inspect(BytesIO(raw)).valid


def test_a_message_that_is_cut_anywhere_is_refused() -> None:
    framed = (
        b"{2:O9421200260102AAAABBCCAXXX00000000002601021200N}{4:\n" + MT942.removesuffix(b"-\n") + b"-}\n"
    )
    for raw in (MT940, framed):
        for at in range(len(raw) - len(b"}\n")):
            with pytest.raises(InvalidFile):
                records(raw[:at])
        following = b"\n{1:F01BANKDEFFAXXX0000000000}{2:I940HOUSEDEFXXXXN}{4:\n" + made()
        for at in range(raw.index(b"{4:") + len(b"{4:"), len(raw) - len(b"-}\n")):
            with pytest.raises(InvalidFile):
                records(raw[:at] + following)
        assert records(raw)


def test_a_message_without_blocks_that_is_cut_before_its_closing_balance_is_refused() -> None:
    raw = made(":61:260102C1,NTRFX", ":86:text")
    for at in range(raw.index(b":62F:C260102EUR0,") + len(b":62F:C260102EUR0")):
        with pytest.raises(InvalidFile):
            records(raw[:at])


@pytest.mark.parametrize(
    ("missing", "path"),
    [
        (b":25:DE75512108001245126199\n", "25"),
        (b":60F:C251230EUR1000,00\n", "60F"),
        (b":62F:C260102EUR1200,25\n", "62F"),
    ],
)
def test_a_statement_without_account_or_booked_balances_is_refused(missing: bytes, path: str) -> None:
    raw = MT940.replace(missing, b"")
    assert raw != MT940
    assert path in [each.path for each in mt940.inspect(BytesIO(raw)).errors]
    with pytest.raises(InvalidFile):
        records(raw)


@pytest.mark.parametrize("raw", [b"", b"hello", b":61:260102C1,NTRFX\n", b":60F:C260101EUR1,", BAI2, MT103])
def test_what_holds_no_statement_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidFile):
        records(raw)


def test_several_statements_stand_in_a_file_each_with_its_own_facts() -> None:
    raw = MT940 + MT940.replace(b"STMT1", b"STMT2").replace(b":28C:231/1", b":28C:232/1") + MT940
    found = mt940.inspect(BytesIO(raw))
    assert (found.format, found.valid, found.readable, found.entries) == ("mt940", True, True, 12)
    assert found.sums == {"EUR": 3 * 20025}
    assert (
        found.statements == (StatementFacts("DE75512108001245126199", "EUR", 4, 20025, 100000, 120025),) * 3
    )


def test_a_line_behind_the_closing_balance_is_refused() -> None:
    raw = made().replace(b"-\n", b":61:260102C1,NTRFX\n-\n")
    assert refusal(raw) == (code.CONTENT_INCORRECT, 6, "61")


def test_statements_among_other_messages_are_refused_in_either_order() -> None:
    advice = MT103.replace(b"{2:O103", b"{2:O910")
    assert mt940.inspect(BytesIO(advice)).valid
    for raw in (advice + MT940, MT940 + advice, advice + made()):
        found = mt940.inspect(BytesIO(raw))
        assert (found.valid, found.readable) == (False, False)
        assert len(found.statements) == raw.startswith(MT940)
        with pytest.raises(InvalidFile):
            records(raw)


def test_two_messages_without_a_reference_between_them_are_refused() -> None:
    second = made().split(b"\n", 3)[3]
    assert refusal(made().removesuffix(b"-\n") + second)[1:] == (6, "60F")


def test_a_balance_report_lists_no_lines_and_need_not_add_up() -> None:
    raw = b"{2:O9411200260102AAAABBCCAXXX00000000002601021200N}{4:\n" + made(
        ":90D:72EUR10,", closing="C260102EUR1,"
    )
    assert (mt940.inspect(BytesIO(raw)).format, told(raw)) == ("mt941", [])


def test_a_balance_report_needs_no_opening_balance_and_has_the_currency_of_the_closing_one() -> None:
    fields = ":20:R\n:25:A\n:28:1\n:13D:2601021500+0100\n:90D:2EUR10,\n:62F:C260102EUR1,\n:64:C260102EUR1,\n"
    for raw in (
        f"941 00\n{fields}-\n",
        f"{{2:O9411200260102AAAABBCCAXXX00000000002601021200N}}{{4:\n{fields}-}}\n",
    ):
        found = mt940.inspect(BytesIO(raw.encode()))
        assert (found.format, found.valid, found.statements) == (
            "mt941",
            True,
            (StatementFacts("A", "EUR", 0, 0, None, 100),),
        )
        assert told(raw.encode()) == []
    for other in ("940", "950"):
        assert refusal(f"{other}\n{fields}-\n".encode())[2] == "60F"


def test_what_excuses_an_interim_report_excuses_no_message_after_it() -> None:
    cut = made().replace(b":62F:C260102EUR0,\n", b"")
    assert refusal(b"942 00\n" + MT942 + cut)[2] == "62F"
    assert mt940.inspect(BytesIO(b"942 00\n" + MT942 + MT942)).valid


def test_pages_of_a_statement_have_intermediate_balances() -> None:
    raw = made(opening="C260101EUR0,").replace(b":60F:", b":60M:").replace(b":62F:", b":62M:")
    found = mt940.inspect(BytesIO(raw))
    assert (found.valid, found.statements[0].closing_minor) == (True, 0)


def page(number: int, opening: str, closing: str, *, last: bool = False) -> bytes:
    """A page of statement 1 between these balances."""
    raw = made(f":61:260102C{closing[10:]}NTRFX", opening=opening, closing=closing)
    raw = raw.replace(b":28C:1", f":28C:1/{number}".encode())
    raw = raw if number == 1 else raw.replace(b":60F:", b":60M:")
    return raw if last else raw.replace(b":62F:", b":62M:")


def test_pages_that_do_not_follow_each_other_are_told() -> None:
    first = page(1, "C260101EUR0,", "C260101EUR1,")
    second = page(2, "C260101EUR1,", "C260101EUR2,", last=True)
    other = made().replace(b":25:A", b":25:B")

    def warned(raw: bytes) -> list[str]:
        found = mt940.inspect(BytesIO(raw))
        assert found.valid
        return [each.path for each in found.warnings if "balance" not in each.message]

    assert warned(first + second + first + other + second) == []
    assert warned(first) == ["62M"]
    assert warned(second) == ["60M"]
    assert warned(first + made()) == ["60F"]
    assert warned(first + second.replace(b":28C:1/2", b":28C:1/3")) == ["60M"]
    assert warned(first + second.replace(b":28C:1/2", b":28C:2/2")) == ["60M"]
    assert warned(first + page(2, "C260101EUR5,", "C260101EUR6,", last=True)) == ["60M"]


def test_headers_and_trailers_of_banks_and_of_swift_are_passed_over() -> None:
    plain = made(":61:260102C1,NTRFX", closing="C260102EUR1,")
    framed = b"\x01{1:F01AAAABBCCAXXX0000000000}{2:O9401200260102AAAABBCCAXXX00000000002601021200N}{4:\r\n"
    for raw in (
        b"ABNANL2A\n940\nABNANL2A\n" + plain,
        b"0000 01INGBNL2AXXXX00001\n940 00\n" + plain + b"-XXX\n",
        b":940:\n" + plain,
        framed + plain[:-2] + b"-}{5:{CHK:000000000000}}\x03" + framed + plain,
        b"\n \n" + plain + b"1. Overview\n\nABNANL2A\n" + plain,
        plain.removesuffix(b"-\n") + plain,
    ):
        found = mt940.inspect(BytesIO(raw))
        assert found.valid, found.errors
        assert {each.sum_minor for each in found.statements} == {100}
        assert found.format == "mt940"


def test_a_time_that_was_wrapped_begins_no_field() -> None:
    raw = made(
        ":61:260102C1,NTRFX", ":86:Paid 2026-01-01T13", ":20:15 at", ":12:11 or", ":25:00", "-", "later"
    )
    (one,) = entries(raw)
    assert one.information == "Paid 2026-01-01T13\n:20:15 at\n:12:11 or\n:25:00\n-\nlater"


def test_text_keeps_what_banks_put_in_it_in_any_encoding() -> None:
    text = "Übertrag für Łukasz"
    raw = made(":61:260102C1,NTRFX", f":86:{text}")
    assert entries(raw)[0].information == text
    for wide in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        assert entries(raw.decode().encode(wide))[0].information == text
    assert entries(b"\xef\xbb\xbf" + raw)[0].information == text
    for encoding in ("cp1252", "latin-1"):
        western = made(":61:260102C1,NTRFX", ":86:Gebühr §3").decode().encode(encoding)
        assert entries(western)[0].information == "Gebühr §3"
    assert entries(made(":61:260102C1,NTRFX", ":86:\u20ac").decode().encode("cp1252"))[0].information == "€"


def test_structured_texts_give_their_references() -> None:
    german, slashed, *_ = entries(MT940)
    assert german.details == Details(
        business_transaction_code="166",
        end_to_end_id="E2E-1",
        remittance="Invoice 7",
        counterparty_name="Ada Lovelace",
        counterparty_account="DE02120300000000202051",
    )
    assert slashed.details == Details(
        end_to_end_id="OUT/7",
        remittance="Rent",
        counterparty_name="Bruno",
        counterparty_account="FR1420041010050500013M02606",
    )
    returned = entries(
        made(":61:260102C1,NRTIX", ":86:/RTRN/AC04//EREF/NOTPROVIDED//CNTP/NL1/INGBNL2A/J. Jansen///")
    )[0]
    assert returned.details == Details(
        return_reason="AC04", counterparty_account="NL1", counterparty_name="J. Jansen"
    )


@pytest.mark.parametrize(
    ("text", "end_to_end_id"),
    [
        ("166?20EREF+EndToEndId TFNR 22 004?21 00001?22SVWZ+X", "EndToEndId TFNR 22 004 00001"),
        ("159?20EREF+TFNR 1?21MTLG:rejected", "TFNR 1"),
        ("835?22EREF+ 12 MREF+ 34 CRED+ 56", "12"),
        ("166?20SVWZ+X?21EREF+NOTPROVIDED", ""),
        ("166?20EREF+" + "X" * 22 + "?21" + "Y" * 27, ""),
        ("/REMI/USTD//EV1//EREF/A/B/", "A/B"),
        ("no structure EREF+1", ""),
    ],
)
def test_a_reference_ends_where_it_is_clear_that_it_does(text: str, end_to_end_id: str) -> None:
    (one,) = entries(made(":61:260102C1,NTRFX", f":86:{text}"))
    assert one.details.end_to_end_id == end_to_end_id


def test_the_extension_of_a_code_is_a_reason_only_where_it_is_one_of_a_return() -> None:
    for extension, reason in (("914", "914"), ("997", ""), ("000", "")):
        (one,) = entries(made(":61:260102C1,NRTIX", f":86:159?20X?34{extension}"))
        assert one.details.return_reason == reason


def test_blanks_that_fill_a_reference_set_off_what_follows() -> None:
    (one,) = entries(made(":61:260102C1,N0440121470966      W.P. Jansen      "))
    assert (one.account_owner_reference, one.supplementary_details) == ("0121470966", "W.P. Jansen")
    (longer,) = entries(made(":61:260102C1,NTRFAReferenceLongerThanSixteen//2022070616391534000"))
    assert longer.account_owner_reference == "AReferenceLongerThanSixteen"
    assert longer.account_servicer_reference == "2022070616391534000"


def test_a_statement_that_does_not_add_up_is_told() -> None:
    assert told(made(":61:260102C1,NTRFX")) == [(code.CONTENT_INCORRECT, "62F")]
    assert told(MT942.replace(b":90D:1GBP10,", b":90D:2GBP10,")) == [(code.CONTENT_INCORRECT, "90D")]


def test_a_message_of_two_currencies_is_refused_where_that_of_its_lines_is_unsure() -> None:
    for raw, path in (
        (made(closing="C260102USD0,"), "62F"),
        (MT942.replace(b":34F:GBPC10,", b":34F:USDC10,"), "34F"),
    ):
        assert refusal(raw)[::2] == (code.INVALID_TRANSACTION_CURRENCY, path)
        assert not mt940.inspect(BytesIO(raw)).readable


def test_another_currency_of_what_is_not_booked_is_not_valid() -> None:
    for raw, path in (
        (made().replace(b"-\n", b":64:C260102USD5,\n-\n"), "64"),
        (made().replace(b"-\n", b":65:C260102USD5,\n-\n"), "65"),
        (MT942.replace(b":90C:1GBP7,", b":90C:1USD7,"), "90C"),
    ):
        found = mt940.inspect(BytesIO(raw))
        assert (found.valid, found.readable, [each.path for each in found.errors]) == (False, True, [path])


def test_an_inspection_tells_that_it_holds_not_the_facts_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mt940, "MOST_STATEMENTS", 2)
    found = mt940.inspect(BytesIO(made() * 3))
    assert (len(found.statements), [each.message for each in found.warnings]) == (
        2,
        ["there are 3 statements: the facts of the first 2 are told"],
    )


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (MT940, "mt940"),
        (MT942, "mt942"),
        (MT103, "mt103"),
        (made(), "mt940"),
        (made().decode().encode("utf-16"), "mt940"),
        (b":940:\r\n:20:X\r\n", "mt940"),
        (made(":61:260102C1,NTRFX", ":86:as told in {2:I103", "942", "text"), "mt940"),
        (b":34F:EURD0,\n:61:2601020102C1,NTRFX", "mt942"),
        (b":20:X\n:32A:260102EUR1,\n", ""),
        (BAI2, ""),
        (b"", ""),
        (b"<Document/>", ""),
    ],
)
def test_a_type_is_known_by_its_content_and_not_by_its_text(raw: bytes, kind: str) -> None:
    assert kind_of(raw) == kind


_AMOUNTS = st.integers(0, 10**12)
_DAYS = st.dates(date(2000, 1, 1), date(2079, 12, 31))


def _swift(minor: int) -> str:
    return f"{minor // 100},{minor % 100:02}"


@given(
    st.lists(
        st.tuples(_DAYS, st.integers(-30, 30), st.sampled_from(["C", "D", "RC", "RD", "CR", "DR"]), _AMOUNTS),
        max_size=6,
    )
)
def test_what_keeps_to_the_standard_is_read_as_the_library_reads_it(
    lines: list[tuple[date, int, str, int]],
) -> None:
    fields = []
    for value, apart, mark, minor in lines:
        entry = value + timedelta(apart)
        fields.append(f":61:{value:%y%m%d}{entry:%m%d}{mark}{_swift(minor)}NTRFREF//BANK\n:86:text")
    raw = made(*fields)
    theirs = library.parse(raw.decode(), options=library.Options.all())
    ours = entries(raw)
    assert len(ours) == len(theirs.transactions) == len(lines)
    for one, other in zip(ours, theirs.transactions, strict=True):
        assert Decimal(one.signed_minor) / 100 == other.data["amount"].amount
        assert one.value_date == other.data["date"]
        assert one.account_servicer_reference == other.data["bank_reference"]
    for one, (value, apart, _, _) in zip(ours, lines, strict=True):
        assert one.entry_date == value + timedelta(apart)


def test_mutated_files_end_in_records_or_a_refusal() -> None:
    random = Random(21)
    for at in range(600):
        raw = mutated((MT940 + MT940, MT942, made(":86:x"))[at % 3], random)
        found = mt940.inspect(BytesIO(raw))
        if found.format not in ("mt940", "mt941", "mt942", "mt950"):
            continue
        try:
            records(raw)
        except InvalidFile:
            assert not found.readable
        else:
            assert found.readable


def test_memory_is_flat_and_hostile_repeats_end_soon() -> None:
    many = made(*[":61:260102C1,NTRFX\n:86:text"] * 5_000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in mt940.read(BytesIO(many))) == 5_002
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    for raw in (
        made(":61:260102C1,NTRFX", *[":86:" + "x" * 60] * 10_000),
        made(":61:260102C1,NTRFX", ":86:x", *["x" * 60] * 10_000),
        b"{1:" * 3_000_000,
        b":20:A\n" * 30_000,
        made(":61:" + "0" * 15_000, ":61:260102C" + "1" * 15_000, ":61:260102C" + "," * 15_000),
        b"\n" * 300_000,
        b"\0" * 100,
    ):
        assert mt940.inspect(BytesIO(raw)).errors
    assert entries(made(":61:260102C1,NTRFX", ":86:123" + "?20" * 5_000))
    assert entries(made(":61:260102C1,NTRFX", ":86:" + "/EREF" * 3_000))
