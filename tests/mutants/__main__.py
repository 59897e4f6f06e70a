"""`make mutants`: plant each bug in a copy, see which test finds it, and write that into the report."""

import json
import os
import random
import sys
from threading import Lock
from time import monotonic

import click

from tests.mutants.hunt import Catch, hunting
from tests.mutants.patches import ROOT, DoesNotApply, Patch, check, every
from tests.mutants.report import REPORT, updated


def stale(patches: list[Patch]) -> list[str]:
    """Why patches do not apply to the tree as it stands."""
    found = []
    for patch in patches:
        try:
            check(patch, ROOT)
        except DoesNotApply as fault:
            found.append(str(fault))
    return found


def line(catch: Catch) -> str:
    """One catch for a person."""
    found_by = catch.found_by or f"SURVIVES {catch.fault}".strip()
    return f"{catch.patch.name:<44}{catch.seconds:>6.0f} s  {found_by}"


@click.command()
@click.option("--one", default="", help="These alone, apart by spaces: area/name, name or area.")
@click.option("--sample", type=click.IntRange(1), help="So many, drawn by --seed.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--workers", type=click.IntRange(1, 2), default=2, show_default=True)
@click.option(
    "--check", "only_check", is_flag=True, help="Say which patches no longer apply, and run nothing."
)
@click.option("--json", "as_json", is_flag=True)
def main(one: str, sample: int | None, seed: int, workers: int, only_check: bool, as_json: bool) -> None:
    """Exit code 0 where every bug was found."""
    patches = every()
    if one:
        wanted = set(one.split())
        patches = [patch for patch in patches if wanted & {patch.name, *patch.name.split("/")}]
        if not patches:
            raise click.BadParameter(f"no bug and no area is named {one}", param_hint="--one")
    elif sample is not None:
        patches = random.Random(seed).sample(patches, min(sample, len(patches)))
    if gone := stale(patches):
        raise SystemExit("\n".join(gone))
    if only_check:
        click.echo(f"all {len(patches)} patches apply")
        return
    began = monotonic()
    names = {patch.name for patch in every()}
    telling = Lock()
    done = 0

    def tell(catch: Catch) -> None:
        nonlocal done
        with telling:
            done += 1
            click.echo(f"{done:>3}/{len(patches)} {line(catch)}", err=True)
            # At once, so that a run that is broken off was not for nothing. A sample is a check, and leaves
            # the tree as it is.
            if sample is None:
                before = REPORT.read_text(encoding="utf-8") if REPORT.exists() else ""
                REPORT.write_text(updated(before, [catch], names), encoding="utf-8")

    with hunting(ROOT) as hunt:
        catches = hunt.all(patches, workers, tell)
    minutes = (monotonic() - began) / 60
    survivors = [catch for catch in catches if not catch.found]
    if as_json:
        rows = [(c.patch, c) for c in catches]
        click.echo(json.dumps({
            "planted": len(catches), "found": len(catches) - len(survivors), "minutes": round(minutes, 1),
            "seed": seed if sample is not None else None, "mutants": [
                {"name": p.name, "bug": p.bug, "harm": p.harm, "found_by": c.found_by,
                 "seconds": round(c.seconds, 1), "fault": c.fault} for p, c in rows
            ],
        }))  # fmt: skip
    click.echo(f"{len(catches)} planted, {len(survivors)} survived, {minutes:.1f} minutes", err=True)
    for catch in survivors:
        click.echo(line(catch), err=True)
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
