"""Which payment an event is about, told from its bytes alone."""

import pytest

from goodfunds.events.subject import payment_of
from goodfunds.events.types import AccountOpened, BreakOpened
from goodfunds.ids import NO_ID

PAYMENT = bytes(range(1, 17))


def opened(payment_id: bytes) -> bytes:
    return BreakOpened(PAYMENT, payment_id, NO_ID, 5, 0, 3, "EUR", "nostro", "line", 0, "").encode()


def test_an_event_names_its_payment() -> None:
    assert payment_of(opened(PAYMENT)) == PAYMENT


@pytest.mark.parametrize(
    "value", [opened(NO_ID), AccountOpened("a", "EUR", "Ada", 0).encode(), b"", b"garbage", None]
)
def test_what_names_no_payment_or_cannot_be_read_is_about_none(value: bytes | None) -> None:
    assert payment_of(value) is None
