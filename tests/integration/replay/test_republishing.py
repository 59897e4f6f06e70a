"""What was published goes out again under the numbers that it had; whoever knows it drops it."""

import asyncio
import json
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from goodfunds import ids
from goodfunds.clock import FixedClock
from goodfunds.lanes.publisher import Publisher
from goodfunds.replay import republishing
from tests.conftest import MakeTopics, Migrations, Postgres
from tests.integration.lanes.copier import Copier
from tests.integration.lanes.stage import Stage
from tests.integration.replay.scene import NOW, Scene


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(republishing, "_EVENTS", 20)


async def rows_of(scene: Scene) -> dict[int, list[tuple[int, int]]]:
    """All rows of each lane's outbox, as ranges."""
    rows = await scene.fetch(
        "SELECT lane, min(outbox_seq) AS first, max(outbox_seq) AS last FROM outbox GROUP BY 1"
    )
    return {row["lane"]: [(row["first"], row["last"] + 1)] for row in rows}


def without_cause(event: tuple[int, str, int, dict[str, bytes]]) -> Any:
    partition, key, number, headers = event
    return partition, key, number, {name: value for name, value in headers.items() if name != "replay_id"}


async def test_events_go_out_again_with_names_numbers_and_times_that_they_had(
    scene: Scene, postgres: Postgres, migrations: Migrations, make_topics: MakeTopics
) -> None:
    depositor, further = scene.depositor(), f"{scene.target}-further"
    await make_topics([further], 2)
    behind = Stage(scene.bootstrap, "", scene.target, further, 2)
    async with (
        postgres.database(migrations) as behind.dsn,
        scene.instance(depositor, batch=15),
        scene.instance(Copier(scene.target, further), dsn=behind.dsn),
    ):
        await scene.publish(keys=6, each=20)
        await scene.until_read()
        first = await scene.events()
        plan_id = await scene.plan("republish", ranges=await rows_of(scene))
        plan = await scene.until_plan(plan_id, "done")
        again = [event for event in await scene.events() if "replay_id" in event[3]]
        assert {event[3]["replay_id"] for event in again} == {ids.text(plan_id).encode()}
        assert [without_cause(event) for event in again] == first
        assert json.loads(plan["outcome"])["handled"] == 120
        # What is decided next follows the numbers of before, and the consumer has dropped the repeats.
        await scene.publish(keys=6, each=1)
        await scene.until_read()
        await behind.until_handled(126)
        assert await behind.fetchval("SELECT count(*) FROM handled") == 126
        assert await behind.fetchval("SELECT count(*) FROM lanes WHERE stopped_reason IS NOT NULL") == 0
        await scene.until_published()
    # Its own tail is known to whoever takes the lanes over.
    async with scene.instance(depositor):
        await scene.publish(keys=6, each=1)
        await scene.until_read()
        assert (await scene.books())[1] == scene.due_balances()


async def test_only_the_numbers_that_are_asked_for_go_out_again(scene: Scene) -> None:
    async with scene.instance(scene.depositor(), batch=15):
        await scene.publish(keys=6, each=20)
        await scene.until_read()
        selection = {"topic": scene.target, "partitions": [1], "from_offset": 5, "to_offset": 9}
        rows = {lane: ranges for lane, ranges in (await rows_of(scene)).items() if lane == 1}
        plan = await scene.until_plan(await scene.plan("republish", rows, selection), "done")
        again = [event for event in await scene.events() if "replay_id" in event[3]]
        assert [(event[0], int(event[3]["seq"])) for event in again] == [(1, seq) for seq in range(5, 9)]
        outcome = json.loads(plan["outcome"])
        assert (outcome["handled"], outcome["handled"] + outcome["skipped"]) == (4, scene.seqs[1])


async def test_rows_that_are_gone_are_named_and_nothing_is_guessed(scene: Scene) -> None:
    clock = FixedClock(NOW)
    async with scene.instance(scene.depositor(), clock, batch=15):
        await scene.publish(keys=1, each=60)
        await scene.until_read()
        (lane,) = scene.seqs
        rows = await rows_of(scene)
        await scene.tamper("DELETE FROM outbox WHERE outbox_seq = 3")
        plan = await scene.until_plan(await scene.plan("republish", rows), "failed")
        assert plan["fault"].endswith(f"outbox row {lane}/3 is not there any more")


async def test_publishing_again_whose_owner_goes_in_the_middle_goes_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance, count = vars(republishing)["advance_alone"], 0

    async def cut_off(*of: Any) -> Any:
        nonlocal count
        count += 1
        if count in (2, 3):
            raise TimeoutError("the database does not answer")
        return await advance(*of)

    async with scene.instance(scene.depositor(), batch=15):
        await scene.publish(keys=6, each=20)
        await scene.until_read()
        first = await scene.events()
        monkeypatch.setitem(vars(republishing), "advance_alone", cut_off)
        plan_id = await scene.plan("republish", ranges=await rows_of(scene))
        await scene.until_plan(plan_id, "done")
        again = [without_cause(event) for event in await scene.events() if "replay_id" in event[3]]
    # What was sent and not noted went out once more.
    assert len(again) > len(first)
    assert {(event[0], event[3]["seq"]) for event in again} == {
        (event[0], event[3]["seq"]) for event in first
    }
    assert count > 5


async def test_a_row_that_cannot_be_read_fails_its_share_and_the_lanes_go_on(scene: Scene) -> None:
    async with scene.instance(scene.depositor(), batch=15):
        await scene.publish(keys=1, each=60)
        await scene.until_read()
        (lane,) = scene.seqs
        rows = await rows_of(scene)
        await scene.tamper("UPDATE outbox SET frame = substring(frame FOR 40) WHERE outbox_seq = 2")
        plan = await scene.until_plan(await scene.plan("republish", rows), "failed")
        assert f"outbox row {lane}/2: its frame does not hold its events" in plan["fault"]
        await scene.publish(keys=1, each=1)
        await scene.until_read()


async def test_events_that_cannot_be_delivered_again_are_given_up_for_the_live_ones(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = Publisher._answered

    async def refused(self: Publisher, batch: Any, queue: Any) -> Any:
        if queue.task is None:
            # What is published again has no task of a queue; it fails when the turn that sent it is over.
            await asyncio.sleep(0.05)
            raise TimeoutError("the broker does not answer")
        return await answered(self, batch, queue)

    monkeypatch.setattr(Publisher, "_answered", refused)
    async with scene.instance(scene.depositor(), batch=15):
        await scene.publish(keys=1, each=60)
        await scene.until_read()
        plan = await scene.until_plan(await scene.plan("republish", await rows_of(scene)), "failed")
        assert "slice 0 has ended 5 sessions" in plan["fault"]
        await scene.publish(keys=1, each=1)
        await scene.until_read()


async def test_whoever_begins_within_what_was_published_again_finds_no_hole_behind_it(
    scene: Scene, postgres: Postgres, migrations: Migrations, make_topics: MakeTopics
) -> None:
    further = f"{scene.target}-further"
    await make_topics([further], 2)
    behind = Scene(scene.bootstrap, "", scene.target, further, 2)
    async with postgres.database(migrations) as behind.dsn, scene.instance(scene.depositor(), batch=15):
        await scene.publish(keys=1, each=30)
        await scene.until_read()
        (lane,) = scene.seqs
        selection = {"topic": scene.target, "partitions": [lane], "from_offset": 5, "to_offset": 9}
        await scene.until_plan(await scene.plan("republish", await rows_of(scene), selection), "done")
        await scene.publish(keys=1, each=5)
        await scene.until_read()
        # 30 events, four of them again, five more; all before the second one of the four is gone.
        admin = AIOKafkaAdminClient(bootstrap_servers=scene.bootstrap)
        await admin.start()
        try:
            await admin.delete_records({TopicPartition(scene.target, lane): RecordsToDelete(31)})
        finally:
            await admin.close()
        async with behind.instance(behind.depositor()):
            behind.seqs = {lane: 39}
            await behind.until_read()
            plan = await behind.until_plan(await behind.plan(ranges={lane: [(32, 39)]}), "done")
            outcome = json.loads(plan["outcome"])
            assert (outcome["handled"], outcome["rows_changed"]) == (7, 0)
            assert await behind.fetchval("SELECT count(*) FROM postings") == 8
