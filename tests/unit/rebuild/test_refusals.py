"""When a rebuild is refused, and which bound it names."""

from dataclasses import replace

import pytest

from goodfunds.rebuild.refusals import LiveLane, lane_refusals, row_refusals, topic_refusals
from goodfunds.service import services

LANE = LiveLane(3, {"a": 7, "b": 0})
BEGINNINGS = {("a", 3): 0, ("b", 3): 0}
ENDS = {("a", 3): 9, ("b", 3): 0}


def test_a_lane_that_stands_as_its_topics_have_it_is_not_refused() -> None:
    assert lane_refusals([LANE, replace(LANE, catch_up={"a": 7})]) == []
    assert topic_refusals([LANE], BEGINNINGS, ENDS) == []


@pytest.mark.parametrize(
    ("lane", "told"),
    [
        (replace(LANE, stopped_reason="why"), "lane 3 is stopped: why. Set it free first"),
        (
            replace(LANE, catch_up={"a": 8}),
            "lane 3 has yet to read a again after a restore: wait until it has caught up",
        ),
        (
            replace(LANE, restored=True),
            "lane 3 has yet to adopt after a restore: wait until it has caught up",
        ),
        (
            replace(LANE, parked=2),
            "lane 3 has 2 parked events, which its state lacks: release or discard them first",
        ),
    ],
)
def test_a_lane_that_stands_otherwise_is_named_with_what_to_do(lane: LiveLane, told: str) -> None:
    assert lane_refusals([lane]) == [told]


@pytest.mark.parametrize(
    ("lane", "beginning", "end", "told"),
    [
        (LANE, 5, 9, "a/3 begins at offset 5, its lane at 0: records 0 to 4 are gone"),
        (LANE, 7, 7, "a/3 begins at offset 7, its lane at 0: records 0 to 6 are gone"),
        (LANE, 0, 6, "a/3 ends at offset 6, its lane has handled up to 7: it was made anew"),
        (
            replace(LANE, started_above=frozenset({"a"})), 5, 9,
            "a/3: the lane began above the topic's beginning, at an offset that nobody kept: what it did not "
            "read cannot be told from what is gone",
        ),
    ],
)  # fmt: skip
def test_a_topic_that_holds_less_than_its_lane_has_handled_is_named_with_the_bound(
    lane: LiveLane, beginning: int, end: int, told: str
) -> None:
    assert topic_refusals([lane], BEGINNINGS | {("a", 3): beginning}, ENDS | {("a", 3): end}) == [told]


def test_rows_that_must_not_be_there_are_counted() -> None:
    assert row_refusals({"told": "wait"}, {"told": 4}) == ["told has 4 rows: wait"]
    assert row_refusals({"told": "wait"}, {"told": 0}) == []


def test_a_service_is_rebuilt_or_says_why_it_is_not() -> None:
    for service in services().values():
        assert (service.rebuild is None) is bool(service.not_rebuilt), service.name
