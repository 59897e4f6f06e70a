"""Replays on a real broker and a real database: what they change, what carries their id, where they stop."""

import json
from datetime import timedelta
from typing import Any

import pytest

from goodfunds import ids
from goodfunds.clock import FixedClock
from goodfunds.errors import InvariantBroken
from tests.conftest import MakeTopics, Migrations, Postgres
from tests.integration.lanes.copier import Copier
from tests.integration.lanes.stage import Stage
from tests.integration.replay.scene import NOW, Deposit, Scene

pytestmark = pytest.mark.usefixtures("small_slices")


def replay_ids(events: list[Any]) -> list[bytes | None]:
    return [headers.get("replay_id") for _, _, _, headers in events]


async def test_what_was_handled_before_changes_nothing_and_tells_nothing_when_it_is_replayed(
    scene: Scene,
) -> None:
    await scene.publish(keys=6, each=10)
    # The same wishes once more, as a client repeats them: A, B, A counts A once.
    again = {key: len(numbers) for key, numbers in scene.sent.items()}
    scene.sent = {}
    await scene.publish(keys=6, each=5)
    scene.sent = {key: list(range(count)) for key, count in again.items()}
    async with scene.instance(scene.depositor()):
        await scene.until_read()
        before, events = await scene.books(), len(await scene.events())
        plan = await scene.until_plan(await scene.plan(), "done")
        await scene.until_published()
        assert await scene.books() == before
        assert before[1] == scene.due_balances()
        assert len(await scene.events()) == events == 60
    outcome = json.loads(plan["outcome"])
    assert outcome == {"handled": 90, "skipped": 0, "rows_changed": 0, "events_emitted": 0}
    assert plan["fault"] is None


async def test_after_a_bug_is_mended_a_replay_repairs_exactly_what_it_had_spoilt(
    scene: Scene, postgres: Postgres, migrations: Migrations, make_topics: MakeTopics
) -> None:
    depositor = scene.depositor()
    spoilt: set[Deposit] = {(f"account-{key}", number) for key in range(6) for number in range(3, 20, 4)}
    depositor.deaf = set(spoilt)
    await scene.publish(keys=6, each=20)
    further = f"{scene.target}-further"
    await make_topics([further], 2)
    async with (
        postgres.database(migrations) as downstream,
        scene.instance(depositor),
        scene.instance(Copier(scene.target, further), dsn=downstream),
    ):
        await scene.until_read()
        assert (await scene.books())[1] == scene.due_balances(without=list(spoilt))
        depositor.deaf.clear()
        plan_id = await scene.plan(state="rehearsed")
        await scene.rehearse(plan_id, depositor)
        plan = await scene.until_plan(plan_id, "done")
        assert (await scene.books())[1] == scene.due_balances()
        outcome = json.loads(plan["outcome"])
        assert outcome["events_emitted"] == len(spoilt)
        await scene.until_published()
        caused = {
            (key, number)
            for _, key, number, headers in await scene.events()
            if headers.get("replay_id") == ids.text(plan_id).encode()
        }
        assert caused == spoilt
        # What follows from a replay elsewhere names it too, and nothing else does.
        behind = Stage(scene.bootstrap, downstream, scene.target, further, 2)
        await behind.until_handled(120)
        await behind.until_published()
        told = {
            (key, number)
            for _, key, number, headers in await behind.events()
            if headers.get("replay_id") == ids.text(plan_id).encode()
        }
        assert told == spoilt
        assert len(await behind.events()) == 120
    assert sum(cause is not None for cause in replay_ids(await scene.events())) == len(spoilt)


async def test_live_records_go_on_during_a_replay_and_each_account_s_order_holds(scene: Scene) -> None:
    depositor = scene.depositor()
    await scene.publish(keys=6, each=60)
    async with scene.instance(depositor):
        await scene.until_read()
        live = len(depositor.handled)
        plan_id = await scene.plan()

        async def begun() -> bool:
            return len(depositor.handled) > live

        await scene.until("the replay begun", begun)
        await scene.publish(keys=6, each=20)
        await scene.until_plan(plan_id, "done")
        await scene.until_read()
    assert (await scene.books())[1] == scene.due_balances()
    heard: dict[str, list[int]] = {}
    for _, key, number, _ in await scene.events():
        heard.setdefault(key, []).append(number)
    assert heard == scene.sent
    # Of each account the replayed records came in their order, and so did the live ones between them.
    after = depositor.handled[live:]
    for key in scene.sent:
        offsets = {number: [o for k, n, o in after if (k, n) == (key, number)] for number in range(80)}
        assert all(len(found) == 1 for found in offsets.values())
        for part in (range(60), range(60, 80)):
            at = [i for i, (k, n, _) in enumerate(after) if k == key and n in part]
            assert [after[i][1] for i in at] == list(part)


async def test_only_the_accounts_that_were_asked_for_are_handled_again(scene: Scene) -> None:
    depositor = scene.depositor()
    await scene.publish(keys=6, each=20)
    async with scene.instance(depositor):
        await scene.until_read()
        live = len(depositor.handled)
        plan = await scene.until_plan(await scene.plan(selection={"keys": ["account-1"]}), "done")
    assert {key for key, _, _ in depositor.handled[live:]} == {"account-1"}
    outcome = json.loads(plan["outcome"])
    assert (outcome["handled"], outcome["skipped"]) == (20, 100)


async def test_a_slice_that_comes_out_otherwise_than_rehearsed_is_rolled_back_and_the_plan_drifts(
    scene: Scene,
) -> None:
    depositor = scene.depositor()
    depositor.deaf = {("account-0", number) for number in range(5, 40)}
    await scene.publish(keys=1, each=40)
    async with scene.instance(depositor):
        await scene.until_read()
        plan_id = await scene.plan(state="rehearsed")
        depositor.deaf = {("account-0", 25)}
        await scene.rehearse(plan_id, depositor)
        # Between rehearsal and run something else has mended this one too.
        depositor.deaf = set()
        plan = await scene.until_plan(plan_id, "drifted")
        events = await scene.events()
    assert (await scene.books())[1] == {"account-0": sum(range(1, 21))}
    assert "slice 2, " in plan["fault"]
    assert "offsets 20 to 29: rehearsed 11 rows and 9 events, now 12 rows and 10 events" in plan["fault"]
    assert len(events) == 20
    share = await scene.share(plan_id)
    assert (share["state"], share["slice"], share["handled"]) == ("drifted", 2, 20)


async def test_a_replay_that_was_not_rehearsed_exactly_may_not_do_more_than_it_was_forecast_to(
    scene: Scene,
) -> None:
    depositor = scene.depositor()
    await scene.publish(keys=1, each=40)
    async with scene.instance(depositor):
        await scene.until_read()
        plan_id = await scene.plan(state="rehearsed")
        await scene.rehearse(plan_id, depositor, exact=False)
        depositor.careless = True
        plan = await scene.until_plan(plan_id, "drifted")
        assert "with it 0 rows and 10 events, and rehearsed were 0 rows and 0 events" in plan["fault"]
        assert len(await scene.events()) == 40


@pytest.mark.parametrize("fault", [ValueError("no such day"), InvariantBroken("posted twice")])
async def test_a_record_that_faults_is_named_and_nothing_of_its_slice_is_written(
    scene: Scene, fault: Exception
) -> None:
    depositor = scene.depositor()
    depositor.deaf = {("account-0", number) for number in range(40)}
    await scene.publish(keys=1, each=40)
    async with scene.instance(depositor):
        await scene.until_read()
        depositor.deaf = set()
        depositor.faulty = {("account-0", 17): fault}
        plan_id = await scene.plan()
        plan = await scene.until_plan(plan_id, "failed")
        share = await scene.share(plan_id)
        assert f"offset 17: {type(fault).__name__}: {fault}" in plan["fault"]
        assert (share["state"], share["slice"], share["handled"]) == ("failed", 1, 10)
        assert (await scene.books())[1] == {"account-0": sum(range(1, 11))}
        assert await scene.fetchval("SELECT count(*) FROM parked") == 0
        assert await scene.fetchval("SELECT count(*) FROM lanes WHERE stopped_reason IS NOT NULL") == 0
        # Mended and planned again, it does the rest.
        depositor.faulty = {}
        await scene.until_plan(await scene.plan(), "done")
    assert (await scene.books())[1] == scene.due_balances()


async def test_a_self_check_counts_what_would_change_and_writes_none_of_it(scene: Scene) -> None:
    depositor = scene.depositor()
    depositor.deaf = {("account-0", 15), ("account-0", 31)}
    await scene.publish(keys=1, each=40)
    async with scene.instance(depositor):
        await scene.until_read()
        clean = await scene.until_plan(await scene.plan("selfcheck"), "done")
        before, events = await scene.books(), await scene.events()
        depositor.deaf = set()
        found = await scene.until_plan(await scene.plan("selfcheck"), "done")
        assert await scene.books() == before
        assert await scene.events() == events
    assert clean["fault"] is None
    # In either slice a posting and two balances.
    assert json.loads(found["outcome"]) == {
        "handled": 40, "skipped": 0, "rows_changed": 6, "events_emitted": 2,
    }  # fmt: skip
    assert "first in slice 1, " in found["fault"]
    assert clean["outcome_digest"] != found["outcome_digest"]


async def test_the_rate_that_was_asked_for_is_kept(scene: Scene) -> None:
    depositor = scene.depositor()
    await scene.publish(keys=1, each=40)
    clock = FixedClock(NOW)
    async with scene.instance(depositor, clock=clock):
        await scene.until_read()
        # A slice a second: time stands still until the test moves it on.
        plan_id = await scene.plan(rate=10)
        for handled in (10, 20, 30):
            await scene.until_handled_again(plan_id, handled)
            for seconds in (0.0, 0.99):
                clock.at += timedelta(seconds=seconds)
                await one_live_record(scene)
                assert (await scene.share(plan_id))["handled"] == handled
            clock.at += timedelta(seconds=0.01)
        await scene.until_handled_again(plan_id, 40)


async def test_paused_it_stands_resumed_it_goes_on_and_aborted_it_stays_where_it_is(scene: Scene) -> None:
    depositor = scene.depositor()
    depositor.deaf = {("account-0", number) for number in range(40)}
    await scene.publish(keys=1, each=40)
    clock = FixedClock(NOW)
    async with scene.instance(depositor, clock=clock):
        await scene.until_read()
        depositor.deaf = set()
        plan_id = await scene.plan(rate=10)
        await scene.until_handled_again(plan_id, 10)
        await scene.set_state(plan_id, "paused")
        clock.at += timedelta(seconds=60)
        await one_live_record(scene)
        assert (await scene.share(plan_id))["handled"] == 10
        assert await booked(scene, 40) == 10
        await scene.set_state(plan_id, "running")
        await scene.until_handled_again(plan_id, 20)
        await scene.set_state(plan_id, "aborted")
        clock.at += timedelta(seconds=60)
        await one_live_record(scene)
        assert (await scene.share(plan_id))["handled"] == 20
        assert await booked(scene, 40) == 20


async def one_live_record(scene: Scene) -> None:
    """The loop goes around with a live record: whatever a replay was to do meanwhile, it has done."""
    await scene.publish(keys=1, each=1)
    await scene.until_read()


async def booked(scene: Scene, below: int) -> int:
    """Deposits whose number lies below that, which are in the books."""
    found = await scene.fetchval("SELECT count(*) FROM postings WHERE amount_minor <= $1", below)
    return int(found)
