"""`goodfunds parked`: events that were set aside, listed and looked at, and what is done about them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from goodfunds.cli.figures import age, amount, counted, instant, sums
from goodfunds.cli.operators import Operator, Way, asked, reaching, service_option
from goodfunds.cli.releasing import LANE, diff, discard, place_argument, release
from goodfunds.cli.root import CONSOLE, print_json, say, table
from goodfunds.cli.selecting import Place, most_option, parked_at, readers_of
from goodfunds.observability.masking import masked


@click.group()
def parked() -> None:
    """Events that were set aside because a handler faulted on them, and the later ones of their accounts."""


@parked.command("list")
@service_option
@click.option("--lane", type=LANE, default=None, help="Of this lane alone.")
@click.option("--key", default=None, help="Of this account alone.")
@click.option("--topic", default=None, help="From this topic alone.")
@click.option("--fault", default=None, help="Whose fault has this text.")
@click.option("--poison", is_flag=True, default=None, help="Those that faulted, and not what waits.")
@most_option
@reaching
def list_parked(way: Way, service: str | None, most: int, **filters: Any) -> None:
    """List parked events, lane by lane, in the order in which they would have been handled.

    \b
    goodfunds parked list
    goodfunds parked list --service settlement --poison --fault KeyError
    goodfunds parked list --json | jq '[.parked[].amount_minor] | add'
    """

    async def read(operator: Operator) -> tuple[list[dict[str, Any]], bool]:
        found, more = [], False
        for name in readers_of(operator, service, filters["topic"]):
            items, cut = await operator.items(name, "/v1/parked", most, **filters)
            found += [{"service": name, **each} for each in items]
            more |= cut
        return found, more

    found, more = asked(way, False, read)
    if way.as_json:
        print_json({"parked": found, "more": more})
    elif found:
        CONSOLE.print(parked_table(found))
    else:
        CONSOLE.print("no event is parked")
    if more:
        say(f"there are more: --most {most * 10} shows further ones")


def parked_table(found: Sequence[Mapping[str, Any]]) -> Table:
    """Parked events for a person."""
    made = table("event", "account", "amount", "age", "fault", right=["amount", "age"])
    for each in found:
        place = f"{each['topic']}/{each['partition']}@{each['offset']}"
        fault = f"[red]{escape(each['fault'])}[/]" if each["poison"] else "[dim]waits[/]"
        minor = "" if each["amount_minor"] is None else amount(each["amount_minor"], each["currency"])
        made.add_row(
            escape(f"{place}\n{each['service']} {each['event_type']}"), escape(each["key"]), minor,
            age(each["age_seconds"]), fault,
        )  # fmt: skip
    return made


@parked.command()
@place_argument
@service_option
@click.option("--unmasked", is_flag=True, help="Show account numbers and names of the event in full.")
@reaching
def show(way: Way, place: Place, service: str | None, unmasked: bool) -> None:
    """Show the parked event of PLACE (topic/partition@offset): what it says, its fault, what waits behind it.

    \b
    goodfunds parked show payments/3@4711
    goodfunds parked show payments/3@4711 --service settlement --json | jq .event
    """
    name, found = asked(way, False, lambda operator: parked_at(operator, service, place))
    told = {"service": name, **found, "event": found["event"] if unmasked else masked(found["event"])}
    if way.as_json:
        print_json(told)
    else:
        CONSOLE.print(event_table(told))


def event_table(told: Mapping[str, Any]) -> Table:
    """A parked event for a person."""
    place = f"{told['topic']}/{told['partition']}@{told['offset']}"
    made = table("", "", show_header=False, title=f"{place} of {told['service']}", title_justify="left")
    behind, waits = told["behind"], told["waits_for"]
    rows = {
        "type": told["event_type"],
        "account": told["key"],
        "payment": told["payment_id"] or "",
        "amount": "" if told["amount_minor"] is None else amount(told["amount_minor"], told["currency"]),
        "written": f"{instant(told['broker_time'])}, {age(told['age_seconds'])} ago",
        "parked": instant(told["parked_at"]),
        "fault": told["fault"],
        "waits for": "" if waits is None else f"{waits['topic']}/{waits['partition']}@{waits['offset']}",
        "behind it": f"{counted(behind['events'], 'event')}\n{sums(behind['money'])}".strip(),
    }
    for name, value in rows.items():
        if value:
            made.add_row(name, f"[red]{escape(value)}[/]" if name == "fault" else escape(value))
    made.add_section()
    for name, value in told["event"].items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        made.add_row(escape(name), escape(shown))
    made.add_section()
    for name, value in told["headers"].items():
        made.add_row(escape(name), escape(value or ""))
    return made


for each in (diff, release, discard):
    parked.add_command(each)
