"""What operators select on the command line: services, places of records, times, parked events."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import click

from goodfunds import ids
from goodfunds.cli.operators import Operator
from goodfunds.cli.several import first_that_has
from goodfunds.service import services

_PLACE: Final = re.compile(r"([A-Za-z0-9._-]{1,249})/([0-9]{1,4})[@/]([0-9]{1,19})", re.ASCII)


class Place(NamedTuple):
    """Where a record stands; as text `payments/3@4711`."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}@{self.offset}"

    @property
    def path(self) -> str:
        """Where its parked event is found."""
        return f"/v1/parked/{self.topic}/{self.partition}/{self.offset}"


class PlaceType(click.ParamType):
    """A place as it is shown: TOPIC/PARTITION@OFFSET."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        """The place behind the text."""
        found = _PLACE.fullmatch(str(value))
        if found is None:
            self.fail(f"{str(value)[:80]!a} is no place such as payments/3@4711", param, ctx)
        return Place(found[1], int(found[2]), int(found[3]))


class InstantType(click.ParamType):
    """An instant in ISO 8601; without an offset it is UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As JSON takes it, with its offset."""
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{str(value)[:80]!a} is no time such as 2026-11-28T14:05 (UTC)", param, ctx)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()


class PlanId(click.ParamType):
    """The id of a plan."""

    name = "plan"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The UUID as services write it."""
        try:
            return ids.text(ids.parse(str(value)))
        except ValueError:
            self.fail("a plan's id is a UUID; `goodfunds replay list` shows it", param, ctx)


LISTED: Final = 50
most_option = click.option(
    "--most",
    type=click.IntRange(1, 100_000),
    default=LISTED,
    show_default=True,
    help="To be shown, of each service.",
)
PLACE = PlaceType()
INSTANT = InstantType()
PLAN_ID = PlanId()


def readers_of(operator: Operator, service: str | None, topic: str | None) -> list[str]:
    """The services that are asked: the one named, the one that there is, or those that read the topic."""
    if len(operator.names) == 1:
        return list(operator.names)
    if service is not None:
        return [service]
    known = services()
    return [name for name in operator.names if topic is None or topic in known[name].inputs]


def reader_of(operator: Operator, service: str | None, topic: str | None) -> str:
    """The one service that is meant. Raises UsageError where several may be, or none."""
    found = readers_of(operator, service, topic)
    if len(found) == 1:
        return found[0]
    if topic is None:
        raise click.UsageError("say of which --service")
    if not found:
        topics = sorted({each for service in services().values() for each in service.inputs})
        raise click.UsageError(f"no service reads {topic}: there are {', '.join(topics)}")
    raise click.UsageError(f"{topic} is read by {' and '.join(found)}: say of which --service")


async def parked_at(operator: Operator, service: str | None, place: Place) -> tuple[str, Mapping[str, Any]]:
    """(service, parked event) of a place. Raises Refused where none of them has parked it."""
    asked = readers_of(operator, service, place.topic) or list(operator.names)
    return await first_that_has(operator, asked, place.path)


async def holder_of_parked(operator: Operator, service: str | None, filters: Mapping[str, Any]) -> str:
    """The one service that has parked such events. Raises UsageError where several have."""
    names = readers_of(operator, service, filters.get("topic"))
    if len(names) == 1:
        return names[0]
    found = []
    for name in names:
        items, _ = await operator.items(name, "/v1/parked", 1, **filters)
        if items:
            found.append(name)
    if len(found) > 1:
        raise click.UsageError(f"{' and '.join(found)} have parked such events: say of which --service")
    return found[0] if found else reader_of(operator, service, filters.get("topic"))


def parked_body(
    keys: Sequence[str], topic: str | None, lanes: Sequence[int], fault: str | None, before: str | None
) -> dict[str, Any]:
    """The `parked` of a plan's request."""
    told = {
        "keys": list(keys),
        "topic": topic,
        "lanes": list(lanes),
        "fault_contains": fault,
        "parked_before": before,
    }
    return {name: value for name, value in told.items() if value not in (None, [])}
