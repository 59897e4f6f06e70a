"""Ingestion's decisions: what is accepted, each refusal by its code, and which of several is heard."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from goodfunds.errors import InvariantBroken
from goodfunds.events.types import PaymentRejectedByBank, PaymentReturned
from goodfunds.ids import NO_ID, payment_id
from goodfunds.ledger import posting
from goodfunds.ledger.posting import Balances
from goodfunds.money import MAX_MINOR
from goodfunds.rails.requests import form
from services.ingestion.decide import decide_funding, decide_opening, decide_payment, decide_refund
from services.ingestion.model import (
    GRANTED,
    REPEATED,
    Accepted,
    Account,
    Funded,
    Opened,
    Refundable,
    Refunded,
    Refused,
    Rejected,
    State,
)
from tests.unit.ingestion.requests import ACCOUNT, CLIENT, RAIL, funding, instruction, opening

LANE = 3
HELD = 1_000_00
ID = payment_id(1, CLIENT, "key")
DIGEST, OTHER_DIGEST = b"d" * 16, b"o" * 16

REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "a currency that does not exist": ({"currency": "EUX"}, "AM11"),
    "an amount over 18 digits": ({"amount_minor": MAX_MINOR + 1}, "AM12"),
    "a negative amount": ({"amount_minor": -1}, "AM12"),
    "an amount of zero": ({"amount_minor": 0}, "AM01"),
    "a UETR that is no UUID": ({"uetr": "x" * 36}, "CH16"),
    "a UETR of another version": ({"uetr": "0190c6a0-0000-7000-8000-000000000000"}, "CH16"),
    "a debtor who is nobody": ({"debtor_account": "nobody"}, "AC02"),
    "a closed account": ({"debtor_account": "closed"}, "AC05"),
    "a blocked account": ({"debtor_account": "blocked"}, "AC06"),
    "a rail that does not exist": ({"rail": "pigeon"}, "AG03"),
    "a currency that the rail does not take": ({"currency": "JPY", "debtor_account": "yen"}, "AM03"),
    "an amount over the rail's largest": ({"amount_minor": 1_000_000_000_00}, "AM02"),
    "an IBAN with a wrong check digit": ({"creditor_account": "FR1420041010050500013M02607"}, "AC03"),
    "no IBAN": ({"creditor_account": "12345"}, "AC03"),
    "an IBAN outside SEPA": ({"creditor_account": "AE070331234567890123456"}, "AC03"),
    "a creditor's agent that is no BIC": ({"creditor_agent": "BANK"}, "RC07"),
    "a creditor without a name": ({"creditor_name": ""}, "BE22"),
    "a name of 71 characters": ({"creditor_name": "x" * 71}, "BE20"),
    "a debtor's name of 71 characters": ({"debtor_name": "x" * 71}, "BE20"),
    "a country that is no code": ({"creditor_country": "FRA"}, "BE11"),
    "an address without a town": ({"creditor_street": "rue 1", "creditor_country": "FR"}, "BE04"),
    "a charge bearer other than SLEV": ({"charge_bearer": "DEBT"}, "BE19"),
    "an end-to-end id that banks do not pass on": ({"end_to_end_id": "/x"}, "FF08"),
    "remittance information over 140": ({"remittance_unstructured": "x" * 141}, "RR07"),
    "remittance information of both kinds": ({"remittance_reference": "RF18539007547034"}, "RR07"),
    "a reference with wrong check digits": (
        {"remittance_unstructured": "", "remittance_reference": "RF19539007547034"}, "RR09"),
    "more than the account holds": ({"amount_minor": HELD + 1}, "AM04"),
}  # fmt: skip

WORSE_TO_BETTER = (
    ("CH16", {"uetr": "x" * 36}),
    ("AM11", {"currency": "EUX"}),
    ("AM12", {"amount_minor": -1}),
    ("AC02", {"debtor_account": "nobody"}),
    ("AG03", {"rail": "pigeon"}),
)
ON_THE_RAIL = (
    ("AC05", {"debtor_account": "closed"}),
    ("AC03", {"creditor_account": "12345"}),
    ("RC07", {"creditor_agent": "BANK"}),
    ("BE22", {"creditor_name": ""}),
    ("BE20", {"debtor_name": "x" * 71}),
    ("BE11", {"creditor_country": "FRA"}),
    ("BE19", {"charge_bearer": "DEBT"}),
    ("FF08", {"end_to_end_id": "/x"}),
    ("RR07", {"remittance_unstructured": "x" * 141}),
    ("AM04", {"amount_minor": HELD + 1}),
)


def state_of_the_house() -> State:
    """Accounts in every state, one of them with money."""
    accounts = [
        Account(ACCOUNT, LANE, "EUR", "One"),
        Account("closed", LANE, "EUR", "Closed", "closed"),
        Account("blocked", LANE, "EUR", "Blocked", "blocked"),
        Account("yen", LANE, "JPY", "Yen"),
    ]
    held = {(LANE, each.account, each.currency): HELD for each in accounts}
    held[LANE, "funding:generous", "EUR"] = -MAX_MINOR
    return State(accounts={each.account: each for each in accounts}, balances=Balances(held))


def code_of(**changes: Any) -> str:
    decided = decide_payment(state_of_the_house(), LANE, instruction(**changes), ID, DIGEST)
    assert isinstance(decided, Rejected)
    assert decided.refusal.text
    return decided.refusal.code


def test_a_payment_that_the_customer_can_pay_is_accepted_and_taken_from_his_account() -> None:
    state = state_of_the_house()
    decided = decide_payment(state, LANE, instruction(amount_minor=HELD), ID, DIGEST)
    assert decided == Accepted(posting.accepted(ID, ACCOUNT, RAIL, HELD, "EUR"))
    assert state.balances.available(LANE, ACCOUNT, "EUR") == 0
    assert state.balances.available(LANE, posting.transit_out(RAIL), "EUR") == HELD


@pytest.mark.parametrize("case", REFUSALS)
def test_each_refusal_has_its_code_and_moves_no_money(case: str) -> None:
    changes, code = REFUSALS[case]
    state = state_of_the_house()
    before = state_of_the_house().balances
    decided = decide_payment(state, LANE, instruction(**changes), ID, DIGEST)
    assert isinstance(decided, Rejected), case
    assert (decided.refusal.code, bool(decided.refusal.text)) == (code, True)
    assert state.balances._minor == before._minor


def test_an_account_in_another_currency_than_the_payment_is_heard_of_where_the_rail_takes_it() -> None:
    assert code_of(debtor_account="yen") == "AC10"


@pytest.mark.parametrize("reasons", [WORSE_TO_BETTER, ON_THE_RAIL])
def test_of_several_reasons_the_first_by_precedence_is_heard(
    reasons: tuple[tuple[str, dict[str, Any]], ...],
) -> None:
    for place, (code, _) in enumerate(reasons):
        changes: dict[str, Any] = {}
        # Two reasons may be about one field: the one to be heard is set last.
        for _, later in reversed(reasons[place:]):
            changes |= later
        assert code_of(**changes) == code


def test_the_same_key_with_the_same_body_emits_nothing_and_with_another_body_is_refused() -> None:
    state = state_of_the_house()
    decide_payment(state, LANE, instruction(), ID, DIGEST)
    held = state.balances.available(LANE, ACCOUNT, "EUR")
    assert decide_payment(state, LANE, instruction(), ID, DIGEST) is REPEATED
    again = decide_payment(state, LANE, instruction(amount_minor=1), ID, OTHER_DIGEST)
    assert isinstance(again, Refused)
    assert again.refusal.code == "AM05"
    assert state.balances.available(LANE, ACCOUNT, "EUR") == held


def test_a_rejected_payment_keeps_its_key_even_if_the_account_could_pay_later() -> None:
    state = state_of_the_house()
    assert isinstance(decide_payment(state, LANE, instruction(amount_minor=0), ID, DIGEST), Rejected)
    assert decide_payment(state, LANE, instruction(amount_minor=0), ID, DIGEST) is REPEATED
    assert isinstance(decide_payment(state, LANE, instruction(), ID, OTHER_DIGEST), Refused)


def test_keys_of_different_clients_are_different_keys() -> None:
    state = state_of_the_house()
    assert isinstance(decide_payment(state, LANE, instruction(), ID, DIGEST), Accepted)
    other = decide_payment(state, LANE, instruction(client="other"), b"x" * 16, OTHER_DIGEST)
    assert isinstance(other, Accepted)


def test_money_of_another_lane_counts_for_nothing() -> None:
    decided = decide_payment(state_of_the_house(), LANE + 1, instruction(), ID, DIGEST)
    assert isinstance(decided, Rejected)
    assert decided.refusal.code == "AM04"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client": ""}, "CH21"),
        ({"idempotency_key": ""}, "CH21"),
        ({"debtor_account": ""}, "CH21"),
        ({"client": "c" * 101}, "CH16"),
        ({"idempotency_key": "k" * 201}, "CH16"),
        ({"debtor_account": "a" * 65}, "CH16"),
        ({"debtor_account": "transit-out:sepa-credit"}, "CH16"),
    ],
)
def test_a_record_without_a_client_a_key_or_an_account_is_no_request(
    changes: dict[str, Any], code: str
) -> None:
    asked = instruction(**changes)
    refusal = form(asked)
    assert refusal is not None
    assert refusal.code == code


def test_an_account_is_opened_once_and_never_with_another_currency_or_name() -> None:
    state = State()
    opened = decide_opening(state, LANE, opening(), DIGEST)
    assert opened == Opened(Account(ACCOUNT, LANE, "EUR", "One"))
    assert decide_opening(state, LANE, opening(), DIGEST) is REPEATED
    assert decide_opening(state, LANE, opening(key="again"), OTHER_DIGEST) is GRANTED
    assert decide_opening(state, LANE, opening(key="again"), OTHER_DIGEST) is REPEATED
    for changed, code in (
        (opening(key="open", name="Two"), "AM05"),
        (opening(key="2", name="Two"), "AM05"),
        (opening(key="3", currency="USD"), "AM05"),
        (opening("new", key="4", currency="EUX"), "AM11"),
        (opening("new", key="5", name=""), "BE20"),
        (opening("new", key="6", name="n" * 141), "BE20"),
    ):
        refused = decide_opening(state, LANE, changed, OTHER_DIGEST)
        assert isinstance(refused, Refused)
        assert refused.refusal.code == code
    assert list(state.accounts) == [ACCOUNT]


def test_an_account_is_funded_once_a_key() -> None:
    state = state_of_the_house()
    funded = decide_funding(state, LANE, funding(5), ID, DIGEST)
    assert funded == Funded(posting.funded(ID, "test", ACCOUNT, 5, "EUR"))
    assert decide_funding(state, LANE, funding(5), ID, DIGEST) is REPEATED
    assert isinstance(decide_funding(state, LANE, funding(6), ID, OTHER_DIGEST), Refused)
    assert state.balances.available(LANE, ACCOUNT, "EUR") == HELD + 5


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"account": "nobody"}, "AC03"),
        ({"account": "closed"}, "AC04"),
        ({"account": "blocked"}, "AC06"),
        ({"currency": "USD"}, "AC11"),
        ({"amount_minor": 0}, "AM12"),
        ({"amount_minor": -5}, "AM12"),
        ({"amount_minor": MAX_MINOR + 1}, "AM12"),
        ({"amount_minor": MAX_MINOR}, "AM12"),
        ({"source": "generous"}, "AM12"),
        ({"source": ""}, "CH21"),
        ({"source": "s" * 65}, "CH16"),
    ],
)
def test_what_cannot_be_funded_is_refused_with_its_code(changes: dict[str, Any], code: str) -> None:
    state = state_of_the_house()
    refused = decide_funding(state, LANE, replace(funding(5), **changes), ID, DIGEST)
    assert isinstance(refused, Refused)
    assert refused.refusal.code == code
    assert state.balances._minor == state_of_the_house().balances._minor


def returned(**changes: Any) -> PaymentReturned:
    fields: dict[str, Any] = {
        "payment_id": ID, "batch_id": NO_ID, "amount_minor": 100, "charges_minor": 0, "returned_at": 0,
        "account": ACCOUNT, "currency": "EUR", "rail": RAIL, "nostro": "", "end_to_end_id": "",
        "bank_reference": "", "reason_code": "AC04", "reason": "", "booking_date": date(2026, 11, 23),
    }  # fmt: skip
    return PaymentReturned(**{**fields, **changes})


def rejected() -> PaymentRejectedByBank:
    return PaymentRejectedByBank(
        payment_id=ID, batch_id=NO_ID, amount_minor=100, rejected_at=0, account=ACCOUNT, currency="EUR",
        rail=RAIL, nostro="", end_to_end_id="", reason_code="AC04", reason="",
    )  # fmt: skip


def after_acceptance(account: str = ACCOUNT) -> State:
    state = state_of_the_house()
    state.refundable[ID] = Refundable(ID, LANE, account, 100, "EUR", RAIL, refunded=False)
    return state


@pytest.mark.parametrize("notice", [returned(), rejected()])
def test_what_the_bank_gives_back_is_the_customers_once(
    notice: PaymentReturned | PaymentRejectedByBank,
) -> None:
    state = after_acceptance()
    refund = decide_refund(state, LANE, notice)
    assert refund == Refunded(posting.refunded(ID, RAIL, ACCOUNT, 100, "EUR"), ACCOUNT)
    assert decide_refund(state, LANE, notice) is REPEATED
    assert state.balances.available(LANE, ACCOUNT, "EUR") == HELD + 100


@pytest.mark.parametrize("notice", [returned(), rejected()])
def test_money_goes_back_to_whom_it_was_taken_from_whatever_account_the_notice_names(
    notice: PaymentReturned | PaymentRejectedByBank,
) -> None:
    refund = decide_refund(after_acceptance(), LANE, replace(notice, account="another"))
    assert isinstance(refund, Refunded)
    assert (refund.credited_account, refund.posting.credit_account) == (ACCOUNT, ACCOUNT)


@pytest.mark.parametrize(
    ("account", "credited"),
    [("closed", "unapplied:closed-account"), ("gone", "unapplied:closed-account"), ("blocked", "blocked")],
)
def test_a_refund_for_an_account_that_cannot_take_it_is_unapplied(account: str, credited: str) -> None:
    refund = decide_refund(after_acceptance(account), LANE, returned())
    assert isinstance(refund, Refunded)
    assert (refund.credited_account, refund.posting.credit_account) == (credited, credited)


def test_money_back_that_was_never_taken_or_of_another_amount_breaks_an_invariant() -> None:
    for state, lane, notice in (
        (state_of_the_house(), LANE, returned()),
        (after_acceptance(), LANE + 1, returned()),
        (after_acceptance(), LANE, returned(amount_minor=99)),
        (after_acceptance(), LANE, returned(currency="USD")),
    ):
        with pytest.raises(InvariantBroken):
            decide_refund(state, lane, notice)
