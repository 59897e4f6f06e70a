"""`goodfunds cutoff close`: asks the owners of settlement's lanes to seal their open batches now."""

import asyncio
from pathlib import Path

import click

from goodfunds.cli.requests import close_cut_off
from goodfunds.cli.root import CONSOLE, json_option, print_json, waiting
from goodfunds.local.stack import find


@click.group()
def cutoff() -> None:
    """Cut-offs of settlement's batches."""


@cutoff.command()
@click.option("--by", default="operator", show_default=True, help="Who asks; it is recorded.")
@json_option
@click.pass_obj
def close(folder: Path, by: str, as_json: bool) -> None:
    """Seal every open batch now, as if its cut-off had come; the gateway sends them.

    \b
    goodfunds cutoff close --by "Ada Almeida"
    """
    stack = find(folder)
    with waiting("the lanes seal their batches"):
        lanes = asyncio.run(close_cut_off(stack, by))
    if as_json:
        print_json({"lanes_sealed": lanes})
    else:
        CONSOLE.print("all lanes have sealed their open batches")
