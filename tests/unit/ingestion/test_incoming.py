"""Reading what clients sent: anything at all is either a request or has a reason why it is none."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.errors import InvariantBroken
from goodfunds.events import types
from goodfunds.events.topics import SETTLEMENT_NOTIFICATIONS
from goodfunds.ids import NO_ID
from goodfunds.lanes import Poll, lane_of
from goodfunds.lanes.records import Record
from goodfunds.rails.requests import LARGEST_RECORD
from services.ingestion.handlers import IngestionHandler
from services.ingestion.incoming import Asked, Unusable, read, read_request
from tests.unit.ingestion.requests import ACCOUNT, PRESENT, Headers, funding, instruction, opening, record

JSON: Headers = (("content-type", b"application/json"),)
PARTITIONS = 4
LANE = lane_of(ACCOUNT, PARTITIONS)


def body(**changes: Any) -> bytes:
    fields = {**PRESENT, "requested_execution_date": "2026-03-03", "creditor_address_lines": [], **changes}
    return json.dumps(fields).encode()


def amounting_to(amount: str) -> bytes:
    return body(amount_minor="HERE").replace(b'"HERE"', amount.encode())


def code_of(found: Record) -> str:
    asked = read_request(found)
    assert isinstance(asked, Unusable)
    asked.refusal.text.encode()
    assert "\0" not in asked.refusal.text
    return asked.refusal.code


def test_json_and_avro_of_the_same_request_are_the_same_request() -> None:
    avro, from_json = read_request(record(instruction().encode())), read_request(record(body(), JSON))
    assert isinstance(avro, Asked)
    assert isinstance(from_json, Asked)
    assert avro.request == from_json.request == instruction()
    assert (avro.body, avro.digest, avro.account) == (from_json.body, from_json.digest, ACCOUNT)


@pytest.mark.parametrize(
    "content_type", [b"application/json; charset=utf-8", b"Application/JSON", b" application/json "]
)
def test_the_content_type_is_read_as_http_writes_it(content_type: bytes) -> None:
    assert isinstance(read_request(record(body(), (("content-type", content_type),))), Asked)


@pytest.mark.parametrize("wish", [opening(), funding(5)])
def test_wishes_about_accounts_are_read_by_their_type(wish: types.AccountOpenRequested) -> None:
    text = json.dumps({name: getattr(wish, name) for name in wish.__slots__}).encode()
    headers = (*JSON, ("ce_type", type(wish).__name__.encode()))
    for found in (record(wish.encode()), record(text, headers)):
        asked = read_request(found)
        assert isinstance(asked, Asked)
        assert asked.request == wish


@pytest.mark.parametrize(
    "amount",
    ["true", "false", "1e3", '"10"', "10.50", "null", "１０", "1_000", "0x10", "+5", "01", "NaN",
     "1" + "0" * 18, "-1" + "0" * 18, "9" * 5000],
)  # fmt: skip
def test_what_is_no_amount_is_refused_where_it_is_read(amount: str) -> None:
    assert code_of(record(amounting_to(amount), JSON)) == "FF01"


@pytest.mark.parametrize("amount", [0, -1, 10**18 - 1])
def test_zero_and_negative_amounts_are_numbers_and_left_to_the_decision(amount: int) -> None:
    asked = read_request(record(amounting_to(str(amount)), JSON))
    assert isinstance(asked, Asked)
    assert isinstance(asked.request, types.PaymentInstruction)
    assert asked.request.amount_minor == amount


@pytest.mark.parametrize(
    ("value", "headers", "code"),
    [
        (None, (), "CH21"),
        (b"", (), "CH21"),
        (b"\x00", (), "FF01"),
        (b"\x01\x02\x03", (), "FF01"),
        (b"\x00\x00\x00\x27\x0f" + instruction().body(), (), "FF01"),
        (instruction().encode()[:-3], (), "FF01"),
        (instruction().encode() + b"x", (), "FF01"),
        (body(), (), "FF01"),
        (body(), (("content-type", b"text/plain"),), "FF01"),
        (body(), (*JSON, ("ce_type", b"PaymentAccepted")), "FF01"),
        (body(), (*JSON, ("ce_type", b"\xff\x00")), "FF01"),
        (types.AccountOpened("a", "EUR", "n", 0).encode(), (), "FF01"),
        (body(creditor_name="x" * LARGEST_RECORD), JSON, "CH16"),
        (b"\x00" * 2_000_000, (), "CH16"),
        (body(client=""), JSON, "CH21"),
        (body(debtor_account="transit-out:sepa-credit"), JSON, "CH16"),
        (body(client="a\0b"), JSON, "CH16"),
        (body(end_to_end_id="\0"), JSON, "CH16"),
        (body(**{"\0": 1}), JSON, "FF01"),
        (body(**{"\ud800": 1}), JSON, "FF01"),
        (body(requested_execution_date="2026-W01-1"), JSON, "FF01"),
        (body(requested_execution_date="２０２６-03-03"), JSON, "FF01"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_has_its_code(value: bytes | None, headers: Headers, code: str) -> None:
    assert code_of(record(value, headers)) == code


@pytest.mark.parametrize(
    "name", ["content-type", "ce_type", "producer", "first_time", "traceparent", "lane", "seq"]
)
@pytest.mark.parametrize("value", [None, b"", b"\xff\xfe", b"0" * 5_000, b"\0"])
def test_a_malformed_header_never_faults(name: str, value: bytes | None) -> None:
    forged = (("producer", b"ingestion.x"), ("first_time", b"1"))
    for headers in (
        ((name, value),),
        (*JSON, (name, value)),
        ((name, value), *forged),
        (*forged, (name, value)),
    ):
        for found in (record(instruction().encode(), headers), record(body(), headers), record(b"", headers)):
            assert isinstance(read_request(found), (Asked, Unusable))
            IngestionHandler().key_of(found)
            IngestionHandler().amount_of(found)


def test_only_what_ingestion_forwarded_keeps_its_first_time_and_never_one_that_cannot_be() -> None:
    value, now = instruction().encode(), 1_772_524_800_000

    def first_time(*headers: tuple[str, bytes]) -> int:
        asked = read_request(record(value, headers, timestamp=now))
        assert isinstance(asked, Asked)
        return asked.first_time

    ours = ("producer", b"ingestion.abc")
    assert first_time(ours, ("first_time", b"1772524700000")) == 1_772_524_700_000
    assert first_time(("producer", b"shop"), ("first_time", b"1772524700000")) == now
    for impossible in (b"0", b"-5", b"x", b"9" * 14, b"9" * 5_000):
        assert first_time(ours, ("first_time", impossible)) == now


def test_a_record_is_sorted_by_the_account_in_its_body_and_not_by_its_key() -> None:
    found = read(Poll(None, PARTITIONS, None, {  # type: ignore[arg-type]
        LANE: [record(instruction().encode(), partition=LANE)],
        (LANE + 1) % PARTITIONS: [record(instruction().encode(), partition=(LANE + 1) % PARTITIONS)],
    }))  # fmt: skip
    assert [len(found[LANE].asked), len(found[LANE].forwarded)] == [1, 0]
    wrong = found[(LANE + 1) % PARTITIONS]
    assert wrong.asked == []
    assert [to_lane for _, to_lane in wrong.forwarded] == [LANE]


def test_a_parked_record_that_is_no_request_blocks_only_itself() -> None:
    handler = IngestionHandler()
    assert handler.key_of(record(instruction().encode())) == ACCOUNT.encode()
    assert handler.key_of(record(b"", offset=1)) != handler.key_of(record(b"", offset=2))


def notice_of(value: bytes | None) -> int:
    poll = Poll(None, PARTITIONS, None, {0: [record(value, topic=SETTLEMENT_NOTIFICATIONS)]})  # type: ignore[arg-type]
    return len(read(poll)[0].notices)


def rejected_by_bank() -> types.PaymentRejectedByBank:
    return types.PaymentRejectedByBank(NO_ID, NO_ID, 1, 0, ACCOUNT, "EUR", "sepa-credit", "", "", "AC04", "")


def test_of_settlements_events_those_that_give_money_back_are_read() -> None:
    assert notice_of(rejected_by_bank().encode()) == 1
    delayed = types.PaymentSubmitted.SCHEMA_ID.to_bytes(5, "big") + b"what it says is others' business"
    assert notice_of(delayed) == 0


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"{}",
        b"\x00\x00",
        b"\x00\x00\x00\x27\x0fbody",
        b"\x01" * 50,
        rejected_by_bank().encode()[:-4],
    ],
)
def test_what_settlement_cannot_have_written_breaks_an_invariant(value: bytes | None) -> None:
    with pytest.raises(InvariantBroken):
        notice_of(value)


@given(st.binary(max_size=300), st.sampled_from([(), JSON]))
def test_no_bytes_make_the_reading_fault(value: bytes, headers: Headers) -> None:
    for content in (value, instruction().encode()[:5] + value, body()[: len(value)] + value):
        assert isinstance(read_request(record(content, headers)), (Asked, Unusable))
