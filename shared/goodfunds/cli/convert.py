"""`goodfunds files convert`: payment files between pain.001, JSON Lines and CSV, without a loss unsaid."""

import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import click
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from goodfunds.cli.root import ERRORS, say
from goodfunds.clock import SystemClock
from goodfunds.errors import Unreadable
from goodfunds.files.converting import HEAD, SUFFIXES, Conversion, Form, convert, form_of
from goodfunds.files.instructions_pain001 import UNSAID
from goodfunds.files.markup import Unwritable, escape
from goodfunds.files.records import FileError, InvalidFile
from goodfunds.money import readable_amount
from goodfunds.rails.reasons import INVALID_FILE_FORMAT

_NAMES: Mapping[Form, str] = {Form.PAIN001: "pain.001", Form.JSONL: "JSON Lines", Form.CSV: "CSV"}
_BAR_FROM = 3_000_000
"""Bytes from which reading takes so long that a bar is shown."""


@click.command("convert", epilog="Exit code 0: converted; 1: the file was refused; 2: unreadable or unknown.")
@click.argument("source", metavar="FROM", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.argument("target", metavar="TO", type=click.Path(dir_okay=False, allow_dash=True))
@click.option(
    "--to",
    "form",
    type=click.Choice([each.value for each in Form]),
    help="The form of TO; by default its suffix says it.",
)
@click.option("--client", default="local", show_default=True, help="Whose payments a pain.001 holds.")
@click.option(
    "--message-id",
    default="",
    help="MsgId of the pain.001 to write: its payments get new keys, MsgId/PmtInf/transaction.",
)
@click.option(
    "--leave-out",
    multiple=True,
    metavar="ELEMENT",
    help="An element of the pain.001 that may be lost, such as Purp or a path; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Tell what was done as one JSON object.")
def convert_file(
    source: str, target: str, form: str | None, client: str, message_id: str, leave_out: tuple[str, ...],
    as_json: bool,
) -> None:  # fmt: skip
    """Convert the payments of FROM to TO: pain.001 (.xml), JSON Lines (.jsonl) or CSV (.csv).

    FROM is known by its content, TO by --to or its suffix; either may be - for the standard stream. JSON
    Lines are what the topic payment-instructions takes. What TO cannot say is refused, with line and element,
    unless it belongs to the message alone (CreDtTm, InitgPty, PmtInfId, InstrId, BtchBookg, DbtrAgt: told) or
    --leave-out names it. Nothing is written where anything is refused.

    \b
    Examples:
      goodfunds files convert payments.xml payments.jsonl
      goodfunds files convert payments.xml payments.csv --leave-out Purp
      goodfunds files convert payments.csv payments.xml --client acme --message-id MSG-7
      goodfunds files convert payments.jsonl - --to csv
    """
    wanted = Form(form) if form else SUFFIXES.get(Path(target).suffix.lower())
    if wanted is None:
        raise click.UsageError("say the form of TO with --to: its suffix is none of " + ", ".join(SUFFIXES))
    _check_message_id(message_id)
    if "-" not in (source, target) and os.path.exists(target) and os.path.samefile(source, target):
        raise click.UsageError("FROM and TO are the same file")
    try:
        with _opened(source) as opened:
            done = _convert(opened, wanted, target, client, message_id, leave_out)
    except InvalidFile as fault:
        _tell_refused(fault.errors, as_json, to_stderr=target == "-")
        sys.exit(1)
    except Unreadable as fault:
        if not as_json:
            raise
        error = FileError(INVALID_FILE_FORMAT, 1, "", str(fault))
        _tell_refused((error,), as_json, to_stderr=target == "-")
        sys.exit(2)
    _tell(done, target, as_json)


def _check_message_id(message_id: str) -> None:
    if len(message_id) > 35:
        raise click.BadParameter("a MsgId has at most 35 characters", param_hint="--message-id")
    try:
        escape(message_id)
    except Unwritable as fault:
        raise click.BadParameter(str(fault), param_hint="--message-id") from None


def _convert(
    opened: BinaryIO, wanted: Form, target: str, client: str, message_id: str, leave_out: tuple[str, ...]
) -> Conversion:
    found = form_of(opened.read(HEAD))
    if found is None:
        raise Unreadable("FROM is no payment file: neither pain.001, nor JSON Lines, nor CSV of instructions")
    done, pieces = convert(
        opened,
        found,
        wanted,
        client=client,
        created_at=SystemClock().now(),
        message_id=message_id,
        leave_out=leave_out,
    )
    _write(pieces, target)
    return done


@contextmanager
def _opened(source: str) -> Iterator[BinaryIO]:
    """The file to read, from its start and as often as is wanted; a stream is kept on disk meanwhile."""
    if source == "-":
        with tempfile.TemporaryFile() as kept:
            shutil.copyfileobj(click.get_binary_stream("stdin"), kept)
            kept.seek(0)
            yield cast(BinaryIO, kept)
        return
    with open(source, "rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        if size < _BAR_FROM or not ERRORS.is_terminal:
            yield opened
            return
        columns = (TextColumn("reading"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        with Progress(*columns, console=ERRORS, transient=True) as progress:
            yield progress.wrap_file(opened, total=size)


def _write(pieces: Iterator[bytes], target: str) -> None:
    """All of it or nothing: TO is replaced once everything is on the disk; a stream gets it from there.

    What TO was allowed to whom stays so.
    """
    path = Path(target).resolve()
    if target == "-" or (path.exists() and not path.is_file()):
        with tempfile.TemporaryFile() as kept, click.open_file(target, "wb") as stream:
            kept.writelines(pieces)
            kept.seek(0)
            shutil.copyfileobj(kept, stream)
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as written:
            written.writelines(pieces)
            written.flush()
            os.fsync(written.fileno())
        os.chmod(name, _mode(path))
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _mode(path: Path) -> int:
    """The permissions of a file, those of a new one where there is none."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _tell(done: Conversion, target: str, as_json: bool) -> None:
    if as_json:
        told: dict[str, Any] = {
            "from": done.form.value,
            "to": done.target.value,
            "payments": done.payments,
            "sum_minor": dict(done.sums),
            "left_out": [_object(each) for each in done.left_out],
            "errors": [],
        }
        click.echo(json.dumps(told), err=target == "-")
        return
    for each in done.left_out:
        say(f"line {each.line}, {each.path}: {each.message}")
    sums = ", ".join(readable_amount(minor, currency) for currency, minor in sorted(done.sums.items()))
    payments = "1 payment" if done.payments == 1 else f"{done.payments:,} payments"
    click.echo(f"{payments}, {sums}: {_NAMES[done.form]} to {_NAMES[done.target]}", err=target == "-")


def _tell_refused(errors: tuple[FileError, ...], as_json: bool, to_stderr: bool) -> None:
    if as_json:
        click.echo(json.dumps({"errors": [_object(each) for each in errors]}), err=to_stderr)
        return
    for each in errors:
        ERRORS.print(str(each), highlight=False, markup=False)
    if any(each.message == UNSAID for each in errors):
        say("--leave-out ELEMENT lets an element go that no field says; its name is the path's last")


def _object(error: FileError) -> dict[str, Any]:
    return {"code": error.code, "line": error.line, "path": error.path, "message": error.message}
