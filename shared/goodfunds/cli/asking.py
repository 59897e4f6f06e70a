"""Asking ingestion: wishes go through payment-instructions, and its database tells what became of them."""

import asyncio
from collections.abc import Sequence
from time import monotonic

from goodfunds.cli.reading import read_from, sql
from goodfunds.client import Publisher
from goodfunds.events.types import AccountFundRequested, AccountOpenRequested
from goodfunds.local.stack import Stack
from goodfunds.rails.reasons import Refusal
from goodfunds.rails.requests import written

CLIENT = "command-line"
"""Whose the keys of the command line's own wishes are."""
PATIENCE_SECONDS = 30.0
Wish = AccountOpenRequested | AccountFundRequested
Place = tuple[int, int]
"""(lane, offset) of a record on payment-instructions."""


async def ask(stack: Stack, wishes: Sequence[Wish]) -> list[tuple[Wish, str]]:
    """Publish wishes and wait until all are decided; those that were refused, each with code and reason.

    Raises RuntimeError where some are not decided within half a minute.
    """
    unfit = {place: found for place, wish in enumerate(wishes) if isinstance(found := written(wish), Refusal)}
    told = {place: f"{refusal.text} [{refusal.code}]" for place, refusal in unfit.items()}
    sent = [place for place in range(len(wishes)) if place not in unfit]
    places = await _publish(stack, [wishes[place] for place in sent])
    refused = await _refusals(stack, places)
    told |= {place: refused[at] for place, at in zip(sent, places, strict=True) if at in refused}
    return [(wishes[place], why) for place, why in sorted(told.items())]


async def _publish(stack: Stack, wishes: Sequence[Wish]) -> list[Place]:
    """Publish on the accounts' lanes, in order, acknowledged; where each wish stands."""
    places = []
    async with Publisher(stack.kafka, client=CLIENT) as publisher:
        async for receipt in publisher.submit_many(wishes):
            if receipt.offset is None:
                raise RuntimeError("the broker does not say where a wish stands: ask again with its key")
            places.append((receipt.partition, receipt.offset))
    return places


async def _refusals(stack: Stack, places: Sequence[Place]) -> dict[Place, str]:
    lanes, offsets = [lane for lane, _ in places], [offset for _, offset in places]
    connection = await read_from(stack, "ingestion")
    try:
        deadline = monotonic() + PATIENCE_SECONDS
        while True:
            answers = await connection.fetch(sql("ingestion")["answers"], lanes, offsets)
            if all(row["decided"] for row in answers):
                break
            if monotonic() > deadline:
                raise RuntimeError(
                    f"not decided within {PATIENCE_SECONDS:.0f} s: `goodfunds status` shows how "
                    f"ingestion is; it decides when its lanes go on"
                )
            await asyncio.sleep(0.05)
    finally:
        await connection.close()
    return {
        (row["lane"], row["source_offset"]): f"{row['reason']} [{row['reason_code']}]"
        for row in answers
        if row["reason_code"] is not None
    }
