"""`goodfunds replay plan`: what is to be done again is selected, rehearsed and shown, and nothing is kept."""

import sys
from collections.abc import Sequence
from typing import Any, Final

import click

from goodfunds.cli.following import follow, told_plan
from goodfunds.cli.operators import Operator, Way, asked, reaching, service_option
from goodfunds.cli.plans import Plan, has_failed, next_step, plan_lines
from goodfunds.cli.root import CONSOLE, NO, print_json, waiting
from goodfunds.cli.selecting import INSTANT, holder_of_parked, parked_body, reader_of

_OFFSET: Final = click.IntRange(0, 2**62 - 1)
_LANE: Final = click.IntRange(0, 9_999)
_LIFE: Final = click.IntRange(60, 604_800)
rate_option = click.option(
    "--rate", type=click.IntRange(1, 1_000_000), default=None, help="Records a second, over all lanes."
)
no_wait_option = click.option("--no-wait", is_flag=True, help="Do not wait for it.")


@click.command()
@click.argument("topic", required=False)
@service_option
@click.option(
    "--partition", "partitions", type=_LANE, multiple=True, help="Of this lane; may be named often."
)
@click.option("--from-offset", type=_OFFSET, default=None, help="Inclusive; of one --partition.")
@click.option("--to-offset", type=_OFFSET, default=None, help="Exclusive.")
@click.option("--from-time", type=INSTANT, default=None, help="Inclusive, of the broker; UTC unless it says.")
@click.option("--to-time", type=INSTANT, default=None, help="Exclusive.")
@click.option("--key", "keys", multiple=True, help="Of this account alone; may be named often.")
@click.option("--payment", "payments", multiple=True, help="Of this payment's id alone; may be named often.")
@click.option("--parked", "parked", is_flag=True, help="Parked events, and not what a range holds.")
@click.option("--fault", default=None, help="Of parked events: whose fault has this text.")
@click.option("--parked-before", type=INSTANT, default=None, help="Of parked events: parked by then.")
@click.option("--reason", required=True, help="Why; it stands in the audit.")
@rate_option
@click.option("--expires-in", type=_LIFE, default=None, help="Seconds that the plan is good; 3,600.")
@no_wait_option
@reaching
def plan(
    way: Way, topic: str | None, service: str | None, partitions: tuple[int, ...], keys: tuple[str, ...],
    parked: bool, fault: str | None, parked_before: str | None, no_wait: bool, payments: tuple[str, ...],
    expires_in: int | None, **more: Any,
) -> None:  # fmt: skip
    """Plan what is to be done again, and rehearse it: what would change is told, and nothing is kept.

    Of TOPIC, or of all that the service reads. Then somebody else approves it, and it is run. Exit code 1
    where it is refused, such as beyond the horizon, or the rehearsal fails.

    \b
    goodfunds replay plan payments --partition 3 --from-offset 4000 --to-offset 5000 --reason "TICKET-7"
    goodfunds replay plan payments --from-time 2026-11-28T14:00 --to-time 2026-11-28T14:30 --reason "1.4.1"
    goodfunds replay plan settlement-notifications --service ingestion --key DE00ADA --reason "TICKET-7"
    goodfunds replay plan --parked --fault KeyError --reason "mended in 1.4.2" --json
    """
    if not parked and (fault is not None or parked_before is not None):
        raise click.UsageError("--fault and --parked-before are of parked events: say --parked")
    if parked and payments:
        raise click.UsageError(
            "parked events are selected by --key, TOPIC, --partition, --fault: name no --payment"
        )
    body: dict[str, Any] = {"kind": "replay", "expires_in_seconds": expires_in, **more}
    if parked:
        body["parked"] = parked_body(keys, topic, partitions, fault, parked_before)
    else:
        body |= {"topic": topic} | _named(partitions=partitions, keys=keys, payments=payments)

    async def post(operator: Operator) -> Plan:
        if parked:
            filters = {"topic": topic, "fault": fault, "key": keys[0] if keys else None}
            name = await holder_of_parked(operator, service, filters)
        else:
            name = reader_of(operator, service, topic)
        return told_plan(await operator.post(name, "/v1/replays", body), name)

    with waiting("planning"):
        planned = asked(way, True, post)
    end(way, planned if no_wait else follow(way, True, planned))


def _named(**several: Sequence[Any]) -> dict[str, Any]:
    return {name: list(values) for name, values in several.items() if values}


def end(way: Way, plan: Plan, following: str | None = None, failed: bool = False) -> None:
    """Print a plan, with what to type next if not its own next step, and end with its exit code."""
    step = following or next_step(plan)
    if way.as_json:
        print_json({**plan, "next": step})
    else:
        for each in plan_lines(plan):
            CONSOLE.print(each, highlight=False)
        if step is not None:
            CONSOLE.print(f"next: {step}", highlight=False, markup=False)
    sys.exit(NO if failed or has_failed(plan) else 0)
