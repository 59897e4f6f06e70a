"""A plan's life over HTTP: two people, an hour, the same code, tables and topics; each step in the audit."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from goodfunds.ids import parse
from tests.integration.planning.office import Office, another_office
from tests.tokens import bearer, token_of


async def filled(office: Office) -> None:
    await office.scene.publish(keys=4, each=10)
    await office.worked()


async def test_a_plan_is_approved_by_somebody_else_and_run_and_all_of_it_stands_in_the_audit(
    office: Office,
) -> None:
    office.handler.deaf = {("account-1", number) for number in (3, 5)}
    await filled(office)
    office.handler.deaf = set()
    plan = await office.rehearsed(reason="deaf until 1.4.2")
    refused = await office.step(plan, "approve", status=409)
    assert (refused["code"], refused["type"]) == ("same_person", "urn:goodfunds:replay:same-person")
    assert (await office.step(plan, "run", status=409))["code"] == "wrong_state"
    approved = await office.step(plan, "approve", office.bob)
    assert (approved["state"], approved["planned_by"], approved["approved_by"]) == ("approved", "ada", "bob")
    assert (await office.step(plan, "run"))["state"] == "running"
    async with office.at_work():
        done = await office.until(plan, "done")
    assert done["outcome"]["events_emitted"] == 2
    assert done["outcome_digest"] == plan["forecast_digest"]
    assert (done["done"], done["total"], done["seconds_left"]) == (40, 40, 0)
    assert (await office.step(plan, "abort", status=409))["code"] == "wrong_state"
    entries = (await office.get("/v1/audit", plan_id=plan["plan_id"]))["items"]
    told = [(each["actor"], each["action"]) for each in reversed(entries)]
    assert told[:4] == [
        ("ada", "planned"), ("service:depositor", "rehearsed"), ("bob", "approved"), ("ada", "run"),
    ]  # fmt: skip
    assert entries[-1]["detail"]["reason"] == "deaf until 1.4.2"
    assert entries[-1]["detail"]["total"] == 40
    assert entries[0]["detail"]["digest"] == plan["forecast_digest"]
    assert [each["detail"].get("forecast") for each in entries[1:3]] == [plan["forecast_digest"]] * 2
    found = await office.get("/v1/audit/verification")
    assert (found["verified"], found["entries"], found["broken"]) == (True, len(entries), None)


async def test_the_database_itself_takes_no_approval_of_the_planner(office: Office) -> None:
    await filled(office)
    plan = await office.rehearsed()
    with pytest.raises(asyncpg.CheckViolationError, match="four_eyes"):
        await office.pool.execute(
            "UPDATE replay_plans SET approved_by = planned_by WHERE plan_id = $1", parse(plan["plan_id"])
        )


Change = Callable[[Office], Coroutine[Any, Any, None]]


async def expire(office: Office) -> None:
    office.clock.at += timedelta(seconds=61)


async def migrate(office: Office) -> None:
    await office.pool.execute("INSERT INTO migrations (source, file, digest) VALUES ('x', '0001.sql', 'y')")


async def trim(office: Office) -> None:
    # By one account's record: the lane has more, and the plan begins with it.
    lane = min(office.scene.seqs)
    await office.trim(lane, 1)


@pytest.mark.parametrize(
    ("change", "code"), [(expire, "expired"), (migrate, "schema_changed"), (trim, "topic_trimmed")]
)
async def test_a_plan_whose_ground_has_moved_is_neither_approved_nor_run(
    office: Office, change: Change, code: str
) -> None:
    await filled(office)
    first = await office.rehearsed(expires_in_seconds=60)
    second = await office.rehearsed(expires_in_seconds=60)
    await office.step(second, "approve", office.bob)
    await change(office)
    assert (await office.step(first, "approve", office.bob, 409))["code"] == code
    refused = await office.step(second, "run", status=409)
    assert (refused["code"], "plan again" in refused["detail"]) == (code, True)
    assert (await office.get(f"/v1/replays/{second['plan_id']}"))["state"] == "approved"
    assert (await office.step(second, "abort", office.bob))["state"] == "aborted"


async def test_other_code_neither_approves_nor_runs_what_was_planned_before_it_came(office: Office) -> None:
    await filled(office)
    first, second = await office.rehearsed(), await office.rehearsed()
    await office.step(second, "approve", office.bob)
    async with another_office(office, "the code of tomorrow") as tomorrow:
        assert (await tomorrow.step(first, "approve", tomorrow.bob, 409))["code"] == "code_changed"
        assert (await tomorrow.step(second, "run", status=409))["code"] == "code_changed"


async def test_a_running_plan_stands_still_and_goes_on_and_ends_as_anyone_who_operates_says(
    office: Office,
) -> None:
    await filled(office)
    plan = await office.rehearsed()
    await office.step(plan, "approve", office.bob)
    await office.step(plan, "run", office.bob)
    assert (await office.step(plan, "pause", office.bob))["state"] == "paused"
    assert (await office.step(plan, "run", status=409))["code"] == "wrong_state"
    assert (await office.step(plan, "resume"))["state"] == "running"
    ended = await office.step(plan, "abort")
    assert (ended["state"], ended["finished_at"] is not None) == ("aborted", True)
    actions = [each["action"] for each in (await office.get("/v1/audit"))["items"]]
    assert actions[:4] == ["aborted", "resumed", "paused", "run"]


async def test_a_plan_says_when_it_is_good_no_longer(office: Office) -> None:
    await filled(office)
    plan = await office.rehearsed()
    assert plan["expired"] is False
    await office.pool.execute("UPDATE replay_plans SET expires_at = clock_timestamp()")
    assert (await office.get(f"/v1/replays/{plan['plan_id']}"))["expired"] is True
    assert (await office.get("/v1/replays"))["items"][0]["expired"] is True
    await office.step(plan, "abort")
    assert (await office.get(f"/v1/replays/{plan['plan_id']}"))["expired"] is False


async def test_a_rehearsal_whose_process_is_gone_is_told_as_given_up(office: Office) -> None:
    await filled(office)
    plan = await office.rehearsed()
    await office.pool.execute(
        "UPDATE replay_plans SET state = 'rehearsing', heartbeat = clock_timestamp() - interval '31 seconds'"
    )
    found = await office.get(f"/v1/replays/{plan['plan_id']}")
    assert (found["state"], found["given_up"]) == ("rehearsing", True)
    refused = await office.step(plan, "approve", office.bob, 409)
    assert (refused["code"], "plan again" in refused["detail"]) == ("given_up", True)
    assert (await office.step(plan, "abort"))["state"] == "aborted"


async def test_each_act_needs_its_scope_and_a_plan_that_is_not_there_is_404(office: Office) -> None:
    await filled(office)
    plan = await office.rehearsed()
    token = await token_of(office.scene.dsn, "reader", "lanes:read")
    reading = bearer(token)
    path = f"/v1/replays/{plan['plan_id']}"
    assert (await office.ada.get(path, headers=reading)).status_code == 200
    for step in ("approve", "run", "pause", "resume", "abort"):
        assert (await office.ada.post(f"{path}/{step}", headers=reading)).status_code == 403
    asked = await office.ada.post("/v1/replays", json={"kind": "replay"}, headers=reading)
    assert asked.status_code == 403
    for unknown in ("00000000-0000-7000-8000-000000000000", "none"):
        assert (await office.ada.get(f"/v1/replays/{unknown}")).status_code == 404
        assert (await office.ada.post(f"/v1/replays/{unknown}/run")).status_code == 404


async def test_plans_are_listed_newest_first_and_paged(office: Office) -> None:
    await filled(office)
    made = []
    for number in range(3):
        # Of one instant they would stand in any order.
        office.clock.at += timedelta(milliseconds=1)
        made.append((await office.rehearsed(reason=f"number {number}"))["plan_id"])
    first = await office.get("/v1/replays", limit=2)
    rest = await office.get("/v1/replays", limit=2, cursor=first["next_cursor"])
    listed = [*first["items"], *rest["items"]]
    assert [each["plan_id"] for each in listed] == made[::-1]
    assert [(each["lanes"], each["total"], each["done"]) for each in listed] == [(2, 40, 0)] * 3
    assert rest["next_cursor"] is None
