"""What is refused before it is sent, with ingestion's own codes; and what goes out beside the bytes."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from goodfunds import Money, RequestRefused, credit_transfer
from goodfunds.client.outgoing import headers, prepare
from goodfunds.events.types import AccountFundRequested, AccountOpenRequested, PaymentInstruction, decode
from goodfunds.money import MAX_MINOR
from services.ingestion.incoming import Asked, read_request
from tests.unit.ingestion.requests import record

TRANSFER = credit_transfer(
    Money(10_50, "EUR"),
    idempotency_key="order-4711",
    requested_execution_date=date(2026, 3, 3),
    debtor_account="customer-1",
    debtor_name="Ada Almeida",
    creditor_account="FR1420041010050500013M02606",
    creditor_name="Chandler & Sons",
)
OPENING = AccountOpenRequested("", "open", "customer-1", "EUR", "Ada Almeida")
FUNDING = AccountFundRequested(5, "", "fund", "customer-1", "EUR", "equity")


@pytest.mark.parametrize("request_", [TRANSFER, OPENING, FUNDING])
def test_what_is_sent_is_what_ingestion_reads(request_: Any) -> None:
    outgoing = prepare(request_, "shop")
    asked = read_request(record(outgoing.value, headers(outgoing)))
    assert isinstance(asked, Asked)
    assert asked.request == replace(request_, client="shop")
    assert asked.account == outgoing.account == "customer-1"


def test_a_request_that_names_its_client_keeps_it() -> None:
    assert prepare(replace(TRANSFER, client="other"), "shop").client == "other"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"idempotency_key": ""}, "CH21"),
        ({"debtor_account": "nostro:bank"}, "CH16"),
        ({"debtor_account": "cust\0mer"}, "CH16"),
        ({"amount_minor": 0}, "AM01"),
        ({"amount_minor": -5}, "AM12"),
        ({"amount_minor": MAX_MINOR + 1}, "AM12"),
        ({"amount_minor": 10**30}, "AM12"),
        ({"amount_minor": True}, "AM12"),
        ({"amount_minor": 10.0}, "AM12"),
        ({"amount_minor": "10"}, "AM12"),
        ({"currency": "EUX"}, "AM11"),
        ({"currency": "USD"}, "AM03"),
        ({"rail": "pigeon"}, "AG03"),
        ({"creditor_account": "FR00"}, "AC03"),
        ({"creditor_name": ""}, "BE22"),
        ({"creditor_name": "\ud800"}, "CH16"),
        ({"creditor_name": None}, "CH16"),
        ({"requested_execution_date": "2026-03-03"}, "CH16"),
        ({"uetr": "ABC"}, "CH16"),
        ({"remittance_unstructured": "x" * 141}, "RR07"),
    ],
)
def test_a_payment_that_ingestion_would_refuse_whoever_pays_is_refused_before(
    changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(RequestRefused) as refused:
        prepare(replace(TRANSFER, **changes), "shop")
    assert refused.value.code == code
    assert not refused.value.retriable


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (replace(OPENING, currency="EUX"), "AM11"),
        (replace(OPENING, name=""), "BE20"),
        (replace(FUNDING, source=""), "CH21"),
        (replace(FUNDING, amount_minor=0), "AM12"),
    ],
)
def test_a_wish_about_an_account_is_refused_by_the_rules_of_ingestion(request_: Any, code: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        prepare(request_, "shop")
    assert refused.value.code == code


def test_a_client_without_a_name_is_refused() -> None:
    with pytest.raises(RequestRefused, match="client is empty"):
        prepare(TRANSFER, "")


def test_a_repeated_request_has_the_same_bytes_and_the_same_event_id() -> None:
    first, again = prepare(TRANSFER, "shop"), prepare(TRANSFER, "shop")
    assert first == again
    assert dict(headers(first)) == {
        "ce_specversion": b"1.0",
        "ce_type": b"PaymentInstruction",
        "ce_source": b"/clients/shop",
        "ce_id": b"order-4711",
    }
    traced = prepare(TRANSFER, "shop", traceparent="00-1-2-01")
    assert dict(headers(traced))["traceparent"] == b"00-1-2-01"


def test_a_transfer_says_its_amount_in_minor_units_and_leaves_out_what_is_not_given() -> None:
    event = decode(prepare(TRANSFER, "shop").value)
    assert isinstance(event, PaymentInstruction)
    assert (event.amount_minor, event.currency, event.rail) == (1050, "EUR", "sepa-credit")
    assert (event.end_to_end_id, event.creditor_address_lines) == ("", ())
