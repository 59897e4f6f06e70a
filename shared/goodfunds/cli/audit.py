"""`goodfunds audit`: who has planned, approved and run what, and whether that is as it was written."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from goodfunds.cli.figures import counted, instant
from goodfunds.cli.operators import Operator, Way, asked, reaching, service_option
from goodfunds.cli.root import CONSOLE, NO, print_json, say
from goodfunds.cli.selecting import PLAN_ID, most_option, readers_of
from goodfunds.cli.several import exit_code, of_those_that_answer

_VERIFICATION = "/v1/audit/verification"
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


def _hashes(_context: click.Context, _parameter: click.Parameter, named: Sequence[str]) -> Sequence[str]:
    if not all(map(_HASH.fullmatch, named)):
        raise click.BadParameter(
            "a hash has 64 digits of 0 to 9 and a to f; `goodfunds audit --verify` shows it"
        )
    return named


@click.command()
@service_option
@click.option("--verify", is_flag=True, help="Walk the whole chain of hashes instead.")
@click.option(
    "--kept",
    multiple=True,
    callback=_hashes,
    help="With --verify: a hash of an earlier one; may be named often.",
)
@click.option("--plan", "plan_id", type=PLAN_ID, default=None, help="What is of the plan of this id.")
@most_option
@reaching
def audit(
    way: Way, service: str | None, verify: bool, kept: Sequence[str], plan_id: str | None, most: int
) -> None:
    """Show what operators did and what came of it, the newest first; or whether the entries are as written.

    Each entry holds the hash of the one before. The last hash, kept elsewhere and named again, shows a chain
    that was made anew, or cut off. Exit code 1 where a chain is broken, or none has what was kept.

    \b
    goodfunds audit
    goodfunds audit --plan 019a2f3c-5e77-7d1a-b0a5-0c9c1f6f2d11 --json | jq '.entries[] | {at, actor, action}'
    goodfunds audit --verify
    goodfunds audit --verify --kept 040470bf1cef17979562712c5a015821c5156ce9193c5b81cf656d18f2fad37a
    """
    if verify and plan_id is not None:
        raise click.UsageError("a chain is verified as a whole: name no --plan beside --verify")
    if kept and not verify:
        raise click.UsageError("a hash that was kept is looked for with --verify")
    if verify:
        _verify(way, service, kept)
        return

    async def read(operator: Operator) -> tuple[dict[str, tuple[list[Any], bool]], dict[str, str]]:
        names = readers_of(operator, service, None)
        return await of_those_that_answer(
            names, lambda name: operator.items(name, "/v1/audit", most, plan_id=plan_id)
        )

    told, silent = asked(way, False, read)
    found = [{"service": name, **each} for name, (items, _) in told.items() for each in items]
    entries = sorted(found, key=lambda each: str(each["at"]), reverse=True)
    more = any(cut for _, cut in told.values())
    if way.as_json:
        print_json({"entries": entries, "more": more, "silent": silent})
    else:
        for each in entries:
            CONSOLE.print(entry_line(each), highlight=False, markup=False)
        if not entries:
            none = "operators have done nothing yet"
            CONSOLE.print(none if plan_id is None else "nothing was done with a plan of that id")
    if more:
        say(f"there are more: --most {most * 10} shows further ones")
    sys.exit(exit_code(silent))


def _verify(way: Way, service: str | None, kept: Sequence[str]) -> None:
    async def read(operator: Operator) -> tuple[dict[str, Any], dict[str, str], dict[str, str | None]]:
        names = readers_of(operator, service, None)
        told, silent = await of_those_that_answer(names, lambda name: operator.get(name, _VERIFICATION))
        return told, silent, {each: await _holder(operator, list(told), each) for each in kept}

    told, silent, holders = asked(way, False, read)
    holds = all(each["verified"] for each in told.values()) and None not in holders.values()
    if way.as_json:
        verified = holds and not silent
        print_json({"verified": verified, "services": told, "kept": holders, "silent": silent})
    else:
        for name, each in told.items():
            style = "green" if each["verified"] else "bold red"
            CONSOLE.print(verdict(name, each), style=style, highlight=False, markup=False)
        for each, holder in holders.items():
            found = (
                f"is of {holder}"
                if holder
                else "IS GONE: no entry has it; the chain was made anew or cut off"
            )
            CONSOLE.print(f"{each} {found}", style="green" if holder else "bold red", highlight=False)
    code = exit_code(silent)
    sys.exit(code if holds else NO)


async def _holder(operator: Operator, names: Sequence[str], kept: str) -> str | None:
    for name in names:
        if (await operator.get(name, _VERIFICATION, kept=kept))["kept"]:
            return name
    return None


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
