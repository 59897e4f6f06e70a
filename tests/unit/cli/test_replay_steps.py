"""`goodfunds replay list`, `status` and the steps of a plan: what is shown, waited for, refused."""

import json
import re
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from goodfunds.cli import following
from goodfunds.cli.following import standing
from goodfunds.cli.root import INTERRUPTED
from goodfunds.http.paging import cursor_of
from tests.unit.cli.fake_answers import AT, EARLIER_PLAN, FORECAST, PLAN, plan, summary
from tests.unit.cli.fake_services import House, page, problem, refusal

OF_PLAN = f"/v1/replays/{PLAN}"
OUTCOME = {"handled": 9, "skipped": 1, "rows_changed": 3, "events_emitted": 1}
DONE = plan("done", outcome=OUTCOME, finished_at=AT, approved_by="bob", approved_at=AT,
            forecast=FORECAST, forecast_digest="ab", outcome_digest="ab", seconds_left=0)  # fmt: skip


def step_is_answered(house: House, step: str, *after: dict[str, Any], before: str = "running") -> None:
    """A step that leads to the first state of `after`, and what the plan is like from then on."""
    house.service.on("GET", OF_PLAN, (200, plan(before)), *((200, each) for each in after[1:] or after))
    house.service.on("POST", f"{OF_PLAN}/{step}", (200, after[0]))


def test_plans_are_listed_the_newest_first(house: House) -> None:
    first = summary("running", plan_id=EARLIER_PLAN, given_up=False, approved_by="bob")
    second = summary("rehearsing", given_up=True, reason="[red]TICKET-8")
    house.service.on("GET", "/v1/replays", page(first, second))
    answer = house.run("replay", "list")
    assert answer.exit_code == 0
    assert re.findall(rf"^({PLAN}|{EARLIER_PLAN})", answer.stdout, re.MULTILINE) == [PLAN, EARLIER_PLAN]
    for told in (
        "replay of settlement:1, running, 5 of 10", "replay of settlement:1, given up, 5 of 10",
        "2026-03-03 08:00:00 by ada, approved by bob: TICKET-7", "by ada: [red]TICKET-8",
    ):  # fmt: skip
        assert told in answer.stdout, told
    read = json.loads(house.run("replay", "list", "--json").stdout)
    plans = [{"service": "settlement:1", **each} for each in (second, first)]
    assert read == {"plans": plans, "more": False, "silent": {}}


def test_a_list_is_read_page_by_page_as_far_as_is_wanted(house: House) -> None:
    further = cursor_of((EARLIER_PLAN,))
    house.service.on("GET", "/v1/replays", page(summary("done"), cursor=further), page(summary("done")))
    read = json.loads(house.run("replay", "list", "--most", "2", "--json").stdout)
    assert len(read["plans"]) == 2
    asked = [dict(each.url.params) for each in house.service.asked]
    assert asked == [{"limit": "2"}, {"limit": "1", "cursor": further}]


def test_where_nothing_was_planned_the_list_says_so(house: House) -> None:
    house.service.on("GET", "/v1/replays", page())
    answer = house.run("replay", "list")
    assert (answer.exit_code, answer.stdout) == (0, "nothing was ever planned\n")
    assert json.loads(house.run("replay", "list", "--json").stdout)["plans"] == []


@pytest.mark.parametrize(
    ("found", "code", "told"),
    [
        (plan("rehearsing"), 0, "asked for"),
        (plan("rehearsed", forecast=FORECAST, exact=True), 0, f"goodfunds replay approve {PLAN}"),
        (plan("approved", approved_by="bob", approved_at=AT), 0, f"goodfunds replay run {PLAN}"),
        (plan("running"), 0, f"goodfunds replay status {PLAN} --follow"),
        (plan("paused"), 0, f"goodfunds replay resume {PLAN}"),
        (DONE, 0, "as rehearsed"),
        ({**DONE, "outcome_digest": "cd"}, 0, "not all of it was left to do"),
        (plan("drifted", fault="lane 3: slice 2 differs"), 1, "lane 3: slice 2 differs"),
        (plan("failed", fault="lane 3: [KeyError]"), 1, "lane 3: [KeyError]"),
        (plan("aborted"), 1, "aborted"),
        (plan("rehearsing", given_up=True), 1, "the rehearsal ended with its process"),
    ],
)
def test_a_plan_is_shown_in_every_state_with_what_is_to_be_done(
    house: House, found: dict[str, Any], code: int, told: str
) -> None:
    house.service.on("GET", OF_PLAN, (200, found))
    answer = house.run("replay", "status", PLAN)
    assert (answer.exit_code, answer.stderr) == (code, "")
    assert told in answer.stdout
    read = house.run("replay", "status", PLAN, "--json")
    assert read.exit_code == code
    shown = json.loads(read.stdout)
    assert {**shown, "next": None} == {"service": "settlement:1", **found, "next": None}


def test_a_plan_is_followed_until_it_stands_still(house: House) -> None:
    house.service.on("GET", OF_PLAN, (200, plan("running", done=4)), (200, plan("running")), (200, DONE))
    answer = house.run("replay", "status", PLAN, "--follow", "--json")
    assert (answer.exit_code, json.loads(answer.stdout)["state"]) == (0, "done")
    # A line a state, and further ones of one that lasts.
    assert answer.stderr == "running: 4 of 10 records, 1 min 1 s left\n"


def test_a_terminal_shows_a_bar_that_is_gone_in_the_end(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = StringIO()
    terminal = Console(file=seen, force_terminal=True, width=100, _environ={"TERM": "xterm"})
    monkeypatch.setattr(following, "ERRORS", terminal)
    house.service.on("GET", OF_PLAN, (200, plan("running")), (200, DONE))
    answer = house.run("replay", "status", PLAN, "--follow", "--json")
    assert json.loads(answer.stdout)["state"] == "done"
    assert "running: 5 of 10 records, 1 min 1 s left" in seen.getvalue()
    assert answer.stderr == ""


def test_a_rehearsal_whose_process_is_gone_is_not_waited_for(house: House) -> None:
    house.service.on("GET", OF_PLAN, (200, plan("rehearsing", given_up=True)))
    answer = house.run("replay", "status", PLAN, "--follow")
    assert answer.exit_code == 1
    assert "plan again" in answer.stdout


def test_how_far_a_plan_is_says_nothing_of_a_time_that_nobody_knows() -> None:
    assert standing({**plan("running", seconds_left=None)})[2] == "running: 5 of 10 records"


def test_an_approval_is_shown_with_who_gave_it(house: House) -> None:
    approved = plan("approved", approved_by="bob", approved_at=AT)
    step_is_answered(house, "approve", approved, before="rehearsed")
    answer = house.run("replay", "approve", PLAN)
    assert answer.exit_code == 0
    assert "by bob" in answer.stdout
    assert f"next: goodfunds replay run {PLAN}" in answer.stdout
    read = json.loads(house.run("replay", "approve", PLAN, "--json").stdout)
    assert (read["state"], read["next"]) == ("approved", f"goodfunds replay run {PLAN}")


def test_a_run_is_waited_for_and_says_that_it_did_what_was_rehearsed(house: House) -> None:
    step_is_answered(house, "run", plan("running"), plan("running"), DONE, before="approved")
    answer = house.run("replay", "run", PLAN)
    assert answer.exit_code == 0
    for told in ("by bob", "rows changed", "to the row"):
        assert told in answer.stdout, told
    assert "running: 5 of 10 records" in answer.stderr


@pytest.mark.parametrize("step", ["run", "resume"])
def test_a_program_gets_what_came_of_a_plan_when_it_is_done(house: House, step: str) -> None:
    step_is_answered(house, step, plan("running"), plan("running"), DONE)
    answer = house.run("replay", step, PLAN, "--json")
    assert answer.exit_code == 0
    assert json.loads(answer.stdout) == {"service": "settlement:1", **DONE, "next": None}


@pytest.mark.parametrize("step", ["run", "resume"])
def test_whoever_does_not_wait_is_told_that_it_runs(house: House, step: str) -> None:
    step_is_answered(house, step, plan("running"))
    answer = house.run("replay", step, PLAN, "--no-wait")
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert f"next: goodfunds replay status {PLAN} --follow" in answer.stdout
    assert len(house.service.asked) == 2


@pytest.mark.parametrize("step", ["run", "resume"])
@pytest.mark.parametrize("state", ["failed", "drifted", "aborted"])
def test_a_run_that_did_not_do_its_work_ends_with_1(house: House, step: str, state: str) -> None:
    step_is_answered(house, step, plan("running"), plan(state, fault="lane 3: payments/3@12: [KeyError]"))
    answer = house.run("replay", step, PLAN, "--json")
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["state"] == state
    assert "lane 3: payments/3@12: [KeyError]" in house.run("replay", "status", PLAN).stdout


def test_a_run_that_somebody_pauses_is_not_waited_for_any_more(house: House) -> None:
    step_is_answered(house, "run", plan("running"), plan("running"), plan("paused"), before="approved")
    answer = house.run("replay", "run", PLAN)
    assert answer.exit_code == 0
    assert f"next: goodfunds replay resume {PLAN}" in answer.stdout


@pytest.mark.parametrize("step", ["run", "resume"])
def test_whoever_stops_waiting_is_told_that_it_goes_on(
    house: House, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    step_is_answered(house, step, plan("running"))

    async def interrupted(*_given: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(following, "plan_of", interrupted)
    answer = house.run("replay", step, PLAN)
    assert (answer.exit_code, answer.stdout) == (INTERRUPTED, "")
    assert f"goodfunds replay status {PLAN} --follow" in answer.stderr
    assert f"goodfunds replay abort {PLAN}" in answer.stderr


def test_a_pause_says_how_to_go_on(house: House) -> None:
    step_is_answered(house, "pause", plan("paused"))
    answer = house.run("replay", "pause", PLAN)
    assert answer.exit_code == 0
    assert f"next: goodfunds replay resume {PLAN}" in answer.stdout
    assert json.loads(house.run("replay", "pause", PLAN, "--json").stdout)["state"] == "paused"


def test_an_abort_says_what_was_done_before_it(house: House) -> None:
    step_is_answered(house, "abort", plan("aborted"))
    answer = house.run("replay", "abort", PLAN)
    assert (answer.exit_code, answer.stdout) == (0, f"{PLAN} is aborted; 5 of 10 records were done\n")
    read = house.run("replay", "abort", PLAN, "--json")
    assert (read.exit_code, json.loads(read.stdout)["state"]) == (0, "aborted")


@pytest.mark.parametrize(
    ("step", "code", "detail"),
    [
        ("approve", "same-person", "ada has planned it: somebody else has to approve it"),
        ("approve", "expired", "the plan was good until 2026-03-03T09:00:00+00:00: plan again"),
        ("approve", "given-up", "its rehearsal ended with the process that it ran in: plan again"),
        ("run", "wrong-state", "it is rehearsed; to run it, it has to be approved"),
        ("run", "code-changed", "the code is another than the one it was planned with: plan again"),
        ("run", "schema-changed", "the tables have changed since it was planned: plan again"),
        ("run", "topic-trimmed", "payments/3 begins at offset 100: plan again"),
        ("pause", "wrong-state", "it is paused; to pause it, it has to be running"),
        ("resume", "wrong-state", "it is running; to resume it, it has to be paused"),
        ("abort", "wrong-state", "it is over: done; plan again"),
    ],
)
def test_a_step_that_is_refused_tells_why_and_ends_with_1(
    house: House, step: str, code: str, detail: str
) -> None:
    house.service.on("GET", OF_PLAN, (200, plan("rehearsed")))
    house.service.on("POST", f"{OF_PLAN}/{step}", refusal(code, detail))
    answer = house.run("replay", step, PLAN)
    assert (answer.exit_code, answer.stdout, answer.stderr) == (1, "", f"settlement:1: {detail}\n")
    answer = house.run("replay", step, PLAN, "--json")
    told = {"service": "settlement:1", "code": code, "detail": detail}
    assert (answer.exit_code, json.loads(answer.stdout)) == (1, {"refused": told})


@pytest.mark.parametrize("step", ["approve", "run", "pause", "resume", "abort"])
def test_a_token_without_the_scope_has_not_got_the_step_done(house: House, step: str) -> None:
    house.service.on("GET", OF_PLAN, (200, plan("rehearsed")))
    house.service.on("POST", f"{OF_PLAN}/{step}", problem(403, "the token has not the scope lanes:approve"))
    answer = house.run("replay", step, PLAN, "--json")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "the token has not the scope lanes:approve" in answer.stderr


@pytest.mark.parametrize("command", ["status", "approve", "run", "pause", "resume", "abort"])
def test_an_id_that_is_none_is_told_and_one_of_no_plan_is_a_no(house: House, command: str) -> None:
    answer = house.run("replay", command, "7")
    assert (answer.exit_code, house.service.asked) == (2, [])
    assert "a plan's id is a UUID" in answer.stderr
    house.service.on("GET", OF_PLAN, problem(404, "no plan has that id"))
    answer = house.run("replay", command, PLAN)
    assert (answer.exit_code, house.service.posted()) == (1, [])
    assert answer.stderr == "settlement:1: no plan has that id\n"
