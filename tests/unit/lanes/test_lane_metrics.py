"""What the lanes tell Prometheus: how far behind they are, and how many records share a transaction."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError
from prometheus_client import REGISTRY

from goodfunds.clock import SystemClock
from goodfunds.lanes import handling, metrics
from goodfunds.lanes.consumer import LaneConsumer
from goodfunds.lanes.feed import Feed
from goodfunds.lanes.handling import Handling
from goodfunds.lanes.records import Poll
from goodfunds.lanes.state import Admitted, LaneState
from goodfunds.lanes.transact import Numbering


class Ends:
    """A client that has heard of some ends, and of others not."""

    def highwater(self, place: TopicPartition) -> int | None:
        if place.topic == "unassigned":
            raise IllegalStateError
        return {"payments": 12, "settlement-notifications": 5}.get(place.topic)

    async def position(self, place: TopicPartition) -> int:
        return {"payments": 12}.get(place.topic, 0)


async def test_the_lag_of_a_lane_is_told_by_topic_from_what_the_client_has_heard() -> None:
    consumer = LaneConsumer("127.0.0.1:1", "test", ["payments"])
    consumer._consumer = Ends()
    offsets = {"payments": 7, "settlement-notifications": 6, "unheard": 0, "unassigned": 0}
    assert await consumer.lags(3, offsets) == {
        "payments": 5, "settlement-notifications": 0, "unheard": 0, "unassigned": 0,
    }  # fmt: skip


async def test_a_lane_whose_fetches_fail_is_behind_all_the_same_and_one_before_a_marker_is_not() -> None:
    """The client only logs some faults of a fetch; the marker of a client's transaction is no record."""
    consumer = LaneConsumer("127.0.0.1:1", "test", ["payments"])
    consumer._consumer = Ends()
    consumer._seeked = {TopicPartition("payments", 3), TopicPartition("unheard", 3)}
    consumer.hear({TopicPartition("unheard", 3): 4, TopicPartition("unassigned", 3): 4})
    offsets = {"payments": 11, "unheard": 0, "unassigned": 0}
    assert await consumer.lags(3, offsets) == {"payments": 0, "unheard": 4, "unassigned": 0}


def lag(topic: str, lane: str) -> float | None:
    return REGISTRY.get_sample_value("goodfunds_lane_lag_records", {"topic": topic, "lane": lane})


def test_a_lane_that_went_to_another_instance_is_told_of_no_longer() -> None:
    metrics.tell_lags({3: {"payments": 5}, 4: {"payments": 0}})
    assert (lag("payments", "3"), lag("payments", "4")) == (5, 0)
    metrics.tell_lags({4: {"payments": 2}})
    assert (lag("payments", "3"), lag("payments", "4")) == (None, 2)


def records_of_transactions() -> tuple[float, float]:
    """How many transactions had records, and how many records those were."""
    name = "goodfunds_transaction_records"
    return REGISTRY.get_sample_value(f"{name}_count") or 0, REGISTRY.get_sample_value(f"{name}_sum") or 0


async def test_the_records_of_a_transaction_are_counted_over_its_lanes_and_empty_ones_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def committed(*_: Any) -> list[Any]:
        return []

    monkeypatch.setattr(handling, "transact", committed)
    nothing: Any = SimpleNamespace(inputs=(), handle=None)
    work = Handling(nothing, nothing, nothing, nothing, "a", 12, SystemClock())

    def share(lane: int, records: int) -> Admitted:
        found: Any = [object()] * records
        return Admitted(LaneState(lane, 1, 1, {}), {}, {}, found, [])

    before = records_of_transactions()
    for shares in ([share(0, 2), share(1, 3)], [share(0, 0)]):
        await work._commit(shares, Poll(SystemClock().now(), 12, Numbering(shares)), [], None)
    count, total = records_of_transactions()
    assert (count - before[0], total - before[1]) == (1, 5)


@pytest.mark.parametrize(("stopped", "told"), [("the bank's file is not ours", 1.0), (None, 0.0)])
async def test_a_stopped_feed_is_told_as_a_stopped_lane(
    stopped: str | None, told: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing: Any = SimpleNamespace()
    stop = asyncio.Event()
    feed = Feed(nothing, nothing, idle=0.001)

    async def session(stop: asyncio.Event) -> None:
        feed.stopped = stopped
        stop.set()

    monkeypatch.setattr(feed, "_one_session", session)
    await feed.run(stop)
    assert REGISTRY.get_sample_value("goodfunds_lanes_stopped") == told
