"""Messages between banks: what moves money is refused where it is broken, what tells of it is heard."""

from collections.abc import Callable, Iterator
from datetime import date
from io import BytesIO
from typing import Any, BinaryIO

import pytest

from goodfunds.files import camt029, camt056, pacs002, pacs004, pacs008, pacs009, pain001, pain008
from goodfunds.files.interbank import (
    Assignment,
    CancellationRequest,
    CancellationStatus,
    InterbankEnd,
    InterbankHeader,
    InterbankStatus,
    InterbankTransfer,
    PaymentReturn,
)
from goodfunds.files.pain008 import DirectDebit
from goodfunds.files.records import InvalidFile
from goodfunds.rails import reasons as code
from tests.unit.files.interbank_texts import (
    CAMT_029,
    CAMT_056,
    PACS_002,
    PACS_004,
    PACS_008,
    PACS_009,
    PAIN_008,
    TOTAL,
)


def read(reader: Callable[[BinaryIO], Iterator[Any]], raw: bytes) -> list[Any]:
    return list(reader(BytesIO(raw)))


def refusal(reader: Callable[[BinaryIO], Iterator[Any]], raw: bytes) -> InvalidFile:
    with pytest.raises(InvalidFile) as refused:
        read(reader, raw)
    return refused.value


def test_a_pacs_008_tells_its_header_and_each_transfer() -> None:
    header, first, second = read(pacs008.read, PACS_008)
    assert isinstance(header, InterbankHeader)
    assert isinstance(first, InterbankTransfer)
    assert (header.message_name, header.number_of_transactions) == ("pacs.008.001.08", 2)
    assert (header.total_minor, header.total_currency, header.settlement_method) == (20_03, "EUR", "CLRG")
    assert (first.end_to_end_id, first.amount_minor, first.currency) == ("E1", 10_01, "EUR")
    assert (first.debtor_agent, first.creditor_agent) == ("DEUTDEFF", "BNPAFRPP")
    assert (first.settlement_date, first.remittance_unstructured) == (date(2026, 3, 2), ("Invoice 1",))
    assert second.transaction_id == "T2"


@pytest.mark.parametrize(
    ("old", "new", "reason", "path"),
    [
        ("<NbOfTxs>2<", "<NbOfTxs>3<", code.INVALID_NUMBER_OF_TRANSACTIONS, "GrpHdr/NbOfTxs"),
        (">20.03<", ">20.04<", code.INVALID_CONTROL_SUM, "GrpHdr/TtlIntrBkSttlmAmt"),
        (TOTAL, "<CtrlSum>20.02</CtrlSum>", code.INVALID_CONTROL_SUM, "GrpHdr/CtrlSum"),
        (">10.02<", ">10.001<", code.INVALID_AMOUNT, "CdtTrfTxInf/IntrBkSttlmAmt"),
        (">10.02<", ">1E1<", code.INVALID_AMOUNT, "CdtTrfTxInf/IntrBkSttlmAmt"),
        ('"EUR">10.02', '"XAU">10.02', code.INVALID_TRANSACTION_CURRENCY, "CdtTrfTxInf/IntrBkSttlmAmt"),
        ("<EndToEndId>E2</EndToEndId>", "", code.MANDATORY_ELEMENT_MISSING, "CdtTrfTxInf/PmtId"),
        ("<ChrgBr>SLEV<", "<ChrgBr>OURS<", code.CONTENT_INCORRECT, "CdtTrfTxInf/ChrgBr"),
        (
            "<Ustrd>Invoice 2<",
            "<Memo>Invoice 2</Memo><Ustrd>I<",
            code.INVALID_FILE_FORMAT,
            "CdtTrfTxInf/RmtInf",
        ),
        ('"EUR">10.02', '"EUR" Rate="1">10.02', code.INVALID_FILE_FORMAT, "CdtTrfTxInf/IntrBkSttlmAmt"),
    ],
)
def test_a_pacs_008_that_breaks_the_standard_is_refused_with_its_place(
    old: str, new: str, reason: str, path: str
) -> None:
    raw = PACS_008.replace(old.encode(), new.encode())
    assert raw != PACS_008
    found = refusal(pacs008.read, raw)
    assert (found.errors[0].code, found.errors[0].path) == (reason, path)
    assert found.message_id == "M1"


def test_a_pacs_008_bare_in_an_envelope_is_read_and_one_without_a_namespace_is_not() -> None:
    bare = PACS_008.replace(b"<Document", b"<Message").replace(b"</Document", b"</Message")
    assert read(pacs008.read, bare) == read(pacs008.read, PACS_008)
    none = PACS_008.replace(b' xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"', b"")
    assert "no namespace" in refusal(pacs008.read, none).errors[0].message


def test_a_pacs_009_names_banks_by_their_bic() -> None:
    _, transfer = read(pacs009.read, PACS_009)
    assert (transfer.debtor_name, transfer.creditor_name) == ("DEUTDEFF", "BNPAFRPP")
    assert (transfer.amount_minor, transfer.currency) == (1000, "JPY")


def test_a_return_tells_what_comes_back_of_which_payment_and_why() -> None:
    _, found = read(pacs004.read, PACS_004)
    assert isinstance(found, PaymentReturn)
    assert (found.amount_minor, found.original.amount_minor, found.original.currency) == (9_01, 10_01, "EUR")
    assert (found.original.end_to_end_id, found.original.message_id) == ("E1", "M0")
    assert (found.reason_code, found.reason) == ("AC04", "closed")


def test_a_status_is_heard_of_the_message_and_of_each_transaction() -> None:
    _, group, first, second, end = read(pacs002.read, PACS_002)
    assert isinstance(group, InterbankStatus)
    assert (group.whole_message, group.status, group.original.message_id) == (True, "PART", "M1")
    assert (first.whole_message, first.status, first.reason_code) == (False, "RJCT", "AC04")
    assert (second.original.end_to_end_id, second.status) == ("E2", "ACSC")
    assert end == InterbankEnd(2)


def test_a_status_that_breaks_the_standard_is_heard_with_a_warning() -> None:
    raw = PACS_002.replace(b"<TxSts>RJCT<", b"<Note/><TxSts>RJCT<")
    *_, first, second, end = read(pacs002.read, raw)
    assert (first.status, second.status) == ("RJCT", "ACSC")
    assert [each.path for each in end.warnings] == ["TxInfAndSts"]


def test_a_recall_and_its_answer_name_the_payment() -> None:
    assignment, request, _ = read(camt056.read, CAMT_056)
    assert assignment == Assignment("camt.056.001.08", "A1", "2026-03-02T09:00:00Z", "DEUTDEFF", "BNPAFRPP")
    assert isinstance(request, CancellationRequest)
    assert (request.cancellation_id, request.original.amount_minor, request.reason_code) == (
        "C1",
        10_01,
        "DUPL",
    )
    _, whole, single, end = read(camt029.read, CAMT_029)
    assert isinstance(single, CancellationStatus)
    assert (whole.whole_message, whole.status) == (True, "RJCR")
    assert (single.status, single.reason_code, single.original.end_to_end_id) == ("RJCR", "ARDT", "E1")
    assert end == InterbankEnd(1)


def test_direct_debits_are_read_and_never_taken_as_instructions() -> None:
    _, debit = read(pain008.read, PAIN_008)
    assert isinstance(debit, DirectDebit)
    assert (debit.amount_minor, debit.mandate_id, debit.debtor_name) == (12_34, "W1", "Ada")
    assert refusal(pain001.read, PAIN_008).errors[0].code == code.INVALID_FILE_FORMAT


def test_many_transfers_of_one_outline_are_read_as_the_parser_reads_each() -> None:
    one = PACS_008[PACS_008.index(b"<CdtTrfTxInf>") : PACS_008.index(b"</CdtTrfTxInf>") + 14]
    many = [one.replace(b"E1", b"E%d" % number).replace(b"<Nm>", b"<Nm>&amp;" if number % 7 == 0 else b"<Nm>")
            for number in range(40)]  # fmt: skip
    start, end = PACS_008[: PACS_008.index(b"<CdtTrfTxInf>")], b"</FIToFICstmrCdtTrf></Document>"
    start = start.replace(b">20.03<", b">400.40<").replace(b"<NbOfTxs>2<", b"<NbOfTxs>40<")
    _, *found = read(pacs008.read, start + b"\n".join(many) + end)
    assert [each.end_to_end_id for each in found] == [f"E{number}" for number in range(40)]
    assert [each.debtor_name for each in found[6:9]] == ["Ada", "&Ada", "Ada"]
    broken = b"\n".join(many).replace(b"E33<", b"E" * 36 + b"<")
    error = refusal(pacs008.read, start + broken + end).errors[0]
    assert (error.path, error.code) == ("CdtTrfTxInf/PmtId/EndToEndId", code.CONTENT_INCORRECT)
