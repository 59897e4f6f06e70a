"""`goodfunds audit`: who has planned, approved and run what, and whether that is as it was written."""

import json
import sys
from collections.abc import Mapping
from typing import Any

import click

from goodfunds.cli.figures import counted, instant
from goodfunds.cli.operators import Operator, Way, asked, reaching, service_option
from goodfunds.cli.root import CONSOLE, NO, print_json, say
from goodfunds.cli.selecting import most_option, readers_of


@click.command()
@service_option
@click.option("--verify", is_flag=True, help="Walk the whole chain of hashes instead.")
@click.option("--plan", "plan_id", default=None, help="What is of the plan of this id.")
@most_option
@reaching
def audit(way: Way, service: str | None, verify: bool, plan_id: str | None, most: int) -> None:
    """Show what operators did and what came of it, the newest first; or whether the entries are as written.

    Each entry holds the hash of the one before. The last hash, kept elsewhere, shows a chain that was made
    anew. Exit code 1 where a chain is broken.

    \b
    goodfunds audit
    goodfunds audit --plan 019a2f3c-5e77-7d1a-b0a5-0c9c1f6f2d11 --json | jq '.entries[] | {at, actor, action}'
    goodfunds audit --verify
    """
    if verify:
        _verify(way, service)
        return

    async def read(operator: Operator) -> tuple[list[dict[str, Any]], bool]:
        found, more = [], False
        for name in readers_of(operator, service, None):
            items, cut = await operator.items(name, "/v1/audit", most, plan_id=plan_id)
            found += [{"service": name, **each} for each in items]
            more |= cut
        return sorted(found, key=lambda each: str(each["at"]), reverse=True), more

    entries, more = asked(way, False, read)
    if way.as_json:
        print_json({"entries": entries, "more": more})
    else:
        for each in entries:
            CONSOLE.print(entry_line(each), highlight=False, markup=False)
        if not entries:
            CONSOLE.print("operators have done nothing yet")
    if more:
        say(f"there are more: --most {most * 10} shows further ones")


def _verify(way: Way, service: str | None) -> None:
    async def read(operator: Operator) -> dict[str, Any]:
        names = readers_of(operator, service, None)
        return {name: await operator.get(name, "/v1/audit/verification") for name in names}

    told = asked(way, False, read)
    holds = all(each["verified"] for each in told.values())
    if way.as_json:
        print_json({"verified": holds, "services": told})
    else:
        for name, each in told.items():
            style = "green" if each["verified"] else "bold red"
            CONSOLE.print(verdict(name, each), style=style, highlight=False, markup=False)
    sys.exit(0 if holds else NO)


def verdict(service: str, told: Mapping[str, Any]) -> str:
    """Whether a service's chain holds, in a line."""
    if told["verified"]:
        return f"{service}: {counted(told['entries'], 'entry', 'entries')} as written, up to {told['hash']}"
    return f"{service}: BROKEN at entry {told['broken']}: {told['why']}"


def entry_line(entry: Mapping[str, Any]) -> str:
    """An entry in two lines for a person; what is not known is left out."""
    plan = f"plan {entry['plan_id']}" if entry["plan_id"] else ""
    detail = ", ".join(
        f"{name} {_plain(value)}" for name, value in entry["detail"].items() if value is not None
    )
    return (
        f"{instant(entry['at'])}  {entry['actor']}: {entry['action']} ({entry['service']})\n"
        f"{'':21}{'; '.join(each for each in (plan, detail) if each)}"
    )


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
