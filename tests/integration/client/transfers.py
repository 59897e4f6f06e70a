"""Transfers as a shop asks for them, for the tests of publishing and of the outbox."""

from datetime import date

from goodfunds import Money, PaymentInstruction, credit_transfer


def transfer(number: int, account: str = "customer-1", amount: int = 10_50) -> PaymentInstruction:
    """The `number`th transfer of a customer; its key is the number."""
    return credit_transfer(
        Money(amount, "EUR"),
        idempotency_key=f"{number}",
        requested_execution_date=date(2026, 3, 3),
        debtor_account=account,
        debtor_name="Ada Almeida",
        creditor_account="FR1420041010050500013M02606",
        creditor_name="Chandler & Sons",
    )
