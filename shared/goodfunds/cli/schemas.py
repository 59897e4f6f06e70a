"""`goodfunds schemas`: made from schemas/events, checked, and pushed into a registry."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from goodfunds.cli.registry import schemas_option
from goodfunds.cli.root import CONSOLE, ERRORS, NO, json_option, print_json, waiting
from goodfunds.errors import Misconfigured
from goodfunds.events.lock import breaking, outputs
from goodfunds.registry import Version, find_schemas, read_catalogue
from goodfunds.registry.push import client, push

T = TypeVar("T")


@click.group()
def schemas() -> None:
    """The events' schemas: made and checked in a checkout, pushed into a registry."""


def _root() -> Path:
    root = Path.cwd()
    if not (root / "schemas" / "events").is_dir():
        raise click.UsageError("run this in a checkout of goodfunds: there is no schemas/events here")
    return root


def _formatted(source: str) -> str:
    """The generated Python as the formatter leaves it, so that what is committed is stable."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "types.py", "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        told = done.stderr.strip().splitlines()
        raise Misconfigured(
            f"the formatter does not run (pip install 'goodfunds[dev]'): {told[-1] if told else ''}"
        )
    return done.stdout


def _made(root: Path) -> dict[Path, str]:
    return {path: _formatted(text) if path.suffix == ".py" else text for path, text in outputs(root).items()}


def _readable(read: Callable[[Path], T], root: Path) -> T:
    try:
        return read(root)
    except (ValueError, KeyError, TypeError) as fault:
        raise Misconfigured(f"schemas/events cannot be read: {type(fault).__name__} {fault}") from fault


@schemas.command()
@click.option("--breaking-on-purpose", is_flag=True, help="Write a change that breaks readers all the same.")
@json_option
def generate(breaking_on_purpose: bool, as_json: bool) -> None:
    """Write the Python types, JSON Schemas, AsyncAPI and the lock. Exit code 1 where readers would break.

    \b
    goodfunds schemas generate
    """
    root = _root()
    with waiting("generating"):
        broken = _readable(breaking, root)
        refused = bool(broken) and not breaking_on_purpose
        made = {} if refused else _readable(_made, root)
    changed = [path for path, text in made.items() if not _holds(path, text)]
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[path], encoding="utf-8")
    names = [str(path.relative_to(root)) for path in changed]
    if as_json:
        print_json({"wrote": names, "breaks": broken})
    else:
        _tell_breaking(broken if refused else [])
        for name in names:
            CONSOLE.print(f"wrote {name}", highlight=False)
        if not refused:
            CONSOLE.print(f"{len(names)} files changed")
    sys.exit(NO if refused else 0)


@schemas.command()
@json_option
def check(as_json: bool) -> None:
    """Exit code 1 if a change breaks readers, or if what is committed is not what the schemas give.

    \b
    goodfunds schemas check
    """
    root = _root()
    with waiting("checking"):
        broken = _readable(breaking, root)
        made = _readable(_made, root)
    stale = [str(path.relative_to(root)) for path, text in made.items() if not _holds(path, text)]
    if as_json:
        print_json({"breaks": broken, "stale": stale})
    else:
        _tell_breaking(broken)
        for name in stale:
            ERRORS.print(f"{name} is not what schemas/events gives: run `make schemas`", highlight=False)
        if not (broken or stale):
            CONSOLE.print("nothing breaks readers, and what is committed is what the schemas give")
    sys.exit(NO if broken or stale else 0)


@schemas.command("push")
@click.argument("url", envvar="GOODFUNDS_SCHEMA_REGISTRY")
@click.option("--dry-run", is_flag=True, help="Say what would be registered, and write nothing.")
@schemas_option
@json_option
def push_all(url: str, dry_run: bool, folder: Path | None, as_json: bool) -> None:
    """Register the schemas in the Confluent-compatible registry at URL, under the ids of the lock.

    These ids stand in every record, so they have to be the same there: they are given in IMPORT mode, or,
    where the registry has none, the ids that it gives are checked. Where an id stands for something else
    nothing is registered. Safe to repeat. GOODFUNDS_SCHEMA_REGISTRY may name the URL with its password.

    \b
    goodfunds schemas push http://localhost:8081 --dry-run
    goodfunds schemas push https://user:password@registry.example/contexts/.goodfunds
    """
    catalogue = read_catalogue(folder or find_schemas())
    columns = (TextColumn("schemas"), BarColumn(), MofNCompleteColumn())
    with client(url) as http, Progress(
        *columns, console=ERRORS, transient=True, disable=not ERRORS.is_terminal
    ) as progress:  # fmt: skip
        task = progress.add_task("push", total=len(catalogue.versions))
        pushed = push(http, catalogue, dry_run, lambda: progress.advance(task))
    if as_json:
        print_json({
            "registry": _masked(url),
            "dry_run": dry_run,
            "registered": [_told(each) for each in pushed.registered],
            "stood": [_told(each) for each in pushed.stood],
        })  # fmt: skip
        return
    for each in pushed.registered:
        word = "would register" if dry_run else "registered"
        CONSOLE.print(f"{word} {each.subject} version {each.version} as {each.id}", highlight=False)
    CONSOLE.print(
        f"{len(pushed.registered)} {'missing' if dry_run else 'new'}, {len(pushed.stood)} there before",
        highlight=False,
    )


def _told(each: Version) -> dict[str, object]:
    return {"id": each.id, "subject": each.subject, "version": each.version}


def _masked(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8", errors="replace") == text


def _tell_breaking(broken: list[str]) -> None:
    for line in broken:
        ERRORS.print(f"breaks readers: {line}", highlight=False, markup=False)
