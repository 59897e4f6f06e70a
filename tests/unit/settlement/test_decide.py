"""One payment and whatever a bank says of it, in any order and any number of times."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.events.types import (
    BankEntryReported,
    PaymentRejectedByBank,
    PaymentReturned,
    PaymentSettled,
    PaymentStatusReported,
    SettlementContradicted,
)
from goodfunds.ledger.posting import FEES, Posting, nostro, suspense, transit_out
from services.settlement import decide
from services.settlement.model import BLANK, UNANSWERED, Memory, Outcome, booking_key, remember, status_key
from tests.unit.settlement.answers import BATCH, NOSTRO, NOW, PAYMENT, entry, returned, status

Answer = BankEntryReported | PaymentStatusReported


class Told:
    """Takes answers one after another and keeps what followed."""

    def __init__(self, *answers: Answer) -> None:
        self.standing = UNANSWERED
        self.memories: dict[bytes, Memory] = {}
        self.events: list[Outcome] = []
        self.postings: list[Posting] = []
        for answer in answers:
            self.take(answer)

    def take(self, answer: Answer) -> int:
        """Take one answer; how many events followed."""
        if isinstance(answer, BankEntryReported):
            memory = self.memories.get(booking_key(answer), BLANK)
            decision = decide.on_entry(PAYMENT, BATCH, self.standing, memory, answer, NOW)
            if decision.note is not None:
                assert decide.needs_memory(PAYMENT, BATCH, self.standing, answer)
        else:
            memory = self.memories.get(status_key(PAYMENT.payment_id), BLANK)
            decision = decide.on_status(PAYMENT, BATCH, self.standing, memory, answer, NOW)
        if decision.standing is not None:
            self.standing = decision.standing
        if decision.note is not None:
            key = decision.note.booking_key
            self.memories[key] = remember(self.memories.get(key, BLANK), decision.note)
        self.events += decision.events
        self.postings += decision.postings
        return len(decision.events)

    def balance(self, account: str) -> int:
        return sum(
            (each.credit_account == account) * each.amount_minor
            - (each.debit_account == account) * each.amount_minor
            for each in self.postings
        )

    def kinds(self) -> list[str]:
        return [
            each.kind if isinstance(each, SettlementContradicted) else type(each).__name__
            for each in self.events
        ]


TRANSIT, HOUSE, OPEN = transit_out("sepa-credit"), nostro(NOSTRO), suspense("contradicted")


def test_a_booked_debit_settles_and_takes_the_money_out_of_transit() -> None:
    told = Told(entry())
    assert told.kinds() == ["PaymentSettled"]
    assert (told.balance(TRANSIT), told.balance(HOUSE)) == (-100_00, 100_00)


@pytest.mark.parametrize("booked", ["PDNG", "INFO"])
def test_what_is_not_booked_settles_nothing(booked: str) -> None:
    assert Told(entry(status=booked)).events == []


def test_the_same_debit_on_the_statement_changes_nothing() -> None:
    told = Told(entry(), entry(source="camt.053", bank_reference="OTHER"), entry(source="camt.053"), entry())
    assert told.kinds() == ["PaymentSettled"]


@pytest.mark.parametrize("code", ["ACTC", "ACCP", "ACSP", "ACSC", "ACCC", "PDNG"])
def test_positive_statuses_settle_nothing_and_are_kept_once(code: str) -> None:
    told = Told(status(status=code), status(status=code))
    assert told.events == []
    assert told.postings == []
    assert told.standing == replace(UNANSWERED, statuses=(code,))


def test_a_rejection_before_the_debit_rejects_without_a_posting_once() -> None:
    told = Told(status(), status(), status(reason_code="MS03"))
    assert told.kinds() == ["PaymentRejectedByBank"]
    assert told.postings == []


def test_a_rejection_of_a_batch_that_the_payment_has_left_says_nothing() -> None:
    assert Told(status(batch_id=b"X" * 16)).events == []


def test_a_rejection_after_the_debit_moves_no_money_and_is_a_contradiction_once() -> None:
    told = Told(entry(), status(), status())
    assert told.kinds() == ["PaymentSettled", "rejected_after_settlement"]
    assert told.balance(HOUSE) == 100_00


def test_a_debit_after_the_rejection_goes_to_suspense_once_whoever_reports_it() -> None:
    told = Told(
        status(),
        entry(),
        entry(),
        entry(source="camt.053", bank_reference="OTHER"),
        entry(source="camt.053", bank_reference="OTHER"),
    )
    assert told.kinds() == ["PaymentRejectedByBank", "settled_after_rejection"]
    assert (told.balance(OPEN), told.balance(HOUSE), told.balance(TRANSIT)) == (-100_00, 100_00, 0)


def test_a_return_comes_back_once_in_full_whatever_reference_the_statement_gives_it() -> None:
    told = Told(entry(), returned(), returned(source="camt.053", bank_reference="S-9"), returned())
    assert told.kinds() == ["PaymentSettled", "PaymentReturned"]
    assert (told.balance(TRANSIT), told.balance(HOUSE)) == (0, 0)


def test_the_reversal_of_our_debit_is_a_return() -> None:
    told = Told(entry(), entry(credit_debit="CRDT", reversal=True, bank_reference="REV"))
    assert told.kinds() == ["PaymentSettled", "PaymentReturned"]


def test_a_return_that_overtakes_its_debit_proves_it() -> None:
    told = Told(returned(), entry())
    assert told.kinds() == ["PaymentSettled", "PaymentReturned"]
    assert (told.balance(TRANSIT), told.balance(HOUSE)) == (0, 0)


def test_a_second_return_goes_to_suspense_once() -> None:
    again = returned(bank_reference="RETURN-2")
    told = Told(entry(), returned(), again, again, replace(again, source="camt.053"))
    assert told.kinds() == ["PaymentSettled", "PaymentReturned", "second_return"]
    assert told.balance(OPEN) == 100_00


def test_a_return_of_another_amount_goes_to_suspense() -> None:
    told = Told(entry(), returned(amount_minor=95_00))
    assert told.kinds() == ["PaymentSettled", "return_amount_differs"]
    assert (told.balance(TRANSIT), told.balance(OPEN), told.balance(HOUSE)) == (-100_00, 95_00, 5_00)


LESS = {"amount_minor": 95_00, "charges_minor": 5_00}


def test_a_return_less_charges_is_the_whole_and_the_charges_are_our_fees() -> None:
    told = Told(entry(), returned(**LESS), returned(**LESS), returned(source="camt.053", amount_minor=95_00))
    assert told.kinds() == ["PaymentSettled", "PaymentReturned"]
    assert isinstance(back := told.events[-1], PaymentReturned)
    assert (back.amount_minor, back.charges_minor) == (100_00, 5_00)
    assert (told.balance(TRANSIT), told.balance(HOUSE), told.balance(FEES)) == (0, 5_00, -5_00)


def test_a_return_less_charges_that_overtakes_its_debit_proves_it() -> None:
    told = Told(returned(**LESS), entry())
    assert told.kinds() == ["PaymentSettled", "PaymentReturned"]
    assert (told.balance(TRANSIT), told.balance(HOUSE), told.balance(FEES)) == (0, 5_00, -5_00)


def test_a_credit_that_is_in_suspense_for_want_of_its_charges_moves_nothing_again_with_them() -> None:
    told = Told(entry(), returned(amount_minor=95_00), returned(source="camt.053", **LESS))
    assert told.kinds() == ["PaymentSettled", "return_amount_differs"]
    assert (told.balance(HOUSE), told.balance(OPEN)) == (5_00, 95_00)


@pytest.mark.parametrize("charges_minor", [4_99, 5_01])
def test_charges_that_do_not_make_the_whole_are_not_believed(charges_minor: int) -> None:
    told = Told(entry(), returned(amount_minor=95_00, charges_minor=charges_minor))
    assert told.kinds() == ["PaymentSettled", "return_amount_differs"]


def test_charges_beside_a_return_in_full_are_booked_apart_and_kept_from_nothing() -> None:
    told = Told(entry(), returned(charges_minor=5_00))
    assert (told.kinds(), told.balance(FEES)) == (["PaymentSettled", "PaymentReturned"], 0)


def test_a_second_return_less_charges_goes_to_suspense() -> None:
    told = Told(entry(), returned(**LESS), returned(bank_reference="RETURN-2", **LESS))
    assert told.kinds() == ["PaymentSettled", "PaymentReturned", "second_return"]
    assert told.balance(OPEN) == 95_00


def test_an_entry_of_nothing_posts_nothing() -> None:
    assert Told(entry(), returned(amount_minor=0)).postings == Told(entry()).postings


def test_a_debit_of_another_amount_goes_to_suspense_and_does_not_settle() -> None:
    told = Told(entry(amount_minor=99_99))
    assert told.kinds() == ["settled_amount_differs"]
    assert (told.balance(OPEN), told.balance(TRANSIT)) == (-99_99, 0)


def test_a_statement_line_with_another_amount_for_a_settled_payment_moves_no_money_and_is_told_once() -> None:
    line = entry(source="camt.053", amount_minor=100_01)
    told = Told(entry(), line, line)
    assert told.kinds() == ["PaymentSettled", "settled_amount_differs"]
    assert (told.balance(OPEN), told.balance(HOUSE)) == (0, 100_00)


def test_a_debit_that_reverses_a_credit_does_not_settle() -> None:
    assert Told(entry(reversal=True)).kinds() == ["unknown_entry"]


def test_an_answer_for_a_payment_in_an_open_batch_takes_it_out_of_the_batch() -> None:
    batch = replace(BATCH, sealed=False)
    assert decide.on_entry(PAYMENT, batch, UNANSWERED, BLANK, entry(), NOW).withdrawn
    assert decide.on_status(PAYMENT, batch, UNANSWERED, BLANK, status(), NOW).withdrawn


BOOKINGS = st.lists(
    st.sampled_from(
        [
            returned(),
            returned(bank_reference="RETURN-2"),
            returned(amount_minor=95_00, bank_reference="PART"),
            entry(amount_minor=1, bank_reference="ODD"),
            entry(credit_debit="CRDT", bank_reference="GIFT"),
            entry(reversal=True, bank_reference="TAKEN BACK"),
        ]
    ),
    unique_by=lambda each: each.bank_reference,
)


@given(st.data(), BOOKINGS, st.booleans(), st.booleans())
def test_the_nostro_is_the_banks_in_the_end_whatever_comes_in_which_order_how_often(
    data: st.DataObject, more: list[BankEntryReported], shared_references: bool, notified: bool
) -> None:
    bookings = [entry(), *more]
    reports: list[Answer] = [replace(each, source="camt.053", notification_id="S-1#0") for each in bookings]
    if notified:
        reports += [
            each if shared_references else replace(each, bank_reference="N" + each.bank_reference)
            for each in bookings
        ]
    reports += data.draw(st.lists(st.sampled_from(reports), max_size=6))
    reports += data.draw(st.lists(st.sampled_from([status(), status(status="ACSP")]), max_size=3))
    told = Told(*data.draw(st.permutations(reports)))

    at_bank = sum(
        -each.amount_minor if each.credit_debit == "DBIT" else each.amount_minor for each in bookings
    )
    assert told.balance(HOUSE) == -at_bank
    kinds = [type(each) for each in told.events]
    assert kinds.count(PaymentSettled) + kinds.count(PaymentRejectedByBank) <= 1
    assert kinds.count(PaymentReturned) <= kinds.count(PaymentSettled)
    assert told.balance(TRANSIT) == -100_00 * (kinds.count(PaymentSettled) - kinds.count(PaymentReturned))
    for answer in reports:
        assert told.take(answer) == 0, "a repeated answer said something"
