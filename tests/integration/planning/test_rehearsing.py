"""Rehearsals: they say to the row and to the cent what a run would do, keep nothing, and hold no lane up."""

import asyncio
from typing import Any

import pytest

from goodfunds.errors import OutOfTurn
from goodfunds.ids import parse
from goodfunds.postgres import connect
from goodfunds.replay import slices, trial
from goodfunds.replay.digest import state_digest
from tests.integration.planning.office import Office
from tests.integration.replay.scene import Deposit

SPOILT: set[Deposit] = {(f"account-{key}", number) for key in range(4) for number in (3, 11, 12)}


async def spoilt(office: Office) -> None:
    """Eighty deposits, of which a bug has left twelve out; the bug is mended since."""
    office.handler.deaf = set(SPOILT)
    await office.scene.publish(keys=4, each=20)
    await office.worked()
    office.handler.deaf = set()


async def test_it_foresees_rows_before_and_after_money_events_and_each_slice_and_a_run_comes_out_so(
    office: Office,
) -> None:
    await spoilt(office)
    connection = await connect(office.scene.dsn)
    try:
        before = await state_digest(connection, ())
        plan = await office.rehearsed()
        assert await state_digest(connection, ()) == before
    finally:
        await connection.close()
    forecast, minor = plan["forecast"], sum(number + 1 for _, number in SPOILT)
    assert plan["exact"] is forecast["exact"] is True
    assert (forecast["records"], forecast["skipped"]) == (80, 0)
    assert forecast["unchanged"] % 10 == 0
    assert forecast["rows"]["postings"] == {"insert": 12}
    assert forecast["events"] == {office.scene.target: {"Deposited": 12}}
    assert forecast["faults"] == {"count": 0, "first": []}
    money = forecast["money"]["EUR"]
    assert money.pop("cash") == -minor
    assert money == {
        f"account-{key}": sum(n + 1 for k, n in SPOILT if k == f"account-{key}") for key in range(4)
    }
    # Of a balance that several slices move, each is a sample of its own.
    moved: dict[str, int] = {}
    for each in forecast["samples"]["balances"]:
        assert each["operation"] == "update"
        account = each["key"]["account"]
        moved[account] = (
            moved.get(account, 0) + each["after"]["balance_minor"] - each["before"]["balance_minor"]
        )
    assert moved == {"cash": -minor, **money}
    assert plan["progress"]["records"] == plan["progress"]["total"] == 80
    slices = await office.pool.fetch(
        "SELECT sum(rows_changed), sum(events_emitted) FROM replay_slices WHERE plan_id = $1",
        parse(plan["plan_id"]),
    )
    rows = sum(count for table in forecast["rows"].values() for count in table.values())
    assert [tuple(each) for each in slices] == [(rows, 12)]
    await office.step(plan, "approve", office.bob)
    await office.step(plan, "run")
    async with office.at_work():
        done = await office.until(plan, "done")
    assert done["outcome_digest"] == plan["forecast_digest"]
    assert done["outcome"] == {"handled": 80, "skipped": 0, "rows_changed": rows, "events_emitted": 12}
    assert (await office.scene.books())[1] == office.scene.due_balances()


async def test_what_would_fault_is_told_with_its_place_and_the_rest_is_rehearsed(office: Office) -> None:
    await spoilt(office)
    office.handler.faulty = {("account-1", 11): KeyError("unknown"), ("account-2", 0): ValueError("odd")}
    plan = await office.rehearsed()
    faults = plan["forecast"]["faults"]
    assert faults["count"] == 2
    told = {(each["offset"], each["partition"]): each["fault"] for each in faults["first"]}
    assert sorted(told.values()) == ["KeyError: 'unknown'", "ValueError: odd"]
    assert plan["forecast"]["rows"]["postings"] == {"insert": 11}
    assert plan["forecast"]["records"] == 80


async def test_parked_events_are_rehearsed_as_they_would_be_released_and_are_still_there(
    office: Office,
) -> None:
    office.handler.faulty = {("account-0", 5): KeyError("unknown"), ("account-1", 7): KeyError("unknown")}
    await office.scene.publish(keys=2, each=12)
    await office.worked()
    parked = 7 + 5
    assert await office.pool.fetchval("SELECT count(*) FROM parked") == parked
    del office.handler.faulty["account-0", 5]
    plan = await office.rehearsed(parked={})
    assert plan["kind"] == "release"
    forecast = plan["forecast"]
    assert forecast["rows"]["postings"] == {"insert": 7}
    # Of the account that faults again all is left.
    assert (forecast["records"], forecast["skipped"], forecast["faults"]["count"]) == (8, 4, 1)
    assert await office.pool.fetchval("SELECT count(*) FROM parked") == parked
    office.handler.faulty = {}
    first = "SELECT * FROM parked WHERE key = 'account-1' ORDER BY parked_seq LIMIT 1"
    row = await office.pool.fetchrow(first)
    place = f"{row['topic']}/{row['source_partition']}/{row['source_offset']}"
    tried = (await office.ada.post(f"/v1/parked/{place}/diff")).json()
    tried = await office.until(tried, "rehearsed")
    assert tried["forecast"]["rows"]["postings"] == {"insert": 5}
    await office.step(tried, "abort")
    plan = await office.rehearsed(parked={})
    await office.step(plan, "approve", office.bob)
    await office.step(plan, "run")
    async with office.at_work():
        done = await office.until(plan, "done")
    assert await office.pool.fetchval("SELECT count(*) FROM parked") == 0
    assert done["outcome"]["rows_changed"] == sum(
        count for table in plan["forecast"]["rows"].values() for count in table.values()
    )
    assert (await office.scene.books())[1] == office.scene.due_balances()


async def test_parked_and_discarded_records_of_a_range_are_left_out(office: Office) -> None:
    office.handler.faulty = {("account-0", 8): KeyError("unknown")}
    await office.scene.publish(keys=1, each=10)
    await office.worked()
    office.handler.faulty = {}
    plan = await office.rehearsed()
    assert (plan["forecast"]["records"], plan["forecast"]["skipped"]) == (8, 2)
    assert plan["forecast"]["rows"] == {}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes way after a tenth of a second, so that a few hundred records are enough to see it."""
    monkeypatch.setattr(trial, "HELD_SECONDS", 0.1)


@pytest.mark.usefixtures("quick")
async def test_a_live_lane_whose_rows_a_rehearsal_has_changed_goes_on_within_its_bound(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.handler.deaf = {("account-0", number) for number in range(300)}
    await office.scene.publish(keys=1, each=300)
    loop = asyncio.get_running_loop()
    slowest, handle = 0.0, trial.Trial.handle

    async def slow(self: Any, records: Any) -> Any:
        nonlocal slowest
        started = loop.time()
        try:
            tried = await handle(self, records)
            # Held as long as a slice of a busy service takes.
            await asyncio.sleep(0.05)
            return tried
        finally:
            slowest = max(slowest, loop.time() - started)

    monkeypatch.setattr(trial.Trial, "handle", slow)
    async with office.at_work():
        office.handler.deaf = set()
        plan = await office.ask(kind="replay")

        async def holds_rows() -> bool:
            found = await office.get(f"/v1/replays/{plan['plan_id']}")
            return bool(found["state"] == "rehearsing" and office.handler.handled[-1][1] > 20)

        await office.scene.until("rows are held", holds_rows)
        longest = 0.0
        for _ in range(5):
            # Each moves the balances that the rehearsal has moved: the same account, the same cash.
            sent = loop.time()
            await office.scene.publish(keys=1, each=1)
            await office.scene.until_read()
            longest = max(longest, loop.time() - sent)
        found = await office.until(plan, "rehearsed")
    # The bound, and what a live record takes by itself on a machine that others use too.
    assert longest < 2 * (trial.HELD_SECONDS + slowest) + 2.0
    assert found["exact"] is False
    assert found["forecast"]["records"] == 300
    assert (await office.scene.books())[1]["account-0"] == sum(301 + n for n in range(5))


async def test_it_makes_way_in_the_middle_of_a_slice_that_it_searches_for_faults(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE_RECORDS", 64)
    monkeypatch.setattr(trial, "HELD_SECONDS", 0.0)
    scene, handler = office.scene, office.handler
    handler.deaf = {("account-0", number) for number in range(64)}
    await scene.publish(keys=1, each=64)
    written: list[asyncio.Task[Any] | None] = []

    async def live_waits() -> bool:
        return bool(await office.pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%lanes' "
            "AND datname = current_database() AND wait_event_type = 'Lock'"
        ))  # fmt: skip

    async def strike() -> None:
        written.append(asyncio.current_task())
        if len(written) == 1:
            # Of the same account as what the rehearsal has just changed.
            await scene.publish(keys=1, each=1)
            await scene.until("a live record waits", live_waits)

    async with office.at_work():
        handler.deaf = set()
        handler.faulty = {("account-0", number): KeyError("unknown") for number in range(1, 64, 2)}
        handler.strike = strike
        plan = await office.rehearsed()
        handler.strike = None
        await scene.until_read()
    # Every other record is tried alone, and the live one has not waited for them.
    assert written[1] is not written[0]
    forecast = plan["forecast"]
    assert (forecast["records"], forecast["faults"]["count"]) == (64, 32)
    assert forecast["rows"]["postings"] == {"insert": 32}
    assert (await scene.books())[1]["account-0"] == 65


async def test_what_somebody_holds_is_waited_for_and_he_is_not_kept_from_what_he_wants_next(
    office: Office,
) -> None:
    await spoilt(office)
    other = await connect(office.scene.dsn)
    try:
        await other.execute("SET lock_timeout = '10s'")
        held = other.transaction()
        await held.start()
        await other.execute("UPDATE balances SET balance_minor = balance_minor WHERE account = 'cash'")
        plan = await office.ask(kind="replay")

        async def waits() -> bool:
            return bool(await office.pool.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%rehearsal%' "
                "AND datname = current_database() AND wait_event_type = 'Lock'"
            ))  # fmt: skip

        await office.scene.until("it waits", waits)
        # It may hold these, and waits for the other one: it is the one that gives in.
        await other.execute("UPDATE balances SET balance_minor = balance_minor WHERE account <> 'cash'")
        await held.rollback()
        found = await office.until(plan, "rehearsed")
        assert found["forecast"]["rows"]["postings"] == {"insert": 12}
    finally:
        await other.close()


async def test_an_aborted_rehearsal_ends_and_the_next_one_follows(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spoilt(office)
    gate = asyncio.Event()
    handle = trial.Trial.handle

    async def gated(self: Any, records: Any) -> Any:
        await gate.wait()
        return await handle(self, records)

    monkeypatch.setattr(trial.Trial, "handle", gated)
    first = await office.ask(kind="replay")
    second = await office.ask(kind="replay")
    assert (await office.step(first, "abort"))["state"] == "aborted"
    gate.set()
    assert (await office.until(second, "rehearsed"))["forecast"]["records"] == 80
    found = await office.get(f"/v1/replays/{first['plan_id']}")
    assert (found["state"], found["forecast"]) == ("aborted", None)


async def test_a_house_that_is_not_in_order_fails_the_rehearsal_and_says_why(office: Office) -> None:
    await spoilt(office)
    await office.pool.execute("ALTER TABLE postings RENAME COLUMN kind TO sort")
    plan = await office.ask(kind="replay")

    async def failed() -> bool:
        return bool((await office.get(f"/v1/replays/{plan['plan_id']}"))["state"] == "failed")

    await office.scene.until("failed", failed)
    found = await office.get(f"/v1/replays/{plan['plan_id']}")
    assert "UndefinedColumnError" in found["fault"]
    assert (await office.step(plan, "approve", office.bob, 409))["code"] == "wrong_state"
    assert found["forecast"] is None


async def test_a_lane_that_has_to_wait_for_others_is_not_rehearsed_and_the_plan_says_for_whom(
    office: Office,
) -> None:
    await spoilt(office)
    why = "lanes [1] are to handle again what they had, first"
    office.handler.faulty = {("account-0", 0): OutOfTurn(0, why)}
    plan = await office.ask(kind="replay")

    async def failed() -> bool:
        return bool((await office.get(f"/v1/replays/{plan['plan_id']}"))["state"] == "failed")

    await office.scene.until("failed", failed)
    found = await office.get(f"/v1/replays/{plan['plan_id']}")
    assert f"lane 0 waits: {why}" in found["fault"]
