"""The group on a real broker: a member without lanes stays one, and comes back when it was put out."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest

from goodfunds.lanes.consumer import LaneConsumer
from tests.integration.lanes.stage import Stage

IDLE_MS = 1_000


@pytest.fixture
async def stage(kafka: Any, make_topics: Callable[..., Any]) -> Stage:
    name = uuid4().hex[:8]
    await make_topics([f"in-{name}"], 1)
    return Stage(kafka.bootstrap, "", f"in-{name}", "", 1)


@pytest.fixture
async def members(stage: Stage) -> AsyncIterator[Callable[[], Any]]:
    """Makes members of one group, whom the client puts out after a second without a poll (300 s in life)."""
    made: list[LaneConsumer] = []

    async def make() -> LaneConsumer:
        member = LaneConsumer(stage.bootstrap, f"group-{stage.source}", (stage.source,), 2.5)
        member._consumer._max_poll_interval_ms = IDLE_MS
        made.append(member)
        await member.start()
        return member

    yield make
    for member in made:
        await member.stop()


async def test_a_member_that_could_not_work_for_long_joins_anew_when_it_polls_again(
    stage: Stage, members: Callable[[], Any]
) -> None:
    """A database that is away for minutes: no session polls, and the client leaves the group."""
    member = await members()
    await stage.until("assigned", lambda: member.lanes() == {0})
    await stage.until("put out", lambda: member.lanes() == set())

    async def back() -> bool:
        assert await member.poll(0.05, 10) == {}
        return bool(member.lanes() == {0})

    await stage.until("assigned again", back, 15)


async def test_a_member_without_lanes_stays_ready_to_take_the_dead_ones(
    stage: Stage, members: Callable[[], Any]
) -> None:
    """More instances than lanes: the one that stands by has nothing to poll, and must not be put out."""
    both = [await members(), await members()]

    async def owners() -> list[LaneConsumer]:
        for member in both:
            member_lanes = member.lanes()
            await member.poll(0.05, 10)
            if member_lanes:
                member.seek(0, {stage.source: 0}, [stage.source])
        return [member for member in both if member.lanes()]

    await stage.until("one owner", owners)
    for _ in range(4 * IDLE_MS // 100):
        await owners()
    (owner,) = await owners()
    both.remove(owner)
    await owner.stop()
    await stage.until("the other took over", owners, 15)


async def test_a_lane_comes_with_its_partition_of_every_topic_and_to_one_member_alone(
    kafka: Any, make_topics: Callable[..., Any], stage: Stage
) -> None:
    topics = tuple(f"{which}-{uuid4().hex[:8]}" for which in "zab")
    await make_topics(topics, 6)
    members = [LaneConsumer(kafka.bootstrap, f"group-{topics[0]}", topics, 2.5) for _ in range(3)]
    try:
        for member in members:
            await member.start()

        async def settled() -> bool:
            for member in members:
                await member.poll(0.05, 10)
            shares = [member.lanes() for member in members]
            return set().union(*shares) == set(range(6)) and sum(map(len, shares)) == 6 and all(shares)

        await stage.until("two lanes each", settled, 20)
        for member in members:
            assert len(member._assigned) == 3 * len(member.lanes())
    finally:
        for member in members:
            await member.stop()
