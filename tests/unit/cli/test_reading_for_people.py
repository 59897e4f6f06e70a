"""What the command line shows of events and payments, for a person's eye."""

from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from goodfunds.cli.payment import timeline_table
from goodfunds.cli.timeline import Step
from goodfunds.cli.watch import line
from goodfunds.observability.masking import HIDDEN

SHOWN = {
    "topic": "payments", "partition": 3, "offset": 41, "at": "2026-11-28T01:52:54.933+00:00",
    "producer": "ingestion.1", "seq": "3", "type": "PaymentAccepted",
    "event": {
        "payment_id": "01a2",
        "instruction": {"amount_minor": 123_456_789, "currency": "EUR", "debtor_account": "DE…3000",
                        "debtor_name": HIDDEN, "remittance_unstructured": "Invoice 7, café"},
        "accepted_at": "2026-11-28T01:52:54.930+00:00",
    },
}  # fmt: skip


def test_a_watched_event_is_one_line_with_money_as_people_read_it() -> None:
    assert line(SHOWN) == (
        "01:52:54.933 payments/3@41                PaymentAccepted      payment_id=01a2 "
        'amount=1,234,567.89EUR debtor_account=DE…3000 remittance_unstructured="Invoice 7, café"'
    )


def test_an_amount_of_no_known_currency_is_shown_as_it_came() -> None:
    event = {"amount_minor": 5, "currency": "ZZZ"}
    assert line({**SHOWN, "event": event}).endswith("amount_minor=5 currency=ZZZ")


def test_nothing_of_a_timeline_is_cut_off_in_a_narrow_terminal() -> None:
    at = datetime(2026, 11, 28, 1, 53, 24, 371_100, UTC)
    posting = "Dr transit-out:sepa-credit / Cr nostro:DE89370400440532013000 6,543.14 EUR"
    steps = [
        Step(at, "settlement", "settled", "settlement", "settlement-notifications", 11, 3, 123_456, "",
             (posting,), "camt.054 SB0004"),
        Step(at.replace(day=29), "reconciliation", "matched [by reference]", "", "", 11, None, None, "",
             (), ""),
    ]  # fmt: skip
    told = StringIO()
    Console(file=told, width=80).print(timeline_table("01a21fdb", steps))
    words = " ".join(told.getvalue().split())
    assert "…" not in words
    assert posting in words
    assert "01:53:24.371 settlement settled settlement-notifications/11@123456" in words
    assert "2026-11-29 01:53:24.371 reconciliation matched [by reference]" in words
