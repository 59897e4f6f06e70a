"""Messages between banks: what moves money is refused where it is broken, what tells of it is heard."""

from collections.abc import Callable, Iterator
from datetime import date
from io import BytesIO
from typing import Any, BinaryIO

import pytest

from goodfunds.files import camt029, camt056, pacs002, pacs004, pacs008, pacs009, pain001, pain008
from goodfunds.files.inspecting import inspect
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


GROUP = "<OrgnlMsgId>M0</OrgnlMsgId><OrgnlMsgNmId>pacs.008.001.08</OrgnlMsgNmId>"


def test_statuses_of_a_group_and_of_a_pmtinf_are_heard_with_the_transactions_in_it() -> None:
    several = (
        f"<CxlDtls><OrgnlGrpInfAndSts>{GROUP}<GrpCxlSts>PACR</GrpCxlSts></OrgnlGrpInfAndSts>"
        "<OrgnlPmtInfAndSts><OrgnlPmtInfId>P1</OrgnlPmtInfId><PmtInfCxlSts>ACCR</PmtInfCxlSts>"
        "<TxInfAndSts><OrgnlEndToEndId>E9</OrgnlEndToEndId><TxCxlSts>ACCR</TxCxlSts></TxInfAndSts>"
        "</OrgnlPmtInfAndSts>"
    ).encode()
    raw = CAMT_029.replace(b"<CxlDtls>", several)
    _, _, group, first, batch, second, end = read(camt029.read, raw)
    assert (group.whole_message, group.status, group.original.message_id) == (True, "PACR", "M0")
    assert (first.original.end_to_end_id, first.original.message_id, first.status) == ("E9", "M0", "ACCR")
    assert (batch.whole_message, batch.original.payment_information_id, batch.status) == (True, "P1", "ACCR")
    assert (second.original.end_to_end_id, second.status) == ("E1", "RJCR")
    assert end == InterbankEnd(2)
    assert (inspect(BytesIO(raw)).valid, inspect(BytesIO(raw)).entries) == (True, 2)


def test_what_recurs_in_one_kind_of_parent_is_not_taken_for_its_like_in_another() -> None:
    one = b"<TxInfAndSts><OrgnlEndToEndId>E</OrgnlEndToEndId><TxCxlSts>ACCR</TxCxlSts></TxInfAndSts>"
    batch = b"<OrgnlPmtInfAndSts><OrgnlPmtInfId>P1</OrgnlPmtInfId>%s</OrgnlPmtInfAndSts>"
    # Between banks a transaction has an OrgnlTxId, in a PmtInf it has none.
    other = one.replace(b"<TxCxlSts>", b"<OrgnlTxId>T</OrgnlTxId><TxCxlSts>")
    head, tail = CAMT_029[: CAMT_029.index(b"<TxInfAndSts>")], b"</CxlDtls></RsltnOfInvstgtn></Document>"
    raw = head + other * 4 + b"</CxlDtls><CxlDtls>" + batch % (other * 4) + tail
    assert len([each for each in inspect(BytesIO(raw)).errors if "OrgnlTxId" in each.message]) == 4
    assert inspect(BytesIO(head + batch % (one * 4) + other * 4 + tail)).valid


@pytest.mark.parametrize(("flag", "heard"), [("<GrpCxl>true</GrpCxl>", True), ("", True),
                                             ("<GrpCxl>false</GrpCxl>", False)])  # fmt: skip
def test_a_recall_of_a_whole_message_is_heard_though_it_names_no_payment(flag: str, heard: bool) -> None:
    control = "<CtrlData><NbOfTxs>7</NbOfTxs><CtrlSum>99.00</CtrlSum></CtrlData>"
    group = f"<OrgnlGrpInfAndCxl><GrpCxlId>G1</GrpCxlId>{GROUP}{flag}</OrgnlGrpInfAndCxl>"
    start, end = CAMT_056.index(b"<Undrlyg>"), CAMT_056.index(b"</Undrlyg>")
    raw = CAMT_056[:start] + f"{control}<Undrlyg>{group}".encode() + CAMT_056[end:]
    _, *requests, _ = read(camt056.read, raw)
    assert [(each.whole_message, each.cancellation_id, each.original.message_id) for each in requests] == (
        [(True, "G1", "M0")] if heard else []
    )
    assert inspect(BytesIO(raw)).valid is (flag == "<GrpCxl>true</GrpCxl>")


def test_a_recalled_payment_is_of_the_message_that_its_group_names_and_counted_by_its_control_data() -> None:
    group = f"<Undrlyg><OrgnlGrpInfAndCxl>{GROUP}</OrgnlGrpInfAndCxl>"
    control = "<CtrlData><NbOfTxs>1</NbOfTxs><CtrlSum>10.01</CtrlSum></CtrlData>"
    raw = CAMT_056.replace(b"<Undrlyg>", (control + group).encode())
    _, request, _ = read(camt056.read, raw)
    assert (request.whole_message, request.original.message_id, request.original.end_to_end_id) == (
        False,
        "M0",
        "E1",
    )
    found = inspect(BytesIO(raw))
    assert (found.valid, found.entries, dict(found.sums), found.details["message_id"]) == (True, 1, {}, "A1")
    wrong = raw.replace(b"<NbOfTxs>1<", b"<NbOfTxs>2<").replace(b">10.01</CtrlSum>", b">10.02</CtrlSum>")
    assert [each.path for each in inspect(BytesIO(wrong)).errors] == ["CtrlData/NbOfTxs", "CtrlData/CtrlSum"]


def test_a_return_takes_message_reason_and_day_from_its_group_and_header() -> None:
    start, end = PACS_004.index(b"<OrgnlGrpInf>"), PACS_004.index(b"</OrgnlGrpInf>") + len("</OrgnlGrpInf>")
    reason = "<RtrRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed</AddtlInf></RtrRsnInf>"
    raw = (PACS_004[:start] + PACS_004[end:]).replace(reason.encode(), b"")
    raw = raw.replace(b"<TxInf>", f"<OrgnlGrpInf>{GROUP}{reason}</OrgnlGrpInf><TxInf>".encode())
    raw = raw.replace(b"<SttlmInf>", b"<IntrBkSttlmDt>2026-03-04</IntrBkSttlmDt><SttlmInf>")
    _, found = read(pacs004.read, raw)
    assert (found.original.message_id, found.original.end_to_end_id) == ("M0", "E1")
    assert (found.reason_code, found.reason, found.settlement_date) == ("AC04", "closed", date(2026, 3, 4))


WHOLE = (
    PACS_004[: PACS_004.index(b"<TxInf>")]
    .replace(b"<NbOfTxs>1</NbOfTxs>", b"<NbOfTxs>5</NbOfTxs><GrpRtr>true</GrpRtr>")
    .replace(
        b"<SttlmInf>",
        b'<TtlRtrdIntrBkSttlmAmt Ccy="EUR">50.00</TtlRtrdIntrBkSttlmAmt>'
        b"<IntrBkSttlmDt>2026-03-04</IntrBkSttlmDt><SttlmInf>",
    )
    + f"<OrgnlGrpInf>{GROUP}</OrgnlGrpInf></PmtRtr></Document>".encode()
)


def test_a_group_that_is_returned_whole_is_one_return_of_what_its_header_says() -> None:
    _, found = read(pacs004.read, WHOLE)
    assert (found.whole_message, found.amount_minor, found.currency) == (True, 50_00, "EUR")
    assert (found.original.message_id, found.settlement_date) == ("M0", date(2026, 3, 4))
    told = inspect(BytesIO(WHOLE))
    assert (told.valid, told.entries, dict(told.sums)) == (True, 0, {"EUR": 50_00})


def test_a_group_that_is_returned_whole_says_how_much_and_names_no_payment() -> None:
    start, end = WHOLE.index(b"<TtlRtrd"), WHOLE.index(b"<IntrBkSttlmDt>")
    assert refusal(pacs004.read, WHOLE[:start] + WHOLE[end:]).errors[0].code == code.MANDATORY_ELEMENT_MISSING
    payment = PACS_004[PACS_004.index(b"<TxInf>") : PACS_004.index(b"</PmtRtr>")]
    both = WHOLE.replace(b"</PmtRtr>", payment + b"</PmtRtr>")
    assert refusal(pacs004.read, both).errors[0].path == "TxInf"


def test_a_transfer_is_settled_on_the_day_of_its_header_where_it_has_none() -> None:
    raw = PACS_008.replace(b"<IntrBkSttlmDt>2026-03-02</IntrBkSttlmDt>", b"", 1)
    raw = raw.replace(b"<SttlmInf>", b"<IntrBkSttlmDt>2026-03-04</IntrBkSttlmDt><SttlmInf>")
    _, first, second = read(pacs008.read, raw)
    assert (first.settlement_date, second.settlement_date) == (date(2026, 3, 4), date(2026, 3, 2))


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
