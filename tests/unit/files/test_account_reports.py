"""Statements as banks write them: reversals, pending entries, batches, other currencies, all versions."""

from collections.abc import Callable
from io import BytesIO

import pytest

from goodfunds.files import camt053, camt054
from goodfunds.files.camt_reading import Record
from goodfunds.files.records import InvalidFile
from goodfunds.files.reports import Entry, Statement, StatementEnd
from goodfunds.rails import reasons as code
from tests.unit.files.texts import ENTRY, NOTIFICATION, STATEMENT, notification, statement

DETAILS = ENTRY[ENTRY.index("<NtryDtls>") : ENTRY.index("</Ntry>")]


def entries(raw: bytes) -> list[Entry]:
    return [each for each in camt053.read(BytesIO(raw)) if isinstance(each, Entry)]


def end(raw: bytes) -> StatementEnd:
    return next(each for each in camt053.read(BytesIO(raw)) if isinstance(each, StatementEnd))


def refusal(raw: bytes) -> InvalidFile:
    with pytest.raises(InvalidFile) as refused:
        list(camt053.read(BytesIO(raw)))
    return refused.value


def test_a_sound_statement_adds_up_without_a_warning() -> None:
    found = end(STATEMENT)
    assert (found.entries, found.booked_minor, found.warnings) == (1, -10_00, ())


def test_a_reversal_moves_the_account_as_its_own_direction_says() -> None:
    reversal = ENTRY.replace("DBIT</CdtDbtInd>\n", "CRDT</CdtDbtInd><RvslInd>true</RvslInd>\n")
    raw = statement(ENTRY, reversal, closing="100.00")
    first, second = entries(raw)
    assert (first.reversal, first.signed_minor) == (False, -10_00)
    assert (second.reversal, second.signed_minor) == (True, 10_00)
    assert end(raw).warnings == ()


@pytest.mark.parametrize("status", ["PDNG", "INFO", "FUTR"])
def test_what_is_not_booked_is_told_and_moves_no_balance(status: str) -> None:
    raw = statement(ENTRY, ENTRY.replace("BOOK", status))
    assert [entry.status for entry in entries(raw)] == ["BOOK", status]
    assert (end(raw).booked_minor, end(raw).warnings) == (-10_00, ())


def test_a_status_of_the_banks_own_is_not_taken_for_booked() -> None:
    raw = statement(ENTRY.replace("<Cd>BOOK</Cd>", "<Prtry>BOOKED</Prtry>"))
    assert entries(raw)[0].status == "BOOKED"
    assert end(raw).booked_minor is None


def test_without_a_status_an_entry_is_booked_on_a_statement_and_worthless_in_a_notification() -> None:
    bare = ENTRY.replace("<Sts><Cd>BOOK</Cd></Sts>", "")
    assert entries(statement(bare))[0].status == "BOOK"
    assert end(statement(bare)).warnings[0].path == "Stmt/Ntry/Sts"
    with pytest.raises(InvalidFile) as refused:
        list(camt054.read(BytesIO(notification(bare))))
    assert refused.value.errors[0].code == code.MANDATORY_ELEMENT_MISSING


def test_a_batch_without_details_tells_its_count_and_its_sum() -> None:
    batch = "<NtryDtls><Btch><PmtInfId>P1</PmtInfId><NbOfTxs>40</NbOfTxs></Btch></NtryDtls>"
    (entry,) = entries(statement(ENTRY.replace(DETAILS, batch)))
    assert entry.transactions == ()
    assert (entry.batches[0].payment_information_id, entry.batches[0].number_of_transactions) == ("P1", 40)
    (bare,) = entries(statement(ENTRY.replace(DETAILS, "")))
    assert (bare.batches, bare.transactions) == ((), ())


def test_a_batch_that_differs_from_its_details_or_its_entry_is_warned_of() -> None:
    miscounted = ENTRY.replace("<NbOfTxs>1<", "<NbOfTxs>2<")
    assert [each.path for each in end(statement(miscounted)).warnings] == ["Stmt/Ntry/NtryDtls/Btch"]
    total = '<NbOfTxs>1</NbOfTxs><TtlAmt Ccy="EUR">10.01</TtlAmt>'
    missummed = ENTRY.replace("<NbOfTxs>1</NbOfTxs>", total)
    assert "TtlAmt" in end(statement(missummed)).warnings[0].message


def test_a_transaction_takes_its_references_from_its_own_batch_alone() -> None:
    second = DETAILS.replace("P1", "P2").replace("I1", "I2")
    third = DETAILS.replace("<Btch><PmtInfId>P1</PmtInfId><NbOfTxs>1</NbOfTxs></Btch>", "")
    (entry,) = entries(statement(ENTRY.replace(DETAILS, DETAILS + second + third)))
    assert [each.payment_information_id for each in entry.transactions] == ["P1", "P2", ""]


def test_an_entry_in_a_currency_other_than_the_accounts_keeps_it() -> None:
    raw = statement(ENTRY, ENTRY.replace('"EUR"', '"USD"'))
    assert [entry.currency for entry in entries(raw)] == ["EUR", "USD"]
    assert end(raw).booked_minor is None


def test_the_amount_of_a_return_less_charges_is_what_came_back() -> None:
    charges = '<Chrgs><Rcrd><Amt Ccy="EUR">0.50</Amt></Rcrd></Chrgs>'
    reason = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"
    returned = ENTRY.replace("DBIT", "CRDT").replace("10.00", "9.50")
    returned = returned.replace("</TxDtls>", f"{charges}{reason}</TxDtls>")
    (entry,) = entries(statement(returned))
    (detail,) = entry.transactions
    assert (entry.amount_minor, detail.amount_minor) == (9_50, 9_50)
    assert (detail.is_return, detail.return_code) == (True, "AC04")


def test_amounts_padded_with_zeros_are_read_and_finer_ones_refused() -> None:
    for text in ("10.00000", "10.000000", "+10.", " 10.0 "):
        assert entries(statement(ENTRY.replace("10.00", text)))[0].amount_minor == 10_00
    yen = ENTRY.replace('"EUR">10.00', '"JPY">10.00')
    assert entries(statement(yen))[0].amount_minor == 10
    for text in ("10.001", "10.000001", "-10.00", "1e1", "１０", "", "99999999999999999.00"):
        refused = refusal(statement(ENTRY.replace("10.00", text)))
        assert refused.errors[0].code == code.INVALID_AMOUNT
        assert refused.message_id == "S1"


def test_sums_of_more_than_eighteen_digits_stay_exact() -> None:
    large = ENTRY.replace("10.00", "9999999999999999.99").replace("DBIT", "CRDT")
    raw = statement(*[large] * 12)
    assert end(raw).booked_minor == 12 * 999_999_999_999_999_999


@pytest.mark.parametrize("direction", ["", "<CdtDbtInd>XXXX</CdtDbtInd>", "<CdtDbtInd/>"])
def test_an_entry_that_does_not_say_which_way_is_refused(direction: str) -> None:
    assert refusal(statement(ENTRY.replace("<CdtDbtInd>DBIT</CdtDbtInd>", direction, 1)))


def test_a_closing_balance_that_is_off_by_a_cent_is_warned_of() -> None:
    assert "closing balance" in end(statement(ENTRY, closing="90.01")).warnings[0].message


@pytest.mark.parametrize("version", [f"{number:02}" for number in range(2, 15)])
@pytest.mark.parametrize(
    ("read", "make"), [(camt053.read, statement), (camt054.read, notification)], ids=["camt.053", "camt.054"]
)
def test_every_version_is_read_with_its_own_way_of_a_status(
    version: str,
    read: Callable[[BytesIO], list[Record]],
    make: Callable[..., bytes],
) -> None:
    entry = ENTRY if int(version) >= 8 else ENTRY.replace("<Cd>BOOK</Cd>", "BOOK")
    records = list(read(BytesIO(make(entry, version=version))))
    assert isinstance(records[0], Statement)
    assert [each.status for each in records if isinstance(each, Entry)] == ["BOOK"]
    assert [each.warnings for each in records if isinstance(each, StatementEnd)] == [()]


@pytest.mark.parametrize("version", ["01", "15", "99"])
def test_a_version_that_is_not_known_is_refused(version: str) -> None:
    assert refusal(statement(ENTRY, version=version)).errors[0].code == code.INVALID_FILE_FORMAT


@pytest.mark.parametrize("scheme", [b"http", b"https"])
def test_the_swiss_namespace_is_read_as_the_message_that_it_narrows(scheme: bytes) -> None:
    swiss = scheme + b"://www.six-interbank-clearing.com/de/camt.053.001.04.ch.02.xsd"
    raw = STATEMENT.replace(b"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08", swiss)
    assert len(entries(raw.replace(b"<Cd>BOOK</Cd>", b"BOOK"))) == 1


def test_a_notification_is_no_statement_and_a_statement_no_notification() -> None:
    assert refusal(NOTIFICATION)
    with pytest.raises(InvalidFile):
        list(camt054.read(BytesIO(STATEMENT)))


def test_a_date_is_the_banks_own_day_whatever_its_offset() -> None:
    moment = ENTRY.replace("<Dt>2026-03-02</Dt>", "<DtTm>2026-03-02T23:30:00-05:00</DtTm>")
    (entry,) = entries(statement(moment))
    assert (str(entry.booking_date), str(entry.value_date)) == ("2026-03-02", "2026-03-02")
    assert refusal(statement(ENTRY.replace("2026-03-02", "2026-02-30"))).errors[0].code == code.INVALID_DATE


def test_a_statement_of_an_undeclared_encoding_is_read_as_windows_1252_with_a_warning() -> None:
    text = STATEMENT.decode().replace(' encoding="UTF-8"', "").replace(">E1<", ">für 5 €<")
    (entry,) = entries(text.encode("cp1252"))
    assert entry.transactions[0].end_to_end_id == "für 5 €"
    assert "Windows-1252" in end(text.encode("cp1252")).warnings[0].message
