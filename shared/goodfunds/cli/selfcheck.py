"""`goodfunds replay selfcheck`: all that was handled is handled once more, and shown to change nothing."""

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from time import monotonic
from typing import Any, Final

import click
from rich.table import Table

from goodfunds.cli.following import plan_of, told_plan
from goodfunds.cli.operators import Operator, Refused, Way, asked, reaching, service_option
from goodfunds.cli.plans import Plan, is_over
from goodfunds.cli.root import CONSOLE, NO, print_json, say, table
from goodfunds.cli.selecting import readers_of
from goodfunds.cli.stages import Tell, staged

_EVERY_SECONDS: Final = 0.2
_DIGEST_SECONDS: Final = 600.0
"""Every row is read: of millions that takes minutes."""
_DIGESTS: Final = "reading what the databases hold"
_NOTHING: Final = "nothing-selected"
_COUNTED: Final = ("replayed", "rows_changed", "events_emitted")


@click.command()
@service_option
@click.option(
    "--rate", type=click.IntRange(1, 1_000_000), default=None, help="Records a second of each service."
)
@reaching
def selfcheck(way: Way, service: str | None, rate: int | None) -> None:
    """Handle all that the topics still have once more, each effect rolled back: there should be none.

    What the databases hold is compared before and after, so that on a stack at work the digests differ for
    what happened meanwhile. Exit code 1 where a row would change, an event would go out, a replay fails, or
    the digests differ.

    \b
    goodfunds replay selfcheck
    goodfunds replay selfcheck --json | jq '{replayed, rows_changed, events_emitted}'
    """
    try:
        with staged(_DIGESTS) as tell:
            told = asked(way, True, lambda operator: _checked(operator, service, rate, tell))
    except KeyboardInterrupt:
        say(
            "what runs goes on, and changes nothing: `goodfunds replay list` shows it, `replay abort` ends it"
        )
        raise
    holds = is_clean(told)
    if way.as_json:
        print_json({"holds": holds, **told})
    else:
        CONSOLE.print(selfcheck_table(told))
        CONSOLE.print(sentence(told), style="bold green" if holds else "bold red", highlight=False)
    sys.exit(0 if holds else NO)


def is_clean(told: Mapping[str, Any]) -> bool:
    """Whether nothing would change, nothing has, and all was looked at."""
    return (
        not told["rows_changed"]
        and not told["events_emitted"]
        and not told["faults"]
        and told["digest_before"] == told["digest_after"]
    )


def sentence(told: Mapping[str, Any]) -> str:
    """The result in words."""
    if is_clean(told):
        return f"{told['replayed']:,} records handled once more change nothing"
    if told["faults"]:
        return f"not all was looked at: {told['faults'][0]}"
    if told["rows_changed"] or told["events_emitted"]:
        return (
            f"{told['rows_changed']:,} rows would change and {told['events_emitted']:,} events would go out"
        )
    return "the databases changed meanwhile: other work went on, or this is a defect; check a stack at rest"


async def _checked(operator: Operator, service: str | None, rate: int | None, tell: Tell) -> dict[str, Any]:
    names, began, far = readers_of(operator, service, None), monotonic(), _Far(tell)
    tell(_DIGESTS, 0, 0)
    before = await _digests(operator, names)
    found = await asyncio.gather(*(_check(operator, name, rate, far) for name in names))
    tell(_DIGESTS, far.done, far.total)
    after = await _digests(operator, names)
    return summed(dict(zip(names, found, strict=True)), before, after, monotonic() - began)


async def _digests(operator: Operator, names: Sequence[str]) -> dict[str, str]:
    told = await asyncio.gather(*(operator.get(name, "/v1/state-digest", _DIGEST_SECONDS) for name in names))
    return {name: each["digest"] for name, each in zip(names, told, strict=True)}


class _Far:
    """How far the services are together; what the topics have let go of is known once it is planned."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._records: dict[tuple[str, str], tuple[int, int]] = {}

    @property
    def done(self) -> int:
        return sum(done for done, _ in self._records.values())

    @property
    def total(self) -> int:
        return sum(total for _, total in self._records.values())

    def note(self, name: str, topic: str, done: int, total: int) -> None:
        """Of a topic of a service."""
        self._records[name, topic] = done, total
        self._tell("handling once more", self.done, self.total)


async def _check(operator: Operator, name: str, rate: int | None, far: _Far) -> dict[str, Plan]:
    """topic → the plan that was carried out; a topic with nothing to handle has none."""
    handled: Counter[str] = Counter()
    for lane in (await operator.get(name, "/v1/lanes"))["lanes"]:
        handled.update({each["topic"]: each["offset"] for each in lane["inputs"]})
    topics = sorted(topic for topic, offsets in handled.items() if offsets > 0)
    for topic in topics:
        far.note(name, topic, 0, handled[topic])
    done: dict[str, Plan] = {}
    for topic in topics:
        body = {"topic": topic, "rate": rate, "reason": "goodfunds replay selfcheck"}
        try:
            plan = told_plan(await operator.post(name, "/v1/selfchecks", body), name)
        except Refused as refused:
            if refused.code == _NOTHING:
                # The topic has let go of all that was handled.
                far.note(name, topic, 0, 0)
                continue
            raise
        far.note(name, topic, plan["done"], plan["total"])
        while not is_over(plan):
            await asyncio.sleep(_EVERY_SECONDS)
            plan = await plan_of(operator, name, plan["plan_id"])
            far.note(name, topic, plan["done"], plan["total"])
        done[topic] = plan
    return done


def summed(
    plans: Mapping[str, Mapping[str, Plan]],
    before: Mapping[str, str],
    after: Mapping[str, str],
    seconds: float,
) -> dict[str, Any]:
    """One object of the plans by service and topic, and of the services' digests."""
    total: Counter[str] = Counter(dict.fromkeys(_COUNTED, 0))
    by_service: dict[str, Any] = {}
    faults = []
    for name, of_topics in plans.items():
        topics = {}
        for topic, plan in of_topics.items():
            counted = Counter({
                "replayed": sum(each["handled"] for each in plan["lanes"]),
                "rows_changed": sum(each["rows_changed"] for each in plan["lanes"]),
                "events_emitted": sum(each["events_emitted"] for each in plan["lanes"]),
            })  # fmt: skip
            total.update(counted)
            topics[topic] = {"plan_id": plan["plan_id"], "state": plan["state"], **counted}
            if plan["state"] != "done":
                faults.append(f"{name} {topic}: {plan['state']}: {plan['fault'] or 'no reason is told'}")
        by_service[name] = {"digest_before": before[name], "digest_after": after[name], "topics": topics}
    return {
        **{each: total[each] for each in _COUNTED},
        "digest_before": _together(before),
        "digest_after": _together(after),
        "seconds": round(seconds, 3),
        "faults": faults,
        "services": by_service,
    }


def _together(digests: Mapping[str, str]) -> str:
    return sha256("".join(f"{name} {each}\n" for name, each in sorted(digests.items())).encode()).hexdigest()


def selfcheck_table(told: Mapping[str, Any]) -> Table:
    """The result by service and topic, for a person."""
    made = table(
        "service", "topic", "handled", "rows", "events", "state", right=["handled", "rows", "events"]
    )
    for name, found in told["services"].items():
        for topic, each in found["topics"].items():
            figures = [f"{each[of]:,}" for of in _COUNTED]
            made.add_row(name, topic, *figures, each["state"])
        same = found["digest_before"] == found["digest_after"]
        made.add_row(name, "what its database holds", "", "", "", "the same" if same else "[red]differs[/]")
    return made
