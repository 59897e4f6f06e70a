"""Asking ingestion: wishes go through payment-instructions, and its database tells what became of them."""

import asyncio
from collections.abc import Sequence
from time import monotonic

from aiokafka import AIOKafkaProducer

from goodfunds.cli.reading import read_from, sql
from goodfunds.events.topics import PAYMENT_INSTRUCTIONS
from goodfunds.events.types import AccountFundRequested, AccountOpenRequested
from goodfunds.lanes import lane_of
from goodfunds.local.stack import Stack

PATIENCE_SECONDS = 30.0
Wish = AccountOpenRequested | AccountFundRequested
Place = tuple[int, int]
"""(lane, offset) of a record on payment-instructions."""


async def ask(stack: Stack, wishes: Sequence[Wish]) -> list[tuple[Wish, str]]:
    """Publish wishes and wait until all are decided; those that were refused, each with code and reason.

    Raises RuntimeError where some are not decided within half a minute.
    """
    places = await _publish(stack, wishes)
    refused = await _refusals(stack, places)
    return [(wish, refused[place]) for wish, place in zip(wishes, places, strict=True) if place in refused]


async def _publish(stack: Stack, wishes: Sequence[Wish]) -> list[Place]:
    """Publish on the accounts' lanes, in order, acknowledged; where each wish stands."""
    producer = AIOKafkaProducer(
        bootstrap_servers=stack.kafka, acks="all", enable_idempotence=True, linger_ms=5
    )
    try:
        await producer.start()
        waiting = []
        for wish in wishes:
            lane = lane_of(wish.account, stack.partitions)
            headers = [("ce_type", type(wish).__name__.encode())]
            waiting.append(
                await producer.send(
                    PAYMENT_INSTRUCTIONS, wish.encode(), wish.account.encode(), lane, headers=headers
                )
            )
        return [(record.partition, record.offset) for record in await asyncio.gather(*waiting)]
    finally:
        await producer.stop()


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
