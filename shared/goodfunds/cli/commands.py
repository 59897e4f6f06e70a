"""Which commands there are, and the module of each: it is read when the command is asked for."""

from collections.abc import Mapping
from importlib import import_module

import click

_MODULES: Mapping[str, str] = {
    "accounts": "accounts", "audit": "audit", "bank-files": "bank_files", "client": "client",
    "completion": "completion", "cutoff": "cutoff", "db": "database", "demo": "demo", "down": "stack",
    "files": "files", "lanes": "lanes", "outbox": "outbox", "parked": "parked", "payment": "payment",
    "prove": "prove", "publish": "publish", "rebuild": "rebuild", "registry": "registry",
    "replay": "replay", "schemas": "schemas", "status": "stack", "tokens": "tokens", "topics": "topics",
    "up": "stack", "watch": "watch",
}  # fmt: skip

COMMANDS = tuple(_MODULES)
"""Their names, in the order in which they are listed."""


def command(name: str) -> click.Command | None:
    """The command of a name; none where there is none.

    All modules together take longer to read than most commands to run.
    """
    if name not in _MODULES:
        return None
    found = getattr(import_module(f"goodfunds.cli.{_MODULES[name]}"), name.replace("-", "_"))
    assert isinstance(found, click.Command), name
    return found
