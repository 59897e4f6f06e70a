"""Copies of the tree in which tests run: with this very environment, and with the copy's code alone."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import psutil

_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".goodfunds*", "__pycache__", ".*_cache", ".hypothesis", "dist", "build"
)
_FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$", re.MULTILINE)
_TIDY_SECONDS = 20.0
_PASSED, _FAILED_TESTS = 0, 1


class Unusable(Exception):
    """A run that is no verdict: the tests cannot be collected, or there are none."""


@dataclass(frozen=True, slots=True)
class Run:
    """How a selection ended: `failed` names what failed first, "" where all passed."""

    failed: str
    seconds: float
    output: str = ""


def make_copy(root: Path, folder: Path) -> Path:
    """A copy of the tree as it stands, without bytecode: a patched file could be as old and as long."""
    shutil.copytree(root, folder, ignore=_LEFT_OUT, symlinks=True)
    return folder


def environment(copy: Path) -> dict[str, str]:
    """The copy's code goes before the editable install: PYTHONPATH stands before site-packages' .pth.

    No run leaves bytecode for the next, whose patched file could be as old and as long.
    """
    paths = os.pathsep.join((str(copy / "shared"), str(copy)))
    return {
        **os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "400", "CORPUS": "",
    }  # fmt: skip


def run(copy: Path, selection: str, patience: float) -> Run:
    """Run tests, or `make …`, in a copy. Raises Unusable. What takes longer than `patience` s has failed."""
    began = monotonic()
    process = subprocess.Popen(
        _command(selection), cwd=copy, env=environment(copy), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        output, _ = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        return Run(f"{selection} stands still", monotonic() - began, _end(process))
    seconds = monotonic() - began
    if process.returncode == _PASSED:
        return Run("", seconds, output)
    if selection.startswith("make "):
        return Run(selection, seconds, output)
    first = _FAILED.search(output)
    if process.returncode != _FAILED_TESTS or first is None:
        raise Unusable(f"{selection} ended with {process.returncode}:\n{output[-3000:]}")
    return Run(first[1], seconds, output)


def _command(selection: str) -> list[str]:
    if selection.startswith("make "):
        home = Path(sys.executable).parent
        made = [f"BIN={home}", f"STAMP={home.parent / '.installed'}"]
        return ["make", "-s", "-o", "pyproject.toml", *made, *shlex.split(selection)[1:]]
    # A seed, so that a property finds the bug tomorrow as it does today.
    options = ["-x", "-q", "-rfE", "--no-header", "-p", "no:cacheprovider", "--hypothesis-profile=thorough",
               "--hypothesis-seed=0"]  # fmt: skip
    return [sys.executable, "-m", "pytest", *options, *shlex.split(selection)]


def _end(process: "subprocess.Popen[str]") -> str:
    """End a run that stands still: politely, for its servers' sake, then with all that it started."""
    started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    try:
        output, _ = process.communicate(timeout=_TIDY_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        output = ""
    for each in started:
        if each.is_running():
            each.kill()
    return output
