"""`goodfunds bank-files`: the files for the bank, and what it told a person of an unknown one."""

import asyncio
from pathlib import Path
from typing import Any

import click

from goodfunds.cli.reading import readers, sql
from goodfunds.cli.requests import resolve_unknown
from goodfunds.cli.root import CONSOLE, json_option, print_json, refuse, waiting
from goodfunds.local.stack import Stack, find
from goodfunds.money import readable_amount


async def read_bank_files(stack: Stack, most: int) -> list[dict[str, Any]]:
    """The latest files, newest first; times in UTC, amounts in minor units."""
    async with readers(stack) as connections:
        rows = await connections["settlement"].fetch(sql("settlement")["bank_files"], most)
    return [dict(row) for row in rows]


@click.group("bank-files")
def bank_files() -> None:
    """Files for the bank: what became of each, and what a bank told a person."""


@bank_files.command()
@click.option(
    "--most", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Files, newest first."
)
@json_option
@click.pass_obj
def show(folder: Path, most: int, as_json: bool) -> None:
    """Show the latest files with their state, newest first; times in UTC.

    unknown: the file may have arrived; the bank is asked until it is known. not_sent: the next attempt
    follows. refused: the bank refused the whole file; its payments have joined later batches.

    \b
    goodfunds bank-files show --most 5
    goodfunds bank-files show --json | jq -r '.files[] | select(.state == "unknown") | .message_id'
    """
    stack = find(folder)
    with waiting("reading"):
        files = asyncio.run(read_bank_files(stack, most))
    if as_json:
        print_json({"files": files})
        return
    for file in files:
        told = " ".join(filter(None, (file["state"], file["refusal"] or file["detail"])))
        held = readable_amount(file["amount_minor"], file["currency"])
        _line(f"{file['claimed_at']:%Y-%m-%d %H:%M:%S}  {file['message_id']}  {told}")
        _line(
            f"{'':21}for {file['requested_date']}: {file['payments_count']:,} payments, {held}, "
            f"{file['attempts']} attempts to send"
        )


def _line(text: str) -> None:
    CONSOLE.print(text, highlight=False, markup=False)


@bank_files.command()
@click.argument("message_id")
@click.option("--found/--not-found", required=True, default=None, help="Whether the bank has the file.")
@click.option("--by", required=True, help="Who was told by the bank; it is recorded.")
@json_option
@click.pass_obj
def resolve(folder: Path, message_id: str, found: bool, by: str, as_json: bool) -> None:
    """Say what the bank told you of the unknown file MESSAGE_ID, before its own answer counts.

    --found: it is submitted, and never sent again. --not-found: the same bytes are sent again at once.
    Exit code 1 where the gateway refuses.

    \b
    goodfunds bank-files resolve GF01M8G5PCHCEYBSHXNVM19QMJB8 --found --by "Ada Almeida"
    """
    stack = find(folder)
    with waiting("the gateway carries it out"):
        outcome = asyncio.run(resolve_unknown(stack, by, message_id, found))
    refused = None if outcome == "done" else outcome
    if as_json:
        print_json({"message_id": message_id, "found": found, "refused": refused})
    if refused:
        refuse(refused)
    if not as_json:
        _line(f"{message_id}: {'submitted' if found else 'to be sent again'}")
