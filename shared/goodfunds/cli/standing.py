"""How the work stands: how far each service is behind its topics, and the money that waits in it."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.table import Table

import goodfunds.lanes
from goodfunds.cli.figures import age, amount
from goodfunds.cli.reading import readers, sql
from goodfunds.cli.root import table
from goodfunds.lanes.records import Connection
from goodfunds.local.stack import Stack
from goodfunds.postgres import statements

_LANES = statements(Path(goodfunds.lanes.__file__).parent / "sql")
_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """Money in a state that is not its end: minor units, payments or events, and how old the oldest is."""

    service: str
    state: str
    currency: str
    amount_minor: int
    count: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class Standing:
    """`lags`: service → records of its topics that it has not handled yet."""

    lags: Mapping[str, int]
    money: Sequence[Waiting]


async def read_standing(stack: Stack) -> Standing:
    """From the databases and the broker, so that it holds for a service that is dead, too.

    Raises TimeoutError where they are not heard from within ten seconds.
    """
    async with asyncio.timeout(_PATIENCE_SECONDS), readers(stack) as connections:
        consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka, enable_auto_commit=False)
        try:
            await consumer.start()
            lags = {name: await _lag(consumer, each) for name, each in connections.items()}
        finally:
            await consumer.stop()
        now = datetime.now(UTC)
        money = [
            Waiting(name, state, currency, minor, count, (now - (oldest or now)).total_seconds())
            for name, connection in connections.items()
            for state, currency, minor, count, oldest in await connection.fetch(sql(name)["money_by_state"])
        ]
        return Standing(lags, money)


async def _lag(consumer: AIOKafkaConsumer, connection: Connection) -> int:
    handled = {
        TopicPartition(topic, row["lane"]): offset
        for row in await connection.fetch(_LANES["lane_positions"])
        if row["lane"] >= 0
        for topic, offset in json.loads(row["offsets"]).items()
    }
    ends = await consumer.end_offsets(list(handled)) if handled else {}
    return sum(max(end - handled[place], 0) for place, end in ends.items())


def money_table(money: Iterable[Waiting]) -> Table:
    """The money that waits, for a person."""
    made = table(
        "service", "state", "count", "money", "oldest", right=["count", "money", "oldest"],
        title="money that waits", title_justify="left", title_style="bold",
    )  # fmt: skip
    for each in money:
        shown = amount(each.amount_minor, each.currency)
        made.add_row(each.service, each.state, f"{each.count:,}", shown, age(each.oldest_seconds))
    return made
