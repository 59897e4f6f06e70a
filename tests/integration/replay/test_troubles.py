"""Whatever ends an owner in the middle of a replay, it goes on, once, and comes to the same."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from goodfunds.clock import FixedClock
from goodfunds.errors import OutcomeUnknown
from goodfunds.lanes import beside
from goodfunds.postgres import connect
from goodfunds.replay import running
from tests.conftest import Kafka
from tests.integration.replay.scene import NOW, Depositor, Scene

pytestmark = pytest.mark.usefixtures("small_slices")

KEYS, EACH = 4, 25


async def spoilt(scene: Scene, depositor: Depositor) -> None:
    """All that was sent was handled by a service that heard none of it; it is mended now."""
    depositor.deaf = {(f"account-{key}", number) for key in range(KEYS) for number in range(EACH)}
    await scene.publish(keys=KEYS, each=EACH)
    async with scene.instance(depositor):
        await scene.until_read()
    depositor.deaf = set()


async def what_it_comes_to(scene: Scene) -> bytes:
    """The digest of a replay that nothing interrupts: a self-check's effects are the same."""
    plan = await scene.until_plan(await scene.plan("selfcheck"), "done")
    return bytes(plan["outcome_digest"])


async def assert_repaired(scene: Scene, plan: Any, digest: bytes) -> None:
    assert bytes(plan["outcome_digest"]) == digest
    outcome = json.loads(plan["outcome"])
    assert (outcome["handled"], outcome["events_emitted"]) == (KEYS * EACH, KEYS * EACH)
    assert (await scene.books())[1] == scene.due_balances()
    await scene.until_published()
    once: dict[tuple[int, bytes, int], tuple[str, int]] = {}
    for partition, key, number, headers in await scene.events():
        once[partition, headers["lane"], int(headers["seq"])] = (key, number)
    assert sorted(once.values()) == sorted((k, n) for k, numbers in scene.sent.items() for n in numbers)


async def lose_connection(scene: Scene) -> None:
    async with scene.connected() as connection:
        await connection.execute("SELECT pg_terminate_backend(backend_pid) FROM lanes LIMIT 1")


async def lose_lane(scene: Scene) -> None:
    # Another instance takes the lane whose slice comes next; that of this one is locked by its transaction.
    async with scene.connected() as connection:
        await connection.execute("SET lock_timeout = '50ms'")
        await connection.execute(
            "UPDATE lanes SET epoch = epoch + 1 WHERE lane IN (SELECT lane FROM lanes FOR UPDATE SKIP LOCKED)"
        )


@pytest.mark.parametrize("trouble", [lose_connection, lose_lane])
async def test_an_owner_that_loses_connection_or_lanes_in_the_middle_goes_on_from_the_tables(
    scene: Scene, trouble: Callable[[Scene], Awaitable[None]]
) -> None:
    depositor = scene.depositor()
    await spoilt(scene, depositor)
    async with scene.instance(depositor):
        digest = await what_it_comes_to(scene)
        slices = 0

        async def strike() -> None:
            nonlocal slices
            slices += 1
            if slices in (3, 5):
                await trouble(scene)

        depositor.strike = strike
        plan = await scene.until_plan(await scene.plan(), "done")
        await assert_repaired(scene, plan, digest)
    # A slice that the fence refuses is not begun, one whose connection goes is begun twice.
    assert slices == (12 if trouble is lose_connection else 10)


@pytest.mark.parametrize("committed", [True, False])
async def test_a_commit_that_is_not_answered_is_looked_up_and_never_done_twice(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    depositor = scene.depositor()
    await spoilt(scene, depositor)
    transact, count = vars(beside)["transact"], 0

    async def unanswered(*of: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        if count in (2, 4) and not committed:
            raise OutcomeUnknown("the commit was not answered")
        rows = await transact(*of, **named)
        if count in (2, 4):
            raise OutcomeUnknown("the commit was not answered")
        return rows

    async with scene.instance(depositor):
        digest = await what_it_comes_to(scene)
        monkeypatch.setitem(vars(beside), "transact", unanswered)
        plan = await scene.until_plan(await scene.plan(), "done")
        await assert_repaired(scene, plan, digest)
    assert count > 10


async def test_an_instance_that_is_killed_leaves_the_rest_to_the_next(scene: Scene) -> None:
    depositor, clock = scene.depositor(), FixedClock(NOW)
    await spoilt(scene, depositor)
    async with scene.instance(depositor, clock):
        digest = await what_it_comes_to(scene)
        plan_id = await scene.plan(rate=20)
        await scene.until("begun", lambda: begun(scene, plan_id))
    async with scene.instance(depositor, name="b"):
        await scene.set_rate(plan_id, None)
        await assert_repaired(scene, await scene.until_plan(plan_id, "done"), digest)


async def test_two_instances_share_a_plan_that_one_began_and_one_of_them_ends_it(scene: Scene) -> None:
    depositor, clock = scene.depositor(), FixedClock(NOW)
    await spoilt(scene, depositor)
    async with scene.instance(depositor, clock):
        digest = await what_it_comes_to(scene)
        plan_id = await scene.plan(rate=20)
        await scene.until("begun", lambda: begun(scene, plan_id))
        async with scene.instance(scene.depositor(), clock, name="b"):

            async def both_own() -> bool:
                return int(await scene.fetchval("SELECT count(DISTINCT owner) FROM lanes")) == 2

            await scene.until("both own lanes", both_own)

            async def done() -> bool:
                clock.at += timedelta(seconds=1)
                found = await scene.fetchval("SELECT state FROM replay_plans WHERE plan_id = $1", plan_id)
                assert found in ("running", "done")
                return bool(found == "done")

            await scene.until("done", done)
            (plan,) = await scene.fetch("SELECT * FROM replay_plans WHERE plan_id = $1", plan_id)
            await assert_repaired(scene, plan, digest)
    assert await scene.fetchval("SELECT count(*) FROM audit WHERE plan_id = $1", plan_id) == 1


@pytest.mark.long
async def test_a_broker_that_restarts_in_the_middle_holds_a_replay_up_and_no_more(
    scene: Scene, kafka: Kafka
) -> None:
    depositor, clock = scene.depositor(), FixedClock(NOW)
    await spoilt(scene, depositor)
    async with scene.instance(depositor, clock):
        digest = await what_it_comes_to(scene)
        plan_id = await scene.plan(rate=20)
        await scene.until("begun", lambda: begun(scene, plan_id))
        kafka.restart()
        await scene.set_rate(plan_id, None)

        async def done() -> bool:
            clock.at += timedelta(seconds=1)
            return bool(
                await scene.fetchval("SELECT state = 'done' FROM replay_plans WHERE plan_id = $1", plan_id)
            )

        await scene.until("done", done)
        (plan,) = await scene.fetch("SELECT * FROM replay_plans WHERE plan_id = $1", plan_id)
        await assert_repaired(scene, plan, digest)


async def begun(scene: Scene, plan_id: bytes) -> bool:
    shares = await scene.fetch("SELECT handled FROM replay_lanes WHERE plan_id = $1", plan_id)
    return all(share["handled"] == 10 for share in shares)


async def test_a_slice_whose_plan_is_stopped_while_it_is_under_way_is_not_written(scene: Scene) -> None:
    depositor = scene.depositor()
    await spoilt(scene, depositor)
    plan_id = await scene.plan()
    slices = 0

    async def strike() -> None:
        nonlocal slices
        slices += 1
        if slices == 4:
            await scene.set_state(plan_id, "paused")

    depositor.strike = strike
    async with scene.instance(depositor):
        # Another lane's may be under way by then as well.
        await scene.until("paused", lambda: slices >= 4)
        await scene.publish(keys=1, each=1)
        await scene.until_read()
        shares = await scene.fetch("SELECT handled FROM replay_lanes WHERE plan_id = $1", plan_id)
        assert sum(share["handled"] for share in shares) == await booked_again(scene) < KEYS * EACH
        await scene.set_state(plan_id, "running")
        await scene.until_plan(plan_id, "done")


async def booked_again(scene: Scene) -> int:
    """Of those that were sent at first."""
    found = await scene.fetchval("SELECT count(*) FROM postings WHERE amount_minor <= $1", EACH)
    return int(found)


async def test_a_step_of_people_that_is_under_way_keeps_a_slice_from_being_written(scene: Scene) -> None:
    depositor = scene.depositor()
    await spoilt(scene, depositor)
    plan_id = await scene.plan()
    async with scene.connected() as people, scene.instance(depositor):
        async with people.transaction():
            await people.execute("SELECT FROM replay_plans WHERE plan_id = $1 FOR UPDATE", plan_id)
            # Live records do not wait for it.
            await scene.publish(keys=1, each=1)
            await scene.until_read()
            assert await booked_again(scene) == 0
        await scene.until_plan(plan_id, "done")


async def test_an_audit_that_somebody_holds_keeps_a_plan_from_ending_and_no_live_record_waits(
    scene: Scene,
) -> None:
    depositor = scene.depositor()
    await spoilt(scene, depositor)
    plan_id = await scene.plan()
    async with scene.connected() as people, scene.instance(depositor):
        async with people.transaction():
            # As by a process that is frozen while it writes an entry.
            await people.execute("SELECT FROM audit_head FOR UPDATE")

            async def nothing_left() -> bool:
                rows = await scene.fetch("SELECT state FROM replay_lanes WHERE plan_id = $1", plan_id)
                return all(row["state"] == "done" for row in rows)

            await scene.until("nothing is left", nothing_left)
            for _ in range(3):
                await scene.publish(keys=1, each=1)
                await scene.until_read(seconds=10)
            assert await scene.fetchval("SELECT state FROM replay_plans") == "running"
        await scene.until_plan(plan_id, "done")
    assert await scene.fetchval("SELECT count(*) FROM audit WHERE plan_id = $1", plan_id) == 1


async def test_an_audit_that_was_tampered_with_keeps_a_plan_from_ending_and_the_lanes_go_on(
    scene: Scene,
) -> None:
    depositor = scene.depositor()
    await spoilt(scene, depositor)
    plan_id = await scene.plan()
    async with scene.connected() as somebody:
        await somebody.execute("SET session_replication_role = replica; DELETE FROM audit_head")
    with structlog.testing.capture_logs() as told:
        async with scene.instance(depositor):
            await scene.until("it is told", lambda: _told(told, "a plan cannot be ended"))
            await scene.publish(keys=1, each=1)
            await scene.until_read(seconds=10)
    assert await scene.fetchval("SELECT state FROM replay_plans") == "running"
    assert sum(each["event"] == "a plan cannot be ended" for each in told) == 1
    async with scene.connected() as somebody:
        await somebody.execute("INSERT INTO audit_head (audit_seq, hash) VALUES (0, $1)", bytes(32))
    async with scene.instance(depositor):
        await scene.until_plan(plan_id, "done")


async def _told(log: Sequence[Mapping[str, Any]], event: str) -> bool:
    return any(each["event"] == event for each in log)


async def test_a_lane_that_was_stopped_keeps_its_share_until_it_is_set_free(scene: Scene) -> None:
    depositor, clock = scene.depositor(), FixedClock(NOW)
    await spoilt(scene, depositor)
    async with scene.instance(depositor, clock):
        plan_id = await scene.plan(rate=20)
        await scene.until("begun", lambda: begun(scene, plan_id))
        async with scene.connected() as connection:
            await connection.execute("UPDATE lanes SET stopped_reason = 'a person looks' WHERE lane = 1")
        clock.at += timedelta(seconds=60)

        async def other_done() -> bool:
            clock.at += timedelta(seconds=1)
            return bool((await scene.share(plan_id, 0))["state"] == "done")

        await scene.until("the other lane's share done", other_done)
        assert (await scene.share(plan_id, 1))["handled"] == 10
        async with scene.connected() as connection:
            await connection.execute("UPDATE lanes SET stopped_reason = NULL WHERE lane = 1")
        await scene.set_rate(plan_id, None)

        async def done() -> bool:
            clock.at += timedelta(seconds=1)
            return bool((await scene.share(plan_id, 1))["state"] == "done")

        await scene.until("its share done", done)


async def test_a_range_whose_records_are_gone_fails_with_the_exact_offset(scene: Scene) -> None:
    depositor = scene.depositor()
    await scene.publish(keys=1, each=40)
    (lane,) = scene.seqs
    async with scene.instance(depositor):
        await scene.until_read()
        admin = AIOKafkaAdminClient(bootstrap_servers=scene.bootstrap)
        await admin.start()
        try:
            await admin.delete_records({TopicPartition(scene.source, lane): RecordsToDelete(15)})
        finally:
            await admin.close()
        plan = await scene.until_plan(await scene.plan(ranges={lane: [(12, 40)]}), "failed")
        assert f"{scene.source}/{lane} does not have offset 12: the topic begins with 15 now" in plan["fault"]
        plan = await scene.until_plan(await scene.plan(ranges={lane: [(15, 50)]}), "failed")
        assert f"{scene.source}/{lane} does not have offset 40: the topic ends there" in plan["fault"]
        done = await scene.until_plan(await scene.plan(ranges={lane: [(15, 18), (20, 40)]}), "done")
        assert json.loads(done["outcome"])["handled"] == 23


async def test_what_was_planned_before_a_restore_or_with_other_code_is_not_carried_out(scene: Scene) -> None:
    depositor = scene.depositor()
    await spoilt(scene, depositor)
    early = await scene.plan(planned_at=datetime(2020, 1, 1, tzinfo=UTC), state="approved")
    other = await scene.plan(state="approved")
    connection = await connect(scene.dsn)
    await connection.execute("UPDATE cluster SET restored_at = '2021-01-01'")
    await connection.execute("UPDATE replay_plans SET code_version = 'other' WHERE plan_id = $1", other)
    await connection.close()
    async with scene.instance(depositor):
        await scene.set_state(early, "running")
        plan = await scene.until_plan(early, "failed")
        assert "brought back from a backup since this was planned: plan again" in plan["fault"]
        await scene.set_state(other, "running")
        plan = await scene.until_plan(other, "failed")
        assert "other code than the plan was made with: plan again" in plan["fault"]
        assert await booked_again(scene) == 0


async def test_a_slice_that_ends_one_session_after_another_is_given_up_for_the_live_records(
    scene: Scene,
) -> None:
    depositor = scene.depositor()
    await scene.publish(keys=1, each=40)
    async with scene.instance(depositor):
        await scene.until_read()
        depositor.faulty = {("account-0", 17): TimeoutError("a statement that takes too long")}
        plan = await scene.until_plan(await scene.plan(), "failed")
        assert "slice 1 has ended 5 sessions" in plan["fault"]
        await scene.publish(keys=1, each=1)
        await scene.until_read()


async def test_a_slice_that_kills_its_process_each_time_is_given_up(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_SESSIONS", 3)
    await scene.publish(keys=1, each=40)
    async with scene.instance(scene.depositor()):
        await scene.until_read()
    plan_id = await scene.plan()
    # The first session ends the first slice, and dies with the second as the others do.
    for _ in range(4):
        depositor, deadly = scene.depositor(), asyncio.Event()

        async def strike(deadly: asyncio.Event = deadly) -> None:
            if (await scene.share(plan_id))["slice"] == 1:
                deadly.set()
                await asyncio.Event().wait()

        depositor.strike = strike
        async with scene.instance(depositor), asyncio.timeout(60):
            await deadly.wait()
    async with scene.instance(scene.depositor()):
        plan = await scene.until_plan(plan_id, "failed")
        assert "slice 1 was begun in 3 sessions and ended in none" in plan["fault"]
        await scene.publish(keys=1, each=1)
        await scene.until_read()
