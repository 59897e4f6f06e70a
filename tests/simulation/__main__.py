"""`make sim`: stories of seeds, told one after another; a fallen one is shortened and told in words."""

import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

import click
import structlog

from tests.conftest import Postgres, folder_of_servers
from tests.simulation import story
from tests.simulation.shortening import shortened
from tests.simulation.steps import Step
from tests.simulation.telling import Outcome, Stage


@contextmanager
def stage() -> Iterator[Stage]:
    """A stage on a server of its own, which is removed afterwards."""
    with folder_of_servers("goodfunds-simulation-") as folder:
        postgres = Postgres(folder / "postgres")
        try:
            yield Stage(postgres.server)
        finally:
            postgres.stop()


@contextmanager
def told_to_end() -> Iterator[Callable[[], bool]]:
    """Whether SIGTERM has come: noted, for an exception would be swallowed by the code that a story tells."""
    came: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGTERM, before)


def words(steps: Sequence[Step]) -> list[str]:
    """A story as people read it."""
    return [f"{number}. {step}" for number, step in enumerate(steps, 1)]


@click.command()
@click.option("--seed", type=int, help="Tell the story of one seed.")
@click.option(
    "--seeds", type=click.IntRange(1), help="Tell so many stories, of seeds that follow each other."
)
@click.option("--first-seed", type=int, default=1, show_default=True)
@click.option("--steps", type=click.IntRange(1), default=60, show_default=True, help="Steps of a story.")
@click.option(
    "--shorten", type=click.IntRange(0), default=180, show_default=True, help="Seconds to shorten for."
)
@click.option("--show", is_flag=True, help="Show what happened in each story, line by line.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
def main(
    seed: int | None, seeds: int | None, first_seed: int, steps: int, shorten: int, show: bool, as_json: bool
) -> None:
    """Tell stories of seeds against the services' own code; exit code 1 where one falls."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    chosen = [seed] if seed is not None else list(range(first_seed, first_seed + (seeds or 1)))
    fallen: dict[int, Outcome] = {}
    payments = records = 0
    started = monotonic()
    with told_to_end() as ending, stage() as on:
        for number, each in enumerate(chosen, 1):
            if ending():
                chosen = chosen[: number - 1]
                break
            told = story.drawn(each, steps)
            outcome = on.tell(each, told)
            payments, records = payments + outcome.payments, records + outcome.records
            verdict = "falls" if outcome.findings else "holds"
            click.echo(
                f"seed {each} {verdict}: {outcome.payments} instructions, {outcome.records} events, "
                f"{outcome.virtual_seconds:,.0f} s told in {monotonic() - started:,.0f} s "
                f"({number} of {len(chosen)}, {len(fallen)} fallen)",
                err=True,
            )
            if show:
                click.echo("\n".join(outcome.told))
            if outcome.findings:
                fallen[each] = outcome
                _explain(on, each, told, outcome, shorten, ending)
        ended = ending()
    seconds = monotonic() - started
    click.echo(
        f"{len(chosen)} stories of {steps} steps in {seconds:.0f} s: {payments:,} instructions, "
        f"{records:,} events, {len(fallen)} fallen" + (f": seeds {sorted(fallen)}" if fallen else "")
    )
    if as_json:
        findings = {each: list(outcome.findings) for each, outcome in fallen.items()}
        click.echo(json.dumps({
            "stories": len(chosen), "steps": steps, "instructions": payments, "events": records,
            "seconds": round(seconds, 1), "fallen": findings,
        }))  # fmt: skip
    sys.exit(128 + signal.SIGTERM if ended else 1 if fallen else 0)


def _explain(
    on: Stage,
    seed: int,
    told: Sequence[Step],
    outcome: Outcome,
    seconds: int,
    ending: Callable[[], bool],
) -> None:
    for finding in outcome.findings[:10]:
        click.echo(f"  {finding}")
    if not seconds:
        return
    rules = {finding.partition(":")[0] for finding in outcome.findings}

    def falls(shorter: Sequence[Step]) -> bool:
        if ending():
            return False
        found = {finding.partition(":")[0] for finding in on.tell(seed, shorter).findings}
        return bool(found & rules)

    click.echo(f"  shortening for at most {seconds} s …", err=True)
    kept = shortened(told, falls, seconds)
    click.echo(f"  seed {seed}, {len(told)} steps, falls with these {len(kept)} already:")
    for line in words(kept):
        click.echo(f"    {line}")


if __name__ == "__main__":
    main()
