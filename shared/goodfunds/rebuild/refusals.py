"""When a state cannot be made anew from the topics, and the exact bound. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from goodfunds.errors import GoodfundsError


class CannotRebuild(GoodfundsError):
    """The topics do not make this state, or not now; each reason says what to do. Nothing was changed."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


@dataclass(frozen=True, slots=True)
class LiveLane:
    """A lane's row at a moment. `offsets`: topic → the next to be handled; `parked`: events set aside."""

    lane: int
    offsets: Mapping[str, int]
    watermarks: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    started_above: frozenset[str] = frozenset()
    catch_up: Mapping[str, int] = field(default_factory=dict)
    restored: bool = False
    stopped_reason: str | None = None
    parked: int = 0


def lane_refusals(lanes: Iterable[LiveLane]) -> list[str]:
    """Lanes that do not stand as the topics alone would have them."""
    found = []
    for each in lanes:
        if each.stopped_reason is not None:
            found.append(f"lane {each.lane} is stopped: {each.stopped_reason}. Set it free first")
        behind = [topic for topic, end in each.catch_up.items() if each.offsets.get(topic, 0) < end]
        if each.restored or behind:
            what = f"has yet to read {', '.join(sorted(behind))} again" if behind else "has yet to adopt"
            found.append(f"lane {each.lane} {what} after a restore: wait until it has caught up")
        if each.parked:
            what = f"lane {each.lane} has {each.parked} parked events, which its state lacks"
            found.append(f"{what}: release or discard them first")
    return found


def topic_refusals(
    lanes: Iterable[LiveLane],
    beginnings: Mapping[tuple[str, int], int],
    ends: Mapping[tuple[str, int], int],
) -> list[str]:
    """Topics that no longer hold all that a lane has handled. Beginnings inclusive, ends exclusive."""
    found = []
    for each in lanes:
        for topic, offset in sorted(each.offsets.items()):
            place, begins = f"{topic}/{each.lane}", beginnings[topic, each.lane]
            if topic in each.started_above:
                found.append(
                    f"{place}: the lane began above the topic's beginning, at an offset that nobody kept: "
                    "what it did not read cannot be told from what is gone"
                )
            elif begins > 0:
                found.append(
                    f"{place} begins at offset {begins}, its lane at 0: records 0 to {begins - 1} are gone"
                )
            elif ends[topic, each.lane] < offset:
                end = ends[topic, each.lane]
                found.append(
                    f"{place} ends at offset {end}, its lane has handled up to {offset}: it was made anew"
                )
    return found


def row_refusals(empty: Mapping[str, str], rows: Mapping[str, int]) -> list[str]:
    """Tables with rows that must have none; `rows`: table → count."""
    return [f"{table} has {rows[table]} rows: {means}" for table, means in empty.items() if rows.get(table)]
