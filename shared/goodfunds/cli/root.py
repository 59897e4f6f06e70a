"""The root of the command line: what all commands share, and how faults are told."""

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from goodfunds.errors import GoodfundsError

CONSOLE = Console()
ERRORS = Console(stderr=True)


class Root(click.Group):
    """Tells a user's mistake in a line, without a stack trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (GoodfundsError, RuntimeError, OSError) as fault:
            ERRORS.print(f"[bold red]goodfunds:[/] {fault}", highlight=False)
            sys.exit(2)


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
    context.obj = folder
