"""The payments of every measurement: alike, spread evenly over accounts that are opened and funded first."""

from collections.abc import Sequence
from datetime import date
from functools import cache

import click

from goodfunds.cli.asking import Wish, ask
from goodfunds.events.types import AccountFundRequested, AccountOpenRequested, PaymentInstruction
from goodfunds.local import stack as local
from goodfunds.local.demo_file import iban

ACCOUNTS = 240
AMOUNT = 1_05
_AT_ONCE = 4_000
"""Accounts whose wishes are decided well within the patience of whoever asks."""
_TOLD_EVERY = 10
CREDITOR = iban("DE", "500105170000000001")


@cache
def account(number: int) -> str:
    """A customer's account."""
    return iban("DE", f"50010517{number + 1:010d}")


def instruction(run: str, number: int, name: str, today: date) -> PaymentInstruction:
    """The payment of that number in a run, from that account."""
    return PaymentInstruction(
        AMOUNT, today, "EUR", "sepa-credit", "bench", f"{run}-{number}", f"{run}-{number}"[-35:], "", name,
        "Ada Almeida", CREDITOR, "Bruno Bauer", "", "SLEV", f"Invoice {number}", "", "", "", "", "", "", (),
    )  # fmt: skip


async def open_accounts(stack: local.Stack, run: str, each_minor: int, names: Sequence[str] = ()) -> None:
    """Open the accounts and give each so much; what is there already stays."""
    numbered = list(enumerate(names or [account(number) for number in range(ACCOUNTS)]))
    for first in range(0, len(numbered), _AT_ONCE):
        wishes: list[Wish] = []
        for number, name in numbered[first : first + _AT_ONCE]:
            wishes.append(AccountOpenRequested("bench", f"open-{name}", name, "EUR", "Ada Almeida"))
            wishes.append(
                AccountFundRequested(each_minor, "bench", f"{run}-fund-{number}", name, "EUR", "bench")
            )
        assert await ask(stack, wishes) == []
        if first // _AT_ONCE % _TOLD_EVERY == _TOLD_EVERY - 1:
            click.echo(f"  {first + _AT_ONCE:,} of {len(numbered):,} accounts are open", err=True)
