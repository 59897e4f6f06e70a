"""Settlement's handler on a real Postgres: batches, outcomes, money, and answers taken twice."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from goodfunds.events import types
from goodfunds.ids import NO_ID
from goodfunds.lanes import lane_of
from goodfunds.postgres import statements
from goodfunds.proof.tally import fingerprint
from services.settlement import SERVICE
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
from tests.integration.tampering import unguarded

LANE = lane_of("customer-1", PARTITIONS)
SQL = statements(SERVICE.sql)


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    connection = await opened(database)
    yield Desk(connection)
    assert await connection.fetch(SQL["proof_open_disagree"]) == [], "whatever a test did"
    await connection.close()


async def test_a_payment_accepted_twice_is_stored_once_in_the_batch_of_its_date(desk: Desk) -> None:
    once = instruction()
    payment, again = await desk.accept(once, once)
    assert again == payment
    await desk.accept(once)
    batch = await desk.batch_of(payment)
    assert (batch["requested_date"], batch["lane"], batch["nostro"]) == (DAY, LANE, NOSTRO)
    assert await desk.states() == {payment: "held"}


async def test_what_comes_after_the_cut_off_joins_the_next_days_batch(desk: Desk) -> None:
    (early,) = await desk.accept(instruction())
    (late,) = await desk.accept(instruction(idempotency_key="late"), now=EVENING)
    assert (await desk.batch_of(early))["requested_date"] == DAY
    assert (await desk.batch_of(late))["requested_date"] == date(2026, 3, 4)


async def test_a_passed_cut_off_seals_with_count_sum_and_offsets_that_can_be_computed_again(
    desk: Desk,
) -> None:
    payments = await desk.accept(*(instruction(idempotency_key=str(n), amount_minor=2) for n in range(3)))
    cut_off = (await desk.batch_of(payments[0]))["cut_off_at"]
    assert await desk.handler.due(desk.connection, [LANE], cut_off - timedelta(seconds=1)) == {}
    await desk.close(cut_off)
    batch = await desk.batch_of(payments[0])
    assert (batch["payments_count"], batch["amount_minor"], batch["first_offset"], batch["last_offset"]) == (
        3,
        6,
        0,
        2,
    )
    assert await desk.connection.fetch(SQL["proof_batches_disagree"]) == []
    assert set((await desk.states()).values()) == {"claimed"}


@pytest.mark.parametrize("kept", ["payments_count", "amount_minor", "first_offset", "last_offset"])
async def test_the_proof_names_a_sealed_batch_that_is_not_what_its_members_make(
    desk: Desk, kept: str
) -> None:
    (payment,) = await desk.accept(instruction())
    await desk.close()
    async with unguarded(desk.connection) as connection:
        change = f"UPDATE batches SET {kept} = {kept} + 1"
        # The last offset with the first: no batch can say that it ends before it begins.
        await connection.execute(
            change + (", last_offset = last_offset + 1" if kept == "first_offset" else "")
        )
    named = await desk.connection.fetch(SQL["proof_batches_disagree"])
    assert [row["batch_id"] for row in named] == [(await desk.batch_of(payment))["batch_id"]]


async def test_closing_by_hand_seals_open_batches_and_the_next_payment_opens_another(desk: Desk) -> None:
    (first,) = await desk.accept(instruction())
    await desk.connection.execute(
        "INSERT INTO requests (lane, kind, requested_by) VALUES ($1, 'close_cut_off', 'a person')", LANE
    )
    await desk.poll({}, MORNING, due=True)
    (second,) = await desk.accept(instruction(idempotency_key="second"))
    assert [(await desk.batch_of(each))["sequence"] for each in (first, second)] == [1, 2]
    assert await desk.states() == {first: "claimed", second: "held"}
    assert await desk.handler.due(desk.connection, [LANE], MORNING) == {}


async def test_the_banks_opening_balance_is_posted_once(desk: Desk) -> None:
    payload = f'{{"nostro": "{NOSTRO}", "currency": "EUR", "balance_minor": 500, "source": "opening"}}'
    for _ in range(2):
        await desk.connection.fetch(SQL["request_open_nostro"], NOSTRO_LANE, "a person", payload)
    await desk.poll({}, MORNING, due=True)
    assert await desk.balance(f"nostro:{NOSTRO}") == -500
    assert await desk.connection.fetchval("SELECT count(*) FROM requests WHERE outcome = 'done'") == 2


async def _sent(desk: Desk, *instructions: types.PaymentInstruction) -> list[bytes]:
    payments = await desk.accept(*instructions)
    await desk.close()
    for lane in range(PARTITIONS):
        batches = await desk.connection.fetch("SELECT batch_id FROM batches WHERE lane = $1", lane)
        for row in batches:
            await desk.tell(lane, types.BatchSubmitted(row[0], 0, "GF1", "file", NOSTRO))
    return payments


async def test_a_submitted_batch_tells_of_each_payment_once(desk: Desk) -> None:
    payments = await desk.accept(*(instruction(idempotency_key=str(n)) for n in range(3)))
    await desk.close()
    notice = types.BatchSubmitted((await desk.batch_of(payments[0]))["batch_id"], 0, "GF1", "file", NOSTRO)
    events = await desk.tell(LANE, notice)
    assert {each.payment_id for each in events} == set(payments)
    assert kinds(events) == ["PaymentSubmitted"] * 3
    assert await desk.tell(LANE, notice) == []


async def test_a_settled_payment_is_posted_once_and_its_row_knows_the_seq_of_its_event(desk: Desk) -> None:
    one, two = await _sent(desk, instruction(), instruction(idempotency_key="2", amount_minor=5))
    entries = [booked(payment_id=one), booked(5, payment_id=two, bank_reference="BANK-2")]
    assert kinds(await desk.tell(LANE, *entries)) == ["PaymentSettled"] * 2
    assert await desk.tell(LANE, *entries, *(replace(each, source="camt.053") for each in entries)) == []
    seqs = await desk.connection.fetch("SELECT event_seq FROM settlements ORDER BY event_seq")
    assert [row[0] for row in seqs] == [3, 4], "after two PaymentSubmitted"
    assert await desk.balance("transit-out:sepa-credit") == -100_05
    assert await desk.balance(f"nostro:{NOSTRO}") == 100_05
    assert await desk.connection.fetch(SQL["proof_ledger_disagrees"]) == []


async def test_a_rejection_of_the_group_rejects_those_without_a_status_of_their_own(desk: Desk) -> None:
    one, two = await _sent(desk, instruction(), instruction(idempotency_key="2"))
    batch_id = (await desk.batch_of(one))["batch_id"]
    group = types.BatchStatusReported(batch_id, 0, "RJCT", "FF01", "invalid", "GF1")
    own = types.PaymentStatusReported(one, batch_id, 0, "ACSP", "", "", "GF1", "E2E-1")
    assert kinds(await desk.tell(LANE, own, group)) == ["PaymentRejectedByBank"]
    assert await desk.states() == {one: "submitted", two: "rejected"}
    assert await desk.tell(LANE, group) == []


async def test_an_entry_with_the_end_to_end_id_alone_finds_its_lane(desk: Desk) -> None:
    (payment,) = await _sent(desk, instruction())
    entry = booked()
    assert kinds(await desk.tell(NOSTRO_LANE, entry)) == ["PaymentSettled"]
    assert await desk.states() == {payment: "settled"}
    again = replace(entry, source="camt.053", bank_reference="OTHER", notification_id="S-1#0")
    assert await desk.tell(NOSTRO_LANE, entry, again) == []
    assert await desk.balance(f"nostro:{NOSTRO}") == 100_00


async def test_an_entry_settled_by_its_reference_is_not_new_on_a_statement_without_it(desk: Desk) -> None:
    (payment,) = await _sent(desk, instruction())
    await desk.tell(LANE, booked(payment_id=payment))
    assert await desk.tell(NOSTRO_LANE, booked(source="camt.053", bank_reference="OTHER")) == []
    assert await desk.balance("suspense:contradicted") == 0


async def test_an_entry_that_fits_two_payments_waits_for_the_statement_and_goes_to_suspense_once(
    desk: Desk,
) -> None:
    await _sent(desk, instruction(), instruction(idempotency_key="2", debtor_account="customer-2"))
    entry = booked()
    assert await desk.tell(NOSTRO_LANE, entry) == []
    statement = replace(entry, source="camt.053")
    assert kinds(await desk.tell(NOSTRO_LANE, statement)) == ["ambiguous_entry"]
    assert await desk.tell(NOSTRO_LANE, statement, entry) == []
    assert await desk.balance(f"nostro:{NOSTRO}") == 100_00


async def test_an_entry_that_fits_nothing_is_in_suspense_once_and_equal_ones_apart(desk: Desk) -> None:
    fee = booked(500, end_to_end_id="", source="camt.053", bank_reference="", notification_id="S-1#0")
    second = replace(fee, notification_id="S-1#1")
    events = await desk.tell(NOSTRO_LANE, fee, second, fee)
    assert kinds(events) == ["unknown_entry"] * 2
    assert [each.amount_minor for each in events] == [-500, -500]
    assert await desk.tell(NOSTRO_LANE, fee, second) == []
    assert await desk.balance("suspense:contradicted") == -1000


async def test_a_batch_entry_settles_what_was_not_rejected_if_count_and_sum_agree(desk: Desk) -> None:
    one, two, three = await _sent(desk, *(instruction(idempotency_key=str(n)) for n in range(3)))
    batch_id = (await desk.batch_of(one))["batch_id"]
    await desk.tell(LANE, types.PaymentStatusReported(three, batch_id, 0, "RJCT", "AC04", "", "GF1", ""))
    whole = booked(200_00, batch_id=batch_id, end_to_end_id="", transaction_count=2)
    assert kinds(await desk.tell(LANE, whole)) == ["PaymentSettled"] * 2
    assert await desk.states() == {one: "settled", two: "settled", three: "rejected"}
    assert await desk.tell(LANE, whole, replace(whole, source="camt.053")) == []


async def test_a_batch_entry_that_does_not_agree_goes_to_suspense_from_the_statement(desk: Desk) -> None:
    (one,) = await _sent(desk, instruction())
    batch_id = (await desk.batch_of(one))["batch_id"]
    whole = booked(99_00, batch_id=batch_id, end_to_end_id="", transaction_count=1)
    assert await desk.tell(LANE, whole) == []
    assert kinds(await desk.tell(LANE, replace(whole, source="camt.053"))) == ["unknown_entry"]
    assert await desk.states() == {one: "submitted"}


async def test_payments_of_a_refused_batch_join_a_later_one_and_are_delayed(desk: Desk) -> None:
    one, two = await _sent(desk, instruction(), instruction(idempotency_key="2"))
    refused = await desk.batch_of(one)
    await desk.tell(LANE, booked(payment_id=one))
    notice = types.BatchRefused(refused["batch_id"], 0, "GF1", "TM01", "after the cut-off")
    events = await desk.tell(LANE, notice)
    assert kinds(events) == ["PaymentDelayed"]
    assert (events[0].from_date, events[0].to_date) == (DAY, date(2026, 3, 4))
    assert await desk.tell(LANE, notice) == []
    assert await desk.states() == {one: "settled", two: "held"}
    await desk.close(now=EVENING.replace(day=4))
    joined = await desk.batch_of(two)
    assert (joined["payments_count"], joined["amount_minor"]) == (1, 100_00)
    late = types.PaymentStatusReported(two, refused["batch_id"], 0, "RJCT", "AC04", "", "GF1", "")
    assert await desk.tell(LANE, late) == []


async def test_a_payment_answered_while_held_is_left_out_of_its_batch(desk: Desk) -> None:
    one, two = await desk.accept(instruction(), instruction(idempotency_key="2"))
    await desk.tell(LANE, booked(payment_id=one), now=MORNING)
    await desk.close()
    assert (await desk.batch_of(two))["payments_count"] == 1
    assert await desk.connection.fetch(SQL["proof_batches_disagree"]) == []


async def test_a_line_without_our_reference_repeats_what_settled_a_payment_that_was_still_held(
    desk: Desk,
) -> None:
    """Its batch is not sealed yet; that the bank knows the payment all the same, its settlement says."""
    (payment,) = await desk.accept(instruction())
    await desk.tell(LANE, booked(payment_id=payment), now=MORNING)
    repeat = booked(source="camt.053", notification_id="S-1#0")
    assert await desk.tell(NOSTRO_LANE, repeat, now=MORNING) == []
    assert await desk.connection.fetchval("SELECT count(*) FROM contradictions") == 0


async def test_a_payment_whose_file_was_too_late_is_found_by_its_end_to_end_id_if_a_copy_stood(
    desk: Desk,
) -> None:
    (payment,) = await _sent(desk, instruction())
    refused = await desk.batch_of(payment)
    await desk.tell(LANE, types.BatchRefused(refused["batch_id"], 0, "GF1", "TM01", "after the cut-off"))
    assert (await desk.batch_of(payment))["sealed_at"] is None
    assert kinds(await desk.tell(NOSTRO_LANE, booked())) == ["PaymentSettled"]
    assert await desk.states() == {payment: "settled"}


async def test_an_answer_in_the_wrong_lane_is_sent_on_and_writes_nothing_there(desk: Desk) -> None:
    (payment,) = await _sent(desk, instruction())
    other = (LANE + 1) % PARTITIONS
    assert kinds(await desk.tell(other, booked(payment_id=payment))) == ["PaymentSettled"]
    assert await desk.connection.fetchval("SELECT count(*) FROM postings WHERE lane <> $1", LANE) == 0


async def test_a_reference_that_names_no_payment_of_ours_moves_money_only_from_the_statement(
    desk: Desk,
) -> None:
    foreign = booked(payment_id=b"F" * 16, end_to_end_id="FOREIGN")
    assert await desk.tell(LANE, foreign) == []
    events = await desk.tell(LANE, replace(foreign, source="camt.053"))
    assert kinds(events) == ["unknown_entry"]
    assert events[0].payment_id == NO_ID


async def test_the_proof_counts_what_was_received_and_moved_payment_by_payment(
    desk: Desk,
) -> None:
    one, two = await _sent(desk, instruction(), instruction(idempotency_key="2", amount_minor=7))
    await desk.tell(LANE, booked(payment_id=one))
    rows = await desk.connection.fetch(SQL["proof_received"], [LANE], [2])
    assert [(row["amount_minor"], row["fingerprint"]) for row in rows] == [
        (100_07, fingerprint(one, 100_00) + fingerprint(two, 7))
    ]
    rows = await desk.connection.fetch(SQL["proof_moved"], [LANE], [10])
    assert [(row["amount_minor"], row["fingerprint"]) for row in rows] == [
        (-100_00, fingerprint(one, -100_00))
    ]
    steps = [row["step"] for row in await desk.connection.fetch(SQL["payment_timeline"], two)]
    assert steps == ["received", "claimed", "submitted"]
    money = await desk.connection.fetch(SQL["money_by_state"])
    assert [(row["state"], row["amount_minor"]) for row in money] == [("submitted", 7)]


async def test_an_answer_with_batch_and_end_to_end_id_alone_finds_its_payment_and_is_told_once(
    desk: Desk,
) -> None:
    one, two = await _sent(desk, instruction(), instruction(idempotency_key="2", end_to_end_id="E2E-2"))
    batch_id = (await desk.batch_of(one))["batch_id"]
    entry = booked(batch_id=batch_id)
    assert kinds(await desk.tell(LANE, entry)) == ["PaymentSettled"]
    rejection = types.PaymentStatusReported(NO_ID, batch_id, 0, "RJCT", "AC04", "", "GF1", "E2E-1")
    assert kinds(await desk.tell(LANE, rejection)) == ["rejected_after_settlement"]
    assert await desk.tell(LANE, rejection, entry) == []
    second = replace(entry, bank_reference="BANK-2")
    assert kinds(await desk.tell(LANE, second)) == ["second_settlement"]
    assert await desk.tell(LANE, second) == []
    assert await desk.states() == {one: "settled", two: "submitted"}


async def test_a_positive_answer_with_batch_and_end_to_end_id_alone_is_kept_once(desk: Desk) -> None:
    (payment,) = await _sent(desk, instruction())
    batch_id = (await desk.batch_of(payment))["batch_id"]
    accepted = types.PaymentStatusReported(NO_ID, batch_id, 0, "ACCP", "", "", "GF1", "E2E-1")
    await desk.tell(LANE, accepted)
    await desk.tell(LANE, accepted)
    assert await desk.connection.fetchval("SELECT count(*) FROM payment_statuses") == 1


async def _in_file(desk: Desk, message_id: str, payment: bytes) -> None:
    batch = await desk.batch_of(payment)
    await desk.connection.execute(
        SQL["claim_file"], batch["batch_id"], "sepa-credit", NOSTRO, "EUR", DAY, message_id, message_id,
        EVENING, b"", 1, 100_00, EVENING,
    )  # fmt: skip
    await desk.connection.execute(
        SQL["claim_batches"], batch["batch_id"], [batch["batch_id"]], [batch["lane"]]
    )


async def test_a_rejection_with_the_end_to_end_id_alone_is_of_the_file_that_it_names(desk: Desk) -> None:
    (first,) = await _sent(desk, instruction())
    await _in_file(desk, "GF1", first)
    rejection = types.PaymentStatusReported(NO_ID, NO_ID, 0, "RJCT", "AC04", "", "GF1", "E2E-1")
    assert kinds(await desk.tell(NOSTRO_LANE, rejection)) == ["PaymentRejectedByBank"]
    (again,) = await _sent(desk, instruction(idempotency_key="2", debtor_account="customer-2"))
    await _in_file(desk, "GF2", again)
    assert await desk.tell(NOSTRO_LANE, rejection) == []
    assert await desk.states() == {first: "rejected", again: "submitted"}


async def test_a_return_is_told_with_its_settlement_if_it_overtook_the_debit(desk: Desk) -> None:
    (payment,) = await _sent(desk, instruction())
    back = booked(payment_id=payment, credit_debit="CRDT", is_return=True, reason_code="AC04")
    assert kinds(await desk.tell(LANE, back)) == ["PaymentSettled", "PaymentReturned"]
    assert await desk.tell(LANE, booked(payment_id=payment), back) == []
    assert await desk.states() == {payment: "returned"}
    assert await desk.connection.fetch(SQL["proof_ledger_disagrees"]) == []
    assert await desk.balance(f"nostro:{NOSTRO}") == 0


async def test_a_debit_with_the_end_to_end_id_alone_that_its_return_overtook_is_no_second_one(
    desk: Desk,
) -> None:
    await _sent(desk, instruction())
    back = booked(credit_debit="CRDT", is_return=True, booking_date=date(2026, 3, 4), bank_reference="R")
    assert kinds(await desk.tell(NOSTRO_LANE, back)) == ["PaymentSettled", "PaymentReturned"]
    statement = booked(source="camt.053")
    assert await desk.tell(NOSTRO_LANE, statement, replace(back, source="camt.053")) == []
    assert await desk.balance(f"nostro:{NOSTRO}") == 0
    assert await desk.balance("suspense:contradicted") == 0


@pytest.mark.parametrize("named_first", [True, False])
async def test_a_second_booking_that_one_message_names_and_another_does_not_is_in_suspense_once(
    desk: Desk, named_first: bool
) -> None:
    (payment,) = await _sent(desk, instruction())
    first, second = booked(), booked(bank_reference="BANK-2")
    for debit in (first, second):
        named = replace(debit, payment_id=payment)
        nameless = replace(debit, source="camt.053")
        for lane, entry in ((LANE, named), (NOSTRO_LANE, nameless))[:: 1 if named_first else -1]:
            await desk.tell(lane, entry)
    assert await desk.balance("suspense:contradicted") == -100_00
    assert await desk.balance(f"nostro:{NOSTRO}") == 200_00


async def test_a_return_less_charges_is_told_in_full_and_its_statement_line_changes_nothing(
    desk: Desk,
) -> None:
    (payment,) = await _sent(desk, instruction())
    await desk.tell(LANE, booked(payment_id=payment))
    less: dict[str, Any] = {
        "credit_debit": "CRDT",
        "is_return": True,
        "amount_minor": 95_00,
        "bank_reference": "R",
    }
    (back,) = await desk.tell(LANE, booked(payment_id=payment, charges_minor=5_00, **less))
    assert (back.amount_minor, back.charges_minor) == (100_00, 5_00)
    assert await desk.tell(LANE, booked(payment_id=payment, source="camt.053", **less)) == []
    assert await desk.balance("fees") == -5_00
    assert await desk.balance(f"nostro:{NOSTRO}") == 5_00
    assert await desk.connection.fetch(SQL["proof_ledger_disagrees"]) == []


async def test_a_return_less_charges_finds_its_payment_by_end_to_end_id_and_the_whole_amount(
    desk: Desk,
) -> None:
    (payment,) = await _sent(desk, instruction(end_to_end_id="E2E-1"))
    await desk.tell(LANE, booked(payment_id=payment))
    less: dict[str, Any] = {
        "credit_debit": "CRDT",
        "is_return": True,
        "bank_reference": "R",
        "charges_minor": 5_00,
    }
    assert kinds(await desk.tell(NOSTRO_LANE, booked(95_00, **less))) == ["PaymentReturned"]
