"""`goodfunds accounts`: open, fund and show customers' accounts."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
from rich.markup import escape
from rich.table import Table

from goodfunds.cli.asking import CLIENT, Wish, ask
from goodfunds.cli.reading import read_from, sql
from goodfunds.cli.root import CONSOLE, json_option, print_json, refuse, table, waiting
from goodfunds.events.types import AccountFundRequested, AccountOpenRequested
from goodfunds.local.stack import Stack, find
from goodfunds.money import InvalidAmount, UnknownCurrency, parse_amount, readable_amount

MOST_ROWS = 1_000_000
"""What can be asked for at once; all of them are held in memory."""


@click.group()
def accounts() -> None:
    """Customers' accounts: open, fund, show."""


@accounts.command("open")
@click.argument("account")
@click.option("--currency", default="EUR", show_default=True, help="ISO 4217.")
@click.option("--name", required=True, help="The owner.")
@click.option("--key", default=None, help="Idempotency key; one is made where none is given.")
@json_option
@click.pass_obj
def open_account(
    folder: Path, account: str, currency: str, name: str, key: str | None, as_json: bool
) -> None:
    """Open an account. Exit code 1 where it is refused, with the reason.

    \b
    goodfunds accounts open DE00CUSTOMER1 --name "Ada Almeida"
    """
    key = key or str(uuid4())
    stack = find(folder)
    refused = _ask(stack, AccountOpenRequested(CLIENT, key, account, currency, name))
    if as_json:
        print_json({"account": account, "key": key, "refused": refused})
    if refused:
        refuse(f"refused: {refused}")
    if not as_json:
        CONSOLE.print(f"{account} is open", highlight=False, markup=False)


@accounts.command()
@click.argument("account")
@click.argument("amount")
@click.option("--currency", default="EUR", show_default=True, help="ISO 4217.")
@click.option("--source", default="equity", show_default=True, help="Names the account funding:SOURCE.")
@click.option("--key", default=None, help="Idempotency key; one is made where none is given.")
@json_option
@click.pass_obj
def fund(
    folder: Path, account: str, amount: str, currency: str, source: str, key: str | None, as_json: bool
) -> None:
    """Fund an account with AMOUNT, such as 1000.00. Exit code 1 where it is refused, with the reason.

    \b
    goodfunds accounts fund DE00CUSTOMER1 1000.00
    """
    key = key or str(uuid4())
    try:
        minor = parse_amount(amount, currency)
    except (InvalidAmount, UnknownCurrency) as fault:
        raise click.BadParameter(str(fault)) from None
    stack = find(folder)
    refused = _ask(stack, AccountFundRequested(minor, CLIENT, key, account, currency, source))
    row = None if refused else asyncio.run(_read(stack, account, 1))[0]
    if as_json:
        told = {"balance_minor": row["balance_minor"], "currency": row["currency"]} if row else {}
        print_json({"account": account, "key": key, "refused": refused, **told})
    if refused:
        refuse(f"refused: {refused}")
    if row and not as_json:
        held = readable_amount(row["balance_minor"], row["currency"])
        CONSOLE.print(f"{account} holds {held}", highlight=False, markup=False)


def _ask(stack: Stack, wish: Wish) -> str | None:
    """Why it is refused; None where it is done."""
    with waiting("ingestion decides"):
        refused = asyncio.run(ask(stack, [wish]))
    return refused[0][1] if refused else None


@accounts.command()
@click.argument("account", required=False)
@json_option
@click.option(
    "--most",
    type=click.IntRange(1, MOST_ROWS),
    default=100,
    show_default=True,
    help="Rows, where no account is named.",
)
@click.pass_obj
def show(folder: Path, account: str | None, as_json: bool, most: int) -> None:
    """Show an account, or all, with what it holds. Exit code 1 where ACCOUNT is not one of ours.

    \b
    goodfunds accounts show
    goodfunds accounts show DE00CUSTOMER1 --json | jq '.accounts[0].balance_minor'
    """
    stack = find(folder)
    with waiting("reading"):
        rows = asyncio.run(_read(stack, account, most))
    if as_json:
        print_json({"accounts": [{**row, "opened_at": row["opened_at"].isoformat()} for row in rows]})
    if account and not rows:
        refuse(f"{account} is not one of our accounts")
    if as_json:
        return
    CONSOLE.print(account_table(rows))
    if account is None and len(rows) == most:
        CONSOLE.print(f"the first {most:,} by account; --most shows more", highlight=False)


def account_table(rows: Iterable[Mapping[str, Any]]) -> Table:
    """Accounts with what they hold, for a person."""
    made = table("account", "lane", "state", "owner", "balance", right=["balance"])
    for row in rows:
        balance = readable_amount(row["balance_minor"], row["currency"])
        made.add_row(escape(row["account"]), str(row["lane"]), row["state"], escape(row["name"]), balance)
    return made


async def _read(stack: Stack, account: str | None, most: int) -> list[dict[str, Any]]:
    connection = await read_from(stack, "ingestion")
    try:
        if account:
            rows = await connection.fetch(sql("ingestion")["account"], account)
        else:
            rows = await connection.fetch(sql("ingestion")["account_list"], most)
        return [dict(row) for row in rows]
    finally:
        await connection.close()
