"""`make reading`: memory and speed of the readers on files of 100 MB, each read in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from tests.bench import large_files
from tests.bench.performance import machine

LEAST_A_SECOND = 20_000
MOST_MEGABYTES = 150
_MESSAGES = ("pain.001", "camt.053")
_ACTIONS = ("read", "inspect")


@dataclass(frozen=True, slots=True)
class Reading:
    """A file that was read: `rate` transactions a second of CPU, `megabytes` at the process's highest."""

    message: str
    unlike: bool
    action: str
    size: int
    transactions: int
    rate: float
    megabytes: float

    @property
    def enough(self) -> bool:
        """Whether it is as fast as is wanted, in as little memory."""
        return self.rate >= LEAST_A_SECOND and self.megabytes <= MOST_MEGABYTES


@click.command()
@click.option("--megabytes", type=click.IntRange(1, 1_000), default=100, show_default=True, help="Of a file.")
@click.option("--page", "report", type=click.Path(dir_okay=False, path_type=Path), help="The report.")
@click.option("--json", "as_json", is_flag=True, help="One object on stdout.")
def main(megabytes: int, report: Path | None, as_json: bool) -> None:
    """Exit code 1 where a reader is slower, or takes more memory, than it may."""
    found = []
    for each in _measured(megabytes):
        click.echo(_line(each), err=True)
        found.append(each)
    if report is not None:
        report.write_text(page(found, megabytes), encoding="utf-8")
    if as_json:
        click.echo(json.dumps({"readings": [{**asdict(each), "enough": each.enough} for each in found]}))
    sys.exit(0 if all(each.enough for each in found) else 1)


def _measured(megabytes: int) -> Iterator[Reading]:
    with TemporaryDirectory(prefix="goodfunds-reading-") as folder:
        file = Path(folder, "file.xml")
        for message in _MESSAGES:
            for unlike in (False, True):
                count = large_files.write(file, message, unlike, megabytes * 1_000_000)
                for action in _ACTIONS:
                    yield _one(file, message, unlike, action, count)


def _one(file: Path, message: str, unlike: bool, action: str, count: int) -> Reading:
    command = [sys.executable, "-m", "tests.bench.reading_one", action, message, str(file)]
    told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    assert told["count"] == count, f"{told['count']} of {count} transactions were read"
    return Reading(
        message, unlike, action, file.stat().st_size, count, count / told["seconds"], told["megabytes"]
    )


def _line(each: Reading) -> str:
    kind, verdict = "unlike" if each.unlike else "alike", "" if each.enough else "   NOT ENOUGH"
    return (
        f"{each.message}, {kind:<8}{each.action:<9}{each.size / 1e6:>6.0f} MB{each.transactions:>10,}"
        f"{each.rate:>10,.0f} a second{each.megabytes:>6.0f} MB of memory{verdict}"
    )


def page(found: Sequence[Reading], megabytes: int) -> str:
    """The report."""
    return "\n".join([
        "# Large files",
        "",
        f"Made by `make reading MB={megabytes} PAGE=docs/reading.md` on {datetime.now(UTC):%Y-%m-%d}, on"
        f" {machine()}. Each file is read by `goodfunds.files` into records, and inspected as `goodfunds"
        " files inspect` does, in a process of its own. Alike: every transaction has the same elements."
        " Unlike: each draws which of some twenty elements it has, so that hardly two have the same."
        " Aimed at:"
        f" at least {LEAST_A_SECOND:,} transactions a second of CPU, at most {MOST_MEGABYTES} MB of memory,"
        " the interpreter's included.",
        "",
        "| file | transactions are | MB | transactions | | a second | memory, MB | |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {each.message} | {'unlike' if each.unlike else 'alike'} | {each.size / 1e6:.0f} |"
            f" {each.transactions:,} | {each.action} | {each.rate:,.0f} | {each.megabytes:.0f} |"
            f" {'yes' if each.enough else '**no**'} |"
            for each in found
        ),
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    main()
