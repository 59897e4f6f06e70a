"""Parked events: released in order until their accounts are free, left where they fault, or discarded."""

import json
from typing import Any

import pytest

from goodfunds import ids
from goodfunds.clock import FixedClock
from goodfunds.errors import InvariantBroken, OutOfTurn
from goodfunds.replay import releasing, running
from tests.integration.replay.scene import NOW, Depositor, Scene

pytestmark = pytest.mark.usefixtures("small_slices")


async def parked(scene: Scene) -> list[Any]:
    return await scene.fetch("SELECT * FROM parked ORDER BY lane, parked_seq")


async def with_parked_events(scene: Scene, depositor: Depositor, accounts: int, each: int) -> None:
    """Deposit 3 of these accounts faults, so that it is parked with all that follows."""
    for account in range(accounts):
        depositor.faulty[f"account-{account}", 3] = ValueError("a bug")
    await scene.publish(keys=6, each=each)
    await scene.until_read()
    assert len(await parked(scene)) == accounts * (each - 3)


async def test_released_events_are_handled_in_order_those_parked_since_too_and_the_account_is_free(
    scene: Scene,
) -> None:
    depositor = scene.depositor()
    async with scene.instance(depositor):
        await with_parked_events(scene, depositor, accounts=4, each=12)
        picks = await parked(scene)
        await scene.publish(keys=6, each=6)
        await scene.until_read()
        depositor.faulty = {}
        before = len(depositor.handled)
        plan_id = await scene.plan("release", parked=picks)
        plan = await scene.until_plan(plan_id, "done")
        assert await parked(scene) == []
        assert (await scene.books())[1] == scene.due_balances()
        released = depositor.handled[before:]
        for account in range(4):
            name = f"account-{account}"
            assert [number for key, number, _ in released if key == name] == list(range(3, 18))
        # Nothing of the accounts waits any more: what comes now is handled at once.
        await scene.publish(keys=6, each=2)
        await scene.until_read()
        assert await parked(scene) == []
        assert (await scene.books())[1] == scene.due_balances()
    outcome = json.loads(plan["outcome"])
    assert (outcome["handled"], outcome["events_emitted"]) == (60, 60)
    caused = [
        (key, number) for _, key, number, headers in await scene.events()
        if headers.get("replay_id") == ids.text(plan_id).encode()
    ]  # fmt: skip
    assert sorted(caused) == sorted((f"account-{a}", n) for a in range(4) for n in range(3, 18))


@pytest.mark.parametrize("fault", [ValueError("another bug"), InvariantBroken("posted twice")])
async def test_an_account_whose_event_faults_again_is_left_and_the_others_go_on(
    scene: Scene, fault: Exception
) -> None:
    depositor = scene.depositor()
    async with scene.instance(depositor):
        await with_parked_events(scene, depositor, accounts=4, each=12)
        depositor.faulty = {("account-2", 7): fault}
        plan = await scene.until_plan(await scene.plan("release", parked=await parked(scene)), "failed")
        assert "1 accounts are left as they were; of one: " in plan["fault"]
        assert f"{type(fault).__name__}: {fault}" in plan["fault"]
        left = await parked(scene)
        assert [(row["key"], int(row["value"])) for row in left] == [(b"account-2", n) for n in range(7, 12)]
        assert (left[0]["poison"], left[0]["fault"]) == (True, f"{type(fault).__name__}: {fault}")
        assert (await scene.books())[1] == scene.due_balances([("account-2", n) for n in range(7, 12)])
        # The account still waits, in order; released again it is free.
        await scene.publish(keys=6, each=1)
        await scene.until_read()
        assert len(await parked(scene)) == 6
        assert await scene.fetchval("SELECT count(*) FROM lanes WHERE stopped_reason IS NOT NULL") == 0
        depositor.faulty = {}
        await scene.until_plan(await scene.plan("release", parked=await parked(scene)), "done")
        assert (await scene.books())[1] == scene.due_balances()


async def test_a_replay_passes_over_what_is_parked_and_what_was_discarded(scene: Scene) -> None:
    depositor = scene.depositor()
    async with scene.instance(depositor):
        await with_parked_events(scene, depositor, accounts=2, each=10)
        depositor.faulty = {}
        first = next(row for row in await parked(scene) if row["key"] == b"account-1")
        gone = await scene.until_plan(await scene.plan("discard", parked=[first]), "done")
        assert json.loads(gone["outcome"])["handled"] == 1
        before = await scene.books()
        plan = await scene.until_plan(await scene.plan(), "done")
        assert await scene.books() == before
        outcome = json.loads(plan["outcome"])
        assert (outcome["handled"], outcome["skipped"], outcome["rows_changed"]) == (46, 14, 0)


async def test_discarded_events_are_kept_apart_and_the_others_of_the_account_wait_until_they_are_released(
    scene: Scene,
) -> None:
    depositor = scene.depositor()
    async with scene.instance(depositor):
        await with_parked_events(scene, depositor, accounts=2, each=10)
        poison = [row for row in await parked(scene) if row["poison"]]
        plan_id = await scene.plan("discard", parked=poison)
        await scene.until_plan(plan_id, "done")
        gone = await scene.fetch("SELECT * FROM replay_discarded ORDER BY topic, source_partition")
        assert {(row["plan_id"], row["key"], row["fault"]) for row in gone} == {
            (plan_id, b"account-0", "ValueError: a bug"), (plan_id, b"account-1", "ValueError: a bug"),
        }  # fmt: skip
        await scene.publish(keys=6, each=1)
        await scene.until_read()
        assert len(await parked(scene)) == 14
        await scene.until_plan(await scene.plan("release", parked=await parked(scene)), "done")
        assert (await scene.books())[1] == scene.due_balances([("account-0", 3), ("account-1", 3)])


async def test_an_account_of_which_all_is_discarded_is_free(scene: Scene) -> None:
    depositor = scene.depositor()
    async with scene.instance(depositor):
        await with_parked_events(scene, depositor, accounts=1, each=25)
        await scene.until_plan(await scene.plan("discard", parked=await parked(scene)), "done")
        await scene.publish(keys=6, each=1)
        await scene.until_read()
        assert await parked(scene) == []
        assert (await scene.books())[1] == scene.due_balances([("account-0", n) for n in range(3, 25)])


async def test_a_release_whose_owner_goes_in_the_middle_is_ended_by_the_next(scene: Scene) -> None:
    depositor = scene.depositor()
    async with scene.instance(depositor):
        await with_parked_events(scene, depositor, accounts=4, each=20)
    depositor.faulty = {}
    struck = 0

    async def strike() -> None:
        nonlocal struck
        struck += 1
        if struck in (2, 4):
            async with scene.connected() as connection:
                await connection.execute("SELECT pg_terminate_backend(backend_pid) FROM lanes LIMIT 1")

    picks = await parked(scene)
    depositor.strike = strike
    async with scene.instance(depositor):
        await scene.until_plan(await scene.plan("release", parked=picks), "done")
    assert await parked(scene) == []
    assert (await scene.books())[1] == scene.due_balances()
    assert struck > 7


async def test_a_release_whose_turn_has_not_come_waits_and_ends_no_session(scene: Scene) -> None:
    depositor = scene.depositor()
    async with scene.instance(depositor) as loop:
        await with_parked_events(scene, depositor, accounts=1, each=10)
        picks = await parked(scene)
        depositor.faulty["account-0", 3] = OutOfTurn(picks[0]["lane"], "others have to catch up first")
        session, before = loop.session, len(depositor.handled)
        plan_id = await scene.plan("release", parked=picks)
        # More often than a slice may end sessions.
        await scene.until("tried", lambda: len(depositor.handled) >= before + 6)
        await scene.publish(keys=6, each=1)
        await scene.until_read()
        depositor.faulty = {}
        await scene.until_plan(plan_id, "done")
        assert loop.session is session
        assert (await scene.books())[1] == scene.due_balances()


async def test_accounts_that_fault_again_side_by_side_cost_few_attempts_each(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releasing, "SLICE_RECORDS", 64)
    depositor = scene.depositor()
    async with scene.instance(depositor):
        await with_parked_events(scene, depositor, accounts=6, each=25)
        before = len(depositor.handled)
        await scene.until_plan(await scene.plan("release", parked=await parked(scene)), "failed")
        attempts = [number for _, number, _ in depositor.handled[before:]].count(3)
    # The first of each lane is found by halves, 64 and six more; then two for each of the others.
    assert attempts <= 2 * 7 + 4 * 2
    assert len(await parked(scene)) == 6 * 22


async def test_large_events_are_released_few_at_a_time(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releasing, "SLICE_BYTES", 3_000)
    depositor = scene.depositor()
    async with scene.instance(depositor):
        depositor.faulty["account-0", 0] = ValueError("a bug")
        await scene.publish(keys=1, each=9, values=lambda number: b"%1000d" % number)
        await scene.until_read()
        depositor.faulty = {}
        plan_id = await scene.plan("release", parked=await parked(scene))
        await scene.until_plan(plan_id, "done")
        assert (await scene.share(plan_id))["slice"] == 3
        assert (await scene.books())[1] == scene.due_balances()


async def test_a_release_does_not_wait_for_replays_that_take_their_time_on_other_lanes(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_AT_ONCE", 1)
    depositor = scene.depositor()
    async with scene.instance(depositor, FixedClock(NOW)):
        await with_parked_events(scene, depositor, accounts=4, each=12)
        depositor.faulty = {}
        lane = (await parked(scene))[0]["lane"]
        slow = await scene.plan(ranges={1 - lane: [(0, scene.seqs[1 - lane])]}, rate=1)
        await scene.until_handled_again(slow, 1)
        picks = [row for row in await parked(scene) if row["lane"] == lane]
        await scene.until_plan(await scene.plan("release", parked=picks), "done")
        assert {row["lane"] for row in await parked(scene)} <= {1 - lane}
        assert (await scene.share(slow))["state"] == "running"
