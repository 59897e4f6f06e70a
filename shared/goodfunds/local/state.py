"""What runs and where: the record of a stack, in `stack.json` of its folder."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from goodfunds.errors import Misconfigured
from goodfunds.local.processes import Running

FOLDER = Path(".goodfunds")
SERVERS = ("postgres", "kafka")
_STATE = "stack.json"

Say = Callable[[str], None]


@dataclass(slots=True)
class Stack:
    """A stack as its state file has it; `kafka` and `postgres` are addresses.

    `providers`, `containers`: by the server's name. `http`, `running`: by the process' name. `temporary`:
    made for one demo, whose end wipes it.
    """

    folder: Path
    kafka: str
    postgres: str
    partitions: int
    bank_sftp_port: int = 0
    http: dict[str, int] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)
    containers: dict[str, str] = field(default_factory=dict)
    providers: dict[str, str] = field(default_factory=dict)
    temporary: bool = False

    def url(self, name: str) -> str:
        """The HTTP address of a process. Raises Misconfigured where the stack has none of that name."""
        if name not in self.http:
            raise Misconfigured(f"this stack has no process {name}: `goodfunds up` starts what is missing")
        return f"http://127.0.0.1:{self.http[name]}"

    def alive(self, name: str) -> bool:
        """Whether a process of ours runs."""
        running = self.running.get(name)
        return running is not None and running.alive()

    def log(self, name: str) -> Path:
        """Where a process, or an embedded server, prints."""
        return self.folder / (name if name in SERVERS else "logs") / f"{name}.log"

    def save(self) -> None:
        """Write the state file, whole or not at all; it may hold a password, so it is the user's alone."""
        new = self.folder / f"{_STATE}.new"
        new.touch(mode=0o600)
        state = {**asdict(self), "folder": str(self.folder)}
        new.write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
        os.replace(new, self.folder / _STATE)


def read(folder: Path) -> Stack | None:
    """The stack that the state file tells of, running or not. Raises Misconfigured where it tells of none."""
    try:
        found = json.loads((folder / _STATE).read_text(encoding="utf-8"))
        running = {
            name: Running(int(each["pid"]), float(each["started"]))
            for name, each in found.pop("running").items()
        }
        stack = Stack(**{**found, "folder": folder, "running": running})
        _check(stack)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise Misconfigured(
            f"{folder / _STATE} tells of no stack ({type(fault).__name__}: {fault}): if it is left of one "
            f"whose processes are gone, remove the folder"
        ) from fault
    return stack


def _check(stack: Stack) -> None:
    """Raises ValueError where a field is not of its kind: a person may have edited the file."""
    kinds: dict[str, type] = {"kafka": str, "postgres": str, "partitions": int, "bank_sftp_port": int,
             "http": dict, "containers": dict, "providers": dict, "temporary": bool}  # fmt: skip
    for name, kind in kinds.items():
        if not isinstance(getattr(stack, name), kind):
            raise ValueError(f"{name} is no {kind.__name__}")
    if any(each.pid <= 0 for each in stack.running.values()):
        raise ValueError("a pid is a positive number")
