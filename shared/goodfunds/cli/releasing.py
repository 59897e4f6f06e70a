"""`goodfunds parked diff`, `release`, `discard`: parked events are tried, handled in order, or given up."""

from collections.abc import Sequence
from typing import Any, Final

import click

from goodfunds.cli.following import follow, told_plan
from goodfunds.cli.operators import Operator, Way, asked, reaching, service_option
from goodfunds.cli.planning import end, no_wait_option, rate_option
from goodfunds.cli.plans import Plan, faults_foreseen
from goodfunds.cli.selecting import INSTANT, PLACE, Place, holder_of_parked, parked_at, parked_body

place_argument = click.argument("place", type=PLACE)
LANE: Final = click.IntRange(0, 9_999)


@click.command()
@place_argument
@service_option
@reaching
def diff(way: Way, place: Place, service: str | None) -> None:
    """Try to release the account of the event at PLACE, roll it back, and show what it would change.

    Its plan is ended afterwards, so that nothing comes of it. Exit code 1 where the event is not parked, or
    an event of its account would fault again.

    \b
    goodfunds parked diff payments/3@4711
    goodfunds parked diff payments/3@4711 --json | jq .forecast.faults
    """

    async def post(operator: Operator) -> Plan:
        name, _ = await parked_at(operator, service, place)
        return told_plan(await operator.post(name, f"{place.path}/diff"), name)

    tried = follow(way, True, asked(way, True, post))

    async def abort(operator: Operator) -> None:
        await operator.post(tried["service"], f"/v1/replays/{tried['plan_id']}/abort")

    if tried["state"] == "rehearsed":
        asked(way, True, abort)
    faults = faults_foreseen(tried)
    following = "mend the cause, and try again" if faults else f"goodfunds parked release {place}"
    end(way, tried, following, failed=faults > 0)


def _selecting(command: Any) -> Any:
    """Options that say which parked events are meant."""
    for option in (
        click.argument("places", type=PLACE, nargs=-1, metavar="[PLACE]..."),
        service_option,
        click.option("--key", "keys", multiple=True, help="Of this account; may be named often."),
        click.option("--lane", "lanes", type=LANE, multiple=True, help="Of this lane; may be named often."),
        click.option("--topic", default=None, help="From this topic alone."),
        click.option("--fault", default=None, help="Whose fault has this text."),
        click.option("--parked-before", type=INSTANT, default=None, help="Parked by then."),
        click.option("--all", "every", is_flag=True, help="All that the service has parked."),
        no_wait_option,
    ):
        command = option(command)
    return command


@click.command()
@_selecting
@click.option("--reason", default="", help="Why; it stands in the audit.")
@rate_option
@reaching
def release(way: Way, no_wait: bool, **given: Any) -> None:
    """Handle parked events now, those of PLACE with all of their account, in order, and wait for it.

    What faults again stays parked, with its account; others go on. Exit code 1 where some stay.

    \b
    goodfunds parked release payments/3@4711
    goodfunds parked release --service settlement --fault KeyError --reason "mended in 1.4.2"
    """
    started = asked(way, True, lambda operator: _plan(operator, "release", **given))
    end(way, started if no_wait else follow(way, True, started))


@click.command()
@_selecting
@click.option("--reason", required=True, help="Why they are given up; it stands in the audit.")
@reaching
def discard(way: Way, no_wait: bool, **given: Any) -> None:
    """Plan to give parked events up for good; somebody else approves it, then it is run.

    Those of PLACE alone; later events of their accounts stay parked until they are released.

    \b
    goodfunds parked discard payments/3@4711 --reason "TICKET-7: the bank has settled it by hand"
    goodfunds replay approve ID && goodfunds replay run ID
    """
    planned = asked(way, True, lambda operator: _plan(operator, "discard", **given))
    end(way, planned if no_wait else follow(way, True, planned))


async def _plan(
    operator: Operator, kind: str, places: Sequence[Place], service: str | None, keys: Sequence[str],
    lanes: Sequence[int], topic: str | None, fault: str | None, parked_before: str | None, every: bool,
    reason: str, rate: int | None = None,
) -> Plan:  # fmt: skip
    selected = parked_body(keys, topic, lanes, fault, parked_before)
    if not places and not selected and not every:
        raise click.UsageError(
            "say which: a PLACE, --key, --lane, --topic, --fault, --parked-before or --all"
        )
    if places and (selected or every):
        raise click.UsageError("places say exactly which: name nothing else beside them")
    if places:
        service = await _holder(operator, service, places)
        selected = {"places": [each._asdict() for each in places]}
    else:
        filters = {"topic": topic, "fault": fault, "key": keys[0] if keys else None}
        service = await holder_of_parked(operator, service, filters)
    body = {"kind": kind, "parked": selected, "reason": reason, "rate": rate}
    return told_plan(await operator.post(service, "/v1/replays", body), service)


async def _holder(operator: Operator, service: str | None, places: Sequence[Place]) -> str:
    names = {(await parked_at(operator, service, each))[0] for each in places}
    if len(names) > 1:
        raise click.UsageError(f"these are parked by {' and '.join(sorted(names))}: one service at a time")
    return names.pop()
