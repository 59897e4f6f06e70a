"""`goodfunds replay plan`: what is asked of a service, what a rehearsal foresees, and its exit codes."""

import json
from typing import Any

import pytest

from goodfunds.cli.plans import sample_line
from tests.unit.cli.fake_answers import FORECAST, PLAN, plan
from tests.unit.cli.fake_services import House, problem, refusal

OF_PLAN = f"/v1/replays/{PLAN}"
REHEARSING = 202, plan("rehearsing")


def sent(house: House) -> Any:
    (asked,) = [each for each in house.service.asked if each.method == "POST"]
    return json.loads(asked.content)


def test_a_plan_is_rehearsed_and_tells_what_it_would_do_and_what_to_type_next(house: House) -> None:
    house.service.on("POST", "/v1/replays", REHEARSING)
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


def test_a_program_gets_the_whole_forecast_and_the_next_step(house: House) -> None:
    house.service.on("POST", "/v1/replays", REHEARSING)
    rehearsed = plan("rehearsed", forecast=FORECAST, exact=True, forecast_digest="ab")
    house.service.on("GET", OF_PLAN, (200, rehearsed))
    answer = house.run("replay", "plan", "payments", "--rate", "50", "--reason", "TICKET-7", "--json")
    following = f"somebody else: goodfunds replay approve {PLAN}"
    assert answer.exit_code == 0
    assert json.loads(answer.stdout) == {"service": "settlement:1", **rehearsed, "next": following}
    assert sent(house)["rate"] == 50


def test_a_plan_that_changes_nothing_says_so(house: House) -> None:
    house.service.on("POST", "/v1/replays", REHEARSING)
    clean = {**FORECAST, **{each: {} for each in ("rows", "events", "refusals", "money", "samples")},
             "unchanged": 9, "faults": {"count": 0, "first": []}}  # fmt: skip
    house.service.on("GET", OF_PLAN, (200, plan("rehearsed", forecast=clean, exact=True)))
    answer = house.run("replay", "plan", "payments", "--reason", "x")
    assert answer.exit_code == 0
    assert "nothing changes" in answer.stdout
    assert "would fault" not in answer.stdout


def test_whoever_does_not_wait_gets_the_plan_as_it_begins(house: House) -> None:
    house.service.on("POST", "/v1/replays", REHEARSING)
    answer = house.run("replay", "plan", "payments", "--reason", "x", "--no-wait", "--json")
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert json.loads(answer.stdout)["state"] == "rehearsing"
    assert len(house.service.asked) == 1


def test_a_row_that_would_be_new_is_told_without_what_is_empty_in_it() -> None:
    row = {"payment_id": "01a2", "amount_minor": 149_214, "currency": "EUR", "uetr": "", "reason": None}
    change = {"operation": "insert", "key": {"payment_id": "01a2"}, "before": None, "after": row}
    assert sample_line(change) == "  insert payment_id 01a2\n    amount_minor=1,492.14 EUR currency=EUR"


def test_times_without_an_offset_are_utc(house: House) -> None:
    house.service.on("POST", "/v1/replays", REHEARSING)
    house.run("replay", "plan", "payments", "--from-time", "2026-11-28T14:00", "--to-time",
              "2026-11-28T16:00+01:00", "--reason", "x", "--no-wait")  # fmt: skip
    asked = sent(house)
    assert (asked["from_time"], asked["to_time"]) == (
        "2026-11-28T14:00:00+00:00",
        "2026-11-28T16:00:00+01:00",
    )


def test_accounts_and_payments_are_named_as_often_as_is_wanted(house: House) -> None:
    house.service.on("POST", "/v1/replays", REHEARSING)
    house.run("replay", "plan", "--key", "DE00ADA", "--key", "DE00BOB", "--payment", PLAN, "--reason", "x",
              "--no-wait")  # fmt: skip
    wanted = {"kind": "replay", "keys": ["DE00ADA", "DE00BOB"], "payments": [PLAN], "reason": "x"}
    assert sent(house) == wanted


def test_parked_events_are_planned_by_what_they_have_in_common(house: House) -> None:
    house.service.on("POST", "/v1/replays", (202, plan("rehearsing", kind="release")))
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
        ("payments", "--parked-before", "2026-11-28", "--reason", "x"),
        ("payments", "--from-time", "yesterday", "--reason", "x"),
        ("payments", "--from-offset", "-1", "--reason", "x"),
        ("payments", "--expires-in", "59", "--reason", "x"),
        ("payments",),
    ],
)
def test_a_mistake_in_what_is_planned_is_told_and_not_sent(house: House, words: tuple[str, ...]) -> None:
    assert house.run("replay", "plan", *words).exit_code == 2
    assert house.service.asked == []


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("beyond-horizon", "payments/3 begins at offset 100, not at 10"),
        ("not-handled-yet", "lane 3 has handled payments/3 up to offset 90"),
        ("lane-stopped", "lane 3 is stopped"),
        ("no-such-topic", "it is none of this service's inputs"),
        ("nothing-selected", "no record that these lanes have handled is selected"),
        ("too-many", "too many plans wait to be rehearsed"),
    ],
)
def test_a_plan_that_is_refused_tells_why_and_ends_with_1(house: House, code: str, detail: str) -> None:
    house.service.on("POST", "/v1/replays", refusal(code, detail))
    answer = house.run("replay", "plan", "payments", "--reason", "x")
    assert (answer.exit_code, answer.stdout, answer.stderr) == (1, "", f"settlement:1: {detail}\n")
    told = {"service": "settlement:1", "code": code, "detail": detail}
    answer = house.run("replay", "plan", "payments", "--reason", "x", "--json")
    assert (answer.exit_code, json.loads(answer.stdout)) == (1, {"refused": told})


def test_what_does_not_fit_together_is_a_mistake(house: House) -> None:
    errors = [{"pointer": "/from_offset", "detail": "offsets are of one partition: name it"}]
    house.service.on("POST", "/v1/replays", problem(422, "the request is not valid", errors=errors))
    answer = house.run("replay", "plan", "payments", "--reason", "x", "--json")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "from_offset: offsets are of one partition: name it" in answer.stderr


@pytest.mark.parametrize(
    ("ended", "why"),
    [
        ({"state": "failed", "fault": "KeyError: 'x'"}, "KeyError: 'x'"),
        ({"state": "aborted"}, "aborted"),
        ({"state": "rehearsing", "given_up": True}, "given up"),
    ],
)
def test_a_rehearsal_that_comes_to_nothing_ends_with_1(house: House, ended: dict[str, Any], why: str) -> None:
    house.service.on("POST", "/v1/replays", REHEARSING)
    house.service.on("GET", OF_PLAN, (200, plan("rehearsing")), (200, plan(**ended)))
    answer = house.run("replay", "plan", "payments", "--reason", "x")
    assert answer.exit_code == 1
    assert why in answer.stdout
    assert "replay approve" not in answer.stdout
