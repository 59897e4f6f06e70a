"""Ingestion's rows that must never be: each one tried stops its lane, with the evidence."""

import pytest

from goodfunds.lanes.records import Connection
from services.ingestion import store
from tests.integration.invariants.floor import NOW, assert_stopped_with_evidence, break_on

SERVICE = "ingestion"
PAID, NEW = "'00000000-0000-7000-8000-000000000001'", "'00000000-0000-7000-8000-000000000002'"
REFUSED = "'00000000-0000-7000-8000-000000000003'"
FILE = "'00000000-0000-7000-8000-000000000009'"


def _payment(payment_id: str, key: str, minor: int = 100, state: str = "accepted", code: str = "") -> str:
    return (
        f"INSERT INTO payments VALUES ({payment_id}, 0, 'c', '{key}', '', 'A', {minor}, 'EUR', 'sepa-credit',"
        f" '{state}', '{code}', '', '', '', 1, 1, now())"
    )


def _refund(payment_id: str, minor: int = 100, seq: int = 1) -> str:
    return (
        f"INSERT INTO refunds VALUES ({payment_id}, 0, {minor}, 'EUR', 'rejected', 'A', 'AC04', {seq}, 1, 1,"
        " now())"
    )


SEEDS = [
    _payment(PAID, "1"),
    _payment(REFUSED, "3", state="rejected", code="AM04"),
    _refund(PAID),
    "INSERT INTO balances VALUES (0, 'A', 'EUR', 50), (0, 'transit-out:sepa-credit', 'EUR', 50),"
    " (0, 'unapplied:closed-account', 'EUR', 0)",
    f"INSERT INTO payment_files VALUES ({FILE}, 'c', 'M', 'x', 'pain.001', 3, '{{}}', 'x', 2, now())",
]
BREAKS = {
    "a customer overdrawn": (
        "nobody_is_overdrawn",
        "UPDATE balances SET balance_minor = balance_minor - 51 WHERE account = 'A'",
    ),
    "more refunded than is in transit": (
        "nobody_is_overdrawn",
        "UPDATE balances SET balance_minor = -1 WHERE account LIKE 'transit-out:%'",
    ),
    "unapplied money spent": (
        "nobody_is_overdrawn",
        "UPDATE balances SET balance_minor = -1 WHERE account LIKE 'unapplied:%'",
    ),
    "accepted for nothing": ("accepted_has_an_amount", _payment(NEW, "2", minor=0)),
    "rejected for no reason": ("rejected_has_a_reason", _payment(NEW, "2", state="rejected")),
    "accepted with a reason against": ("rejected_has_a_reason", _payment(NEW, "2", code="AM04")),
    "in no state that there is": ("payments_state_check", _payment(NEW, "2", state="lost")),
    "a payment twice": ("payments_pkey", _payment(PAID, "2")),
    "a client's key twice": ("payments_client_idempotency_key_key", _payment(NEW, "1")),
    "a decision changed": (
        "decided_for_ever",
        "UPDATE payments SET amount_minor = 1",
    ),
    "a decision taken back": ("decided_for_ever", f"DELETE FROM payments WHERE payment_id = {REFUSED}"),
    "refunded twice": ("refunds_pkey", _refund(PAID)),
    "refunded and never taken": ("refunds_a_payment", _refund(NEW)),
    "refunded with nothing": ("refunds_amount_minor_check", _refund(REFUSED, minor=0)),
    "refunded by no event": ("numbered", _refund(REFUSED, seq=0)),
    "a refund taken back": ("refunded_for_ever", "DELETE FROM refunds"),
    "a file beyond its end": ("position_within_the_file", "UPDATE payment_files SET position = 4"),
    "a file finished too early": ("finished_at_its_end", "UPDATE payment_files SET finished_at = now()"),
    "a file sent again": ("position_goes_on", "UPDATE payment_files SET position = 1"),
    "another file under its name": ("position_goes_on", "UPDATE payment_files SET sha256 = 'y'"),
}


@pytest.mark.parametrize(("constraint", "statement"), BREAKS.values(), ids=BREAKS)
async def test_a_row_that_must_never_be_stops_its_lane_and_is_rolled_back(
    floor: str, constraint: str, statement: str
) -> None:
    assert_stopped_with_evidence(await break_on(floor, statement), constraint)


async def test_only_a_key_that_lanes_share_is_a_conflict_that_is_tried_again(floor: str) -> None:
    """A refund that is there already was not seen by whoever decided: trying again would never end."""
    refund = (
        bytes.fromhex(PAID.strip("'").replace("-", "")),
        0,
        100,
        "EUR",
        "rejected",
        "A",
        "",
        1,
        1,
        1,
        NOW,
    )

    async def twice(connection: Connection) -> None:
        await store.insert(connection, "refunds", [refund])

    assert_stopped_with_evidence(await break_on(floor, twice), "refunds_pkey")
