"""NACHA files that are written: what is read back is what was written, and what would be refused is not."""

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goodfunds.files import nacha
from goodfunds.files.markup import Unwritable
from goodfunds.files.nacha_addenda_records import (
    Addenda,
    ContestedReturn,
    DishonoredReturn,
    NotificationOfChange,
    PaymentRelatedInformation,
    Return,
)
from goodfunds.files.nacha_codes import CONTESTED, DISHONORED, RETURN_REASONS, check_digit
from goodfunds.files.nacha_records import (
    AchBatch,
    AchFile,
    BatchControl,
    BatchHeader,
    EntryDetail,
    FileControl,
    FileHeader,
)
from goodfunds.files.nacha_returns import changed_entry, changed_header, returned_entry, returned_header

HEADER = FileHeader("091000019", "1234567890", "260302", "0930", "A", "FIRST BANK", "ADA WORKS", "REF1")
BATCH = BatchHeader("200", "ADA WORKS", "1234567890", "PPD", "PAYROLL", "09100001", 1, "", "", "260303")
ENTRY = EntryDetail("22", "011401533", "0072", 1240_50, "JANE DOE", "091000010000001", "E1")

ROUND_TRIP = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

# --- what is drawn -----------------------------------------------------------------------------------


def text(most: int, least: int = 0) -> st.SearchStrategy[str]:
    """Printable ASCII without blanks at its ends, which padding would take for its own."""
    return (
        st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=least, max_size=most)
        .map(str.strip)
        .filter(lambda drawn: len(drawn) >= least)
    )


def name(most: int) -> st.SearchStrategy[str]:
    return text(most, 1).filter(lambda drawn: bool(drawn.strip("0 ")))


def digits(count: int) -> st.SearchStrategy[str]:
    return st.integers(0, 10**count - 1).map(lambda drawn: f"{drawn:0{count}}")


ROUTING = digits(8).map(lambda drawn: drawn + check_digit(drawn))
DAY = st.dates().map(lambda drawn: drawn.strftime("%y%m%d"))


@st.composite
def returns(draw: st.DrawFn, trace: str) -> Return | DishonoredReturn | ContestedReturn:
    code = draw(st.sampled_from(sorted(RETURN_REASONS)))
    original, dfi = draw(digits(15)), draw(digits(8))
    if code in DISHONORED:
        sent, day, reason = draw(digits(15)), draw(digits(3)), draw(digits(2))
        return DishonoredReturn(code, original, dfi, sent, day, reason, draw(text(21)), trace)
    if code in CONTESTED:
        sent, day, reason = draw(digits(15)), draw(digits(3)), draw(digits(2))
        dishonored = draw(digits(15)), draw(digits(3)), draw(digits(2))
        days = draw(DAY), draw(digits(3))
        return ContestedReturn(
            code, original, days[0], dfi, days[1], sent, day, reason, *dishonored, trace_number=trace
        )
    died = draw(DAY) if code in ("R14", "R15") else ""
    return Return(code, original, dfi, trace, died, draw(text(44)))


@st.composite
def addenda(draw: st.DrawFn, kind: str, entry_class: str, trace: str) -> tuple[Addenda, ...]:
    if kind == "return":
        return (draw(returns(trace)),)
    if kind == "change":
        return (
            NotificationOfChange(
                "C01", draw(digits(15)), draw(digits(8)), draw(text(29, 1)), trace_number=trace
            ),
        )
    count = draw(st.integers(0, 5 if entry_class == "CTX" else 1))
    return tuple(
        PaymentRelatedInformation(draw(text(80)), sequence, trace[-7:]) for sequence in range(1, count + 1)
    )


@st.composite
def batches(draw: st.DrawFn, number: int) -> AchBatch:
    entry_class = draw(st.sampled_from(["PPD", "CCD", "CTX", "WEB", "COR"]))
    service = draw(st.sampled_from(["200", "220", "225"]))
    dfi = draw(digits(8))
    back = entry_class == "COR" or draw(st.booleans())
    ends = {"220": "1" if back else "23", "225": "6" if back else "78", "200": "16" if back else "2378"}[
        service
    ]
    entries = []
    for place in range(1, draw(st.integers(1, 4)) + 1):
        end, trace = draw(st.sampled_from(ends)), f"{dfi}{place:07}"
        moves = entry_class != "COR" and end not in "38"
        kind = "change" if entry_class == "COR" else "return" if back else "forward"
        entries.append(
            EntryDetail(
                transaction_code=draw(st.sampled_from("234")) + end,
                receiving_dfi=draw(ROUTING),
                account_number=draw(text(17, 1)),
                amount_minor=draw(st.integers(1, 10**10 - 1)) if moves else 0,
                individual_name=draw(text(16 if entry_class == "CTX" else 22)),
                trace_number=trace,
                individual_identification=draw(text(15)),
                discretionary_data=draw(text(2)),
                addenda=draw(addenda(kind, entry_class, trace)),
            )
        )
    header = BatchHeader(
        service_class_code=service,
        company_name=draw(name(16)),
        company_identification=draw(name(10)),
        standard_entry_class=entry_class,
        company_entry_description=draw(name(10)),
        originating_dfi=dfi,
        batch_number=number,
        company_discretionary_data=draw(text(20)),
        company_descriptive_date=draw(text(6)),
        effective_entry_date=draw(st.one_of(st.just(""), DAY)),
        originator_status_code=draw(st.sampled_from("12")),
    )
    # IATCOR in place of the company's name says that a change is about IAT.
    return AchBatch(
        replace(header, company_name="ADA") if header.company_name == "IATCOR" else header, entries
    )


@st.composite
def files(draw: st.DrawFn) -> AchFile:
    header = FileHeader(
        immediate_destination=draw(ROUTING),
        immediate_origin=draw(st.one_of(ROUTING, digits(10))),
        created_on=draw(DAY),
        created_at=draw(st.one_of(st.just(""), st.times().map(lambda drawn: drawn.strftime("%H%M")))),
        file_id_modifier=draw(st.sampled_from("ABCZ019")),
        destination_name=draw(text(23)),
        origin_name=draw(text(23)),
        reference_code=draw(text(8)),
    )
    count = draw(st.integers(0, 3))
    return AchFile(header, [draw(batches(number)) for number in range(1, count + 1)])


# --- round trips -------------------------------------------------------------------------------------


def expected(file: AchFile) -> list[nacha.Record]:
    """What a file is to be read as, without controls."""
    found: list[nacha.Record] = [file.header]
    for batch in file.batches:
        found += [batch.header, *batch.entries]
    return found


@ROUND_TRIP
@given(files())
def test_what_is_written_is_read_back(file: AchFile) -> None:
    found = list(nacha.read(BytesIO(nacha.write(file))))
    assert [each for each in found if not isinstance(each, BatchControl | FileControl)] == expected(file)


@ROUND_TRIP
@given(files())
def test_what_is_written_fills_its_blocks_and_adds_up(file: AchFile) -> None:
    raw = nacha.write(file)
    lines = raw.decode("ascii").splitlines()
    assert {len(line) for line in lines} == {94}
    assert len(lines) % 10 == 0
    found = nacha.inspect(BytesIO(raw))
    assert found.valid
    entries = [entry for batch in file.batches for entry in batch.entries]
    credit = sum(each.amount_minor for each in entries if each.transaction_code[1] in "1234")
    assert found.entries == len(entries)
    assert found.sums["USD"] == 2 * credit - sum(each.amount_minor for each in entries)


def test_a_file_is_written_to_the_letter() -> None:
    raw = nacha.write(AchFile(HEADER, [AchBatch(BATCH, [ENTRY])])).decode("ascii")
    assert raw.splitlines() == [
        "101 091000019123456789026030209" + "30A094101FIRST BANK             ADA WORKS              REF1    ",
        "5200ADA WORKS                           1234567890PPDPAYROLL         260303   1091000010000001",
        "6220114015330072             0000124050E1             JANE DOE                0091000010000001",
        "820000000100011401530000000000000000001240501234567890                         091000010000001",
        "9000001000001000000010001140153000000000000000000124050" + " " * 39,
        *["9" * 94] * 5,
    ]


def test_batches_entries_and_addenda_are_numbered_where_they_have_no_number() -> None:
    information = PaymentRelatedInformation("A", 0, ""), PaymentRelatedInformation("B", 0, "")
    company = replace(BATCH, standard_entry_class="CTX", batch_number=0)
    one = AchBatch(company, [replace(ENTRY, trace_number="", addenda=information)] * 2)
    found = list(nacha.read(BytesIO(nacha.write(AchFile(HEADER, [one, one])))))
    assert [each.batch_number for each in found if isinstance(each, BatchHeader)] == [1, 2]
    entries = [each for each in found if isinstance(each, EntryDetail)]
    assert [each.trace_number[-7:] for each in entries] == ["0000001", "0000002", "0000003", "0000004"]
    told = [
        each for entry in entries for each in entry.addenda if isinstance(each, PaymentRelatedInformation)
    ]
    assert [(each.sequence, each.entry_sequence) for each in told[2:4]] == [(1, "0000002"), (2, "0000002")]


def back(header: BatchHeader, entries: Sequence[EntryDetail]) -> EntryDetail:
    raw = nacha.write(AchFile(HEADER, [AchBatch(header, entries)]))
    (entry,) = (each for each in nacha.read(BytesIO(raw)) if isinstance(each, EntryDetail))
    return entry


def test_debits_by_telephone_are_written() -> None:
    header = replace(BATCH, standard_entry_class="TEL", service_class_code="225")
    debit = replace(ENTRY, transaction_code="27")
    assert back(header, [debit]) == debit
    with pytest.raises(Unwritable):
        back(header, [replace(debit, individual_name="")])


@pytest.mark.parametrize(("sent", "returns"), [("22", "21"), ("27", "26"), ("38", "36"), ("43", "41")])
def test_a_return_goes_back_with_the_amount_and_names_the_entry(sent: str, returns: str) -> None:
    original = replace(ENTRY, transaction_code=sent, amount_minor=0 if sent[1] in "38" else 1240_50)
    header = returned_header(BATCH, original.receiving_dfi)
    entry = back(header, [returned_entry(original, BATCH, "R03")])
    assert (entry.transaction_code, entry.amount_minor) == (returns, original.amount_minor)
    assert entry.receiving_dfi == "091000019"
    assert entry.trace_number == "011401530000001"
    assert entry.addenda == (Return("R03", "091000010000001", "01140153", "011401530000001"),)


def test_a_notification_of_change_moves_nothing_and_names_the_entry() -> None:
    header = changed_header(BATCH, ENTRY.receiving_dfi)
    entry = back(header, [changed_entry(ENTRY, BATCH, "C01", "0073")])
    assert (header.standard_entry_class, entry.transaction_code, entry.amount_minor) == ("COR", "21", 0)
    change = NotificationOfChange("C01", "091000010000001", "01140153", "0073", "011401530000001")
    assert entry.addenda == (change,)


@pytest.mark.parametrize(
    "entry",
    [
        replace(ENTRY, amount_minor=10**10),
        replace(ENTRY, amount_minor=-1),
        replace(ENTRY, amount_minor=0),
        replace(ENTRY, transaction_code="23"),
        replace(ENTRY, transaction_code="99"),
        replace(ENTRY, receiving_dfi="011401534"),
        replace(ENTRY, receiving_dfi="1140153"),
        replace(ENTRY, account_number=""),
        replace(ENTRY, account_number="1" * 18),
        replace(ENTRY, individual_name="N" * 23),
        replace(ENTRY, individual_name="A\nB"),
        replace(ENTRY, individual_name="Zoë"),
        replace(ENTRY, trace_number="1"),
        replace(
            ENTRY, addenda=(PaymentRelatedInformation("A", 1, ""), PaymentRelatedInformation("B", 2, ""))
        ),
        replace(ENTRY, addenda=(PaymentRelatedInformation("A" * 81, 1, ""),)),
        replace(ENTRY, addenda=(Return("R99", "1" * 15, "1" * 8, ""),)),
        replace(ENTRY, addenda=(Return("R01", "1", "1" * 8, ""),)),
    ],
)
def test_an_entry_that_would_be_refused_is_not_written(entry: EntryDetail) -> None:
    with pytest.raises(Unwritable):
        nacha.write(AchFile(HEADER, [AchBatch(BATCH, [entry])]))


@pytest.mark.parametrize(
    "header",
    [
        replace(BATCH, standard_entry_class="TEL"),
        replace(BATCH, standard_entry_class="IAT"),
        replace(BATCH, standard_entry_class="XCK", service_class_code="225"),
        replace(BATCH, service_class_code="225"),
        replace(BATCH, service_class_code="280"),
        replace(BATCH, company_name="0000"),
        replace(BATCH, company_name="N" * 17),
        replace(BATCH, originating_dfi="0910000"),
        replace(BATCH, batch_number=10**7),
    ],
)
def test_a_batch_that_would_be_refused_is_not_written(header: BatchHeader) -> None:
    with pytest.raises(Unwritable):
        nacha.write(AchFile(HEADER, [AchBatch(header, [ENTRY])]))


def test_a_file_header_that_would_be_refused_is_not_written() -> None:
    for header in (replace(HEADER, created_on="260230"), replace(HEADER, immediate_destination="")):
        with pytest.raises(Unwritable):
            nacha.write(AchFile(header, []))
