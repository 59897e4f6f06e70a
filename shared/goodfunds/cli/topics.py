"""`goodfunds topics create` and `check`: the topics of a cluster, as goodfunds needs them."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from goodfunds.cli.root import CONSOLE, ERRORS, NO, json_option, print_json, waiting
from goodfunds.events.cluster import create_topics, differences
from goodfunds.events.topics import TOPICS
from goodfunds.local.stack import checked_kafka, find


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
        json_option,
    ):  # fmt: skip
        command = option(command)
    return command


@topics.command()
@_asked
@click.pass_obj
def create(
    folder: Path, kafka: str | None, partitions: int, replication: int, in_sync: int | None, as_json: bool
) -> None:
    """Create the topics that are missing, then check all of them. Exit code 1 where one differs.

    Safe to repeat. A topic with another partition count is refused, and nothing is created.

    \b
    goodfunds topics create --kafka broker:9092 --partitions 48 --replication 3
    """
    _check_counts(replication, in_sync)
    bootstrap = _bootstrap(folder, kafka)
    with waiting("creating topics"):
        made = asyncio.run(create_topics(bootstrap, partitions, replication, in_sync))
    _report(bootstrap, partitions, replication, in_sync, made, as_json)


@topics.command()
@_asked
@click.pass_obj
def check(
    folder: Path, kafka: str | None, partitions: int, replication: int, in_sync: int | None, as_json: bool
) -> None:
    """Compare the topics with what they should be. Exit code 1 where one differs.

    \b
    goodfunds topics check
    goodfunds topics check --kafka broker:9092 --partitions 48 --replication 3 --json
    """
    _check_counts(replication, in_sync)
    _report(_bootstrap(folder, kafka), partitions, replication, in_sync, None, as_json)


def _bootstrap(folder: Path, kafka: str | None) -> str:
    return checked_kafka(kafka, "--kafka") if kafka else find(folder).kafka


def _check_counts(replication: int, in_sync: int | None) -> None:
    if in_sync is not None and in_sync > replication:
        raise click.UsageError(f"{in_sync} replicas in sync of {replication} would never accept a record")


def _report(
    bootstrap: str, partitions: int, replication: int, in_sync: int | None, made: list[str] | None,
    as_json: bool,
) -> None:  # fmt: skip
    with waiting("checking topics"):
        told = asyncio.run(differences(bootstrap, partitions, replication, in_sync))
    if as_json:
        created = {} if made is None else {"created": made}
        print_json({**created, "partitions": partitions, "differences": told})
        sys.exit(NO if told else 0)
    for name in made or ():
        CONSOLE.print(f"created {name}", highlight=False)
    for sentence in told:
        ERRORS.print(sentence, highlight=False, markup=False)
    if told:
        sys.exit(NO)
    CONSOLE.print(f"{len(TOPICS)} topics of {partitions} partitions are as they should be", highlight=False)
