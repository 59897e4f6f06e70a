"""`goodfunds cutoff close`: asks the owners of settlement's lanes to seal their open batches now."""

import asyncio
from pathlib import Path
from time import monotonic

import click

from goodfunds.cli.reading import asking, sql
from goodfunds.cli.root import CONSOLE
from goodfunds.local.stack import Stack, find

_PATIENCE_SECONDS = 30.0


async def close_cut_off(stack: Stack, who: str) -> None:
    """Ask every lane to seal, and wait until all have. Raises RuntimeError where some do not."""
    async with asking(stack, "settlement") as connection:
        rows = await connection.fetch(sql("settlement")["request_close_cut_off"], who)
        await _handled(connection, [row["request_id"] for row in rows])


async def open_nostro(stack: Stack, lane: int, who: str, payload: str) -> None:
    """Ask the nostro's lane to open the nostro with what the bank holds for us, and wait until it has."""
    async with asking(stack, "settlement") as connection:
        row = await connection.fetchrow(sql("settlement")["request_open_nostro"], lane, who, payload)
        assert row is not None
        await _handled(connection, [row["request_id"]])


async def _handled(connection: object, requests: list[int]) -> None:
    deadline = monotonic() + _PATIENCE_SECONDS
    fetchval = connection.fetchval  # type: ignore[attr-defined]
    while left := await fetchval(sql("settlement")["unhandled_requests"], requests):
        if monotonic() > deadline:
            raise RuntimeError(f"{left} lanes did not carry the request out: is settlement running?")
        await asyncio.sleep(0.05)


@click.group()
def cutoff() -> None:
    """Cut-offs of settlement's batches."""


@cutoff.command()
@click.option("--by", default="operator", show_default=True, help="Who asks; it is recorded.")
@click.pass_obj
def close(folder: Path, by: str) -> None:
    """Seal every open batch now, as if its cut-off had come; the gateway sends them."""
    asyncio.run(close_cut_off(find(folder), by))
    CONSOLE.print("all lanes have sealed their open batches")
