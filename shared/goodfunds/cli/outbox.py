"""`goodfunds outbox`: what a lane has decided to publish; published again where a topic has lost it."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from goodfunds.cli.figures import instant
from goodfunds.cli.following import follow, told_plan
from goodfunds.cli.operators import Operator, ServiceName, Way, asked, reaching
from goodfunds.cli.planning import end, no_wait_option, rate_option
from goodfunds.cli.plans import Plan
from goodfunds.cli.root import CONSOLE, print_json, say
from goodfunds.cli.selecting import INSTANT, most_option
from goodfunds.cli.watch import told_fields
from goodfunds.observability.masking import masked

_Seq = click.IntRange(1, 2**62 - 1)
_service = click.option(
    "--service", type=ServiceName(), default=None, help="Whose outbox; needed but with --url."
)


@click.group()
def outbox() -> None:
    """The events that lanes decided to publish, kept for fourteen days."""


@outbox.command()
@click.argument("lane", type=click.IntRange(-1, 9_999))
@_service
@click.option("--from-row", "from_outbox_seq", type=_Seq, default=None, help="Inclusive.")
@click.option("--to-row", "to_outbox_seq", type=_Seq, default=None, help="Exclusive.")
@click.option("--topic", default=None, help="Those to this topic alone.")
@click.option(
    "--partition", type=click.IntRange(0, 9_999), default=None, help="Of it; the lane's own unless named."
)
@click.option("--from-seq", type=_Seq, default=None, help="From this number to the topic's partition on.")
@click.option("--to-seq", type=_Seq, default=None, help="Exclusive.")
@most_option
@click.option("--unmasked", is_flag=True, help="Show account numbers and names in full.")
@reaching
def show(way: Way, lane: int, service: str | None, most: int, unmasked: bool, **filters: Any) -> None:
    """Show events of the outbox of LANE in the order in which they were decided; −1 is the feed's (-- -1).

    \b
    goodfunds outbox show 3 --service settlement --topic settlement-notifications --from-seq 4711
    goodfunds outbox show 3 --service ingestion --from-row 900 --to-row 910 --json | jq '.events[].ce_id'
    """

    async def read(operator: Operator) -> tuple[list[Any], bool]:
        return await operator.items(_named(operator, service), "/v1/outbox", most, lane=lane, **filters)

    found, more = asked(way, False, read)
    shown = found if unmasked else list(map(_masked, found))
    if way.as_json:
        print_json({"events": shown, "more": more})
    elif shown:
        for each in shown:
            style = None if each["published"] else "yellow"
            CONSOLE.print(event_lines(each), style=style, highlight=False, markup=False)
    else:
        CONSOLE.print("the outbox holds no such event")
    if more:
        last = found[-1]["outbox_seq"] if found else 0
        # A row may hold more events than are shown: to begin with it again would show the same ones.
        on = f", or --from-row {last}" if found and last > found[0]["outbox_seq"] else ""
        say(f"there are more: --most {most * 10} shows further ones{on}")


def _named(operator: Operator, service: str | None) -> str:
    if len(operator.names) == 1:
        return operator.names[0]
    if service is None:
        raise click.UsageError("say of which --service")
    return service


def _masked(event: Mapping[str, Any]) -> dict[str, Any]:
    return {**event, "key": masked(event["key"], "key"), "event": masked(event["event"])}


def event_lines(each: Mapping[str, Any]) -> str:
    """An event of an outbox for a person, in lines that keep its place and its ids whole."""
    row = f"{each['outbox_seq']}.{each['place']}"
    place = f"{each['topic']}/{each['partition']} seq {each['seq']}"
    notes = [] if each["published"] else ["not known as published"]
    if each["replay_id"]:
        notes.append(f"of replay {each['replay_id']}")
    return (
        f"{row:<10}  {instant(each['decided_at'])}  {', '.join([each['event_type'], place, *notes])}\n"
        f"{'':12}{' '.join(told_fields(each['event']))}"
    )


@outbox.command()
@_service
@click.option("--lane", "lanes", type=click.IntRange(0, 9_999), multiple=True, help="May be named often.")
@click.option("--topic", default=None, help="Events to this topic alone.")
@click.option("--partition", "partitions", type=click.IntRange(0, 9_999), multiple=True, help="Of it.")
@click.option(
    "--from-seq",
    "from_offset",
    type=_Seq,
    default=None,
    help="Number of an event; of one lane and partition.",
)
@click.option("--to-seq", "to_offset", type=_Seq, default=None, help="Exclusive.")
@click.option("--from-time", type=INSTANT, default=None, help="Decided from then on; UTC unless it says.")
@click.option("--to-time", type=INSTANT, default=None, help="Exclusive.")
@rate_option
@click.option("--reason", required=True, help="Why; it stands in the audit.")
@no_wait_option
@reaching
def republish(
    way: Way, service: str | None, lanes: Sequence[int], partitions: Sequence[int], no_wait: bool, **more: Any
) -> None:
    """Publish events again as they were, where a topic or its reader has lost them, and wait for it.

    They have the ids and numbers of the first time, by which a reader that has them drops them, and the id of
    this replay. Exit code 1 where the outbox does not hold them any more.

    \b
    goodfunds outbox republish --service settlement --from-time 2026-11-28T14:00 --reason "TICKET-7"
    goodfunds outbox republish --service ingestion --lane 3 --topic payments --partition 3 --from-seq 900 \\
        --reason "a reader has lost its data"
    """

    async def post(operator: Operator) -> Plan:
        name = _named(operator, service)
        named = {"lanes": list(lanes) or None, "partitions": list(partitions) or None}
        return told_plan(
            await operator.post(name, "/v1/replays", {"kind": "republish", **named, **more}), name
        )

    started = asked(way, True, post)
    end(way, started if no_wait else follow(way, True, started))
