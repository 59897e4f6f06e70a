"""What runs and where: the record of a stack, in `stack.json` of its folder."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

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
        """The HTTP address of a process."""
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
    """The stack that the state file tells of, running or not."""
    try:
        found = json.loads((folder / _STATE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    running = {name: Running(**each) for name, each in found.pop("running").items()}
    return Stack(**{**found, "folder": folder, "running": running})
