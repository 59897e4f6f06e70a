"""Following a plan that is rehearsed or runs: a bar in a terminal, a line now and then elsewhere."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn

from goodfunds.cli.figures import age, counted
from goodfunds.cli.operators import Operator, Way, asked
from goodfunds.cli.plans import Plan, is_over
from goodfunds.cli.root import ERRORS, INTERRUPTED, say
from goodfunds.errors import Unavailable

_EVERY_SECONDS = 0.5
_LINE_SECONDS = 5.0
_AWAY_SECONDS = 60.0
"""Of a service that starts anew: a plan goes on where it stood, so whoever waits for it may wait on."""


def follow(way: Way, acts: bool, plan: Plan) -> Plan:
    """Wait until a plan stands still, and show how far it is; the plan then.

    Ctrl-C ends the waiting alone: the program says so, and ends with the exit code of one.
    """
    service, plan_id = plan["service"], plan["plan_id"]

    async def wait(operator: Operator) -> Plan:
        found = plan
        with _shown() as show:
            while not is_over(found):
                show(found)
                await asyncio.sleep(_EVERY_SECONDS)
                found = await _looked_at(operator, service, plan_id)
        return found

    try:
        return asked(way, acts, wait)
    except KeyboardInterrupt:
        _goes_on(plan_id)
        raise SystemExit(INTERRUPTED) from None
    except Unavailable:
        _goes_on(plan_id)
        raise


async def _looked_at(operator: Operator, service: str, plan_id: str) -> Plan:
    """The plan now, or once its service answers again."""
    deadline, told = monotonic() + _AWAY_SECONDS, False
    while True:
        try:
            return await plan_of(operator, service, plan_id)
        except Unavailable as away:
            if monotonic() > deadline:
                raise
            if not told:
                say(f"{away}; waiting for it")
            told = True
            await asyncio.sleep(_EVERY_SECONDS)


def _goes_on(plan_id: str) -> None:
    say(
        f"it goes on without you: `goodfunds replay status {plan_id} --follow` shows it, "
        f"`goodfunds replay abort {plan_id}` ends it"
    )


async def plan_of(operator: Operator, service: str, plan_id: str) -> Plan:
    """A plan as its service tells of it now."""
    return {"service": service, **await operator.get(service, f"/v1/replays/{plan_id}")}


def standing(plan: Plan) -> tuple[int, int, str]:
    """(done, total, in words) of what goes on: the rehearsal, or the run."""
    total = plan["total"]
    done = plan["progress"].get("records", 0) if plan["state"] == "rehearsing" else plan["done"]
    words = f"{plan['state']}: {done:,} of {counted(total, 'record')}"
    left = plan["seconds_left"]
    return done, total, words if left is None else f"{words}, {age(left)} left"


@contextmanager
def _shown() -> Iterator[Callable[[Plan], None]]:
    if not ERRORS.is_terminal:
        yield _lines()
        return
    columns = BarColumn(bar_width=30), TextColumn("{task.description}", markup=False)
    with Progress(*columns, console=ERRORS, transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(plan: Plan) -> None:
            done, total, words = standing(plan)
            bar.update(task, completed=done, total=total or None, description=words)

        yield show


def _lines() -> Callable[[Plan], None]:
    due, last = 0.0, ""

    def show(plan: Plan) -> None:
        nonlocal due, last
        if plan["state"] == last and monotonic() < due:
            return
        last, due = plan["state"], monotonic() + _LINE_SECONDS
        say(standing(plan)[2])

    return show


def told_plan(plan: Any, service: str) -> Plan:
    """A service's answer with the service's name."""
    return {"service": service, **plan}
