"""Which commands there are: the one list."""

import click

from goodfunds.cli.stack import down, status, up

COMMANDS = (up, status, down)


def register(root: click.Group) -> None:
    """Add every command to the root."""
    for command in COMMANDS:
        root.add_command(command)
