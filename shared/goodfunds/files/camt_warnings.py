"""Where a statement contradicts itself: batches against their details, balances against the entries."""

from collections.abc import Mapping

from goodfunds.files.reports import Entry, Statement
from goodfunds.money import format_amount


def batch_differs(entry: Entry) -> str:
    """How an entry's one batch differs from its details or from the entry; empty where it does not."""
    if len(entry.batches) != 1:
        return ""
    batch, details = entry.batches[0], entry.transactions
    if details and batch.number_of_transactions not in (None, len(details)):
        return f"NbOfTxs says {batch.number_of_transactions}, {len(details)} are detailed"
    if batch.amount_minor is not None and (batch.amount_minor, batch.currency) != (
        entry.amount_minor,
        entry.currency,
    ):
        told = f"{format_amount(batch.amount_minor, batch.currency)} {batch.currency}"
        return f"TtlAmt says {told}, the entry has another amount"
    return ""


def does_not_add_up(statement: Statement, booked: Mapping[str, int]) -> str:
    """How opening balance and booked entries miss the closing balance; empty where they do not.

    Says nothing where one of the balances is missing, or entries are in a currency of their own.
    """
    opening, closing = statement.opening, statement.closing
    if opening is None or closing is None:
        return ""
    currency = opening.currency
    if closing.currency != currency:
        return f"the opening balance is in {currency}, the closing balance in {closing.currency}"
    if set(booked) - {currency}:
        return ""
    made = opening.amount_minor + booked.get(currency, 0)
    if made == closing.amount_minor:
        return ""
    told, sum_told = format_amount(closing.amount_minor, currency), format_amount(made, currency)
    return f"opening balance and booked entries make {sum_told} {currency}, the closing balance is {told}"
