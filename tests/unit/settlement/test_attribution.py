"""Entries that do not name their payment: found where they can be, in suspense once where they cannot."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.events.types import BankEntryReported, PaymentStatusReported
from goodfunds.ids import NO_ID
from goodfunds.ledger.posting import Posting, nostro, suspense
from services.settlement import attribution, decide
from services.settlement.model import (
    BLANK,
    UNANSWERED,
    Candidate,
    Memory,
    Payment,
    Standing,
    booking_key,
    remember,
    unnamed,
)
from services.settlement.movements import IMPLIED
from tests.unit.settlement.answers import BATCH, DAY, NOSTRO, NOW, entry, status


class Houses:
    """The nostro's lane and the payments' lanes, with answers sent on between them at once."""

    def __init__(self, *payments: Payment) -> None:
        self.payments = {each.payment_id: each for each in payments}
        self.standings: dict[bytes, Standing] = dict.fromkeys(self.payments, UNANSWERED)
        self.memories: dict[bytes, Memory] = {}
        self.postings: list[Posting] = []

    def candidates(self, about: BankEntryReported) -> list[Candidate]:
        return [
            Candidate(
                each.payment_id,
                each.lane,
                each.account,
                debit.booking_date if (debit := self.standings[each.payment_id].debit) else None,
                self.standings[each.payment_id].rejected,
                credit.booking_date if (credit := self.standings[each.payment_id].credit) else None,
                debit is not None and debit.source == IMPLIED,
                self.memory(replace(about, payment_id=each.payment_id)).posted,
            )
            for each in self.payments.values()
            if (each.end_to_end_id, each.amount_minor) == (about.end_to_end_id, about.amount_minor)
        ]

    def memory(self, answer: BankEntryReported) -> Memory:
        return self.memories.get(booking_key(answer), BLANK)

    def take(self, answer: BankEntryReported) -> None:
        memory = self.memory(answer)
        payment = self.payments.get(answer.payment_id)
        if payment is None:
            decision = attribution.on_unattributed_entry(self.candidates(answer), memory, answer, NOW)
        else:
            standing = self.standings[payment.payment_id]
            known = replace(memory, unnamed=self.memory(unnamed(payment, answer)).posted)
            decision = decide.on_entry(payment, BATCH, standing, known, answer, NOW)
            self.standings[payment.payment_id] = decision.standing or standing
        if decision.note is not None:
            self.memories[decision.note.booking_key] = remember(memory, decision.note)
        self.postings += decision.postings
        if decision.forward is not None:
            sent_on = decision.forward[2]
            assert isinstance(sent_on, BankEntryReported)
            self.take(sent_on)

    def balance(self, account: str) -> int:
        return sum(
            (each.credit_account == account) * each.amount_minor
            - (each.debit_account == account) * each.amount_minor
            for each in self.postings
        )


def _payment(number: int, end_to_end_id: str) -> Payment:
    return Payment(bytes([number]) * 16, 1, BATCH.batch_id, 100_00, f"customer-{number}", end_to_end_id, b"")


@given(st.data())
def test_each_booking_is_in_our_books_once_whatever_each_message_echoes(data: st.DataObject) -> None:
    payments = [_payment(number, f"E{number}") for number in range(1, 4)]
    reports = []
    for payment in payments:
        for source in ("camt.054", "camt.053"):
            echoed = payment.payment_id if data.draw(st.booleans()) else NO_ID
            reports.append(
                entry(
                    payment_id=echoed,
                    end_to_end_id=payment.end_to_end_id,
                    source=source,
                    bank_reference=data.draw(
                        st.sampled_from([f"R{payment.account}", source + payment.account])
                    ),
                )
            )
    fees = data.draw(st.integers(0, 3))
    referenced = data.draw(st.booleans())
    for number in range(fees):
        fee = entry(
            payment_id=NO_ID,
            end_to_end_id="",
            amount_minor=500,
            bank_reference=f"FEE{number}" if referenced else "",
            notification_id=f"S#{number}",
        )
        reports += [fee, replace(fee, source="camt.053")]
    again = data.draw(st.lists(st.sampled_from(reports), max_size=8))
    houses = Houses(*payments)
    for report in data.draw(st.permutations(reports + again)):
        houses.take(report)
    assert all(standing.debit for standing in houses.standings.values())
    assert houses.balance(suspense("contradicted")) == -500 * fees
    assert houses.balance(nostro(NOSTRO)) == 300_00 + 500 * fees


def test_an_entry_that_fits_several_payments_or_none_moves_nothing_until_a_statement_shows_it() -> None:
    for payments in ([], [_payment(1, "E"), _payment(2, "E")]):
        houses = Houses(*payments)
        houses.take(entry(payment_id=NO_ID, end_to_end_id="E"))
        assert houses.postings == []
        houses.take(entry(payment_id=NO_ID, end_to_end_id="E", source="camt.053"))
        assert houses.balance(nostro(NOSTRO)) == 100_00
        assert houses.balance(suspense("contradicted")) == -100_00
        assert set(houses.standings.values()) <= {UNANSWERED}


@pytest.mark.parametrize(
    ("amount_minor", "count", "settled"),
    [(200_00, 2, 2), (200_00, 0, 2), (199_99, 2, 0), (300_00, 3, 0), (200_00, 3, 0), (300_00, 0, 0)],
)
def test_an_entry_of_a_whole_batch_settles_what_was_not_rejected_where_count_and_sum_agree(
    amount_minor: int, count: int, settled: int
) -> None:
    members = [
        (_payment(1, "E1"), UNANSWERED),
        (_payment(2, "E2"), UNANSWERED),
        (_payment(3, "E3"), Standing(rejected=True)),
    ]
    whole = entry(
        payment_id=NO_ID,
        batch_id=BATCH.batch_id,
        end_to_end_id="",
        amount_minor=amount_minor,
        transaction_count=count,
    )
    found = list(attribution.on_batch_entry(BATCH, members, BLANK, whole, NOW))
    assert len([payment for payment, decision in found if decision.postings]) == settled


def test_two_payments_alike_are_both_settled_once_one_of_them_is_known() -> None:
    houses = Houses(_payment(1, "NOTPROVIDED"), _payment(2, "NOTPROVIDED"))
    houses.take(entry(payment_id=b"\1" * 16, end_to_end_id="NOTPROVIDED", bank_reference="ONE"))
    unnamed = entry(payment_id=NO_ID, end_to_end_id="NOTPROVIDED", source="camt.053", bank_reference="ONE")
    houses.take(unnamed)
    houses.take(replace(unnamed, bank_reference="TWO"))
    assert all(standing.debit for standing in houses.standings.values())
    assert houses.balance(suspense("contradicted")) == 0


def test_an_old_payment_alike_does_not_explain_todays_booking() -> None:
    old, new = _payment(1, "NOTPROVIDED"), _payment(2, "NOTPROVIDED")
    houses = Houses(old, new)
    houses.take(entry(payment_id=old.payment_id, end_to_end_id="NOTPROVIDED", booking_date=date(2026, 2, 2)))
    houses.take(entry(payment_id=NO_ID, end_to_end_id="NOTPROVIDED", bank_reference="NEW", booking_date=DAY))
    assert houses.standings[new.payment_id].debit is not None


def test_a_return_without_reference_finds_the_one_payment_that_has_not_come_back() -> None:
    found = Candidate(b"\1" * 16, 3, "customer", DAY, False, None)
    back = entry(payment_id=NO_ID, credit_debit="CRDT", is_return=True)
    decision = attribution.on_unattributed_entry([found], BLANK, back, NOW)
    assert decision.forward is not None
    assert (decision.forward[0], decision.forward[2].payment_id) == (3, b"\1" * 16)


@given(st.data())
def test_a_debit_after_the_rejection_is_in_suspense_once_whatever_each_message_echoes(
    data: st.DataObject,
) -> None:
    payment = _payment(1, "E1")
    houses = Houses(payment)
    houses.standings[payment.payment_id] = Standing(rejected=True)
    reports = []
    for source in ("camt.054", "camt.053"):
        echoed = payment.payment_id if data.draw(st.booleans()) else NO_ID
        reference = data.draw(st.sampled_from(["R", source]))
        reports.append(entry(payment_id=echoed, end_to_end_id="E1", source=source, bank_reference=reference))
    again = data.draw(st.lists(st.sampled_from(reports), max_size=4))
    for report in data.draw(st.permutations(reports + again)):
        houses.take(report)
    assert houses.balance(suspense("contradicted")) == -100_00
    assert houses.balance(nostro(NOSTRO)) == 100_00


@given(st.data())
def test_a_debit_and_its_return_are_in_our_books_once_in_any_order_whatever_each_message_echoes(
    data: st.DataObject,
) -> None:
    payment = _payment(1, "E1")
    houses = Houses(payment)
    came_back_on = DAY + timedelta(days=data.draw(st.integers(0, 1)))
    reports = []
    for source in ("camt.054", "camt.053"):
        echoed = payment.payment_id if data.draw(st.booleans()) else NO_ID
        debit = entry(payment_id=echoed, end_to_end_id="E1", source=source, bank_reference=f"D{source}")
        back = replace(
            debit,
            credit_debit="CRDT",
            is_return=True,
            bank_reference=f"C{source}",
            booking_date=came_back_on,
        )
        reports += [debit, back]
    again = data.draw(st.lists(st.sampled_from(reports), max_size=4))
    for report in data.draw(st.permutations(reports + again)):
        houses.take(report)
    assert houses.balance(suspense("contradicted")) == 0
    assert houses.balance(nostro(NOSTRO)) == 0


@given(st.data())
def test_a_second_booking_is_in_suspense_once_in_any_order_whatever_each_message_echoes(
    data: st.DataObject,
) -> None:
    payment = _payment(1, "E1")
    houses = Houses(payment)
    returns = data.draw(st.booleans())
    if returns:
        houses.take(entry(payment_id=payment.payment_id))
    shared = data.draw(st.booleans())
    reports = []
    for source in ("camt.054", "camt.053"):
        echoed = payment.payment_id if data.draw(st.booleans()) else NO_ID
        for number in range(2):
            reference = f"R{number}" if shared else f"{source} {number}"
            found = entry(payment_id=echoed, end_to_end_id="E1", source=source, bank_reference=reference)
            reports.append(replace(found, credit_debit="CRDT", is_return=True) if returns else found)
    again = data.draw(st.lists(st.sampled_from(reports), max_size=4))
    for report in data.draw(st.permutations(reports + again)):
        houses.take(report)
    assert abs(houses.balance(suspense("contradicted"))) == 100_00
    assert houses.balance(nostro(NOSTRO)) == (-100_00 if returns else 200_00)


def _rejection() -> PaymentStatusReported:
    return status(payment_id=NO_ID, batch_id=NO_ID)


def test_a_rejection_without_reference_is_sent_on_where_one_open_payment_fits() -> None:
    fits = Candidate(b"\1" * 16, 3, "customer", None, False, None)
    settled = Candidate(b"\2" * 16, 3, "customer", DAY, False, None)
    decision = attribution.on_unattributed_status([fits, settled], BLANK, _rejection(), NOSTRO, "EUR", NOW)
    assert decision.forward is not None
    assert decision.forward[2].payment_id == b"\1" * 16


def test_a_rejection_without_reference_of_the_one_that_is_booked_is_for_its_lane_to_contradict() -> None:
    settled = Candidate(b"\2" * 16, 3, "customer", DAY, False, None)
    decision = attribution.on_unattributed_status([settled], BLANK, _rejection(), NOSTRO, "EUR", NOW)
    assert decision.forward is not None
    assert decision.forward[2].payment_id == b"\2" * 16
    assert decision.events == ()
    several = [settled, settled._replace(payment_id=b"\3" * 16)]
    decision = attribution.on_unattributed_status(several, BLANK, _rejection(), NOSTRO, "EUR", NOW)
    assert decision.forward is None
    assert [event.kind for event in decision.events if hasattr(event, "kind")] == ["unknown_entry"]
    accepted = replace(_rejection(), status="ACCP")
    decision = attribution.on_unattributed_status([settled], BLANK, accepted, NOSTRO, "EUR", NOW)
    assert (decision.forward, decision.events) == (None, ())


def test_a_rejection_that_fits_several_moves_nothing_and_is_told_once() -> None:
    fitting = [Candidate(bytes([n]) * 16, 3, "customer", None, False, None) for n in (1, 2)]
    decision = attribution.on_unattributed_status(fitting, BLANK, _rejection(), NOSTRO, "EUR", NOW)
    assert [event.kind for event in decision.events if hasattr(event, "kind")] == ["ambiguous_entry"]
    assert decision.note is not None
    known = remember(BLANK, decision.note)
    assert not attribution.on_unattributed_status(fitting, known, _rejection(), NOSTRO, "EUR", NOW).events
