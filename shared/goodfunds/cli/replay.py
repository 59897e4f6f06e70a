"""`goodfunds replay`: what lanes have read is done again, planned, rehearsed, approved by a second person."""

import sys
from typing import Any

import click

from goodfunds.cli.following import follow, told_plan
from goodfunds.cli.operators import Operator, Way, asked, reaching, service_option
from goodfunds.cli.planning import end, no_wait_option, plan
from goodfunds.cli.plans import Plan, listed
from goodfunds.cli.root import CONSOLE, print_json, say
from goodfunds.cli.selecting import PLAN_ID, most_option, readers_of
from goodfunds.cli.selfcheck import selfcheck
from goodfunds.cli.several import exit_code, first_that_has, of_those_that_answer

_plan_id = click.argument("plan_id", metavar="ID", type=PLAN_ID)


@click.group()
def replay() -> None:
    """Do again what lanes have read: planned, rehearsed, approved by another, run beside live traffic."""


@replay.command("list")
@service_option
@most_option
@reaching
def list_plans(way: Way, service: str | None, most: int) -> None:
    """List plans of all kinds, the newest first.

    \b
    goodfunds replay list
    goodfunds replay list --service settlement --json | jq '.plans[] | select(.state == "running")'
    """

    async def read(operator: Operator) -> tuple[dict[str, tuple[list[Any], bool]], dict[str, str]]:
        names = readers_of(operator, service, None)
        return await of_those_that_answer(names, lambda name: operator.items(name, "/v1/replays", most))

    told, silent = asked(way, False, read)
    found = [told_plan(each, name) for name, (items, _) in told.items() for each in items]
    plans = sorted(found, key=lambda each: str(each["plan_id"]), reverse=True)
    more = any(cut for _, cut in told.values())
    if way.as_json:
        print_json({"plans": plans, "more": more, "silent": silent})
    else:
        for each in plans:
            CONSOLE.print(listed(each), highlight=False, markup=False)
        if not plans:
            CONSOLE.print("nothing was ever planned")
    if more:
        say(f"there are more: --most {most * 10} shows further ones")
    sys.exit(exit_code(silent))


@replay.command()
@_plan_id
@service_option
@click.option("--follow", "follows", is_flag=True, help="Wait while it is rehearsed or runs.")
@reaching
def status(way: Way, plan_id: str, service: str | None, follows: bool) -> None:
    """Show a plan: what it would do, how far it is, what came of it. Exit code 1 where it has failed.

    \b
    goodfunds replay status 019a2f3c-5e77-7d1a-b0a5-0c9c1f6f2d11
    goodfunds replay status 019a2f3c-5e77-7d1a-b0a5-0c9c1f6f2d11 --follow --json | jq .outcome
    """
    found = asked(way, False, lambda operator: found_plan(operator, service, plan_id))
    end(way, follow(way, False, found) if follows else found)


async def found_plan(operator: Operator, service: str | None, plan_id: str) -> Plan:
    """The plan of that id, of whichever service it is. Raises Refused where none has it."""
    names = readers_of(operator, service, None)
    name, found = await first_that_has(operator, names, f"/v1/replays/{plan_id}")
    return told_plan(found, name)


def _step(way: Way, plan_id: str, service: str | None, step: str) -> Plan:
    async def take(operator: Operator) -> Plan:
        name = (await found_plan(operator, service, plan_id))["service"]
        return told_plan(await operator.post(name, f"/v1/replays/{plan_id}/{step}"), name)

    return asked(way, True, take)


@replay.command()
@_plan_id
@service_option
@reaching
def approve(way: Way, plan_id: str, service: str | None) -> None:
    """Approve what somebody else has planned, as it was rehearsed. Exit code 1 where it is refused, and why.

    Look at it first: `goodfunds replay status ID`. Your token needs the scope lanes:approve.

    \b
    goodfunds replay approve 019a2f3c-5e77-7d1a-b0a5-0c9c1f6f2d11 --token-file ~/.goodfunds-token
    """
    end(way, _step(way, plan_id, service, "approve"))


@replay.command()
@_plan_id
@service_option
@no_wait_option
@reaching
def run(way: Way, plan_id: str, service: str | None, no_wait: bool) -> None:
    """Run an approved plan beside the live traffic, and wait until it is done.

    Exit code 1 where it is refused, fails, or drifts: what it would have done is not what was rehearsed.

    \b
    goodfunds replay run 019a2f3c-5e77-7d1a-b0a5-0c9c1f6f2d11
    goodfunds replay run 019a2f3c-5e77-7d1a-b0a5-0c9c1f6f2d11 --no-wait --json
    """
    started = _step(way, plan_id, service, "run")
    end(way, started if no_wait else follow(way, True, started))


@replay.command()
@_plan_id
@service_option
@reaching
def pause(way: Way, plan_id: str, service: str | None) -> None:
    """Have a running plan stand still after the slices under way.

    \b
    goodfunds replay pause 019a2f3c-5e77-7d1a-b0a5-0c9c1f6f2d11
    """
    end(way, _step(way, plan_id, service, "pause"))


@replay.command()
@_plan_id
@service_option
@no_wait_option
@reaching
def resume(way: Way, plan_id: str, service: str | None, no_wait: bool) -> None:
    """Go on with a plan that was paused, and wait until it is done.

    \b
    goodfunds replay resume 019a2f3c-5e77-7d1a-b0a5-0c9c1f6f2d11
    """
    resumed = _step(way, plan_id, service, "resume")
    end(way, resumed if no_wait else follow(way, True, resumed))


@replay.command()
@_plan_id
@service_option
@reaching
def abort(way: Way, plan_id: str, service: str | None) -> None:
    """End a plan for good; what it has done stays done. Exit code 1 where it is over already.

    \b
    goodfunds replay abort 019a2f3c-5e77-7d1a-b0a5-0c9c1f6f2d11
    """
    aborted = _step(way, plan_id, service, "abort")
    if way.as_json:
        print_json(aborted)
    else:
        done = f"{aborted['done']:,} of {aborted['total']:,} records were done"
        CONSOLE.print(f"{plan_id} is aborted; {done}", highlight=False)


for each in (plan, selfcheck):
    replay.add_command(each)
