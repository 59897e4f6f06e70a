"""`goodfunds schemas`: makes what is made from schemas/events, and checks that it is what is committed."""

import subprocess
import sys
from pathlib import Path

import click

from goodfunds.cli.root import CONSOLE, ERRORS
from goodfunds.events.lock import breaking, outputs


@click.group()
def schemas() -> None:
    """The events' schemas (run in a checkout)."""


def _root() -> Path:
    root = Path.cwd()
    if not (root / "schemas" / "events").is_dir():
        raise click.UsageError("run this in a checkout of goodfunds: there is no schemas/events here")
    return root


def _formatted(source: str) -> str:
    """The generated Python as the formatter leaves it, so that what is committed is stable."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "types.py", "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout


def _made(root: Path) -> dict[Path, str]:
    return {path: _formatted(text) if path.suffix == ".py" else text for path, text in outputs(root).items()}


@schemas.command()
@click.option("--breaking-on-purpose", is_flag=True, help="Write a change that breaks readers all the same.")
def generate(breaking_on_purpose: bool) -> None:
    """Write the Python types, JSON Schemas, AsyncAPI and the lock."""
    root = _root()
    broken = breaking(root)
    if broken and not breaking_on_purpose:
        _tell_breaking(broken)
        sys.exit(1)
    changed = 0
    for path, text in _made(root).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            CONSOLE.print(f"wrote {path.relative_to(root)}", highlight=False)
            changed += 1
    CONSOLE.print(f"{changed} files changed")


@schemas.command()
def check() -> None:
    """Exit code 1 if a change breaks readers, or if what is committed is not what the schemas give."""
    root = _root()
    broken = breaking(root)
    _tell_breaking(broken)
    stale = [
        path.relative_to(root)
        for path, text in _made(root).items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        ERRORS.print(f"{path} is not what schemas/events gives: run `make schemas`", highlight=False)
    if broken or stale:
        sys.exit(1)
    CONSOLE.print("nothing breaks readers, and what is committed is what the schemas give")


def _tell_breaking(broken: list[str]) -> None:
    for line in broken:
        ERRORS.print(f"breaks readers: {line}", highlight=False, markup=False)
