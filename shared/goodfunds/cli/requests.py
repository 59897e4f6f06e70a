"""Requests to settlement: rows in its database that the owners of its lanes, or its gateway, carry out."""

import asyncio
import json
from time import monotonic

from goodfunds.cli.reading import sql
from goodfunds.cli.writing import database_of
from goodfunds.lanes.records import Connection
from goodfunds.local.stack import Stack

_PATIENCE_SECONDS = 30.0


async def close_cut_off(stack: Stack, who: str) -> int:
    """Ask every lane to seal, and wait until all have; how many. Raises RuntimeError where some do not."""
    async with database_of(stack, "settlement") as connection:
        rows = await connection.fetch(sql("settlement")["request_close_cut_off"], who)
        await _handled(connection, [row["request_id"] for row in rows])
        return len(rows)


async def open_nostro(stack: Stack, lane: int, who: str, payload: str) -> None:
    """Ask the nostro's lane to open the nostro with what the bank holds for us, and wait until it has."""
    async with database_of(stack, "settlement") as connection:
        request = await connection.fetchval(sql("settlement")["request_open_nostro"], lane, who, payload)
        await _handled(connection, [request])


async def resolve_unknown(stack: Stack, who: str, message_id: str, found: bool) -> str:
    """Tell the gateway what the bank told a person; its outcome. Raises RuntimeError where it is silent."""
    payload = json.dumps({"message_id": message_id, "found": found})
    async with database_of(stack, "settlement") as connection:
        request = await connection.fetchval(sql("settlement")["request_resolve_unknown"], who, payload)
        deadline = monotonic() + _PATIENCE_SECONDS
        while (outcome := await connection.fetchval(sql("settlement")["request_outcome"], request)) is None:
            if monotonic() > deadline:
                raise RuntimeError("the gateway has not carried the request out yet: is it running?")
            await asyncio.sleep(0.1)
        return str(outcome)


async def _handled(connection: Connection, requests: list[int]) -> None:
    deadline = monotonic() + _PATIENCE_SECONDS
    while left := await connection.fetchval(sql("settlement")["unhandled_requests"], requests):
        if monotonic() > deadline:
            raise RuntimeError(f"{left} lanes did not carry the request out: is settlement running?")
        await asyncio.sleep(0.05)
