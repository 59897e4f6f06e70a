"""What settlement has read, handled a second time: no row, no event, whatever came since."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from goodfunds.events import types
from goodfunds.ids import NO_ID
from goodfunds.lanes import lane_of
from goodfunds.postgres import statements
from services.settlement import SERVICE
from tests.integration.handled_again import owner_of
from tests.integration.settlement.desk import (
    DAY,
    EVENING,
    MORNING,
    NOSTRO,
    NOSTRO_LANE,
    PARTITIONS,
    Desk,
    booked,
    instruction,
    kinds,
    opened,
)

LANE = lane_of("customer-1", PARTITIONS)
WRONG = (LANE + 1) % PARTITIONS
LATER = date(2026, 3, 4)
SQL = statements(SERVICE.sql)
BACK: dict[str, Any] = {
    "credit_debit": "CRDT",
    "is_return": True,
    "reason_code": "AC04",
    "booking_date": LATER,
}


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    connection = await opened(database)
    yield Desk(connection)
    for rule in ("proof_open_disagree", "proof_ledger_disagrees", "proof_batches_disagree"):
        assert await connection.fetch(SQL[rule]) == [], rule
    await connection.close()


async def assert_nothing_follows(desk: Desk, database: str) -> None:
    async with owner_of(database, desk.handler, PARTITIONS) as owner:
        await owner.assert_nothing_follows(desk.log, EVENING)


async def sent(desk: Desk, *instructions: types.PaymentInstruction, message_id: str = "GF1") -> list[bytes]:
    """Payments accepted, and their batches in a file that the bank has."""
    payments = await desk.accept(*instructions)
    await desk.close()
    unsent = "SELECT * FROM batches WHERE submitted_at IS NULL AND refused_at IS NULL"
    for row in await desk.connection.fetch(unsent):
        name = f"{message_id}-{row['lane']}"
        await desk.connection.execute(
            SQL["claim_file"], row["batch_id"], "sepa-credit", NOSTRO, "EUR", DAY, name, name, EVENING, b"",
            1, 1, EVENING,
        )  # fmt: skip
        await desk.connection.execute(SQL["claim_batches"], row["batch_id"], [row["batch_id"]], [row["lane"]])
        await desk.tell(row["lane"], types.BatchSubmitted(row["batch_id"], 0, name, "file", NOSTRO))
    return payments


def paid(key: str, **changes: Any) -> types.PaymentInstruction:
    return instruction(idempotency_key=key, **{"end_to_end_id": key, **changes})


async def batch_of(desk: Desk, payment: bytes) -> bytes:
    found: bytes = (await desk.batch_of(payment))["batch_id"]
    return found


def status(payment: bytes, batch: bytes, given: str, key: str = "", file: str = f"GF1-{LANE}") -> Any:
    return types.PaymentStatusReported(
        payment, batch, 0, given, "AC04" if given == "RJCT" else "", "", file, key
    )


async def test_bookings_of_payments_handled_again_move_nothing(desk: Desk, database: str) -> None:
    """Debits, returns, whole, less charges and second; amounts that differ; what a bank takes back."""
    keys = [
        "settled", "returned", "overtaken", "less", "less-untold", "twice", "back-twice", "other-amount",
        "other-return", "rejected", "odd", "held",
    ]  # fmt: skip
    named = dict(zip(keys, await sent(desk, *map(paid, keys)), strict=True))

    async def tell(key: str, *entries: types.BankEntryReported) -> list[str]:
        about = (replace(each, payment_id=named[key], end_to_end_id=key) for each in entries)
        return kinds(await desk.tell(LANE, *about))

    debit, statement, less = booked(), booked(source="camt.053", bank_reference="S"), booked(95_00, **BACK)
    assert await tell("settled", debit, statement, debit) == ["PaymentSettled"]
    assert await tell("returned", debit, booked(**BACK)) == ["PaymentSettled", "PaymentReturned"]
    assert await tell("overtaken", booked(**BACK)) == ["PaymentSettled", "PaymentReturned"]
    assert await tell("overtaken", debit, statement) == []
    # Told whole by the statement, where the notification told it less charges; and once more.
    whole = booked(source="camt.053", bank_reference="W", **BACK)
    assert await tell("less", debit, replace(less, charges_minor=5_00)) == [
        "PaymentSettled",
        "PaymentReturned",
    ]
    assert await tell("less", whole) == ["return_amount_differs"]
    assert await tell("less", whole, replace(whole, source="camt.054", bank_reference="BANK-1")) == [
        "return_amount_differs"
    ]
    assert await tell("less-untold", debit, less) == ["PaymentSettled", "return_amount_differs"]
    assert await tell("less-untold", replace(less, charges_minor=5_00, source="camt.053")) == []
    second = booked(bank_reference="BANK-2")
    assert await tell("twice", debit, second) == ["PaymentSettled", "second_settlement"]
    assert await tell("back-twice", debit, booked(**BACK)) == ["PaymentSettled", "PaymentReturned"]
    assert await tell("back-twice", booked(bank_reference="BANK-2", **BACK)) == ["second_return"]
    assert await tell("other-amount", booked(99_00), debit) == ["settled_amount_differs", "PaymentSettled"]
    assert await tell("other-amount", booked(98_00, source="camt.053"), booked(0)) == [
        "settled_amount_differs"
    ]
    assert await tell("other-return", debit, booked(90_00, **BACK)) == [
        "PaymentSettled",
        "return_amount_differs",
    ]
    assert await tell("other-return", booked(**BACK), booked(currency="USD")) == [
        "PaymentReturned", "settled_amount_differs",
    ]  # fmt: skip
    assert kinds(await desk.tell(LANE, status(named["rejected"], NO_ID, "RJCT"))) == ["PaymentRejectedByBank"]
    assert await tell("rejected", debit, booked(**BACK)) == [
        "settled_after_rejection", "returned_after_rejection",
    ]  # fmt: skip
    odd = (booked(0), booked(status="PDNG"), booked(reversal=True), booked(credit_debit="CRDT"))
    assert await tell("odd", *odd) == ["unknown_entry", "unknown_entry"]
    assert await tell("odd", debit) == ["PaymentSettled"]
    await assert_nothing_follows(desk, database)


async def test_answers_that_name_no_payment_handled_again_stay_with_whom_they_were_found_to_be_about(
    desk: Desk, database: str
) -> None:
    """By EndToEndId alone: one fits, several do, none does; then the books change, and others fit."""
    await sent(
        desk, paid("one"), paid("a", end_to_end_id="two"), paid("b", end_to_end_id="two"),
        paid("rejected"), paid("debited"), paid("less"),
    )  # fmt: skip
    fee = booked(500, end_to_end_id="", source="camt.053", bank_reference="", notification_id="S-1#0")
    entries = [
        booked(end_to_end_id="one"),
        booked(end_to_end_id="one", source="camt.053", bank_reference="S"),
        booked(end_to_end_id="two"),
        booked(end_to_end_id="none"),
        booked(0, end_to_end_id="one", bank_reference="Z"),
        booked(0, end_to_end_id="", source="camt.053", bank_reference="ZF"),
        fee,
        replace(fee, notification_id="S-1#1"),
        booked(7, credit_debit="CRDT", end_to_end_id="", source="camt.053", bank_reference="adjusted"),
    ]
    assert kinds(await desk.tell(NOSTRO_LANE, *entries)) == ["unknown_entry"] * 3 + ["PaymentSettled"]
    by_name = [status(NO_ID, NO_ID, given, key) for given, key in (
        ("ACSP", "one"), ("ACSP", "two"), ("RJCT", "two"), ("ACSP", "rejected"), ("RJCT", "rejected"),
        ("RJCT", "none"), ("ACSP", "none"), ("RJCT", "debited"),
    )]  # fmt: skip
    assert sorted(kinds(await desk.tell(NOSTRO_LANE, *by_name))) == [
        "PaymentRejectedByBank", "PaymentRejectedByBank", "ambiguous_entry", "unknown_entry",
    ]  # fmt: skip
    less = booked(95_00, end_to_end_id="less", charges_minor=5_00, **BACK)
    assert kinds(await desk.tell(NOSTRO_LANE, booked(end_to_end_id="less"), less)) == [
        "PaymentSettled", "PaymentSettled", "PaymentReturned",
    ][-2:]  # fmt: skip
    await assert_nothing_follows(desk, database)
    # One of the two is settled by name: what fitted both fits the other alone now.
    (first,) = [each for each, state in (await desk.states()).items() if state == "submitted"][:1]
    await desk.tell(LANE, booked(payment_id=first, end_to_end_id="two", bank_reference="T"))
    await assert_nothing_follows(desk, database)
    await desk.tell(NOSTRO_LANE, booked(end_to_end_id="two", source="camt.053", bank_reference="T2"))
    await assert_nothing_follows(desk, database)


async def test_answers_of_batches_handled_again_find_the_batch_as_it_was(desk: Desk, database: str) -> None:
    """Group statuses, sums and files refused; members that have moved on, or were rejected since."""
    one, *_ = await sent(desk, paid("g1"), paid("g2"), paid("g3"))
    group = await batch_of(desk, one)
    answers = [
        types.BatchStatusReported(group, 0, "ACCP", "", "", "GF1"),
        status(one, group, "ACSP"),
        types.BatchStatusReported(group, 0, "RJCT", "FF01", "invalid", "GF1"),
    ]
    assert kinds(await desk.tell(LANE, *answers)) == ["PaymentRejectedByBank"] * 2
    assert kinds(await desk.tell(LANE, booked(payment_id=one, end_to_end_id="g1"), answers[-1])) == [
        "PaymentSettled"
    ]

    sums = await sent(desk, *(paid(f"s{n}", amount_minor=10_00) for n in range(3)), message_id="GF2")
    batch = await batch_of(desk, sums[0])
    total = booked(20_00, batch_id=batch, end_to_end_id="", transaction_count=2, bank_reference="SUM")
    assert await desk.tell(LANE, total) == [], "two of three: it waits for the statement"
    await desk.tell(LANE, status(sums[2], batch, "RJCT"))
    assert await desk.tell(LANE, total) == [], "told again it is what it was"
    await assert_nothing_follows(desk, database)
    statement = replace(total, source="camt.053")
    assert kinds(await desk.tell(LANE, statement)) == ["PaymentSettled"] * 2
    wrong = replace(statement, amount_minor=21_00, bank_reference="SUM-2")
    assert kinds(await desk.tell(LANE, wrong)) == ["unknown_entry"]

    twins = await sent(
        desk, paid("t1", end_to_end_id="twin"), paid("t2", end_to_end_id="twin"), paid("t3"), message_id="GF3"
    )  # fmt: skip
    late = await batch_of(desk, twins[0])
    ambiguous = booked(batch_id=late, end_to_end_id="twin", bank_reference="TWIN")
    taken_back = booked(batch_id=late, end_to_end_id="t3", reversal=True, bank_reference="REV")
    answers = [
        ambiguous,
        replace(ambiguous, source="camt.053"),
        replace(taken_back, source="camt.053"),
        taken_back,
        *(
            status(NO_ID, late, given, key)
            for given, key in (("ACSP", "twin"), ("RJCT", "twin"), ("ACSP", "t3"))
        ),
    ]
    told = await desk.tell(LANE, *answers)
    assert kinds(told) == ["unknown_entry", "unknown_entry", "unknown_entry"]
    await desk.tell(LANE, booked(payment_id=twins[0], end_to_end_id="twin", bank_reference="T1"))
    await assert_nothing_follows(desk, database)
    refused = types.BatchRefused(late, 0, "GF3", "TM01", "after the cut-off")
    assert kinds(await desk.tell(LANE, refused)) == ["PaymentDelayed"] * 2
    late_answers = status(twins[1], late, "RJCT"), types.BatchSubmitted(late, 0, "GF3", "f", NOSTRO)
    assert await desk.tell(LANE, *late_answers) == []
    await assert_nothing_follows(desk, database)


async def test_answers_on_a_wrong_lane_are_sent_on_once(desk: Desk, database: str) -> None:
    one, two, _ = await sent(desk, paid("w1"), paid("w2"), paid("w3", amount_minor=5_00))
    batch = await batch_of(desk, one)
    answers = [
        booked(payment_id=one, end_to_end_id="w1"),
        status(two, NO_ID, "ACSP"),
        status(NO_ID, batch, "RJCT", "w2"),
        booked(5_00, batch_id=batch, end_to_end_id="w3", bank_reference="W"),
        types.BatchStatusReported(batch, 0, "ACCP", "", "", "GF1"),
        types.BatchSubmitted(batch, 0, "GF1", "f", NOSTRO),
        types.BatchRefused(batch, 0, "GF1", "TM01", ""),
    ]
    told = await desk.tell(WRONG, *answers)
    assert kinds(told) == ["PaymentSettled", "PaymentRejectedByBank", "PaymentSettled"]
    await assert_nothing_follows(desk, database)


async def test_a_first_a_second_and_the_first_again_count_once_each(desk: Desk, database: str) -> None:
    (payment,) = await sent(desk, paid("aba"))
    first = booked(payment_id=payment, end_to_end_id="aba")
    second = booked(payment_id=payment, end_to_end_id="aba", bank_reference="R", **BACK)
    await desk.tell(LANE, first)
    await desk.tell(LANE, second)
    a, b = desk.log[-2:]
    async with owner_of(database, desk.handler, PARTITIONS) as owner:
        for each in (a, b, a, b, b, a):
            assert await owner.hand_in([each], EVENING) == []
    assert await desk.balance(f"nostro:{NOSTRO}") == 0
    assert await desk.states() == {payment: "returned"}


async def test_what_is_handled_again_among_new_records_changes_neither_them_nor_what_they_come_to(
    desk: Desk, database: str
) -> None:
    """A payment that is new between two slices is in the batch that is open now, and out with it, once."""
    payments = await sent(desk, *(paid(f"l{n}") for n in range(6)))
    for place, each in enumerate(payments[:4]):
        await desk.tell(LANE, booked(payment_id=each, end_to_end_id=f"l{place}", bank_reference=f"L{place}"))
    old, new = list(desk.log), 0
    async with owner_of(database, desk.handler, PARTITIONS) as owner:
        for first in range(0, len(old), 3):
            new += 1
            await desk.accept(paid(f"new-{new}"), now=MORNING)
            assert await owner.hand_in(old[first : first + 3], MORNING) == []
            if new == 2:
                debit = booked(payment_id=payments[4], end_to_end_id="l4", bank_reference="L4")
                assert kinds(await desk.tell(LANE, debit)) == ["PaymentSettled"]
    assert sorted((await desk.states()).values()) == sorted(["settled"] * 5 + ["submitted"] + ["held"] * new)
    assert await desk.balance(f"nostro:{NOSTRO}") == 500_00
    await assert_nothing_follows(desk, database)
