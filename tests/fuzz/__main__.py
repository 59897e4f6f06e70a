"""`make fuzz`: every reader of foreign bytes, for so long; exit code 1 where one misbehaves."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click

from tests.fuzz.report import page
from tests.fuzz.targets import TARGETS

_ENDING_SECONDS = 120.0
"""For what is under way when the time is over, and for the start of the process."""
_SHARE = 20
"""Its seconds are of CPU: on a machine that has other work they may last so many times as long."""


@click.command()
@click.option(
    "--seconds", type=click.FloatRange(0.1), default=20.0, show_default=True, help="Of CPU, for each reader."
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--only", type=click.Choice(list(TARGETS)), help="This reader alone.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count(), help="Readers at a time.")
@click.option(
    "--keep", type=click.Path(file_okay=False, path_type=Path), help="A folder for inputs that went wrong."
)
@click.option("--page", "report", type=click.Path(dir_okay=False, path_type=Path), help="The report.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def main(
    seconds: float, seed: int, only: str | None, jobs: int, keep: Path | None, report: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Give every reader mutated bytes."""
    names = list(TARGETS) if only is None else [only]
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)

    def one(name: str) -> dict[str, Any]:
        told = _in_a_process(name, seconds, seed, keep)
        click.echo(_line(told), err=True)
        return told

    with ThreadPoolExecutor(jobs) as pool:
        found = list(pool.map(one, names))
    if report is not None:
        report.write_text(page(found, seconds, seed), encoding="utf-8")
    if as_json:
        click.echo(json.dumps({"seconds": seconds, "seed": seed, "readers": found}))
    sys.exit(1 if any(told["wrong"] for told in found) else 0)


def _in_a_process(name: str, seconds: float, seed: int, keep: Path | None) -> dict[str, Any]:
    """What tests.fuzz.one says of a reader. One that ends otherwise is wrong; the same seed ends it again."""
    command = [sys.executable, "-m", "tests.fuzz.one", name, f"{seconds}", f"{seed}"]
    command += [] if keep is None else [str(keep)]
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=False,
            timeout=seconds * _SHARE + _ENDING_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return _ended(name, "the process did not end")
    if done.returncode < 0:
        return _ended(name, f"the process was ended by {signal.Signals(-done.returncode).name}")
    if done.returncode:
        return _ended(name, f"the process ended with {done.returncode}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _ended(name: str, why: str) -> dict[str, Any]:
    return {"name": name, "inputs": 0, "refused": 0, "slowest": 0.0, "grown_mb": 0, "wrong": [why]}


def _line(told: Mapping[str, Any]) -> str:
    first = (
        f"{told['name']:<20}{told['inputs']:>12,} inputs{told['refused']:>12,} refused"
        f"{told['slowest'] * 1000:>8.0f} ms{told['grown_mb']:>6} MB{len(told['wrong']):>4} wrong"
    )
    return "\n    ".join([first, *told["wrong"]])


if __name__ == "__main__":
    main()
