"""What people select to be done again, as they say it: offsets, times, keys, payments, or what is parked."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final

from goodfunds import ids
from goodfunds.replay.plans import Kind

_OF_RANGES: Final = frozenset(
    {"topic", "partitions", "lanes", "from_offset", "to_offset", "from_time", "to_time"}
)
_TAKEN: Final[Mapping[Kind, frozenset[str]]] = {
    "replay": _OF_RANGES | {"keys", "payments"},
    "selfcheck": _OF_RANGES | {"keys", "payments"},
    "republish": _OF_RANGES,
    "release": frozenset({"parked"}),
    "discard": frozenset({"parked"}),
}
"""Kind → what of a selection belongs to it."""


@dataclass(frozen=True, slots=True)
class Parked:
    """Parked events: those that all of this is true of; None asks for nothing."""

    keys: tuple[str, ...] | None = None
    topic: str | None = None
    lanes: tuple[int, ...] | None = None
    fault_contains: str | None = None
    parked_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked for; None asks for nothing. `from_…` is inclusive, `to_…` exclusive, times are UTC.

    Offsets are those of a topic's records; to publish again, the `seq` of its events. `payments`: ids.
    """

    topic: str | None = None
    partitions: tuple[int, ...] | None = None
    lanes: tuple[int, ...] | None = None
    from_offset: int | None = None
    to_offset: int | None = None
    from_time: datetime | None = None
    to_time: datetime | None = None
    keys: tuple[str, ...] | None = None
    payments: tuple[bytes, ...] | None = None
    parked: Parked | None = None

    def as_json(self) -> dict[str, Any]:
        """What was asked for, without what was not."""
        return _told(self)


def misfits(kind: Kind, selection: Selection) -> list[tuple[str, str]]:
    """(field, why) of what does not belong to a plan of that kind, or does not fit together."""
    told = {each.name for each in fields(selection) if getattr(selection, each.name) is not None}
    wrong = [(name, f"it is nothing that a {kind} takes") for name in sorted(told - _TAKEN[kind])]
    if kind in ("release", "discard") and selection.parked is None:
        wrong.append(("parked", f"a {kind} is of parked events: say of which"))
    for offset, time in (("from_offset", "from_time"), ("to_offset", "to_time")):
        if {offset, time} <= told:
            wrong.append((time, f"it and {offset} bound the same end"))
    if {"partitions", "lanes"} <= told and kind != "republish":
        wrong.append(("lanes", "a lane is the partition of its number: name one of both"))
    if {"from_offset", "to_offset"} & told:
        wrong += _unplaced(kind, selection)
    if {"from_offset", "to_offset"} <= told and not _rises(selection.from_offset, selection.to_offset):
        wrong.append(("to_offset", "it is exclusive, and has to lie beyond from_offset"))
    if {"from_time", "to_time"} <= told and not _rises(selection.from_time, selection.to_time):
        wrong.append(("to_time", "it is exclusive, and has to lie after from_time"))
    return wrong


def _unplaced(kind: Kind, selection: Selection) -> list[tuple[str, str]]:
    wrong = [] if selection.topic is not None else [("topic", "offsets are of a topic: name it")]
    places = selection.partitions or (() if kind == "republish" else selection.lanes) or ()
    if len(places) != 1:
        wrong.append(("partitions", "offsets are of one partition: name it"))
    if kind == "republish" and len(selection.lanes or (0,)) != 1:
        wrong.append(("lanes", "the numbers of events are of one lane"))
    return wrong


def _rises(first: Any, end: Any) -> bool:
    return bool(first < end)


def _told(part: Selection | Parked) -> dict[str, Any]:
    found = {each.name: getattr(part, each.name) for each in fields(part)}
    return {name: _json(value) for name, value in found.items() if value is not None}


def _json(value: Any) -> Any:
    if isinstance(value, Parked):
        return _told(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, tuple):
        return [ids.text(each) if isinstance(each, bytes) else each for each in value]
    return value
