"""`make fuzz`: every reader of foreign bytes, for so many seconds each; exit code 1 where one misbehaves."""

import json
import resource
import sys
from pathlib import Path
from random import Random
from time import monotonic

import click

from tests.fuzz.mutating import mutated
from tests.fuzz.targets import TARGETS, Target

_SLOW_SECONDS = 2.0
"""Inputs have at most 200 KB, which any reader has read long before."""
_GROWTH_MB = 150


def fuzz(target: Target, seconds: float, random: Random) -> tuple[int, int, list[tuple[str, bytes]]]:
    """(inputs, of them refused, what went wrong with which input) of a bounded run."""
    inputs = refused = 0
    wrong: list[tuple[str, bytes]] = []
    deadline = monotonic() + seconds
    while monotonic() < deadline and len(wrong) < 5:
        content = mutated(random.choice(target.examples), random)
        inputs += 1
        started = monotonic()
        try:
            target.read(content)
        except target.refusals:
            refused += 1
        except Exception as fault:
            wrong.append((f"{type(fault).__name__}: {fault}", content))
        if monotonic() - started > _SLOW_SECONDS:
            wrong.append((f"it took {monotonic() - started:.1f} s", content))
    return inputs, refused, wrong


@click.command()
@click.option(
    "--seconds", type=click.FloatRange(0.1), default=20.0, show_default=True, help="For each reader."
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--only", type=click.Choice(list(TARGETS)))
@click.option("--keep", type=click.Path(path_type=Path), help="A folder for inputs that went wrong.")
@click.option("--json", "as_json", is_flag=True)
def main(seconds: float, seed: int, only: str | None, keep: Path | None, as_json: bool) -> None:
    """Give every reader mutated bytes."""
    found = {}
    failed = False
    for name, target in TARGETS.items():
        if only not in (None, name):
            continue
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        inputs, refused, wrong = fuzz(target, seconds, Random(f"{seed} {name}"))
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
        if grown > _GROWTH_MB:
            wrong.append((f"memory grew by {grown} MB", b""))
        failed = failed or bool(wrong)
        click.echo(
            f"{name:<14}{inputs:>10,} inputs {refused:>10,} refused {len(wrong):>4} wrong {grown:>5} MB"
        )
        for number, (fault, content) in enumerate(wrong):
            click.echo(f"    {fault[:200]}: {content[:120]!r}")
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{name}-{number}").write_bytes(content)
        found[name] = {"inputs": inputs, "refused": refused, "wrong": [fault for fault, _ in wrong]}
    if as_json:
        click.echo(json.dumps(found))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
