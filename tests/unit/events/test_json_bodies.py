"""JSON on payment-instructions is as strict about money as the standard is."""

import json
from typing import Any

import pytest

from goodfunds.errors import Unreadable
from goodfunds.events.json_bodies import InvalidBody, decode_json
from goodfunds.events.types import PaymentInstruction

GOOD: dict[str, Any] = {
    "amount_minor": 1050,
    "requested_execution_date": "2026-03-02",
    "currency": "EUR",
    "rail": "sepa-credit",
    "client": "shop",
    "idempotency_key": "order-1",
    "debtor_account": "DE1",
    "debtor_name": "Ada",
    "creditor_account": "FR76",
    "creditor_name": "Bruno",
}


def test_a_good_body_is_an_instruction_and_what_is_left_out_is_empty() -> None:
    event = decode_json("PaymentInstruction", json.dumps(GOOD).encode())
    assert isinstance(event, PaymentInstruction)
    assert event.amount_minor == 1050
    assert event.creditor_address_lines == ()
    assert event.end_to_end_id == ""


@pytest.mark.parametrize(
    "amount",
    [
        "true",
        "false",
        '"10"',
        "1e3",
        "10.0",
        "1E2",
        "NaN",
        "Infinity",
        "null",
        "[]",
        "{}",
        "1000000000000000000",
        "-1000000000000000000",
        "1" * 5_000,
        "-" + "1" * 5_000,
        "1e999999999999999999999",
    ],
)
def test_what_is_no_amount_is_refused(amount: str) -> None:
    body = json.dumps({**GOOD, "amount_minor": 0}).replace('"amount_minor": 0', f'"amount_minor": {amount}')
    with pytest.raises(InvalidBody, match="amount_minor: ") as refused:
        decode_json("PaymentInstruction", body.encode())
    assert (refused.value.client, refused.value.idempotency_key) == ("shop", "order-1")


@pytest.mark.parametrize("name", [None, 5, 1.5, ["shop"], {"a": 1}, "\ud800"])
def test_a_client_or_key_that_cannot_be_read_is_nobodys(name: Any) -> None:
    for body in ({**GOOD, "client": name}, {**GOOD, "client": name, "amount_minor": "10"}):
        with pytest.raises(InvalidBody) as refused:
            decode_json("PaymentInstruction", json.dumps(body).encode())
        assert (refused.value.client, refused.value.idempotency_key) == ("", "order-1")


def test_of_several_missing_fields_the_first_declared_is_named() -> None:
    with pytest.raises(InvalidBody, match="requested_execution_date: missing"):
        decode_json("PaymentInstruction", b'{"amount_minor": 1}')


def test_a_fraction_is_no_text_either() -> None:
    body = json.dumps({**GOOD, "debtor_name": "X"}).replace('"X"', "1.5")
    with pytest.raises(InvalidBody, match="debtor_name: a string is wanted"):
        decode_json("PaymentInstruction", body.encode())


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "no JSON"),
        (b"[]", "no JSON object"),
        (b"\xff", "no JSON"),
        (b'{"client": "a", "client": "b"}', "twice"),
        (json.dumps({**GOOD, "colour": "red"}).encode(), "colour"),
        (json.dumps({k: v for k, v in GOOD.items() if k != "currency"}).encode(), "currency: missing"),
        (json.dumps({**GOOD, "requested_execution_date": "20260302"}).encode(), "requested_execution_date"),
        (json.dumps({**GOOD, "debtor_name": 5}).encode(), "debtor_name"),
        (b'{"debtor_name": "\\ud800"}', "surrogate"),
        (b"[" * 100_000, "no JSON"),
        (b" " * 1_000_001, "bytes"),
    ],
)
def test_bodies_that_cannot_be_read_say_why(body: bytes, says: str) -> None:
    if body.startswith(b'{"debtor_name"'):
        body = json.dumps({**GOOD, "debtor_name": "X"}).replace('"X"', '"\\ud800"').encode()
    with pytest.raises(Unreadable, match=says):
        decode_json("PaymentInstruction", body)


def test_events_that_clients_do_not_write_are_refused() -> None:
    with pytest.raises(Unreadable, match="PaymentAccepted"):
        decode_json("PaymentAccepted", b"{}")
