"""Lanes on a real broker and a real database: nothing lost, doubled or reordered, whatever breaks."""

import json
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

import goodfunds.lanes
from goodfunds.postgres import connect
from tests.integration.lanes.stage import Stage

PARTITIONS = 4
OF_THE_STOPPED_AND_THE_REST = (
    "SELECT max(epoch) FILTER (WHERE stopped_reason IS NOT NULL), "
    "min(version) FILTER (WHERE stopped_reason IS NULL) FROM lanes"
)


@pytest.fixture
async def stage(kafka: Any, database: str, make_topics: Callable[..., Any]) -> AsyncIterator[Stage]:
    name = uuid4().hex[:8]
    stage = Stage(kafka.bootstrap, database, f"in-{name}", f"out-{name}", PARTITIONS)
    await make_topics([stage.source, stage.target], PARTITIONS)
    yield stage
    stage.end()


async def test_every_record_becomes_one_row_and_one_event(stage: Stage) -> None:
    await stage.publish(keys=10, each=100)
    stage.start("a")
    await stage.until_handled()
    await stage.until_published()
    assert await stage.assert_nothing_lost_doubled_or_reordered() == 0


async def test_the_outbox_shows_event_by_event_in_sql(stage: Stage) -> None:
    await stage.publish(keys=3, each=20)
    stage.start("a")
    await stage.until_handled()
    await stage.until_published()
    rows = await stage.fetch(
        "SELECT topic, to_partition, seq, key, event_type, convert_from(body, 'UTF8')::bigint AS number "
        "FROM outbox_events ORDER BY lane, outbox_seq, place"
    )
    heard = {
        (partition, int(headers["seq"])): (key, number)
        for partition, key, number, headers in await stage.events()
    }
    assert {(r["to_partition"], r["seq"]): (r["key"], r["number"]) for r in rows} == heard
    assert {(r["topic"], r["event_type"]) for r in rows} == {(stage.target, "Copied")}


async def test_a_clean_stop_leaves_no_tail_and_the_next_start_repeats_nothing(stage: Stage) -> None:
    await stage.publish(keys=5, each=50)
    first = stage.start("a")
    await stage.until_handled()
    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 0
    assert await stage.fetchval("SELECT bool_and(published_seq = outbox_seq) FROM lanes")
    await stage.publish(keys=5, each=50)
    stage.start("b")
    await stage.until_handled()
    await stage.until_published()
    assert await stage.assert_nothing_lost_doubled_or_reordered() == 0


async def test_killed_between_commit_and_publish_the_next_owner_publishes_the_tail(stage: Stage) -> None:
    await stage.publish(keys=10, each=100)
    first = stage.start("a", "after-commit", "kill", nth=2)
    assert first.wait(30) == -signal.SIGKILL
    assert await stage.fetchval("SELECT bool_or(published_seq < outbox_seq) FROM lanes")
    stage.start("b")
    await stage.until_handled()
    await stage.until_published()
    await stage.assert_nothing_lost_doubled_or_reordered()


async def test_killed_before_commit_nothing_of_the_transaction_remains(stage: Stage) -> None:
    await stage.publish(keys=10, each=100)
    first = stage.start("a", "before-commit", "kill", nth=3)
    assert first.wait(30) == -signal.SIGKILL
    stage.start("b")
    await stage.until_handled()
    await stage.until_published()
    await stage.assert_nothing_lost_doubled_or_reordered()


async def test_two_instances_share_lanes_and_hand_them_over_in_the_middle_of_batches(stage: Stage) -> None:
    await stage.publish(keys=20, each=100)
    first = stage.start("a", batch=20)
    await stage.until_handled(200)
    second = stage.start("b", batch=20)
    await stage.publish(keys=20, each=100)
    await stage.until_handled(2500)

    async def both_own() -> bool:
        return int(await stage.fetchval("SELECT count(DISTINCT owner) FROM lanes")) == 2

    await stage.until("both own lanes", both_own)
    first.send_signal(signal.SIGTERM)
    await stage.publish(keys=20, each=20)
    assert first.wait(30) == 0
    await stage.until_handled()
    await stage.until_published()
    assert second.poll() is None
    await stage.assert_nothing_lost_doubled_or_reordered()


@pytest.mark.parametrize(
    "point",
    # Each waits for a session of the group to end.
    [*(pytest.param(each, marks=pytest.mark.long) for each in ("before-commit", "after-commit")), "in-copy"],
)
async def test_a_frozen_owner_that_wakes_after_its_lanes_moved_changes_nothing(
    stage: Stage, point: str
) -> None:
    await stage.publish(keys=20, each=100)
    frozen = stage.start("a", point, "freeze", nth=2)
    await stage.until_frozen(frozen)
    stage.start("b")
    await stage.until_handled()
    await stage.until_published()
    frozen.send_signal(signal.SIGCONT)
    await stage.publish(keys=20, each=50)
    await stage.until_handled()
    await stage.until_published()
    await stage.assert_nothing_lost_doubled_or_reordered()


async def test_the_same_records_delivered_twice_are_handled_once(stage: Stage) -> None:
    await stage.publish(keys=4, each=25)
    seqs = dict(stage.seqs)
    sent = {key: list(numbers) for key, numbers in stage.sent.items()}
    stage.sent.clear()
    stage.seqs.clear()
    await stage.publish(keys=4, each=25)
    assert stage.seqs == seqs
    assert stage.sent == sent
    stage.start("a")
    await stage.until_handled()
    await stage.publish(keys=4, each=1)
    await stage.until_handled()
    await stage.until_published()
    rows = await stage.fetch("SELECT key, number FROM handled ORDER BY lane, source_offset")
    by_key: dict[str, list[int]] = {}
    for row in rows:
        by_key.setdefault(row["key"], []).append(row["number"])
    assert by_key == stage.sent


async def test_poison_is_parked_with_the_later_events_of_its_account_and_others_go_on(stage: Stage) -> None:
    await stage.publish(keys=8, each=20)
    await stage.publish(keys=1, each=1, values=lambda number: b"poison")
    await stage.publish(keys=8, each=20)
    stage.start("a")
    await stage.until_handled(8 * 40 - 20)
    await stage.until_published()
    parked = await stage.fetch("SELECT * FROM parked ORDER BY source_offset")
    assert [row["poison"] for row in parked] == [True] + [False] * 20
    assert {bytes(row["key"]) for row in parked} == {b"account-0"}
    assert "poison" in parked[0]["fault"]
    assert {(row["amount_minor"], row["currency"]) for row in parked} == {(100, "EUR")}
    stage.sent["account-0"] = stage.sent["account-0"][:20]
    await stage.assert_nothing_lost_doubled_or_reordered()


async def test_parked_accounts_stay_parked_for_the_next_owner(stage: Stage) -> None:
    await stage.publish(keys=1, each=1, values=lambda number: b"poison")
    first = stage.start("a")

    async def one_parked() -> bool:
        return bool(await stage.fetchval("SELECT count(*) FROM parked"))

    await stage.until("one parked", one_parked)
    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 0
    stage.sent.clear()
    await stage.publish(keys=2, each=5)
    stage.start("b")
    await stage.until_handled(5)

    async def all_parked() -> bool:
        return int(await stage.fetchval("SELECT count(*) FROM parked")) == 6

    await stage.until("the rest parked", all_parked)
    assert await stage.fetchval("SELECT count(*) FROM handled WHERE key = 'account-0'") == 0


async def test_a_broken_invariant_stops_its_lane_durably_and_no_other(stage: Stage) -> None:
    await stage.publish(keys=20, each=10)
    await stage.publish(keys=1, each=1, values=lambda number: b"broken on purpose")
    first = stage.start("a")

    async def stopped() -> str | None:
        found: str | None = await stage.fetchval(
            "SELECT stopped_reason FROM lanes WHERE stopped_reason IS NOT NULL"
        )
        return found

    await stage.until("a lane stopped", stopped)
    assert "broken on purpose" in str(await stopped())
    (stop,) = await stage.fetch(
        "SELECT l.lane = s.lane AS same, s.* FROM lane_stops s, lanes l WHERE l.stopped_reason = s.reason"
    )
    assert stop["same"]
    assert b"broken on purpose".hex() in stop["records"]
    assert stage.source in stop["ranges"]
    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 0
    before = await stage.fetchval("SELECT count(*) FROM handled")
    await stage.publish(keys=20, each=10)
    stage.start("b")
    lane = await stage.fetchval("SELECT lane FROM lanes WHERE stopped_reason IS NOT NULL")
    others = sum(10 for key in stage.sent if goodfunds.lanes.lane_of(key, PARTITIONS) != lane)
    await stage.until_handled(before + others)
    assert await stage.fetchval("SELECT count(*) FROM lanes WHERE stopped_reason IS NOT NULL") == 1
    epoch, version = (await stage.fetch(OF_THE_STOPPED_AND_THE_REST))[0]

    async def proved_on() -> bool:
        return bool((await stage.fetch(OF_THE_STOPPED_AND_THE_REST))[0][1] > version + 5)

    await stage.until("the other lanes proved theirs for a while", proved_on)
    assert (await stage.fetch(OF_THE_STOPPED_AND_THE_REST))[0][0] == epoch, "nobody takes it over and over"


async def test_a_broker_restart_is_survived(stage: Stage, kafka: Any) -> None:
    await stage.publish(keys=10, each=50)
    stage.start("a", batch=20)
    await stage.until_handled(100)
    kafka.restart()
    await stage.publish(keys=10, each=50)
    await stage.until_handled()
    await stage.until_published()
    await stage.assert_nothing_lost_doubled_or_reordered()


async def test_a_database_restart_is_survived_and_unknown_commits_are_read_not_guessed(
    stage: Stage, postgres: Any
) -> None:
    await stage.publish(keys=10, each=200)
    stage.start("a", batch=10)
    await stage.until_handled(100)
    postgres.restart()
    await stage.publish(keys=10, each=50)
    await stage.until_handled()
    await stage.until_published()
    await stage.assert_nothing_lost_doubled_or_reordered()


async def test_connections_cut_at_random_commits_lose_and_double_nothing(stage: Stage) -> None:
    """The server ends the owner's connection again and again: some commits' outcomes stay unknown."""
    await stage.publish(keys=20, each=150)
    stage.start("a", batch=10)
    connection = await connect(stage.dsn)
    try:
        for wanted in range(200, 3000, 400):
            await stage.until_handled(wanted)
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'goodfunds copier lanes' AND datname = current_database()"
            )
    finally:
        await connection.close()
    await stage.until_handled()
    await stage.until_published()
    await stage.assert_nothing_lost_doubled_or_reordered()


async def test_a_publish_that_fails_for_good_lets_nothing_newer_out_and_is_made_good_later(
    stage: Stage, kafka: Any
) -> None:
    """The topic refuses every batch for its size, until an operator mends it."""
    await stage.publish(keys=5, each=10)
    first = stage.start("a")
    await stage.until_handled()
    await stage.until_published()
    before = await stage.events()
    await set_topic(kafka.bootstrap, stage.target, {"max.message.bytes": "10"})
    await stage.publish(keys=5, each=10)
    await stage.until_handled()

    async def taken_again() -> bool:
        return int(await stage.fetchval("SELECT min(epoch) FROM lanes")) >= 3

    await stage.until("the lanes taken over anew after the refusal", taken_again)
    assert await stage.events() == before
    await set_topic(kafka.bootstrap, stage.target, {"max.message.bytes": "4194304"})
    await stage.publish(keys=5, each=10)
    await stage.until_handled()
    await stage.until_published()
    assert first.poll() is None
    await stage.assert_nothing_lost_doubled_or_reordered()


async def set_topic(bootstrap: str, topic: str, values: dict[str, str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=values)])
    finally:
        await admin.close()


async def test_a_lane_whose_next_offset_is_gone_stops(stage: Stage) -> None:
    await stage.publish(keys=4, each=10)
    first = stage.start("a")
    await stage.until_handled()
    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 0
    await stage.fetch(
        "UPDATE lanes SET offsets = jsonb_build_object($1::text, 1000000) WHERE lane = 1", stage.source
    )
    stage.start("b")

    async def stopped() -> Any:
        return await stage.fetchval("SELECT stopped_reason FROM lanes WHERE lane = 1")

    await stage.until("lane 1 stopped", stopped)
    assert "does not have offset 1000000" in await stopped()
    assert await stage.fetchval("SELECT count(*) FROM lanes WHERE stopped_reason IS NOT NULL") == 1


async def test_a_database_set_back_to_an_older_state_stops_its_lanes_and_sends_nothing(
    stage: Stage,
) -> None:
    await stage.publish(keys=10, each=10)
    first = stage.start("a")
    await stage.until_handled()
    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 0
    older = [dict(row) for row in await stage.fetch("SELECT * FROM lanes")]
    await stage.publish(keys=10, each=10)
    second = stage.start("b")
    await stage.until_handled()
    second.send_signal(signal.SIGTERM)
    assert second.wait(20) == 0
    events = await stage.events()
    for row in older:
        await stage.tamper(
            "UPDATE lanes SET offsets = $2, watermarks = $3, destinations = $4, acknowledged = $5, "
            "outbox_seq = $6, published_seq = $7 WHERE lane = $1",
            row["lane"], row["offsets"], row["watermarks"], row["destinations"], row["acknowledged"],
            row["outbox_seq"], row["published_seq"],
        )  # fmt: skip
        await stage.fetch(
            "DELETE FROM outbox WHERE lane = $1 AND outbox_seq > $2", row["lane"], row["outbox_seq"]
        )
    await stage.fetch("DELETE FROM handled WHERE number >= 10")
    stage.start("c")

    async def all_stopped() -> bool:
        busy = {goodfunds.lanes.lane_of(key, PARTITIONS) for key in stage.sent}
        stopped = await stage.fetch("SELECT lane FROM lanes WHERE stopped_reason LIKE '%older state%'")
        return {row["lane"] for row in stopped} == busy

    await stage.until("every lane that had sent more stopped", all_stopped)
    assert await stage.events() == events
    assert await stage.fetchval("SELECT count(*) FROM handled") == 100


async def test_a_gap_in_a_producers_events_stops_the_lane(stage: Stage) -> None:
    await stage.publish(keys=1, each=3)
    lane = next(iter(stage.seqs))
    stage.seqs[lane] += 1
    await stage.publish(keys=1, each=1)
    stage.start("a")

    async def stopped() -> Any:
        return await stage.fetchval("SELECT stopped_reason FROM lanes WHERE lane = $1", lane)

    await stage.until("the lane stopped", stopped)
    assert "seq 5 follows 3" in await stopped()


async def test_a_changed_partition_count_is_refused(stage: Stage) -> None:
    await stage.publish(keys=1, each=1)
    first = stage.start("a")
    await stage.until_handled()
    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 0
    stage.partitions = 3
    second = stage.start("b")
    assert second.wait(30) != 0
    assert json.loads(await stage.fetchval("SELECT to_json(partitions) FROM cluster")) == PARTITIONS
