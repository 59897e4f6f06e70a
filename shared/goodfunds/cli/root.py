"""The root of the command line: what all commands share, how faults are told, and with which exit code."""

import errno
import json
import logging
import os
import re
import select
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import asyncpg
import click
import httpx
from aiokafka.errors import KafkaConnectionError, KafkaError
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table

from goodfunds.cli.commands import COMMANDS, command
from goodfunds.errors import GoodfundsError

NO = 1
"""Exit code: it was done, and the answer is no: refused, not found, different, not proved."""
FAILED = 2
"""Exit code: it was not done: a mistake in the command, nothing running, nothing answering."""
INTERRUPTED = 130
"""Exit code of Ctrl-C, as a shell has it: 128 and the signal's number."""
PIPE_CLOSED = 141
"""Exit code where the reader of a pipe has gone, as of any program that SIGPIPE ends."""

TOLD = (
    GoodfundsError, RuntimeError, OSError, KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError,
    httpx.HTTPError, httpx.InvalidURL, subprocess.SubprocessError,
)  # fmt: skip
"""What a person can do something about: told in a line."""


# What is told comes from clients, banks and colleagues: a terminal that obeyed it would show what they like.
_STEERING = dict.fromkeys(
    (
        *(each for each in range(32) if chr(each) not in "\n\t"),
        *range(0x7F, 0xA0),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    ),
    "\N{REPLACEMENT CHARACTER}",
)


def visible(text: str) -> str:
    """A text with a mark for each character that would steer a terminal, or turn what stands beside it."""
    return text.translate(_STEERING)


class _Console(Console):
    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for each in super().render(renderable, options):
            yield each if each.control else each._replace(text=visible(each.text))

    def on_broken_pipe(self) -> None:
        _leave_quietly()


CONSOLE = _Console(soft_wrap=True)
ERRORS = _Console(stderr=True, soft_wrap=True)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


class Root(click.Group):
    """Tells a user's mistake in a line, without a stack trace."""

    def make_context(self, *given: Any, **more: Any) -> click.Context:
        with _told():
            return super().make_context(*given, **more)

    def invoke(self, ctx: click.Context) -> Any:
        with _told():
            return super().invoke(ctx)


class _Program(Root):
    """Reads a command's module when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return command(cmd_name) or super().get_command(ctx, cmd_name)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (click.exceptions.Exit, click.Abort):
        # Both are RuntimeErrors; they are click's own way out, such as that of --help.
        raise
    except KeyboardInterrupt:
        _fail("interrupted", INTERRUPTED)
    except UnicodeEncodeError as fault:
        # Bytes of an argument that are no text come as lone surrogates (PEP 383).
        if not any("\udc80" <= each <= "\udcff" for each in fault.object):
            raise
        _fail("an argument is no text in UTF-8", FAILED)
    except TOLD as fault:
        if isinstance(fault, BrokenPipeError) and _reader_gone():
            _leave_quietly()
        if isinstance(fault, OSError) and fault.errno == errno.ENOSPC:
            _drop_output()
        _fail(sentence(fault), FAILED)


def sentence(fault: BaseException) -> str:
    """A fault in words."""
    if isinstance(fault.__cause__, KafkaConnectionError):
        # The client library names its topic; a person wants to know what is down.
        fault = fault.__cause__
    if isinstance(fault, KafkaConnectionError):
        # The client says where it asked as a list of Python's.
        asked = ", ".join(f"{host}:{port}" for host, port in re.findall(r"\('([^']+)', (\d+)", str(fault)))
        return f"Kafka does not answer at {asked}" if asked else f"Kafka does not answer: {fault}"
    if isinstance(fault, (httpx.NetworkError, httpx.TimeoutException)):
        with suppress(RuntimeError):
            return f"{fault.request.url.netloc.decode()} does not answer: {fault}"
    if isinstance(fault, TimeoutError) and not str(fault):
        return "no answer in time"
    return str(fault) or type(fault).__name__


def _fail(told: str, code: int) -> NoReturn:
    ERRORS.print(f"[bold red]goodfunds:[/] {escape(told)}", highlight=False)
    sys.exit(code)


def _reader_gone() -> bool:
    """Whether what reads our output has closed its end; a connection to elsewhere may break, too."""
    polled = select.poll()
    polled.register(1, 0)
    return any(event & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _, event in polled.poll(0))


def _leave_quietly() -> NoReturn:
    _drop_output()
    raise SystemExit(PIPE_CLOSED)


def _drop_output() -> None:
    # What is still in a buffer would raise once more when the interpreter ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def say(text: str) -> None:
    """What goes on, for whoever waits: on stderr, so that stdout holds the result alone."""
    ERRORS.print(text, style="dim", highlight=False, markup=False)


def refuse(text: str) -> NoReturn:
    """Say why the answer is no, and end with its exit code."""
    ERRORS.print(text, highlight=False, markup=False)
    sys.exit(NO)


def print_json(value: Any) -> None:
    """The result for a program: one object on one line, all that stdout holds."""
    click.echo(json.dumps(value, default=_plain))


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show in a terminal what is waited for, while it lasts; whoever reads a pipe sees the result alone."""
    if not ERRORS.is_terminal:
        yield
        return
    with ERRORS.status(f"{escape(what)}…"):
        yield


def table(*columns: str, right: Collection[str] = (), **look: Any) -> Table:
    """A table that fits its terminal: what is too long goes on in the next line, and nothing is cut off."""
    made = Table(**look)
    for name in columns:
        made.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return made


@click.group(
    cls=_Program,
    epilog="Exit codes: 0 done; 1 the answer is no (refused, not found, different, not proved); 2 not done "
    "(a mistake in the command, nothing running, nothing answering); 130 Ctrl-C; 141 nobody reads the pipe.",
)
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
    """Event-driven money movement, proved to the cent.

    \b
    goodfunds demo                          the main job before your eyes
    goodfunds up && goodfunds status        a stack that stays up, and how it is
    goodfunds --folder /tmp/other prove     on another stack
    """
    # What a client of Kafka warns of on its way comes back as the fault that is told.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    context.obj = folder
