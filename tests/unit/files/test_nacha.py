"""NACHA files: what each record says, what is refused for it, and that nothing hostile gets through."""

import random
import tracemalloc
from io import BytesIO

import pytest

from goodfunds.files import nacha
from goodfunds.files.nacha_addenda_records import (
    ContestedReturn,
    DishonoredReturn,
    InternationalInformation,
    NotificationOfChange,
    Return,
    TerminalInformation,
)
from goodfunds.files.nacha_codes import check_digit, is_routing_number
from goodfunds.files.nacha_records import (
    AccountingAdvice,
    BatchControl,
    BatchHeader,
    EntryDetail,
    FileControl,
    FileHeader,
    InternationalBatchHeader,
    InternationalEntryDetail,
)
from goodfunds.files.records import FileError, InvalidFile
from goodfunds.rails import reasons as code
from tests.unit.files.nacha_made import (
    CHANGE,
    CONTESTED,
    CREDIT,
    DEBIT,
    DISHONORED,
    FILLER,
    HEADER,
    IAT,
    IAT_ADDENDA,
    IAT_ENTRY,
    PAYROLL,
    REFUSED,
    RETURN,
    RETURNED,
    SMALL,
    addenda,
    batch_control,
    changed,
    file_control,
    put,
    raw,
    whole,
)


def records(lines: list[str]) -> list[nacha.Record]:
    return list(nacha.read(BytesIO(raw(lines))))


def errors(data: bytes) -> tuple[FileError, ...]:
    """What is wrong with a file."""
    with pytest.raises(InvalidFile) as refused:
        list(nacha.read(BytesIO(data)))
    assert refused.value.errors == nacha.inspect(BytesIO(data)).errors
    return refused.value.errors


def faults(lines: list[str]) -> set[tuple[str, str]]:
    """Code and path of each error."""
    return {(each.code, each.path) for each in errors(raw(lines))}


def test_a_file_is_read_record_by_record() -> None:
    header, batch, credit, debit, ends, control = records(SMALL)
    assert header == FileHeader(
        "091000019", "1234567890", "260302", "0930", "A", "FIRST BANK", "ADA WORKS", "REF00001"
    )
    assert batch == BatchHeader(
        "200", "ADA WORKS", "1234567890", "PPD", "PAYROLL", "09100001", 1, "", "260302", "260303"
    )
    assert credit == EntryDetail("22", "011401533", "0072", 1240_50, "JANE DOE", "091000010000001", "E1")
    assert debit == EntryDetail("27", "091000019", "1899", 1240_50, "ACME LLC", "091000010000002", "E2")
    assert ends == BatchControl("200", 2, 10240154, 1240_50, 1240_50, "1234567890", "09100001", 1)
    assert control == FileControl(1, 1, 2, 10240154, 1240_50, 1240_50)


def test_an_inspection_tells_credits_less_debits_and_both() -> None:
    found = nacha.inspect(BytesIO(raw(whole(PAYROLL, CREDIT))))
    assert (found.format, found.valid, found.readable, found.entries) == ("nacha", True, True, 1)
    assert dict(found.sums) == {"USD": 1240_50}
    assert found.details["credit_minor"] == "124050"
    assert found.details["debit_minor"] == "0"
    assert found.details["sec_codes"] == "PPD"
    assert found.warnings == ()


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", ""])
def test_line_breaks_of_any_kind_and_none_read_the_same(line_break: str) -> None:
    assert list(nacha.read(BytesIO(raw(SMALL, line_break)))) == records(SMALL)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("line_break", ["\n", ""])
def test_a_file_in_any_width_of_unicode_reads_the_same(encoding: str, line_break: str) -> None:
    data = raw(SMALL, line_break).decode().encode(encoding)
    assert list(nacha.read(BytesIO(data))) == records(SMALL)


def test_an_error_in_lines_that_are_padded_far_beyond_a_record_is_told_with_its_line() -> None:
    padded = [line.ljust(94 * 3) for line in changed(3, 30, "x")]
    assert nacha.inspect(BytesIO(raw(padded))).errors[0].line == 3
    without = raw(changed(3, 30, "x"), "")
    assert nacha.inspect(BytesIO(without)).errors[0].line == 3
    many = [*SMALL[:2], *[SMALL[2]] * 2_000, "x" * 94]
    assert nacha.inspect(BytesIO(raw(many, ""))).errors[0].line == 2_003


def test_records_keep_their_line_and_without_breaks_their_number() -> None:
    for line_break in ("\r\n", ""):
        found = list(nacha.read(BytesIO(raw(SMALL, line_break))))
        assert [each.line for each in found] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", ""])
def test_what_is_read_does_not_depend_on_the_pieces_that_a_source_gives(line_break: str) -> None:
    class Dripping(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(7)

    assert list(nacha.read(Dripping(raw(SMALL, line_break)))) == records(SMALL)


def test_blanks_cut_off_behind_the_file_header_and_control_are_borne_with_a_warning() -> None:
    cut = [SMALL[0][:63], *SMALL[1:5], SMALL[5].rstrip(), *SMALL[6:]]
    found = nacha.inspect(BytesIO(raw(cut)))
    assert found.valid
    assert [each.line for each in found.warnings] == [1, 6]


@pytest.mark.parametrize("line", [2, 3, 5])
def test_a_record_one_character_short_is_refused(line: int) -> None:
    short = [*SMALL[: line - 1], SMALL[line - 1][:-1], *SMALL[line:]]
    assert errors(raw(short))[0].line == line


def test_a_record_one_character_long_is_refused_and_blanks_behind_one_are_not() -> None:
    assert errors(raw([*SMALL[:2], SMALL[2] + "1", *SMALL[3:]]))[0].code == code.INVALID_FILE_FORMAT
    assert nacha.inspect(BytesIO(raw([*SMALL[:2], SMALL[2] + "   ", *SMALL[3:]]))).valid


def test_a_file_that_is_not_filled_to_its_block_is_valid_with_a_warning() -> None:
    found = nacha.inspect(BytesIO(raw(SMALL[:6])))
    assert found.valid
    assert found.warnings[0].path == "Record"


@pytest.mark.parametrize(
    ("line", "first", "text", "fault"),
    [
        (1, 2, "02", (code.INVALID_FILE_FORMAT, "FileHeader/PriorityCode")),
        (1, 4, " " * 10, (code.MANDATORY_ELEMENT_MISSING, "FileHeader/ImmediateDestination")),
        (1, 14, " " * 10, (code.MANDATORY_ELEMENT_MISSING, "FileHeader/ImmediateOrigin")),
        (1, 24, "260230", (code.INVALID_DATE, "FileHeader/FileCreationDate")),
        (1, 35, "095", (code.INVALID_FILE_FORMAT, "FileHeader/RecordSize")),
        (1, 38, "20", (code.INVALID_FILE_FORMAT, "FileHeader/BlockingFactor")),
        (1, 40, "9", (code.INVALID_FILE_FORMAT, "FileHeader/FormatCode")),
        (2, 2, "100", (code.CONTENT_INCORRECT, "Batch[1]/ServiceClassCode")),
        (2, 2, "280", (code.CONTENT_INCORRECT, "Batch[1]/ServiceClassCode")),
        (2, 2, "225", (code.CONTENT_INCORRECT, "Batch[1]/Entry[1]/TransactionCode")),
        (2, 2, "220", (code.CONTENT_INCORRECT, "Batch[1]/Entry[2]/TransactionCode")),
        (2, 5, "0" * 16, (code.MANDATORY_ELEMENT_MISSING, "Batch[1]/CompanyName")),
        (2, 41, "9", (code.CONTENT_INCORRECT, "Batch[1]/BatchControl/CompanyIdentification")),
        (2, 51, "XXX", (code.CONTENT_INCORRECT, "Batch[1]/StandardEntryClassCode")),
        (2, 54, "0" * 10, (code.MANDATORY_ELEMENT_MISSING, "Batch[1]/CompanyEntryDescription")),
        (2, 79, "3", (code.CONTENT_INCORRECT, "Batch[1]/OriginatorStatusCode")),
        (2, 80, "11", (code.CONTENT_INCORRECT, "Batch[1]/BatchControl/OriginatingDFIIdentification")),
        (2, 94, "2", (code.CONTENT_INCORRECT, "Batch[1]/BatchControl/BatchNumber")),
        (3, 2, "90", (code.CONTENT_INCORRECT, "Batch[1]/Entry[1]/TransactionCode")),
        (3, 2, "81", (code.CONTENT_INCORRECT, "Batch[1]/Entry[1]/TransactionCode")),
        (3, 2, "23", (code.NOT_ALLOWED_AMOUNT, "Batch[1]/Entry[1]/Amount")),
        (3, 2, "24", (code.NOT_ALLOWED_AMOUNT, "Batch[1]/Entry[1]/Amount")),
        (3, 12, "4", (code.CONTENT_INCORRECT, "Batch[1]/Entry[1]/ReceivingDFIIdentification")),
        (3, 13, " " * 17, (code.INCORRECT_ACCOUNT_NUMBER, "Batch[1]/Entry[1]/DFIAccountNumber")),
        (3, 30, "0" * 10, (code.ZERO_AMOUNT, "Batch[1]/Entry[1]/Amount")),
        (3, 30, "+000124050", (code.INVALID_AMOUNT, "Batch[1]/Entry[1]/Amount")),
        (3, 30, "    124050", (code.INVALID_AMOUNT, "Batch[1]/Entry[1]/Amount")),
        (3, 30, "1_000_0000", (code.INVALID_AMOUNT, "Batch[1]/Entry[1]/Amount")),
        (3, 30, "٠٠٠٠١٢٤٠٥٠", (code.INVALID_AMOUNT, "Batch[1]/Entry[1]/Amount")),
        (3, 79, "1", (code.CONTENT_INCORRECT, "Batch[1]/Entry[1]/AddendaRecordIndicator")),
        (3, 79, "5", (code.CONTENT_INCORRECT, "Batch[1]/Entry[1]/AddendaRecordIndicator")),
        (3, 94, " ", (code.CONTENT_INCORRECT, "Batch[1]/Entry[1]/TraceNumber")),
        (5, 2, "220", (code.CONTENT_INCORRECT, "Batch[1]/BatchControl/ServiceClassCode")),
        (5, 10, "3", (code.INVALID_NUMBER_OF_TRANSACTIONS, "Batch[1]/BatchControl/EntryAddendaCount")),
        (5, 20, "5", (code.INVALID_CONTROL_SUM, "Batch[1]/BatchControl/EntryHash")),
        (5, 32, "1", (code.INVALID_CONTROL_SUM, "Batch[1]/BatchControl/TotalDebitEntryDollarAmount")),
        (5, 44, "1", (code.INVALID_CONTROL_SUM, "Batch[1]/BatchControl/TotalCreditEntryDollarAmount")),
        (6, 7, "2", (code.INVALID_NUMBER_OF_TRANSACTIONS, "FileControl/BatchCount")),
        (6, 13, "2", (code.INVALID_NUMBER_OF_TRANSACTIONS, "FileControl/BlockCount")),
        (6, 21, "3", (code.INVALID_NUMBER_OF_TRANSACTIONS, "FileControl/EntryAddendaCount")),
        (6, 31, "5", (code.INVALID_CONTROL_SUM, "FileControl/EntryHash")),
        (6, 43, "1", (code.INVALID_CONTROL_SUM, "FileControl/TotalDebitEntryDollarAmount")),
        (6, 55, "1", (code.INVALID_CONTROL_SUM, "FileControl/TotalCreditEntryDollarAmount")),
        (7, 1, "8", (code.INVALID_FILE_FORMAT, "Record")),
    ],
)
def test_a_field_that_breaks_its_rule_is_refused_by_its_name(
    line: int, first: int, text: str, fault: tuple[str, str]
) -> None:
    assert fault in faults(changed(line, first, text))


@pytest.mark.parametrize(
    ("line", "first", "text", "path"),
    [
        (1, 4, " 091000018", "FileHeader/ImmediateDestination"),
        (1, 30, "2460", "FileHeader/FileCreationTime"),
        (1, 34, " ", "FileHeader/FileIDModifier"),
        (2, 5, " " * 16, "Batch[1]/CompanyName"),
        (2, 70, "202613", "Batch[1]/EffectiveEntryDate"),
        (2, 79, "0", "Batch[1]/OriginatorStatusCode"),
        (4, 94, "1", "Batch[1]/Entry[2]/TraceNumber"),
        (4, 80, "1", "Batch[1]/Entry[2]/TraceNumber"),
        (3, 55, "JANÉ", "Batch[1]/Record"),
    ],
)
def test_what_operators_mend_is_a_warning(line: int, first: int, text: str, path: str) -> None:
    found = nacha.inspect(BytesIO(raw(changed(line, first, text))))
    assert found.valid
    assert path in {each.path for each in found.warnings}


@pytest.mark.parametrize("character", ["\0", "\x1a", "\x7f", "\x85", "�"])
def test_characters_that_are_not_alphameric_are_refused(character: str) -> None:
    assert any(path.endswith("Record") for _, path in faults(changed(3, 60, character)))


def test_latin_1_bytes_count_as_one_character_each() -> None:
    data = raw(SMALL).replace(b"JANE", b"JAN\xc9")
    entry = list(nacha.read(BytesIO(data)))[2]
    assert isinstance(entry, EntryDetail)
    assert entry.individual_name == "JANÉ DOE"


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ([], (code.INVALID_FILE_FORMAT, "")),
        (SMALL[1:], (code.MANDATORY_ELEMENT_MISSING, "FileHeader")),
        (SMALL[:5], (code.MANDATORY_ELEMENT_MISSING, "FileControl")),
        (SMALL[:4], (code.MANDATORY_ELEMENT_MISSING, "Batch[1]/BatchControl")),
        ([SMALL[0], *SMALL[2:]], (code.INVALID_FILE_FORMAT, "Entry")),
        ([*SMALL[:4], *SMALL[1:]], (code.MANDATORY_ELEMENT_MISSING, "Batch[1]/BatchControl")),
        ([*SMALL[:5], *SMALL[4:]], (code.INVALID_FILE_FORMAT, "BatchControl")),
        ([SMALL[0], *SMALL], (code.INVALID_FILE_FORMAT, "Record")),
        ([SMALL[1], SMALL[0], *SMALL[2:]], (code.MANDATORY_ELEMENT_MISSING, "FileHeader")),
        ([*SMALL[:5], FILLER, *SMALL[5:]], (code.INVALID_FILE_FORMAT, "Record")),
        ([*SMALL, *SMALL], (code.INVALID_FILE_FORMAT, "Record")),
        ([*SMALL[:2], "4" * 94, *SMALL[2:]], (code.INVALID_FILE_FORMAT, "Batch[1]/Record")),
        ([*SMALL[:2], "705".ljust(94), *SMALL[2:]], (code.INVALID_FILE_FORMAT, "Batch[1]/Addenda")),
        ([SMALL[0], SMALL[1], *SMALL[4:]], (code.MANDATORY_ELEMENT_MISSING, "Batch[1]/Entry")),
    ],
)
def test_records_out_of_their_order_are_refused(lines: list[str], fault: tuple[str, str]) -> None:
    assert fault in faults(lines)


@pytest.mark.parametrize(
    "lines",
    [[*SMALL, *SMALL], [*SMALL[:6], SMALL[3]], changed(3, 2, "90")],
    ids=["second file", "entry behind the control", "code of no direction"],
)
def test_a_file_of_which_money_is_not_counted_is_not_readable(lines: list[str]) -> None:
    found = nacha.inspect(BytesIO(raw(lines)))
    assert (found.valid, found.readable) == (False, False)


def test_a_file_of_batches_alone_is_not_valid_but_read_as_batches() -> None:
    found = nacha.inspect(BytesIO(raw(SMALL[1:5])))
    assert (found.valid, found.readable, found.entries) == (False, True, 2)
    assert [each.path for each in found.errors] == ["FileHeader", "FileControl"]
    assert list(nacha.read_batches(BytesIO(raw(SMALL[1:5])))) == records(SMALL)[1:5]


def test_a_file_without_batches_is_valid() -> None:
    assert nacha.inspect(BytesIO(raw([HEADER, file_control(0, 2, 0, 0, 0, 0)]))).valid


def test_the_entry_hash_keeps_its_rightmost_ten_digits() -> None:
    entries = [put(put(CREDIT, 4, "99999998"), 12, check_digit("99999998"))] * 101
    lines = [put(entry, 88, f"{number:07}") for number, entry in enumerate(entries, 1)]
    assert 99999998 * 101 > 10**10
    hashed = 99999998 * 101 % 10**10
    control = batch_control(PAYROLL, 101, hashed, 0, 101 * 1240_50)
    made = [HEADER, PAYROLL, *lines, control, file_control(1, 105, 101, hashed, 0, 101 * 1240_50)]
    assert nacha.inspect(BytesIO(raw(made))).valid


def test_check_digits_of_routing_numbers() -> None:
    assert is_routing_number("091000019")
    assert is_routing_number("011401533")
    assert not is_routing_number("091000018")
    assert not is_routing_number("09100001")
    assert not is_routing_number("09100001x")


# --- addenda and classes -----------------------------------------------------------------------------


WITH_ADDENDA = put(CREDIT, 79, "1")


def only_entry(lines: list[str]) -> EntryDetail:
    (entry,) = (each for each in records(lines) if isinstance(each, EntryDetail))
    return entry


def test_a_return_says_why_and_of_which_entry() -> None:
    lines = whole(PAYROLL, RETURNED, RETURN)
    assert only_entry(lines).addenda == (
        Return("R01", "011401530000009", "01140153", "091000010000001", "", "NOT ENOUGH"),
    )
    found = nacha.inspect(BytesIO(raw(lines)))
    assert (found.details["returns"], found.details["return_codes"]) == ("1", "R01")


def test_dishonored_and_contested_returns_are_told_apart_by_their_reason() -> None:
    (dishonored,) = only_entry(whole(PAYROLL, RETURNED, DISHONORED)).addenda
    assert dishonored == DishonoredReturn(
        "R68", "011401530000009", "01140153", "091000010000003", "062", "01", "LATE", "091000010000001"
    )
    (contested,) = only_entry(whole(PAYROLL, RETURNED, CONTESTED)).addenda
    assert isinstance(contested, ContestedReturn)
    assert (contested.original_returned_on, contested.original_settlement_date) == ("260301", "060")
    assert (contested.return_settlement_date, contested.return_reason) == ("062", "01")
    assert (contested.dishonored_settlement_date, contested.dishonored_reason) == ("063", "68")


def test_notifications_of_change_and_their_refusals() -> None:
    changes = put(PAYROLL, 51, "COR")
    entry = put(RETURNED, 30, "0" * 10)
    (change,) = only_entry(whole(changes, entry, CHANGE)).addenda
    assert change == NotificationOfChange("C01", "011401530000009", "01140153", "12345678", "091000010000001")
    (refused,) = only_entry(whole(changes, entry, REFUSED)).addenda
    assert isinstance(refused, NotificationOfChange)
    assert (refused.refused_change_code, refused.refused_sequence) == ("C01", "0000042")
    found = nacha.inspect(BytesIO(raw(whole(changes, entry, CHANGE))))
    assert (found.details["corrections"], found.details["change_codes"]) == ("1", "C01")


@pytest.mark.parametrize(
    ("header", "entry", "addendum"),
    [
        (PAYROLL, RETURNED, put(RETURN, 4, "R96")),
        (PAYROLL, RETURNED, put(RETURN, 4, "R90")),
        (put(PAYROLL, 51, "COR"), put(RETURNED, 30, "0" * 10), put(REFUSED, 65, "C62")),
        (put(PAYROLL, 51, "COR"), put(RETURNED, 30, "0" * 10), put(REFUSED, 68, "ABCDEFG")),
        (put(PAYROLL, 51, "COR"), put(RETURNED, 30, "0" * 10), put(CHANGE, 4, "C92")),
        (put(PAYROLL, 51, "COR"), RETURNED, CHANGE),
        (put(PAYROLL, 51, "COR"), put(RETURNED, 30, "0" * 10), put(CHANGE, 36, " " * 29)),
        (put(PAYROLL, 51, "COR"), put(RETURNED, 30, "0" * 10), RETURN),
        (put(PAYROLL, 51, "COR"), put(put(RETURNED, 30, "0" * 10), 2, "22"), CHANGE),
        (PAYROLL, RETURNED, put(RETURN, 2, "97")),
    ],
    ids=[
        "unknown return",
        "unassigned return",
        "refusal of a refusal",
        "refusal of no change",
        "unknown change",
        "change with money",
        "nothing corrected",
        "no change",
        "live",
        "type",
    ],
)
def test_returns_and_changes_that_break_their_rules_are_refused(
    header: str, entry: str, addendum: str
) -> None:
    faults(whole(header, entry, addendum))


@pytest.mark.parametrize(
    ("entry", "addendum", "path"),
    [
        (WITH_ADDENDA, RETURN, "TransactionCode"),
        (RETURNED, put(RETURN, 80, "091000010000002"), "Addenda99/TraceNumber"),
        (RETURNED, put(RETURN, 4, "R14"), "Addenda99/DateOfDeath"),
        (RETURNED, put(put(RETURN, 4, "R15"), 22, "260230"), "Addenda99/DateOfDeath"),
    ],
)
def test_a_return_that_is_not_to_the_letter_is_read_with_a_warning(
    entry: str, addendum: str, path: str
) -> None:
    found = nacha.inspect(BytesIO(raw(whole(PAYROLL, entry, addendum))))
    assert found.valid
    assert [each.path for each in found.warnings] == [f"Batch[1]/Entry[1]/{path}"]


def test_a_death_has_its_day() -> None:
    died = put(put(RETURN, 4, "R14"), 22, "260228")
    assert nacha.inspect(BytesIO(raw(whole(PAYROLL, RETURNED, died)))).warnings == ()


def test_remittance_beside_a_return_is_told() -> None:
    found = nacha.inspect(BytesIO(raw(whole(PAYROLL, RETURNED, remittance(1), RETURN))))
    assert found.valid
    assert [each.path for each in found.warnings] == ["Batch[1]/Entry[1]/Addenda"]


@pytest.mark.parametrize(("name", "description"), [("ENR", "AUTOENROLL"), ("DNE", "DEATH     ")])
def test_a_code_of_live_entries_where_no_money_moves_is_told(name: str, description: str) -> None:
    header = put(put(PAYROLL, 51, name), 54, description)
    nothing = put(put(WITH_ADDENDA, 30, "0" * 10), 55, "0001")
    found = nacha.inspect(BytesIO(raw(whole(header, nothing, remittance(1)))))
    assert (found.valid, [each.path for each in found.warnings]) == (
        True,
        ["Batch[1]/Entry[1]/TransactionCode"],
    )
    assert nacha.inspect(BytesIO(raw(whole(header, put(nothing, 2, "23"), remittance(1))))).warnings == ()


def remittance(sequence: int, entry: str = "0000001") -> str:
    return "705" + f"RMT*{sequence}\\".ljust(80) + f"{sequence:04}{entry}"


CTX = put(PAYROLL, 51, "CTX")
CTX_ENTRY = put(WITH_ADDENDA, 55, "0002ACME CORPORATION  ")


def test_ctx_states_how_many_addenda_it_has() -> None:
    entry = only_entry(whole(CTX, CTX_ENTRY, remittance(1), remittance(2)))
    assert (entry.individual_name, len(entry.addenda)) == ("ACME CORPORATION", 2)
    path = "Batch[1]/Entry[1]/NumberOfAddendaRecords"
    assert (code.INVALID_NUMBER_OF_TRANSACTIONS, path) in faults(whole(CTX, CTX_ENTRY, remittance(1)))


@pytest.mark.parametrize("name", ["PPD", "CCD", "WEB", "CIE"])
def test_classes_of_one_addenda_have_no_second(name: str) -> None:
    header = put(PAYROLL, 51, name)
    assert nacha.inspect(BytesIO(raw(whole(header, WITH_ADDENDA, remittance(1))))).valid
    assert not nacha.inspect(BytesIO(raw(whole(header, WITH_ADDENDA, remittance(1), remittance(2))))).valid


def test_an_addenda_that_names_another_entry_is_refused() -> None:
    fault = (code.CONTENT_INCORRECT, "Batch[1]/Entry[1]/Addenda05/EntryDetailSequenceNumber")
    assert fault in faults(whole(PAYROLL, WITH_ADDENDA, remittance(1, "0000009")))


DEBITS = put(PAYROLL, 2, "225")


@pytest.mark.parametrize("name", ["ARC", "BOC", "POP", "TEL", "TRC", "XCK", "RCK"])
def test_classes_of_debits_take_no_credit_and_no_addenda_but_reverse_by_credits(name: str) -> None:
    description = "REDEPCHECK" if name == "RCK" else "CHECKS    "
    header, credits_ = (put(put(each, 51, name), 54, description) for each in (DEBITS, PAYROLL))
    small = put(DEBIT, 30, "0000100000")
    assert nacha.inspect(BytesIO(raw(whole(header, small)))).valid
    assert not nacha.inspect(BytesIO(raw(whole(credits_, put(CREDIT, 30, "0000100000"))))).valid
    reversal = put(credits_, 54, "REVERSAL  ")
    assert nacha.inspect(BytesIO(raw(whole(reversal, put(CREDIT, 30, "0000100000"))))).valid
    path = "Batch[1]/Entry[1]/Addenda"
    assert (code.CONTENT_INCORRECT, path) in faults(
        whole(header, put(small, 79, "1"), remittance(1, "0000002"))
    )


@pytest.mark.parametrize(("name", "most"), [("ARC", 25_000_00), ("RCK", 2_500_00), ("XCK", 2_500_00)])
def test_checks_have_a_largest_amount(name: str, most: int) -> None:
    header = put(put(DEBITS, 51, name), 54, "REDEPCHECK")
    assert nacha.inspect(BytesIO(raw(whole(header, put(DEBIT, 30, f"{most:010}"))))).valid
    fault = (code.NOT_ALLOWED_AMOUNT, "Batch[1]/Entry[1]/Amount")
    assert fault in faults(whole(header, put(DEBIT, 30, f"{most + 1:010}")))


def test_tel_names_its_receiver() -> None:
    header = put(DEBITS, 51, "TEL")
    fault = (code.MANDATORY_ELEMENT_MISSING, "Batch[1]/Entry[1]/IndividualName")
    assert fault in faults(whole(header, put(DEBIT, 55, " " * 22)))
    assert fault in faults(whole(header, put(DEBIT, 55, "0" * 22)))


def test_prenotes_and_zero_dollar_entries_carry_nothing() -> None:
    nothing = put(CREDIT, 30, "0" * 10)
    assert nacha.inspect(BytesIO(raw(whole(PAYROLL, put(nothing, 2, "23"))))).valid
    assert nacha.inspect(BytesIO(raw(whole(put(PAYROLL, 51, "CCD"), put(nothing, 2, "24"))))).valid
    assert not nacha.inspect(BytesIO(raw(whole(PAYROLL, put(nothing, 2, "24"))))).valid


def test_pos_has_its_terminal_in_one_addenda() -> None:
    terminal = (
        "702REF0001ABCTERM01000042030212345612 EAST MARKET".ljust(62) + "ANYTOWN        VA091000010000002"
    )
    header, entry = put(DEBITS, 51, "POS"), put(DEBIT, 79, "1")
    assert only_entry(whole(header, entry, terminal)).addenda == (
        TerminalInformation(
            "REF0001", "ABC", "TERM01", "000042", "0302", "123456", "12 EAST MARKET", "ANYTOWN", "VA",
            "091000010000002",
        ),
    )  # fmt: skip
    fault = (code.INVALID_NUMBER_OF_TRANSACTIONS, "Batch[1]/Entry[1]/Addenda")
    assert fault in faults(whole(header, DEBIT))


def test_iat_entries_carry_their_parties_in_addenda() -> None:
    _, header, entry, _, _ = records(whole(IAT, IAT_ENTRY, *IAT_ADDENDA))
    assert isinstance(header, InternationalBatchHeader)
    assert (header.destination_country, header.originating_currency, header.destination_currency) == (
        "DE",
        "USD",
        "EUR",
    )
    assert isinstance(entry, InternationalEntryDetail)
    assert (entry.account_number, entry.amount_minor) == ("DE89370400440532013000", 1240_50)
    kinds = [each.type_code for each in entry.addenda if isinstance(each, InternationalInformation)]
    assert kinds == ["10", "11", "12", "13", "14", "15", "16"]
    first = entry.addenda[0]
    assert isinstance(first, InternationalInformation)
    assert first.values["receiver_name"] == "MAX MUELLER"


@pytest.mark.parametrize("number", range(7))
def test_iat_without_one_of_its_addenda_or_with_one_twice_is_refused(number: int) -> None:
    fault = (code.MANDATORY_ELEMENT_MISSING, "Batch[1]/Entry[1]/Addenda")
    less = [each for index, each in enumerate(IAT_ADDENDA) if index != number]
    assert fault in faults(whole(IAT, IAT_ENTRY, *less))
    assert fault in faults(whole(IAT, IAT_ENTRY, *IAT_ADDENDA, IAT_ADDENDA[number]))


def test_addenda_of_iat_that_name_another_entry_are_refused() -> None:
    fault = (code.CONTENT_INCORRECT, "Batch[1]/Entry[1]/Addenda/EntryDetailSequenceNumber")
    assert fault in faults(whole(IAT, IAT_ENTRY, put(IAT_ADDENDA[0], 88, "9999999"), *IAT_ADDENDA[1:]))


IAT_CHANGES = put(put(IAT, 5, "IATCOR"), 51, "COR")
IAT_CHANGED = put(put(IAT_ENTRY, 2, "21"), 30, "0" * 10)


@pytest.mark.parametrize("parties", [IAT_ADDENDA, []], ids=["with parties", "without"])
def test_a_change_about_iat_has_room_for_an_account_abroad_and_may_leave_the_parties_out(
    parties: list[str],
) -> None:
    account = "MT84MALT011000012345MTLCAST001S1234"
    lines = whole(
        IAT_CHANGES, put(IAT_CHANGED, 13, f"{len(parties) + 1:04}"), *parties, put(CHANGE, 36, account)
    )
    found = nacha.inspect(BytesIO(raw(lines)))
    assert (found.valid, found.warnings) == (True, ())
    (entry,) = (each for each in records(lines) if isinstance(each, InternationalEntryDetail))
    change = entry.addenda[-1]
    assert isinstance(change, NotificationOfChange)
    assert change.corrected_data == account


@pytest.mark.parametrize("addenda_", [[], IAT_ADDENDA, [*IAT_ADDENDA[1:], CHANGE], [CHANGE, CHANGE]])
def test_a_change_about_iat_without_its_addenda_or_with_parties_in_part_is_refused(
    addenda_: list[str],
) -> None:
    faults(whole(IAT_CHANGES, IAT_CHANGED, *addenda_))


@pytest.mark.parametrize(
    ("first", "text"), [(21, "XX"), (39, "  "), (64, "US "), (67, "QQQ"), (41, "0" * 10)]
)
def test_an_iat_batch_names_its_currencies_country_and_originator(first: int, text: str) -> None:
    assert faults(whole(put(IAT, first, text), IAT_ENTRY, *IAT_ADDENDA))


def test_iat_has_at_most_two_remittances_and_known_transaction_types() -> None:
    more = [addenda(f"17INVOICE {number}".ljust(82) + f"{number:04}", "0000001") for number in (1, 2, 3)]
    assert nacha.inspect(BytesIO(raw(whole(IAT, IAT_ENTRY, *IAT_ADDENDA, *more[:2])))).valid
    assert not nacha.inspect(BytesIO(raw(whole(IAT, IAT_ENTRY, *IAT_ADDENDA, *more)))).valid
    assert faults(whole(IAT, IAT_ENTRY, put(IAT_ADDENDA[0], 4, "BIL"), *IAT_ADDENDA[1:]))


def test_advices_have_wider_amounts_and_controls() -> None:
    header = put(put(put(PAYROLL, 2, "280"), 51, "ADV"), 79, "0")
    advice = (
        "681011401533"
        + "0072".ljust(15)
        + "000000124050"
        + "09100001911131 "
        + "FIRST BANK".ljust(22)
        + "  0"
    )
    lines = whole(header, advice + "091000010610001", put(advice, 3, "2") + "091000010610002", advices=True)
    found = [each for each in records(lines) if isinstance(each, AccountingAdvice)]
    assert [(each.amount_minor, each.julian_day, each.sequence_number) for each in found] == [
        (1240_50, "061", "0001"),
        (1240_50, "061", "0002"),
    ]
    assert nacha.inspect(BytesIO(raw(lines))).details["debit_minor"] == "124050"


# --- hostile -----------------------------------------------------------------------------------------


def test_a_file_that_is_cut_at_any_byte_is_refused() -> None:
    data = raw(SMALL)
    for at in range(len(raw(SMALL[:5])) + 55):
        errors(data[:at])


def test_bytes_changed_at_random_end_in_a_reading_or_a_refusal() -> None:
    chance = random.Random(6)
    data = raw(whole(CTX, CTX_ENTRY, remittance(1), remittance(2)) + whole(IAT, IAT_ENTRY, *IAT_ADDENDA))
    for _ in range(300):
        made = bytearray(data)
        for _ in range(chance.randint(1, 12)):
            at = chance.randrange(len(made))
            made[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        found = nacha.inspect(BytesIO(made))
        assert found.valid == (not found.errors)


def test_a_hundred_things_are_told_and_no_more() -> None:
    found = nacha.inspect(BytesIO(raw(["x" * 94] * 1_000)))
    assert len(found.errors) == 100
    assert not found.readable


@pytest.mark.parametrize(
    ("piece", "pieces"),
    [(b"9", 40), (b"6", 40), (b" ", 40), (b"\0", 40), (b"\xff", 10), (b"7" * 94 + b"\n", 40), (b"\r", 5)],
)
def test_memory_stays_flat_whatever_comes(piece: bytes, pieces: int) -> None:
    class Endless(BytesIO):
        left = pieces

        def read(self, size: int | None = -1, /) -> bytes:
            self.left -= 1
            return piece * ((size or 1) // len(piece)) if self.left >= 0 else b""

    tracemalloc.start()
    nacha.inspect(Endless())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


def test_more_addenda_than_an_entry_can_have_are_refused_and_not_kept() -> None:
    lines = whole(CTX, CTX_ENTRY, *[remittance(number % 10_000) for number in range(1, 10_002)])
    fault = (code.INVALID_NUMBER_OF_TRANSACTIONS, "Batch[1]/Entry[1]/Addenda")
    assert fault in faults(lines)
