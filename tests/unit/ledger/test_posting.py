"""Postings: each moment's accounts, and that nothing unbalanced can be written down."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.errors import InvariantBroken
from goodfunds.ledger import posting as ledger
from goodfunds.ledger.posting import FEES, Balances, Posting, movements

ID = bytes(range(16))
NOSTRO = "DE89370400440532013000"
RAIL = "sepa-credit"

MOMENTS: dict[str, tuple[Posting, str, str, int]] = {
    "funded": (ledger.funded(ID, "demo", "acc", 5, "EUR"), "funding:demo", "acc", 5),
    "opening balance": (
        ledger.bank_opening_balance(ID, "demo", NOSTRO, 5, "EUR"), f"nostro:{NOSTRO}", "funding:demo", 5),
    "overdrawn opening balance": (
        ledger.bank_opening_balance(ID, "demo", NOSTRO, -5, "EUR"), "funding:demo", f"nostro:{NOSTRO}", 5),
    "accepted": (ledger.accepted(ID, "acc", RAIL, 5, "EUR"), "acc", "transit-out:sepa-credit", 5),
    "settled": (
        ledger.settled(ID, RAIL, NOSTRO, 5, "EUR"), "transit-out:sepa-credit", f"nostro:{NOSTRO}", 5),
    "rejected": (ledger.rejected(ID, RAIL, "acc", 5, "EUR"), "transit-out:sepa-credit", "acc", 5),
    "returned in settlement": (
        ledger.returned_in_settlement(ID, RAIL, NOSTRO, 5, "EUR"),
        f"nostro:{NOSTRO}", "transit-out:sepa-credit", 5),
    "refunded": (ledger.refunded(ID, RAIL, "acc", 5, "EUR"), "transit-out:sepa-credit", "acc", 5),
    "unapplied": (
        ledger.unapplied(ID, RAIL, "closed", 5, "EUR"), "transit-out:sepa-credit", "unapplied:closed", 5),
    "received in settlement": (
        ledger.received_in_settlement(ID, RAIL, NOSTRO, 5, "EUR"),
        f"nostro:{NOSTRO}", "transit-in:sepa-credit", 5),
    "received": (ledger.received(ID, RAIL, "acc", 5, "EUR"), "transit-in:sepa-credit", "acc", 5),
    "debit after rejection": (
        ledger.contradicted(ID, NOSTRO, -5, "EUR"), "suspense:contradicted", f"nostro:{NOSTRO}", 5),
    "second return": (
        ledger.contradicted(ID, NOSTRO, 5, "EUR", "second_return"),
        f"nostro:{NOSTRO}", "suspense:second_return", 5),
    "bank fee": (ledger.bank_adjustment(ID, FEES, NOSTRO, -5, "EUR"), "fees", f"nostro:{NOSTRO}", 5),
    "interest": (
        ledger.bank_adjustment(ID, "interest", NOSTRO, 5, "EUR"), f"nostro:{NOSTRO}", "interest", 5),
}  # fmt: skip


@pytest.mark.parametrize("moment", MOMENTS)
def test_each_moment_debits_and_credits_the_accounts_of_the_table(moment: str) -> None:
    posting, debit, credit, amount = MOMENTS[moment]
    assert (posting.debit_account, posting.credit_account, posting.amount_minor) == (debit, credit, amount)
    assert (posting.entry_id, posting.currency) == (ID, "EUR")


def test_a_return_less_charges_empties_transit_in_full_and_the_house_bears_them() -> None:
    back, charges = ledger.returned_less_charges(ID, RAIL, NOSTRO, 100, 5, "EUR")
    assert (back.debit_account, back.amount_minor) == (f"nostro:{NOSTRO}", 95)
    assert (charges.debit_account, charges.amount_minor) == ("fees", 5)
    assert {back.credit_account, charges.credit_account} == {"transit-out:sepa-credit"}
    assert back.kind != charges.kind


def test_a_return_without_charges_is_one_posting() -> None:
    assert ledger.returned_less_charges(ID, RAIL, NOSTRO, 100, 0, "EUR") == (
        ledger.returned_in_settlement(ID, RAIL, NOSTRO, 100, "EUR"),
    )


def test_every_way_of_giving_a_payment_its_money_back_has_one_key_so_that_it_happens_once() -> None:
    ways = [
        ledger.rejected(ID, RAIL, "acc", 5, "EUR"),
        ledger.refunded(ID, RAIL, "acc", 5, "EUR"),
        ledger.unapplied(ID, RAIL, "closed", 5, "EUR"),
    ]
    assert len({(each.entry_id, each.kind) for each in ways}) == 1


def test_a_payment_s_other_moments_have_keys_of_their_own() -> None:
    kinds = [ledger.ACCEPTED, ledger.SETTLED, ledger.REFUNDED, ledger.RETURNED, ledger.RETURN_CHARGES]
    assert len(set(kinds)) == len(kinds)


@pytest.mark.parametrize(
    "build",
    [
        lambda: ledger.accepted(ID, "acc", RAIL, 0, "EUR"),
        lambda: ledger.accepted(ID, "acc", RAIL, -1, "EUR"),
        lambda: ledger.contradicted(ID, NOSTRO, 0, "EUR"),
        lambda: ledger.returned_less_charges(ID, RAIL, NOSTRO, 5, 5, "EUR"),
        lambda: ledger.returned_less_charges(ID, RAIL, NOSTRO, 5, -1, "EUR"),
        lambda: ledger.accepted(ID, "transit-out:sepa-credit", RAIL, 5, "EUR"),
    ],
)
def test_no_amount_or_no_movement_is_a_broken_invariant(build: Callable[[], object]) -> None:
    with pytest.raises(InvariantBroken):
        build()


def test_what_is_available_follows_each_posting_within_a_poll() -> None:
    balances = Balances({(3, "acc", "EUR"): 100})
    balances.apply(3, ledger.accepted(ID, "acc", RAIL, 60, "EUR"))
    assert balances.available(3, "acc", "EUR") == 40
    assert balances.available(3, "transit-out:sepa-credit", "EUR") == 60
    balances.apply(3, ledger.refunded(ID, RAIL, "acc", 60, "EUR"))
    assert balances.available(3, "acc", "EUR") == 100


def test_lanes_currencies_and_unknown_accounts_are_kept_apart() -> None:
    balances = Balances({(3, "acc", "EUR"): 100})
    assert balances.available(4, "acc", "EUR") == 0
    assert balances.available(3, "acc", "USD") == 0
    assert balances.available(3, "other", "EUR") == 0


def test_the_working_set_does_not_change_what_it_was_made_from() -> None:
    loaded = {(3, "acc", "EUR"): 100}
    Balances(loaded).apply(3, ledger.accepted(ID, "acc", RAIL, 60, "EUR"))
    assert loaded == {(3, "acc", "EUR"): 100}


AMOUNTS = st.integers(1, 10**18)
ACCOUNTS = st.sampled_from(["a", "b", "c", "transit-out:x"])


@given(
    st.dictionaries(
        st.integers(0, 3),
        st.lists(st.tuples(ACCOUNTS, ACCOUNTS, AMOUNTS, st.sampled_from(["EUR", "JPY"]))),
    )
)
def test_movements_add_up_to_nothing_in_every_lane_and_currency(
    made: dict[int, list[tuple[str, str, int, str]]],
) -> None:
    postings = {
        lane: [
            Posting(ID, debit, credit, amount, currency, "any") for debit, credit, amount, currency in rows
        ]
        for lane, rows in made.items()
    }
    sums: dict[tuple[int, str], int] = {}
    for (lane, _, currency), minor in movements(postings).items():
        assert minor != 0
        sums[lane, currency] = sums.get((lane, currency), 0) + minor
    assert set(sums.values()) <= {0}
