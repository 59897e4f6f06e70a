"""`goodfunds topics create` and `check`: the topics of a cluster, as goodfunds needs them."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from goodfunds.cli.root import CONSOLE, ERRORS
from goodfunds.events.cluster import create_topics, differences
from goodfunds.events.topics import TOPICS
from goodfunds.local.stack import find


@click.group()
def topics() -> None:
    """Kafka's topics: on the local stack, or where --kafka or GOODFUNDS_KAFKA points."""


def _asked(command: Callable[..., Any]) -> Callable[..., Any]:
    """What both commands are asked with."""
    for option in (
        click.option("--min-insync-replicas", "in_sync", type=click.IntRange(1), default=None,
                     help="How many must have a record before it counts; by default all but one."),
        click.option("--replication", type=click.IntRange(1), default=1, show_default=True,
                     help="Copies of each partition; money needs 3 outside the local stack."),
        click.option("--partitions", type=click.IntRange(1, 9_999), default=12, show_default=True,
                     envvar="GOODFUNDS_PARTITIONS", help="Lanes, for life."),
        click.option("--kafka", envvar="GOODFUNDS_KAFKA", default=None, help="host:port of a broker."),
    ):  # fmt: skip
        command = option(command)
    return command


@topics.command()
@_asked
@click.pass_obj
def create(folder: Path, kafka: str | None, partitions: int, replication: int, in_sync: int | None) -> None:
    """Create the topics that are missing, then check all of them.

    Safe to repeat. A topic with another partition count is refused, and nothing is created.
    """
    _check_counts(replication, in_sync)
    bootstrap = kafka or find(folder).kafka
    made = asyncio.run(create_topics(bootstrap, partitions, replication, in_sync))
    for name in made:
        CONSOLE.print(f"created {name}", highlight=False)
    _report(bootstrap, partitions, replication, in_sync)


@topics.command()
@_asked
@click.pass_obj
def check(folder: Path, kafka: str | None, partitions: int, replication: int, in_sync: int | None) -> None:
    """Compare the topics with what they should be. Exit code 1 where one differs."""
    _check_counts(replication, in_sync)
    _report(kafka or find(folder).kafka, partitions, replication, in_sync)


def _check_counts(replication: int, in_sync: int | None) -> None:
    if in_sync is not None and in_sync > replication:
        raise click.UsageError(f"{in_sync} replicas in sync of {replication} would never accept a record")


def _report(bootstrap: str, partitions: int, replication: int, in_sync: int | None) -> None:
    told = asyncio.run(differences(bootstrap, partitions, replication, in_sync))
    for sentence in told:
        ERRORS.print(sentence, highlight=False, markup=False, soft_wrap=True)
    if told:
        sys.exit(1)
    CONSOLE.print(f"{len(TOPICS)} topics of {partitions} partitions are as they should be", highlight=False)
