"""`goodfunds watch`: the events of the topics as they come, decoded."""

import asyncio
import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import click
from aiokafka import AIOKafkaConsumer, TopicPartition

from goodfunds.cli.root import visible
from goodfunds.clock import EPOCH
from goodfunds.events.readable import decoded
from goodfunds.events.topics import TOPICS
from goodfunds.lanes.headers import header
from goodfunds.lanes.records import Record
from goodfunds.local.stack import Stack, find
from goodfunds.money import CURRENCIES, readable_amount
from goodfunds.observability.masking import HIDDEN, masked


@click.command()
@click.argument("topics", nargs=-1, metavar="[TOPIC]...", type=click.Choice([topic.name for topic in TOPICS]))
@click.option("--from-beginning", is_flag=True, help="Show what lies on the topics already as well.")
@click.option("--most", type=click.IntRange(1), default=None, help="Stop after so many events.")
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
@click.option("--unmasked", is_flag=True, help="Show account numbers and names in full.")
@click.pass_obj
def watch(
    folder: Path, topics: tuple[str, ...], from_beginning: bool, most: int | None, as_json: bool,
    unmasked: bool,
) -> None:  # fmt: skip
    """Show events as they come on all topics, or on each TOPIC named; Ctrl-C ends it.

    \b
    goodfunds watch settlement-notifications
    goodfunds watch payments --from-beginning --most 10 --json
    """
    names = topics or tuple(topic.name for topic in TOPICS)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_watch(find(folder), names, from_beginning, most, as_json, unmasked))


async def _watch(
    stack: Stack, topics: tuple[str, ...], from_beginning: bool, most: int | None, as_json: bool,
    unmasked: bool,
) -> None:  # fmt: skip
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka, enable_auto_commit=False)
    seen = 0
    try:
        await consumer.start()
        places = [TopicPartition(topic, lane) for topic in topics for lane in range(stack.partitions)]
        consumer.assign(places)
        if from_beginning:
            await consumer.seek_to_beginning(*places)
        else:
            await consumer.seek_to_end(*places)
        async for record in consumer:
            shown = show(record)
            if not unmasked:
                shown["event"] = masked(shown["event"])
            click.echo(json.dumps(shown, ensure_ascii=False) if as_json else visible(line(shown)))
            seen += 1
            if most is not None and seen >= most:
                return
    finally:
        await consumer.stop()


def show(record: Record) -> dict[str, Any]:
    """A record as a person reads it."""
    event_type = (header(record, "ce_type") or b"").decode("utf-8", "replace")
    in_json = (header(record, "content-type") or b"").startswith(b"application/json")
    event_type, told = decoded(record.value, event_type, in_json)
    at = EPOCH + timedelta(milliseconds=record.timestamp)
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "at": at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "producer": (header(record, "producer") or b"").decode("utf-8", "replace"),
        "seq": (header(record, "seq") or b"").decode("utf-8", "replace"),
        "type": event_type,
        "event": told,
    }


def line(shown: dict[str, Any]) -> str:
    """The record in a line: money as people read it; without its times, and what is masked."""
    place = f"{shown['topic']}/{shown['partition']}@{shown['offset']}"
    lead = f"{shown['at'][11:23]} {place:<28} {shown['type'] or '?':<20}"
    return " ".join([lead, *told_fields(shown["event"])])


def told_fields(event: Mapping[str, Any]) -> list[str]:
    """`name=value` of an event's fields: money as people read it; without its times, and what is masked."""
    fields = dict(_flat(event))
    currency = fields.get("currency", "")
    told = []
    for name, value in fields.items():
        if name.endswith("_minor") and currency in CURRENCIES:
            told.append(f"{name.removesuffix('_minor')}={readable_amount(value, currency).replace(' ', '')}")
        elif (
            value != HIDDEN and not name.endswith("_at") and not (name == "currency" and value in CURRENCIES)
        ):
            plain = isinstance(value, str) and value and not re.search(r"\s", value)
            told.append(f"{name}={value if plain else json.dumps(value, ensure_ascii=False)}")
    return told


def _flat(event: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in event.items():
        if isinstance(value, dict):
            yield from _flat(value)
        else:
            yield name, value
