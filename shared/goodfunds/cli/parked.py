"""`goodfunds parked`: events that were set aside, listed and looked at, and what is done about them."""

import sys
from collections import Counter
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
from goodfunds.cli.several import exit_code, of_those_that_answer
from goodfunds.cli.watch import told_fields
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

    async def read(operator: Operator) -> tuple[dict[str, tuple[list[Any], bool]], dict[str, str]]:
        names = readers_of(operator, service, filters["topic"])
        return await of_those_that_answer(
            names, lambda name: operator.items(name, "/v1/parked", most, **filters)
        )

    told, silent = asked(way, False, read)
    found = [{"service": name, **each} for name, (items, _) in told.items() for each in items]
    more = any(cut for _, cut in told.values())
    if way.as_json:
        print_json({"parked": found, "more": more, "silent": silent})
    else:
        for each in found:
            style = "red" if each["poison"] else None
            CONSOLE.print(parked_line(each), style=style, highlight=False, markup=False)
        CONSOLE.print(counts(found, more) if found else "no event is parked", highlight=False)
    if more:
        say(f"there are more: --most {most * 10} shows further ones")
    sys.exit(exit_code(silent))


def counts(found: Sequence[Mapping[str, Any]], more: bool) -> str:
    """How many these are, and what they come to."""
    minor: Counter[str | None] = Counter()
    for each in found:
        minor[each["currency"]] += each["amount_minor"] or 0
    money = [amount(total, currency) for currency, total in minor.items() if currency is not None]
    return ", ".join([f"{'at least ' if more else ''}{counted(len(found), 'event')}", *money])


def parked_line(each: Mapping[str, Any]) -> str:
    """A parked event for a person, in two lines that begin with its place."""
    place = f"{each['topic']}/{each['partition']}@{each['offset']}"
    minor = "" if each["amount_minor"] is None else f"{amount(each['amount_minor'], each['currency'])}, "
    what = f"{each['event_type'] or 'event'} of {each['service']}"
    fault = (
        " ".join(each["fault"].split()) if each["poison"] else "waits behind an earlier one of its account"
    )
    return (
        f"{place:<28}  {minor}{what}, account {each['key']}, {age(each['age_seconds'])} old\n{'':30}{fault}"
    )


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
    made.add_row("says", escape("\n".join(told_fields(told["event"]))))
    made.add_section()
    for name, value in told["headers"].items():
        made.add_row(escape(name), escape(value or ""))
    return made


for each in (diff, release, discard):
    parked.add_command(each)
