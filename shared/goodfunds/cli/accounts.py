"""`goodfunds accounts`: open, fund and show customers' accounts; wishes go through payment-instructions."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import click
from aiokafka import AIOKafkaProducer
from rich.table import Table

from goodfunds.cli.reading import read_from, sql
from goodfunds.cli.root import CONSOLE, ERRORS
from goodfunds.events.topics import PAYMENT_INSTRUCTIONS
from goodfunds.events.types import AccountFundRequested, AccountOpenRequested
from goodfunds.lanes import lane_of
from goodfunds.local.stack import Stack, find
from goodfunds.money import InvalidAmount, UnknownCurrency, format_amount, parse_amount

CLIENT = "command-line"
_PATIENCE_SECONDS = 30.0
Wish = AccountOpenRequested | AccountFundRequested


async def send(stack: Stack, wishes: Sequence[Wish]) -> None:
    """Publish wishes on their accounts' lanes, in order, acknowledged."""
    producer = AIOKafkaProducer(
        bootstrap_servers=stack.kafka, acks="all", enable_idempotence=True, linger_ms=5
    )
    await producer.start()
    try:
        waiting = []
        for wish in wishes:
            lane = lane_of(wish.account, stack.partitions)
            headers = [("ce_type", type(wish).__name__.encode())]
            waiting.append(
                await producer.send(
                    PAYMENT_INSTRUCTIONS, wish.encode(), wish.account.encode(), lane, headers=headers
                )
            )
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()


async def wait_for(stack: Stack, accounts: Sequence[str]) -> bool:
    """Wait until all these accounts are open; False where some are not within half a minute."""
    connection = await read_from(stack, "ingestion")
    try:
        deadline = monotonic() + _PATIENCE_SECONDS
        names = sorted(set(accounts))
        while await connection.fetchval(sql("ingestion")["accounts_open"], names) < len(names):
            if monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True
    finally:
        await connection.close()


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
    """Open an account, and wait until it is.

    \b
    goodfunds accounts open DE00CUSTOMER1 --name "Ada Almeida"
    """
    stack = find(folder)
    asyncio.run(send(stack, [AccountOpenRequested(CLIENT, key or str(uuid4()), account, currency, name)]))
    if not asyncio.run(wait_for(stack, [account])):
        ERRORS.print("not opened: see `goodfunds watch payments` for the InstructionRefused that says why")
        sys.exit(1)
    CONSOLE.print(f"{account} is open")


@accounts.command()
@click.argument("account")
@click.argument("amount")
@click.option("--currency", default="EUR", show_default=True)
@click.option("--source", default="equity", show_default=True, help="Names the account funding:SOURCE.")
@click.option("--key", default=None, help="Idempotency key; one is made where none is given.")
@click.pass_obj
def fund(folder: Path, account: str, amount: str, currency: str, source: str, key: str | None) -> None:
    """Fund an account with AMOUNT, such as 1000.00."""
    stack = find(folder)
    try:
        minor = parse_amount(amount, currency)
    except (InvalidAmount, UnknownCurrency) as fault:
        raise click.BadParameter(str(fault)) from None
    request = AccountFundRequested(minor, CLIENT, key or str(uuid4()), account, currency, source)
    asyncio.run(send(stack, [request]))
    CONSOLE.print(f"asked to fund {account} with {format_amount(minor, currency)} {currency}")


@accounts.command()
@click.argument("account", required=False)
@click.option("--json", "as_json", is_flag=True)
@click.option("--most", default=100, show_default=True, help="Rows, where no account is named.")
@click.pass_obj
def show(folder: Path, account: str | None, as_json: bool, most: int) -> None:
    """Show an account, or all, with what it holds."""
    rows = asyncio.run(_read(find(folder), account, most))
    if account and not rows:
        ERRORS.print(f"{account} is not one of our accounts")
        sys.exit(1)
    if as_json:
        click.echo(json.dumps([{**row, "opened_at": row["opened_at"].isoformat()} for row in rows]))
        return
    table = Table("account", "lane", "state", "owner")
    table.add_column("balance", justify="right")
    for row in rows:
        balance = f"{format_amount(row['balance_minor'], row['currency'])} {row['currency']}"
        table.add_row(row["account"], str(row["lane"]), row["state"], row["name"], balance)
    CONSOLE.print(table)


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
