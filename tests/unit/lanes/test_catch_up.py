"""After a restore a lane's inputs are read one after the other, each to where it ended then."""

from collections.abc import Sequence
from typing import Any

import pytest

from goodfunds.lanes.held import HeldLanes
from goodfunds.lanes.state import LaneState, readable

TOPICS = ("first", "second", "third")


def lane(catch_up: dict[str, int], **offsets: int) -> LaneState:
    at = dict.fromkeys(TOPICS, 0) | offsets
    return LaneState(lane=0, epoch=1, version=1, offsets=at, catch_up=catch_up)


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        ({}, ("first",)),
        ({"first": 4}, ("first",)),
        ({"first": 5}, ("first", "second")),
        ({"first": 5, "second": 7}, TOPICS),
        ({"first": 9, "second": 9, "third": 0}, TOPICS),
        ({"second": 7}, ("first",)),
    ],
)
def test_an_input_is_read_once_those_before_it_are_caught_up(
    offsets: dict[str, int], expected: Sequence[str]
) -> None:
    assert readable(lane({"first": 5, "second": 7, "third": 2}, **offsets), TOPICS) == expected


def test_a_lane_that_was_never_restored_reads_all_its_inputs() -> None:
    assert readable(lane({}), TOPICS) == TOPICS


class Reader:
    """What a consumer is told; how far the client passed over records that nobody handles."""

    topics = TOPICS

    def __init__(self) -> None:
        self.read: list[Sequence[str]] = []
        self.position = 0

    def seek(self, lane: int, offsets: dict[str, int], topics: Sequence[str]) -> bool:
        self.read.append(tuple(topics))
        return True

    def pause(self, lane: int) -> None:
        pass

    async def passed(self, lane: int, topic: str, offset: int) -> int:
        return max(offset, self.position)


async def passed_over(_lane: int, _topic: str, _offset: int) -> None:
    """Stands for a transaction that writes it."""


async def test_the_next_input_is_read_when_the_last_record_before_it_is_handled_and_once_only() -> None:
    reader: Any = Reader()
    held, state = HeldLanes(reader), lane({"first": 2, "second": 1})
    assert held.hold(state)
    await held.read_on(passed_over)
    state.offsets["first"] = 1
    await held.read_on(passed_over)
    assert reader.read == [("first",)]
    state.offsets["first"] = 2
    await held.read_on(passed_over)
    await held.read_on(passed_over)
    state.offsets["second"] = 1
    await held.read_on(passed_over)
    await held.read_on(passed_over)
    assert reader.read == [("first",), ("first", "second"), TOPICS]


async def test_markers_at_the_end_of_an_input_hold_nothing_up() -> None:
    """A client's transaction ends with an offset that no record has."""
    reader: Any = Reader()
    held, state = HeldLanes(reader), lane({"first": 2}, first=1)
    held.hold(state)
    reader.position = 2
    told: list[tuple[int, str, int]] = []

    async def write(lane: int, topic: str, offset: int) -> None:
        told.append((lane, topic, offset))

    await held.read_on(write)
    assert reader.read[-1] == TOPICS
    assert told == [(0, "first", 2)], "whoever looks at the lane's row sees it caught up"


async def test_a_lane_that_is_lost_while_it_is_written_is_not_read_on() -> None:
    reader: Any = Reader()
    held = HeldLanes(reader)
    held.hold(lane({"first": 2}, first=2))

    async def fenced(lane: int, _topic: str, _offset: int) -> None:
        held.forget(lane)

    assert reader.read == [("first", "second", "third")]
    held.hold(lane({"first": 3}, first=2))
    reader.position = 3
    await held.read_on(fenced)
    assert reader.read[1:] == [("first",)]


async def test_a_lane_that_was_given_away_while_it_caught_up_is_not_read_on() -> None:
    reader: Any = Reader()
    held = HeldLanes(reader)
    held.hold(lane({"first": 2}))
    held.forget(0)
    await held.read_on(passed_over)
    assert reader.read == [("first",)]
