"""`goodfunds lanes`: how far each lane is behind, in events and in money, and what stands in its way."""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from goodfunds.cli.figures import age, sums
from goodfunds.cli.operators import Operator, Way, asked, reaching, service_option
from goodfunds.cli.root import CONSOLE, NO, print_json, table, waiting
from goodfunds.cli.several import exit_code, of_each


@click.command()
@service_option
@click.option("--offsets", is_flag=True, help="Of each topic the next offset to be handled, and its end.")
@reaching
def lanes(way: Way, service: str | None, offsets: bool) -> None:
    """Show every lane: its lag in events and in money, what is not published, what is parked, why it stopped.

    The money of unread events is of those that could be looked at within two seconds; `≥` says that there is
    more. Exit code 1 where a lane is stopped, or a service does not answer.

    \b
    goodfunds lanes
    goodfunds lanes --service settlement --offsets
    goodfunds lanes --json | jq '.services[].lanes[] | select(.stopped_reason) | {lane, stopped_reason}'
    """
    with waiting("asking"):
        told, silent = asked(way, False, lambda operator: _read(operator, service))
    if way.as_json:
        print_json({"services": told, "silent": silent})
    else:
        for each in told.values():
            CONSOLE.print(lanes_table(each))
            if offsets:
                CONSOLE.print(offsets_table(each))
            if not each["broker"]:
                CONSOLE.print(f"{each['service']} does not reach Kafka: how far it is behind is not known")
            for line in stops(each):
                CONSOLE.print(line, style="red", highlight=False, markup=False)
    code = exit_code(silent)
    sys.exit(NO if any(stops(each) for each in told.values()) else code)


async def _read(operator: Operator, service: str | None) -> tuple[dict[str, Any], dict[str, str]]:
    """(name → its lanes, name → why it does not answer)."""
    names = [each for each in operator.names if service in (None, each) or len(operator.names) == 1]
    told, silent = await of_each(names, lambda name: operator.get(name, "/v1/lanes"))
    return {each["service"]: each for each in told.values()}, silent


def stops(told: Mapping[str, Any]) -> list[str]:
    """Why lanes of a service are stopped, a line each."""
    return [
        f"{told['service']} lane {each['lane']} is stopped: {each['stopped_reason']}"
        for each in told["lanes"]
        if each["stopped_reason"] is not None
    ]


def lanes_table(told: Mapping[str, Any]) -> Table:
    """The lanes of a service for a person, and their sums."""
    made = table(
        "lane", "behind", "money unread", "oldest", "to publish", "parked", "state",
        right=["lane", "behind", "money unread", "oldest", "to publish", "parked"],
        title=escape(f"{told['service']}, {_owners(told['lanes'])}"),
        title_justify="left", title_style="bold",
    )  # fmt: skip
    found = told["lanes"]
    for each in found:
        made.add_row(str(each["lane"]) if each["lane"] >= 0 else "feed", *_cells([each]), _state(each))
    if len(found) > 1:
        made.add_section()
        made.add_row("all", *_cells(found), "")
    return made


def offsets_table(told: Mapping[str, Any]) -> Table:
    """Where the lanes of a service are on each topic: what plans of replays go by."""
    made = table("topic", "lane", "next", "end", "behind", right=["lane", "next", "end", "behind"])
    places = [(read["topic"], lane["lane"], read) for lane in told["lanes"] for read in lane["inputs"]]
    for topic, lane, read in sorted(places, key=lambda place: place[:2]):
        ahead = ("?" if read[each] is None else f"{read[each]:,}" for each in ("end", "lag"))
        made.add_row(escape(topic), str(lane), f"{read['offset']:,}", *ahead)
    return made


def _cells(lanes: Iterable[Mapping[str, Any]]) -> list[str]:
    found = list(lanes)
    more = "≥ " if any(each["at_least"] for each in found) else ""
    lags = [each["lag"] for each in found]
    money = sums(_summed(each["money"] for each in found))
    oldest = max((each["oldest_unread_seconds"] or 0.0 for each in found), default=0.0)
    parked = sum(each["parked"]["events"] for each in found)
    stuck = sums(_summed(each["parked"]["money"] for each in found))
    return [
        "?" if None in lags else f"{sum(lags):,}",
        f"{more}{money}" if money else more.strip(),
        age(oldest) if oldest else "",
        _count(sum(each["outbox"]["events"] for each in found)),
        f"{parked:,}\n{stuck}".strip() if parked else "",
    ]


def _owners(lanes: Iterable[Mapping[str, Any]]) -> str:
    """Who has how many of them; the feed counts as one."""
    counted = Counter(each["owner"] for each in lanes if each["owner"] is not None)
    return ", ".join(f"{owner}: {count}" for owner, count in sorted(counted.items())) or "nobody's"


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def _summed(found: Iterable[Iterable[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    minor: dict[str | None, int] = {}
    for money in found:
        for each in money:
            minor[each["currency"]] = minor.get(each["currency"], 0) + each["amount_minor"]
    return [{"currency": currency, "amount_minor": total} for currency, total in minor.items()]


def _state(lane: Mapping[str, Any]) -> str:
    if lane["stopped_reason"] is not None:
        return "[bold red]stopped[/]"
    if lane["catching_up"]:
        return "[yellow]catching up[/]"
    if lane["owner"] is None:
        return "[yellow]nobody's[/]"
    return "[green]at work[/]"
