"""What is selected comes to exact offsets, or is refused with the exact bound that stands in the way."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from goodfunds import ids
from goodfunds.clock import EPOCH, millis
from goodfunds.replay.horizon import Held, Place
from goodfunds.replay.plans import Refusal
from goodfunds.replay.ranges import Lane, PlannedShare, resolve, trimmed
from goodfunds.replay.selection import Parked, Selection, misfits
from goodfunds.replay.slices import Range

BEGAN = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
INPUTS = ("orders", "answers")
GONE = "beyond_horizon"


def at(second: int) -> datetime:
    return BEGAN + timedelta(seconds=second)


class Log:
    """Partitions with a record each second: offset n is of second n. Each begins and ends somewhere."""

    def __init__(self, bounds: Mapping[Place, tuple[int, int]]) -> None:
        self.bounds = bounds

    async def held(self, places: Collection[Place]) -> Mapping[Place, Held]:
        return {place: self.of(place) for place in places}

    def of(self, place: Place) -> Held:
        first, end = self.bounds.get(place, (0, 0))
        return Held(first, end, millis(at(first)) if first < end else None)

    async def at(self, times: Mapping[Place, int]) -> Mapping[Place, int | None]:
        found: dict[Place, int | None] = {}
        for place, ms in times.items():
            first, end = self.bounds.get(place, (0, 0))
            offset = max(first, -((millis(BEGAN) - ms) // 1000))
            found[place] = offset if offset < end else None
        return found


LOG = Log(
    {("orders", 0): (0, 100), ("answers", 0): (0, 50), ("orders", 1): (30, 90), ("answers", 1): (20, 20)}
)
LANES = {
    0: Lane(0, {"orders": 80, "answers": 50}),
    1: Lane(1, {"orders": 90, "answers": 20}),
}


async def resolved(
    whole: bool = True, rows: Mapping[int, Lane] = LANES, **selection: Any
) -> list[PlannedShare] | Refusal:
    return await resolve(Selection(**selection), INPUTS, rows, LOG, whole)


async def test_a_lane_is_all_of_its_topics_in_the_order_of_the_inputs_up_to_what_it_has_handled() -> None:
    found = await resolved(partitions=(0,))
    assert found == [PlannedShare(0, (Range("orders", 0, 80), Range("answers", 0, 50)), 130)]


async def test_offsets_are_taken_as_they_are() -> None:
    found = await resolved(topic="orders", partitions=(1,), from_offset=30, to_offset=90)
    assert found == [PlannedShare(1, (Range("orders", 30, 90),), 60)]


@pytest.mark.parametrize(
    ("selection", "code", "bound"),
    [
        ({"topic": "orders", "partitions": (1,), "from_offset": 29}, GONE, "30 (2026-03-03T08:00:30.000"),
        ({"topic": "orders", "partitions": (1,)}, GONE, "orders/1 begins at offset 30"),
        ({"topic": "orders", "lanes": (1,), "from_time": at(29)}, GONE, "offset 30"),
        ({"topic": "orders", "lanes": (1,), "from_time": at(30)}, GONE, "offset 30"),
        ({"topic": "answers", "lanes": (1,), "from_time": at(25)}, GONE, "offset 20, and holds nothing"),
        ({"topic": "orders", "partitions": (0,), "to_offset": 81}, "not_handled_yet", "up to offset 80"),
        ({"topic": "orders", "partitions": (0,), "from_offset": 81}, "not_handled_yet", "offset 80"),
        ({"topic": "orders", "partitions": (0,), "from_offset": 80}, "nothing_selected", "no record"),
        ({"topic": "other"}, "no_such_topic", "orders, answers"),
        ({"lanes": (0, 7)}, "no_such_lane", "no lane 7"),
    ],
)  # fmt: skip
async def test_beyond_what_is_there_it_is_refused_with_the_bound(
    selection: dict[str, Any], code: str, bound: str
) -> None:
    found = await resolved(**selection)
    assert isinstance(found, Refusal)
    assert found.code == code
    assert bound in found.text


async def test_times_become_offsets_and_the_end_is_never_beyond_what_was_handled() -> None:
    found = await resolved(topic="orders", from_time=at(40), to_time=at(60))
    assert found == [
        PlannedShare(0, (Range("orders", 40, 60),), 20),
        PlannedShare(1, (Range("orders", 40, 60),), 20),
    ]
    odd = at(40) + timedelta(microseconds=1)
    assert await resolved(topic="orders", lanes=(0,), from_time=odd) == [
        PlannedShare(0, (Range("orders", 41, 80),), 39)
    ]
    assert await resolved(topic="orders", lanes=(0,), from_time=at(79), to_time=at(99)) == [
        PlannedShare(0, (Range("orders", 79, 80),), 1)
    ]


async def test_payments_begin_where_the_oldest_of_them_did_less_a_minute_of_skew() -> None:
    payments = tuple(ids.derived_id(millis(at(second)), b"x") for second in (95, 110))
    found = await resolved(topic="orders", lanes=(1,), payments=payments)
    assert found == [PlannedShare(1, (Range("orders", 35, 90),), 55)]
    older = (*payments, ids.derived_id(millis(at(60)), b"y"))
    refused = await resolved(topic="orders", lanes=(1,), payments=older)
    assert isinstance(refused, Refusal)
    assert refused.code == "beyond_horizon"
    asked = await resolved(topic="orders", partitions=(1,), from_offset=30, payments=older)
    assert asked == [PlannedShare(1, (Range("orders", 30, 90),), 60)]


async def test_what_changes_nothing_may_begin_where_its_topic_does() -> None:
    assert await resolved(whole=False, topic="orders", lanes=(1,)) == [
        PlannedShare(1, (Range("orders", 30, 90),), 60)
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [({"stopped_reason": "a gap"}, "lane_stopped"), ({"catching_up": True}, "lane_catches_up")],
)
async def test_a_lane_that_does_not_go_its_way_is_left_alone(change: dict[str, Any], code: str) -> None:
    lanes = {**LANES, 1: replace(LANES[1], **change)}
    found = await resolved(rows=lanes, topic="orders", from_time=at(40))
    assert isinstance(found, Refusal)
    assert found.code == code
    assert isinstance(await resolved(rows=lanes, partitions=(0,)), list)


def test_a_range_whose_beginning_is_gone_since_is_told() -> None:
    shares = [PlannedShare(1, (Range("orders", 30, 90),), 60)]
    assert trimmed(shares, {("orders", 1): Held(30, 99, 0)}) is None
    told = trimmed(shares, {("orders", 1): Held(31, 99, millis(EPOCH))})
    assert told == "orders/1 begins at offset 31 (1970-01-01T00:00:00.000+00:00), not at 30"


@pytest.mark.parametrize(
    ("kind", "selection", "fields"),
    [
        ("replay", Selection(parked=Parked()), ["parked"]),
        ("release", Selection(), ["parked"]),
        ("release", Selection(topic="t", parked=Parked()), ["topic"]),
        ("discard", Selection(parked=Parked(), payments=(b"x",)), ["payments"]),
        ("republish", Selection(topic="t", keys=("a",)), ["keys"]),
        ("replay", Selection(topic="t", from_offset=1), ["partitions"]),
        ("replay", Selection(topic="t", partitions=(1, 2), to_offset=1), ["partitions"]),
        ("replay", Selection(partitions=(1,), from_offset=1), ["topic"]),
        ("replay", Selection(topic="t", partitions=(1,), from_offset=5, to_offset=5), ["to_offset"]),
        ("replay", Selection(from_time=at(5), to_time=at(5)), ["to_time"]),
        ("replay", Selection(topic="t", partitions=(1,), from_offset=5, from_time=at(5)), ["from_time"]),
        ("replay", Selection(partitions=(1,), lanes=(1,)), ["lanes"]),
        ("republish", Selection(topic="t", lanes=(1,), from_offset=5), ["partitions"]),
        ("republish", Selection(topic="t", partitions=(2,), lanes=(1,), from_offset=5), []),
        ("replay", Selection(topic="t", lanes=(1,), from_offset=5, to_offset=6), []),
        ("selfcheck", Selection(keys=("a",), from_time=at(1)), []),
        ("release", Selection(parked=Parked()), []),
    ],
)  # fmt: skip
def test_what_does_not_belong_to_its_kind_or_fit_together_is_named(
    kind: Any, selection: Selection, fields: list[str]
) -> None:
    assert [name for name, _ in misfits(kind, selection)] == fields
