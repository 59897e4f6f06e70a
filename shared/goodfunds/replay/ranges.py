"""From what is selected to exact offsets of each lane's topics, or the exact bound that stands in the way."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from goodfunds.clock import EPOCH, millis
from goodfunds.replay.horizon import Held, Horizon, Place
from goodfunds.replay.plans import Refusal
from goodfunds.replay.selection import Selection
from goodfunds.replay.slices import Range

_SKEW_MS = 60_000
"""By so much a producer's clock may be behind the one that a payment's id has its time of."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane as its row shows it: its next offsets, and why it cannot be replayed."""

    lane: int
    offsets: Mapping[str, int]
    stopped_reason: str | None = None
    catching_up: bool = False


@dataclass(frozen=True, slots=True)
class PlannedShare:
    """What a plan asks of a lane: its ranges in the order of handling, and how much it is together.

    Of the outbox a range is of rows, by outbox_seq; its topic is empty where all are meant.
    """

    lane: int
    ranges: tuple[Range, ...]
    total: int


def standing_in_the_way(lanes: Collection[Lane]) -> Refusal | None:
    """Why these lanes are not to be touched now."""
    for each in lanes:
        if each.stopped_reason is not None:
            told = f"lane {each.lane} is stopped ({each.stopped_reason}): find out why, and set it free first"
            return Refusal("lane_stopped", told)
        if each.catching_up:
            told = f"lane {each.lane} catches up after a restore: it reads again by itself what it has to"
            return Refusal("lane_catches_up", told)
    return None


def chosen(selection: Selection, lanes: Mapping[int, Lane]) -> list[Lane] | Refusal:
    """The lanes that a selection is of; all where it names none."""
    named = selection.lanes if selection.lanes is not None else selection.partitions
    if named is None:
        return list(lanes.values())
    unknown = sorted(set(named) - lanes.keys())
    if unknown:
        return Refusal(
            "no_such_lane", f"there is no lane {unknown[0]}: they go from 0 to {max(lanes, default=0)}"
        )
    return [lanes[lane] for lane in sorted(set(named))]


async def resolve(
    selection: Selection,
    inputs: Sequence[str],
    lanes: Mapping[int, Lane],
    horizon: Horizon,
    whole: bool = True,
) -> list[PlannedShare] | Refusal:
    """The offsets that a selection comes to, of each lane, none of them beyond what the lane has handled.

    Where no start is named it is the very first record, or, with `payments`, what came after the oldest of
    them began. `whole`: a start that its topic no longer has is refused; else the topic's own is taken.
    Raises Unavailable.
    """
    if selection.topic is not None and selection.topic not in inputs:
        return Refusal("no_such_topic", f"it is none of this service's inputs, which are {', '.join(inputs)}")
    topics = inputs if selection.topic is None else (selection.topic,)
    found = chosen(selection, lanes)
    if isinstance(found, Refusal):
        return found
    blocked = standing_in_the_way(found)
    if blocked is not None:
        return blocked
    places = [(topic, each.lane) for each in found for topic in topics]
    held = await horizon.held(places)
    from_ms = _from_ms(selection)
    starts = await horizon.at(dict.fromkeys(places, from_ms)) if from_ms is not None else {}
    to_ms = None if selection.to_time is None else _ms_up(selection.to_time)
    ends = await horizon.at(dict.fromkeys(places, to_ms)) if to_ms is not None else {}
    shares = []
    for lane in found:
        ranges = []
        for topic in topics:
            place, handled = (topic, lane.lane), lane.offsets[topic]
            first = _first(selection, place, held[place], starts, from_ms, handled, whole)
            if isinstance(first, Refusal):
                return first
            end = _end(selection, place, ends, handled)
            if isinstance(end, Refusal):
                return end
            if first < end:
                ranges.append(Range(topic, first, end))
        if ranges:
            shares.append(
                PlannedShare(lane.lane, tuple(ranges), sum(each.end - each.first for each in ranges))
            )
    if not shares:
        return Refusal("nothing_selected", "no record that these lanes have handled is selected")
    return shares


def trimmed(shares: Collection[PlannedShare], held: Mapping[Place, Held]) -> str | None:
    """Which records of a plan its topics no longer have, in words; None where they have all."""
    for share in shares:
        for each in share.ranges:
            there = held[each.topic, share.lane]
            if each.first < there.first:
                told = _since(there)
                return f"{each.topic}/{share.lane} begins at offset {there.first}{told}, not at {each.first}"
    return None


def _from_ms(selection: Selection) -> int | None:
    if selection.from_time is not None:
        return _ms_up(selection.from_time)
    if selection.payments and selection.from_offset is None:
        return max(min(int.from_bytes(each[:6], "big") for each in selection.payments) - _SKEW_MS, 0)
    return None


def _first(
    selection: Selection,
    place: Place,
    held: Held,
    starts: Mapping[Place, int | None],
    from_ms: int | None,
    handled: int,
    whole: bool,
) -> int | Refusal:
    """The first offset of a partition, where that is known to hold all that there was from the start on."""
    if from_ms is not None:
        at = starts[place]
        first = handled if at is None else min(at, handled)
        # Where its oldest record is of the time, or later, there may have been others of it before.
        unsure = held.first > 0 and (held.oldest_ms is None or held.oldest_ms >= from_ms)
    else:
        first = selection.from_offset or 0
        if first > handled:
            return _not_handled(place, handled)
        unsure = first < held.first
    if not unsure:
        return first
    return _beyond(place, held) if whole else max(first, held.first)


def _end(selection: Selection, place: Place, ends: Mapping[Place, int | None], handled: int) -> int | Refusal:
    if selection.to_offset is not None:
        return selection.to_offset if selection.to_offset <= handled else _not_handled(place, handled)
    at = ends.get(place)
    # What the lane has yet to handle it will handle by itself.
    return handled if at is None else min(at, handled)


def _not_handled(place: Place, handled: int) -> Refusal:
    topic, lane = place
    told = f"lane {lane} has handled {topic}/{lane} up to offset {handled}, exclusive, and no further"
    return Refusal("not_handled_yet", told)


def _beyond(place: Place, held: Held) -> Refusal:
    topic, lane = place
    told = f"{topic}/{lane} begins at offset {held.first}{_since(held)}: what was before is gone from it"
    return Refusal("beyond_horizon", f"{told}. Ask from there on, or restore a backup")


def _since(held: Held) -> str:
    if held.oldest_ms is None:
        return ", and holds nothing"
    oldest = EPOCH + timedelta(milliseconds=held.oldest_ms)
    return f" ({oldest.astimezone(UTC).isoformat(timespec='milliseconds')})"


def _ms_up(instant: datetime) -> int:
    """The first whole millisecond at an instant or after it: the broker knows no finer time."""
    return millis(instant + timedelta(microseconds=999))
