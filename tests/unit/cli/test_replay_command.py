"""`goodfunds replay`: what a plan is asked for with, how it is followed and shown, and its exit codes."""

import json
from typing import Any

import httpx
import pytest

from goodfunds.cli import following, selfcheck
from goodfunds.cli.following import standing
from goodfunds.cli.plans import sample_line
from goodfunds.cli.root import INTERRUPTED
from goodfunds.cli.selfcheck import is_clean, sentence, summed
from goodfunds.operating.replay_shapes import PlanSummary, StateDigestView
from tests.unit.cli.fake_services import AT, FORECAST, PLAN, House, lane, lanes, page, plan, problem

OF_PLAN = f"/v1/replays/{PLAN}"


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(following, "_EVERY_SECONDS", 0)
    return House(monkeypatch)


def sent(house: House) -> Any:
    (asked,) = [each for each in house.service.asked if each.method == "POST"]
    return json.loads(asked.content)


def test_a_plan_is_rehearsed_and_tells_what_it_would_do_and_what_to_type_next(house: House) -> None:
    house.service.on("POST", "/v1/replays", (202, plan("rehearsing")))
    rehearsed = plan("rehearsed", forecast=FORECAST, exact=False)
    house.service.on("GET", OF_PLAN, (200, plan("rehearsing")), (200, rehearsed))
    answer = house.run(
        "replay", "plan", "payments", "--partition", "3", "--from-offset", "10", "--to-offset", "20",
        "--reason", "TICKET-7", "--expires-in", "600",
    )  # fmt: skip
    assert answer.exit_code == 0
    for told in (
        "topic payments, partitions 3", "balances: update", "settlement-notifications: PaymentSettled",
        "-1,234.56 EUR", "+1,234.56 EUR", "AM04", "balance_minor: 2,000.00 EUR → 765.44 EUR", "skipped",
        "would fault payments/3@12: KeyError: [bold]'x'", "1 further record would fault", "not exact",
        f"next: somebody else: goodfunds replay approve {PLAN}", "payments 10 to 20", "5 of 10",
    ):  # fmt: skip
        assert told in answer.stdout, told
    assert "rehearsing: 4 of 10 records, 1 min 1 s left" in answer.stderr
    assert sent(house) == {
        "kind": "replay", "topic": "payments", "partitions": [3], "from_offset": 10, "to_offset": 20,
        "reason": "TICKET-7", "expires_in_seconds": 600,
    }  # fmt: skip


def test_a_row_that_would_be_new_is_told_without_what_is_empty_in_it() -> None:
    row = {"payment_id": "01a2", "amount_minor": 149_214, "currency": "EUR", "uetr": "", "reason": None}
    change = {"operation": "insert", "key": {"payment_id": "01a2"}, "before": None, "after": row}
    assert sample_line(change) == "  insert payment_id 01a2\n    amount_minor=1,492.14 EUR currency=EUR"


def test_times_without_an_offset_are_utc(house: House) -> None:
    house.service.on("POST", "/v1/replays", (202, plan("rehearsed")))
    house.run("replay", "plan", "payments", "--from-time", "2026-11-28T14:00", "--to-time",
              "2026-11-28T15:00+01:00", "--reason", "x", "--no-wait")  # fmt: skip
    asked = sent(house)
    assert (asked["from_time"], asked["to_time"]) == (
        "2026-11-28T14:00:00+00:00",
        "2026-11-28T15:00:00+01:00",
    )


def test_parked_events_are_planned_by_what_they_have_in_common(house: House) -> None:
    house.service.on("POST", "/v1/replays", (202, plan("rehearsed", kind="release")))
    house.run("replay", "plan", "--parked", "--key", "DE00ADA", "--partition", "3", "--fault", "KeyError",
              "--parked-before", "2026-11-28", "--reason", "mended", "--no-wait")  # fmt: skip
    assert sent(house) == {
        "kind": "replay", "reason": "mended",
        "parked": {"keys": ["DE00ADA"], "lanes": [3], "fault_contains": "KeyError",
                   "parked_before": "2026-11-28T00:00:00+00:00"},
    }  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ("payments", "--fault", "x", "--reason", "x"),
        ("--parked", "--payment", PLAN, "--reason", "x"),
        ("payments", "--from-time", "yesterday", "--reason", "x"),
        ("payments",),
    ],
)
def test_a_mistake_in_what_is_planned_is_told_and_not_sent(house: House, words: tuple[str, ...]) -> None:
    assert house.run("replay", "plan", *words).exit_code == 2
    assert house.service.asked == []


def test_a_plan_beyond_the_horizon_is_refused_with_the_bound(house: House) -> None:
    refusal = "payments/3 begins at offset 100, not at 10"
    house.service.on("POST", "/v1/replays", problem(409, refusal, "urn:goodfunds:replay:beyond-horizon"))
    answer = house.run("replay", "plan", "payments", "--reason", "x", "--json")
    assert answer.exit_code == 1
    told = {"service": "settlement:1", "code": "beyond-horizon", "detail": refusal}
    assert json.loads(answer.stdout) == {"refused": told}
    assert refusal in answer.stderr


def test_a_run_is_waited_for_and_says_that_it_did_what_was_rehearsed(house: House) -> None:
    house.service.on("POST", f"{OF_PLAN}/run", (200, plan("running")))
    outcome = {"handled": 9, "skipped": 1, "rows_changed": 3, "events_emitted": 1}
    digests = {"forecast_digest": "ab", "outcome_digest": "ab"}
    done = plan("done", outcome=outcome, finished_at=AT, approved_by="bob", approved_at=AT, **digests)
    house.service.on("GET", OF_PLAN, (200, plan("approved")), (200, plan("running")), (200, done))
    answer = house.run("replay", "run", PLAN)
    assert answer.exit_code == 0
    for told in ("by bob", "rows changed", "to the row"):
        assert told in answer.stdout, told
    assert "running: 5 of 10 records" in answer.stderr


@pytest.mark.parametrize("state", ["failed", "drifted", "aborted"])
def test_a_run_that_did_not_do_its_work_ends_with_1(house: House, state: str) -> None:
    house.service.on("POST", f"{OF_PLAN}/run", (200, plan("running")))
    ended = plan(state, fault="lane 3: payments/3@12: [KeyError]")
    house.service.on("GET", OF_PLAN, (200, plan("approved")), (200, ended))
    answer = house.run("replay", "run", PLAN, "--json")
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["state"] == state
    assert "lane 3: payments/3@12: [KeyError]" in house.run("replay", "status", PLAN).stdout


def test_a_rehearsal_whose_process_is_gone_is_not_waited_for(house: House) -> None:
    house.service.on("GET", OF_PLAN, (200, plan("rehearsing", given_up=True)))
    answer = house.run("replay", "status", PLAN, "--follow")
    assert answer.exit_code == 1
    assert "plan again" in answer.stdout


def test_whoever_stops_waiting_is_told_that_it_goes_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.service.on("POST", f"{OF_PLAN}/run", (200, plan("running")))
    house.service.on("GET", OF_PLAN, (200, plan("running")))

    async def interrupted(*_given: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(following, "plan_of", interrupted)
    answer = house.run("replay", "run", PLAN)
    assert answer.exit_code == INTERRUPTED
    assert f"goodfunds replay status {PLAN} --follow" in answer.stderr
    assert f"goodfunds replay abort {PLAN}" in answer.stderr


def test_a_service_that_starts_anew_is_waited_for_and_one_that_stays_away_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(request: httpx.Request) -> tuple[int, object]:
        raise httpx.ConnectError("refused", request=request)

    done = plan("done", outcome={"handled": 10}, finished_at=AT)
    house.service.on("POST", f"{OF_PLAN}/run", (200, plan("running")))
    house.service.on("GET", OF_PLAN, (200, plan("approved")), away, away, (200, done))
    answer = house.run("replay", "run", PLAN)
    assert (answer.exit_code, "waiting for it" in answer.stderr) == (0, True)
    monkeypatch.setattr(following, "_AWAY_SECONDS", 0.0)
    house.service.on("GET", OF_PLAN, (200, plan("approved")), away)
    answer = house.run("replay", "run", PLAN)
    assert answer.exit_code == 2
    assert f"goodfunds replay status {PLAN} --follow" in answer.stderr


@pytest.mark.parametrize(
    ("step", "state"), [("approve", "approved"), ("pause", "paused"), ("abort", "aborted")]
)
def test_a_step_is_taken_and_what_follows_is_told(house: House, step: str, state: str) -> None:
    house.service.on("GET", OF_PLAN, (200, plan("running")))
    house.service.on("POST", f"{OF_PLAN}/{step}", (200, plan(state)))
    answer = house.run("replay", step, PLAN)
    assert answer.exit_code == 0
    assert state in answer.stdout


@pytest.mark.parametrize("state", ["rehearsed", "approved"])
def test_a_plan_that_is_good_no_longer_says_so_and_what_to_do(house: House, state: str) -> None:
    house.service.on("GET", OF_PLAN, (200, plan(state, expires_at=AT, expired=True)))
    answer = house.run("replay", "status", PLAN)
    assert answer.exit_code == 0
    assert "expired" in answer.stdout
    assert answer.stdout.splitlines()[-1].startswith("next: plan again")
    assert "replay approve" not in answer.stdout
    assert "replay run" not in answer.stdout


def test_an_id_that_is_none_is_told_and_one_of_no_plan_is_a_no(house: House) -> None:
    assert house.run("replay", "status", "7").exit_code == 2
    house.service.on("GET", OF_PLAN, problem(404, "no plan has that id"))
    assert house.run("replay", "approve", PLAN).exit_code == 1


def test_plans_are_listed_the_newest_first(house: House) -> None:
    told = {**plan("running", approved_by="bob"), "lanes": 3}
    found = PlanSummary(**{name: told[name] for name in PlanSummary.model_fields})
    house.service.on("GET", "/v1/replays", page(found.model_dump(mode="json")))
    answer = house.run("replay", "list")
    assert answer.exit_code == 0
    for each in (PLAN, "running", "5 of 10", "approved by bob", "TICKET-7"):
        assert each in answer.stdout, each
    house.service.on("GET", "/v1/replays", page())
    assert json.loads(house.run("replay", "list", "--json").stdout)["plans"] == []


def checked(house: House, *digests: str, **differing: Any) -> Any:
    """The result of a self-check, and its exit code."""
    clean = {"rows_changed": 0, "events_emitted": 0, "handled": 10}
    share = {**plan("done")["lanes"][0], **clean, **differing}
    done = {**plan("done", kind="selfcheck"), "lanes": [share]}
    views = [StateDigestView(at=AT, digest=each, tables=[]).model_dump(mode="json") for each in digests]
    house.service.on("GET", "/v1/lanes", (200, lanes(lane(0))))
    house.service.on("GET", "/v1/state-digest", *((200, each) for each in views))
    house.service.on("POST", "/v1/selfchecks", (202, {**done, "state": "running"}))
    house.service.on("GET", OF_PLAN, (200, done))
    answer = house.run("replay", "selfcheck", "--json")
    return json.loads(answer.stdout), answer.exit_code


def test_a_selfcheck_that_changes_nothing_says_so_by_service_and_topic(house: House) -> None:
    told, code = checked(house, "same", "same")
    assert (code, told["holds"]) == (0, True)
    assert (told["replayed"], told["rows_changed"], told["events_emitted"]) == (10, 0, 0)
    assert told["digest_before"] == told["digest_after"]
    assert told["services"]["settlement:1"]["topics"]["payments"]["replayed"] == 10
    assert told["seconds"] >= 0
    answer = house.run("replay", "selfcheck")
    assert "change nothing" in answer.stdout
    assert "handling once more… 0 of 7 records" in answer.stderr


@pytest.mark.parametrize(
    ("digests", "differing"),
    [(("a", "b"), {}), (("a", "a"), {"rows_changed": 1}), (("a", "a"), {"events_emitted": 1})],
)
def test_a_selfcheck_that_differs_ends_with_1(
    house: House, digests: tuple[str, str], differing: dict[str, int]
) -> None:
    told, code = checked(house, *digests, **differing)
    assert (code, told["holds"]) == (1, False)


def test_a_topic_that_has_let_go_of_all_is_no_fault_of_a_selfcheck(house: House) -> None:
    house.service.on("GET", "/v1/lanes", (200, lanes(lane(0))))
    digest = StateDigestView(at=AT, digest="a", tables=[]).model_dump(mode="json")
    house.service.on("GET", "/v1/state-digest", (200, digest))
    nothing = problem(409, "no record is selected", "urn:goodfunds:replay:nothing-selected")
    house.service.on("POST", "/v1/selfchecks", nothing)
    answer = house.run("replay", "selfcheck", "--json")
    assert (answer.exit_code, json.loads(answer.stdout)["replayed"]) == (0, 0)


def test_whoever_interrupts_a_selfcheck_is_told_what_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(*_given: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(selfcheck, "plan_of", interrupted)
    with pytest.raises(json.JSONDecodeError):
        checked(house, "same", "same")
    answer = house.run("replay", "selfcheck")
    assert (answer.exit_code, answer.stdout) == (INTERRUPTED, "")
    assert "what runs goes on" in answer.stderr


def test_a_selfcheck_that_broke_off_is_not_clean() -> None:
    failed = {"settlement": {"payments": plan("failed", kind="selfcheck", fault="KeyError")}}
    told = summed(failed, {"settlement": "a"}, {"settlement": "a"}, 1.0)
    assert not is_clean(told)
    assert sentence(told) == "not all was looked at: settlement payments: failed: KeyError"


def test_how_far_a_plan_is_says_nothing_of_a_time_that_nobody_knows() -> None:
    assert standing({**plan("running", seconds_left=None)})[2] == "running: 5 of 10 records"
