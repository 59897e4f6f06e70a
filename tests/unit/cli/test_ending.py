"""How the program ends when someone ends it: Ctrl-C, a pipe whose reader goes, a full disk; no trace."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import httpx
import pytest

from goodfunds.cli import entry
from goodfunds.cli.root import INTERRUPTED, PIPE_CLOSED, Root

PROGRAM = str(Path(sys.executable).with_name("goodfunds"))
LONGEST = 60
"""Seconds: a start takes about one; the rest is for a machine that others use too."""


def started(*arguments: str, out: int = subprocess.PIPE) -> "subprocess.Popen[str]":
    return subprocess.Popen([PROGRAM, *arguments], stdout=out, stderr=subprocess.PIPE, text=True)


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Its exit code, and what it said on stderr."""
    try:
        _, told = process.communicate(timeout=LONGEST)
    finally:
        process.kill()
    return process.returncode, told


@pytest.mark.parametrize("arguments", ["--help", "registry --port 0", "registry --port 0 --json"])
def test_a_reader_that_goes_ends_the_program_quietly(arguments: str) -> None:
    process = started(*arguments.split())
    assert process.stdout is not None
    process.stdout.close()
    assert ended(process) == (PIPE_CLOSED, "")


@pytest.mark.parametrize("arguments", ["--help", "registry --port 0", "registry --port 0 --json"])
def test_a_full_disk_is_told(arguments: str) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    code, told = ended(started(*arguments.split(), out=full))
    os.close(full)
    assert code == 2
    assert told.count("\n") == 1
    assert "No space left" in told


def test_ctrl_c_is_the_way_to_end_what_serves() -> None:
    process = started("registry", "--port", "0", "--json")
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert told.keys() == {"url", "subjects", "schemas"}
    assert httpx.get(f"{told['url']}/schemas/types").json() == ["AVRO"]
    process.send_signal(signal.SIGINT)
    assert ended(process) == (0, "")


def test_ctrl_c_elsewhere_is_a_line_and_the_shells_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    group = Root("made")

    @group.command()
    def waits() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as left:
        group.main(["waits"])
    assert left.value.code == INTERRUPTED
    assert capsys.readouterr().err == "goodfunds: interrupted\n"


def test_ctrl_c_while_it_starts_is_no_trace_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("goodfunds.cli.root.root", interrupted)
    with pytest.raises(SystemExit) as left:
        entry.main()
    assert left.value.code == INTERRUPTED


def test_bytes_that_are_no_text_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    group = Root("made")

    @group.command()
    @click.argument("text")
    def takes(text: str) -> None:
        text.encode()

    with pytest.raises(SystemExit) as left:
        group.main(["takes", "\udcff"])
    assert left.value.code == 2
    assert capsys.readouterr().err == "goodfunds: an argument is no text in UTF-8\n"


def test_a_defect_of_ours_keeps_its_trace() -> None:
    group = Root("made")

    @group.command()
    def fails() -> None:
        raise AssertionError("ours")

    with pytest.raises(AssertionError):
        group.main(["fails"])
