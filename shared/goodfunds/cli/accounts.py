"""`goodfunds accounts`: open, fund and show customers' accounts."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
from rich.markup import escape
from rich.table import Table

from goodfunds.cli.asking import Wish, ask
from goodfunds.cli.reading import read_from, sql
from goodfunds.cli.root import CONSOLE, ERRORS
from goodfunds.events.types import AccountFundRequested, AccountOpenRequested
from goodfunds.local.stack import Stack, find
from goodfunds.money import InvalidAmount, UnknownCurrency, parse_amount, readable_amount

CLIENT = "command-line"


@click.group()
def accounts() -> None:
    """Customers' accounts: open, fund, show."""


@accounts.command("open")
@click.argument("account")
@click.option("--currency", default="EUR", show_default=True)
@click.option("--name", required=True, help="The owner.")
@click.option("--key", default=None, help="Idempotency key; one is made where none is given.")
@click.pass_obj
def open_account(folder: Path, account: str, currency: str, name: str, key: str | None) -> None:
    """Open an account. Exit code 1 where it is refused, with the reason.

    \b
    goodfunds accounts open DE00CUSTOMER1 --name "Ada Almeida"
    """
    _ask(find(folder), AccountOpenRequested(CLIENT, key or str(uuid4()), account, currency, name))
    CONSOLE.print(f"{account} is open", highlight=False, markup=False)


@accounts.command()
@click.argument("account")
@click.argument("amount")
@click.option("--currency", default="EUR", show_default=True)
@click.option("--source", default="equity", show_default=True, help="Names the account funding:SOURCE.")
@click.option("--key", default=None, help="Idempotency key; one is made where none is given.")
@click.pass_obj
def fund(folder: Path, account: str, amount: str, currency: str, source: str, key: str | None) -> None:
    """Fund an account with AMOUNT, such as 1000.00. Exit code 1 where it is refused, with the reason."""
    stack = find(folder)
    try:
        minor = parse_amount(amount, currency)
    except (InvalidAmount, UnknownCurrency) as fault:
        raise click.BadParameter(str(fault)) from None
    _ask(stack, AccountFundRequested(minor, CLIENT, key or str(uuid4()), account, currency, source))
    [row] = asyncio.run(_read(stack, account, 1))
    held = readable_amount(row["balance_minor"], row["currency"])
    CONSOLE.print(f"{account} holds {held}", highlight=False, markup=False)


def _ask(stack: Stack, wish: Wish) -> None:
    refused = asyncio.run(ask(stack, [wish]))
    if refused:
        ERRORS.print(f"refused: {refused[0][1]}", highlight=False, markup=False)
        sys.exit(1)


@accounts.command()
@click.argument("account", required=False)
@click.option("--json", "as_json", is_flag=True)
@click.option(
    "--most", type=click.IntRange(1), default=100, show_default=True, help="Rows, where no account is named."
)
@click.pass_obj
def show(folder: Path, account: str | None, as_json: bool, most: int) -> None:
    """Show an account, or all, with what it holds."""
    rows = asyncio.run(_read(find(folder), account, most))
    if account and not rows:
        ERRORS.print(f"{account} is not one of our accounts", highlight=False, markup=False)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps([{**row, "opened_at": row["opened_at"].isoformat()} for row in rows]))
        return
    table = Table("account", "lane", "state", "owner")
    table.add_column("balance", justify="right")
    for row in rows:
        balance = readable_amount(row["balance_minor"], row["currency"])
        table.add_row(escape(row["account"]), str(row["lane"]), row["state"], escape(row["name"]), balance)
    CONSOLE.print(table)
    if account is None and len(rows) == most:
        CONSOLE.print(f"the first {most:,} by account; --most shows more", highlight=False)


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
