"""Transactions of one entry that lie on disk are those that were read."""

import io
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.files import camt053
from goodfunds.files.kept_transactions import KeptTransactions
from goodfunds.files.reports import AccountReport, Balance, Entry, EntryTransaction, Statement

DAY = date(2026, 11, 23)

transactions = st.builds(
    EntryTransaction,
    end_to_end_id=st.sampled_from(["", "E1", "É\ud7ff"]),
    amount_minor=st.none() | st.integers(0, 10**18),
    is_return=st.booleans(),
    information=st.text(max_size=9),
    line=st.integers(0, 10**9),
)


@given(st.lists(transactions, max_size=25), st.integers(1, 7))
def test_they_are_read_in_order_as_often_as_wanted(made: list[EntryTransaction], block: int) -> None:
    kept = KeptTransactions(block)
    for each in made:
        kept.append(each)
    whole = kept.whole()
    assert len(whole) == len(made)
    assert [(each, other) for each in whole for other in whole] == [(a, b) for a in made for b in made]
    assert [each.line for each in whole] == [each.line for each in made]
    assert [whole[at] for at in range(-len(made), len(made))] == made + made
    assert list(whole[1:-1:2]) == made[1:-1:2]
    assert whole == tuple(made)
    assert whole != (*made, EntryTransaction())
    with pytest.raises(IndexError):
        whole[len(made)]


def test_an_entry_of_very_many_transactions_is_read_as_it_was_written() -> None:
    details = tuple(
        EntryTransaction(
            end_to_end_id=f"E{number}", instruction_id=f"I{number}", amount_minor=2, currency="EUR",
            credit_debit="DBIT", creditor_name=f"Them {number}", creditor_account="DE02500105170137075030",
        )
        for number in range(25_000)
    )  # fmt: skip
    entry = Entry(1, 50_000, "EUR", "DBIT", booking_date=DAY, value_date=DAY, transactions=details)
    balances = Balance("OPBD", 50_000, "EUR", DAY), Balance("CLBD", 0, "EUR", DAY)
    statement = Statement(1, "M1", "S1", "", "DE98500105170099999999", "EUR", "1", balances=balances)
    content = camt053.write(AccountReport("M1", datetime(2026, 11, 23, tzinfo=UTC), [(statement, [entry])]))
    (found,) = [each for each in camt053.read(io.BytesIO(content)) if isinstance(each, Entry)]
    assert isinstance(found.transactions, KeptTransactions)
    assert found == entry
