"""`goodfunds replay selfcheck`: what was handled is handled once more, and must change nothing."""

import json
from typing import Any

import pytest

from goodfunds.cli import selfcheck as checking
from goodfunds.cli.root import INTERRUPTED
from goodfunds.cli.selfcheck import is_clean, sentence, summed
from goodfunds.operating.replay_shapes import StateDigestView
from goodfunds.operating.shapes import InputView
from tests.unit.cli.fake_answers import AT, PLAN, lane, lanes, plan
from tests.unit.cli.fake_services import House, refusal

OF_PLAN = f"/v1/replays/{PLAN}"
CLEAN = {"rows_changed": 0, "events_emitted": 0, "handled": 10, "skipped": 0}


def selfcheck(state: str, **differing: Any) -> dict[str, Any]:
    """A plan of one lane; `differing` of its share, but a `fault` of the plan."""
    fault = differing.pop("fault", None)
    share = {**plan(state)["lanes"][0], **CLEAN, **differing}
    return plan(state, kind="selfcheck", lanes=[share], fault=fault)


def answered(house: House, *digests: str, **differing: Any) -> None:
    views = [StateDigestView(at=AT, digest=each, tables=[]).model_dump(mode="json") for each in digests]
    house.service.on("GET", "/v1/lanes", (200, lanes(lane(0))))
    house.service.on("GET", "/v1/state-digest", *((200, each) for each in views))
    house.service.on("POST", "/v1/selfchecks", (202, selfcheck("running")))
    house.service.on("GET", OF_PLAN, (200, selfcheck("running")), (200, selfcheck("done", **differing)))


def test_a_selfcheck_that_changes_nothing_says_so_by_service_and_topic(house: House) -> None:
    answered(house, "same")
    answer = house.run("replay", "selfcheck", "--json")
    told = json.loads(answer.stdout)
    assert (answer.exit_code, told["holds"], told["faults"]) == (0, True, [])
    assert (told["replayed"], told["rows_changed"], told["events_emitted"]) == (10, 0, 0)
    assert told["digest_before"] == told["digest_after"]
    topic = {"plan_id": PLAN, "state": "done", "replayed": 10, "rows_changed": 0, "events_emitted": 0}
    digests = {"digest_before": "same", "digest_after": "same"}
    assert told["services"] == {"settlement:1": {**digests, "topics": {"payments": topic}}}
    assert told["seconds"] >= 0


def test_a_selfcheck_is_shown_topic_by_topic(house: House) -> None:
    answered(house, "same")
    answer = house.run("replay", "selfcheck")
    assert answer.exit_code == 0
    for told in ("payments", "10", "done", "what its database holds", "the same"):
        assert told in answer.stdout, told
    assert answer.stdout.endswith("10 records handled once more change nothing\n")
    assert "handling once more… 0 of 7 records" in answer.stderr


def test_a_selfcheck_takes_no_more_than_its_rate(house: House) -> None:
    answered(house, "same")
    assert house.run("replay", "selfcheck", "--rate", "50").exit_code == 0
    (asked,) = [each for each in house.service.asked if each.method == "POST"]
    wanted = {"topic": "payments", "rate": 50, "reason": "goodfunds replay selfcheck"}
    assert json.loads(asked.content) == wanted


@pytest.mark.parametrize(
    ("digests", "differing", "why"),
    [
        (("a", "b"), {}, "the databases changed meanwhile"),
        (("a",), {"rows_changed": 1_200}, "1,200 rows would change and 0 events would go out"),
        (("a",), {"events_emitted": 1}, "0 rows would change and 1 events would go out"),
    ],
)
def test_a_selfcheck_that_differs_ends_with_1(
    house: House, digests: tuple[str, ...], differing: dict[str, int], why: str
) -> None:
    answered(house, *digests, **differing)
    answer = house.run("replay", "selfcheck")
    assert answer.exit_code == 1
    assert why in answer.stdout
    answered(house, *digests, **differing)
    answer = house.run("replay", "selfcheck", "--json")
    assert (answer.exit_code, json.loads(answer.stdout)["holds"]) == (1, False)


def test_a_selfcheck_that_breaks_off_ends_with_1(house: House) -> None:
    answered(house, "a")
    house.service.on("GET", OF_PLAN, (200, selfcheck("failed", fault="lane 3: KeyError")))
    answer = house.run("replay", "selfcheck")
    assert answer.exit_code == 1
    assert "not all was looked at: settlement:1 payments: failed: lane 3: KeyError" in answer.stdout


def test_what_no_lane_has_handled_is_not_asked_for(house: House) -> None:
    answered(house, "a")
    (read,) = lane(0).inputs
    unread = InputView(**{**read.model_dump(), "topic": "statements", "offset": 0})
    house.service.on("GET", "/v1/lanes", (200, lanes(lane(0, inputs=[unread]))))
    answer = house.run("replay", "selfcheck", "--json")
    assert (answer.exit_code, json.loads(answer.stdout)["replayed"]) == (0, 0)
    assert house.service.posted() == []


def test_a_topic_that_has_let_go_of_all_is_no_fault_of_a_selfcheck(house: House) -> None:
    answered(house, "a")
    house.service.on("POST", "/v1/selfchecks", refusal("nothing-selected", "no record is selected"))
    answer = house.run("replay", "selfcheck", "--json")
    assert (answer.exit_code, json.loads(answer.stdout)["replayed"]) == (0, 0)


def test_a_selfcheck_that_is_refused_tells_why_and_ends_with_1(house: House) -> None:
    answered(house, "a")
    house.service.on("POST", "/v1/selfchecks", refusal("lane-stopped", "lane 3 is stopped"))
    answer = house.run("replay", "selfcheck")
    assert (answer.exit_code, answer.stderr.splitlines()[-1]) == (1, "settlement:1: lane 3 is stopped")


def test_a_selfcheck_that_broke_off_is_not_clean() -> None:
    failed = {"settlement": {"payments": plan("failed", kind="selfcheck", fault="KeyError")}}
    told = summed(failed, {"settlement": "a"}, {"settlement": "a"}, 1.0)
    assert not is_clean(told)
    assert sentence(told) == "not all was looked at: settlement payments: failed: KeyError"


def test_whoever_interrupts_a_selfcheck_is_told_what_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(*_given: Any) -> Any:
        raise KeyboardInterrupt

    answered(house, "same")
    monkeypatch.setattr(checking, "plan_of", interrupted)
    answer = house.run("replay", "selfcheck")
    assert (answer.exit_code, answer.stdout) == (INTERRUPTED, "")
    assert "what runs goes on" in answer.stderr
