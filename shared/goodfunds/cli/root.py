"""The root of the command line: what all commands share, and how faults are told."""

import logging
import sys
from pathlib import Path
from typing import Any

import asyncpg
import click
import httpx
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.markup import escape

from goodfunds.errors import GoodfundsError

CONSOLE = Console(soft_wrap=True)
ERRORS = Console(stderr=True, soft_wrap=True)
TOLD = (
    GoodfundsError, RuntimeError, OSError, KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError,
    httpx.HTTPError,
)  # fmt: skip
"""What a person can do something about: told in a line."""


class Root(click.Group):
    """Tells a user's mistake in a line, without a stack trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort):
            # Both are RuntimeErrors; they are click's own way out, such as that of --help.
            raise
        except TOLD as fault:
            told = str(fault) or type(fault).__name__
            ERRORS.print(f"[bold red]goodfunds:[/] {escape(told)}", highlight=False)
            sys.exit(2)


def say(text: str) -> None:
    """What goes on, for whoever waits: on stderr, so that stdout holds the result alone."""
    ERRORS.print(text, style="dim", highlight=False, markup=False)


@click.group(cls=Root)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".goodfunds"),
    envvar="GOODFUNDS_FOLDER",
    show_default=True,
    help="Where the local stack keeps its state and data.",
)
@click.version_option(package_name="goodfunds")
@click.pass_context
def root(context: click.Context, folder: Path) -> None:
    """Event-driven money movement, proved to the cent."""
    # What a client of Kafka warns of on its way comes back as the fault that is told.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    context.obj = folder
