"""Whatever clients and banks send, in any order: money is conserved, and nothing happens twice."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from hypothesis import given
from hypothesis import strategies as st

from goodfunds.events.types import AccountFundRequested, AccountOpenRequested, PaymentInstruction
from goodfunds.ids import payment_id
from goodfunds.ledger.posting import Posting, movements
from services.ingestion.decide import decide_funding, decide_opening, decide_payment, decide_refund
from services.ingestion.model import REPEATED, Accepted, Decision, Funded, Refundable, Refunded, State
from tests.unit.ingestion.requests import funding, instruction, opening
from tests.unit.ingestion.test_decide import returned

LANE = 0
ACCOUNTS = ("a", "b")
Step = PaymentInstruction | AccountOpenRequested | AccountFundRequested | int

amounts = st.integers(-3, 12)
keys = st.integers(1, 8).map(str)
accounts = st.sampled_from(ACCOUNTS)
steps: st.SearchStrategy[Sequence[Step]] = st.lists(
    st.one_of(
        st.builds(lambda account, key: opening(account, f"open-{key}"), accounts, keys),
        st.builds(
            lambda minor, account, key: funding(minor, account, f"fund-{key}"), amounts, accounts, keys
        ),
        st.builds(
            lambda minor, account, key: instruction(
                amount_minor=minor, debtor_account=account, idempotency_key=key
            ),
            amounts,
            accounts,
            keys,
        ),
        st.integers(0, 5),
    ),
    max_size=40,
)
"""Requests, and numbers: have the n-th accepted payment returned."""


@dataclass
class House:
    """Takes steps one after another, as one lane would."""

    state: State = field(default_factory=State)
    accepted: list[tuple[bytes, Posting]] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    refunds: list[bytes] = field(default_factory=list)

    def take(self, step: Step) -> Decision:
        if isinstance(step, int):
            return self._return(step)
        digest = blake2b(step.body()).digest()
        identifier = payment_id(1, step.client, step.idempotency_key)
        decision: Decision
        if isinstance(step, PaymentInstruction):
            decision = decide_payment(self.state, LANE, step, identifier, digest)
            if isinstance(decision, Accepted):
                self.accepted.append((identifier, decision.posting))
                self.state.refundable[identifier] = Refundable(
                    identifier, LANE, step.debtor_account, step.amount_minor, "EUR", step.rail, False
                )
        elif isinstance(step, AccountOpenRequested):
            decision = decide_opening(self.state, LANE, step, digest)
        else:
            decision = decide_funding(self.state, LANE, step, identifier, digest)
        if isinstance(decision, (Accepted, Funded)):
            self.postings.append(decision.posting)
        return decision

    def _return(self, place: int) -> Decision:
        if place >= len(self.accepted):
            return REPEATED
        identifier, taken = self.accepted[place]
        notice = returned(payment_id=identifier, amount_minor=taken.amount_minor, account=taken.debit_account)
        decision = decide_refund(self.state, LANE, notice)
        if isinstance(decision, Refunded):
            self.postings.append(decision.posting)
            self.refunds.append(identifier)
        return decision

    def available(self, account: str) -> int:
        return self.state.balances.available(LANE, account, "EUR")


@given(steps)
def test_no_account_is_ever_overdrawn_and_every_cent_is_somewhere(taken: Sequence[Step]) -> None:
    house = House()
    for step in taken:
        house.take(step)
        assert min(map(house.available, ACCOUNTS)) >= 0
        assert house.available("transit-out:sepa-credit") >= 0
    moved = movements({LANE: house.postings})
    assert sum(moved.values()) == 0
    funded = sum(each.amount_minor for each in house.postings if each.kind == "funded")
    held = sum(map(house.available, ACCOUNTS)) + house.available("transit-out:sepa-credit")
    assert held == funded
    assert house.available("funding:test") == -funded


@given(steps)
def test_the_same_request_twice_emits_nothing_and_changes_nothing(taken: Sequence[Step]) -> None:
    once, twice = House(), House()
    for step in taken:
        first = once.take(step)
        assert twice.take(step) == first
        held = dict(twice.state.balances._minor)
        if isinstance(first, (Accepted, Funded, Refunded)):
            assert twice.take(step) is REPEATED
        else:
            twice.take(step)
        assert twice.state.balances._minor == held
    assert once.postings == twice.postings
    assert (once.state.accounts, once.state.payment_keys) == (twice.state.accounts, twice.state.payment_keys)


@given(steps)
def test_an_entry_is_posted_once_a_kind(taken: Sequence[Step]) -> None:
    house = House()
    for step in taken:
        house.take(step)
    entries = [(each.entry_id, each.kind) for each in house.postings]
    assert len(entries) == len(set(entries))
    assert len(house.refunds) == len(set(house.refunds))
