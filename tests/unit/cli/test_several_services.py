"""Commands of operators beside a whole stack: which service is asked, and where the question has to say."""

import json
from typing import Any

import pytest

from goodfunds.operating.replay_shapes import StateDigestView
from goodfunds.operating.shapes import ParkedView
from tests.unit.cli.fake_answers import AT, EARLIER_PLAN, PLAN, lane, lanes, plan, summary
from tests.unit.cli.fake_services import House, page, problem

OF_PLAN = f"/v1/replays/{PLAN}"
PARKED = ParkedView(
    topic="payments", partition=3, offset=12, lane=3, parked_seq=5, key="DE00ADA", event_type="",
    age_seconds=1, payment_id=None, amount_minor=None, currency=None, poison=True, fault="x", broker_time=AT,
    parked_at=AT,
).model_dump(mode="json")  # fmt: skip


def told_by_all(house: House, path: str, *answers: Any) -> None:
    for service in house.services.values():
        service.on("GET", path, *answers)


def asked_of(house: House) -> list[str]:
    """The services that were asked anything."""
    return [name for name, service in house.services.items() if service.asked]


def test_plans_of_all_services_are_one_list_the_newest_first(house: House) -> None:
    told_by_all(house, "/v1/replays", page())
    house.services["ingestion"].on("GET", "/v1/replays", page(summary("done", plan_id=EARLIER_PLAN)))
    house.services["reconciliation"].on("GET", "/v1/replays", page(summary("running")))
    read = json.loads(house.run_beside_the_stack("replay", "list", "--json").stdout)
    told = [(each["service"], each["plan_id"]) for each in read["plans"]]
    assert told == [("reconciliation", PLAN), ("ingestion", EARLIER_PLAN)]


def test_one_service_alone_is_asked_where_it_is_named(house: House) -> None:
    told_by_all(house, "/v1/replays", page())
    assert house.run_beside_the_stack("replay", "list", "--service", "settlement").exit_code == 0
    assert asked_of(house) == ["settlement"]
    answer = house.run_beside_the_stack("replay", "list", "--service", "moon")
    assert answer.exit_code == 2
    assert "no service is called 'moon'" in answer.stderr


def test_a_plan_is_found_wherever_it_is_and_stepped_there(house: House) -> None:
    told_by_all(house, OF_PLAN, problem(404, "no plan has that id"))
    last = house.services[list(house.services)[-1]]
    last.on("GET", OF_PLAN, (200, plan("running")))
    last.on("POST", f"{OF_PLAN}/pause", (200, plan("paused")))
    assert house.run_beside_the_stack("replay", "pause", PLAN).exit_code == 0
    assert {name: each.posted() for name, each in house.services.items() if each.posted()} == {
        list(house.services)[-1]: [f"{OF_PLAN}/pause"]
    }


def test_a_plan_that_no_service_has_is_a_no(house: House) -> None:
    told_by_all(house, OF_PLAN, problem(404, "no plan has that id"))
    answer = house.run_beside_the_stack("replay", "status", PLAN)
    assert answer.exit_code == 1
    assert len(asked_of(house)) == len(house.services)


def test_a_topic_that_one_service_reads_says_which_is_meant(house: House) -> None:
    house.service.on("POST", "/v1/replays", (202, plan("rehearsing")))
    words = "replay", "plan", "payments", "--reason", "x", "--no-wait", "--json"
    answer = house.run_beside_the_stack(*words)
    assert (answer.exit_code, json.loads(answer.stdout)["service"]) == (0, "settlement")
    assert asked_of(house) == ["settlement"]


@pytest.mark.parametrize(
    ("topic", "why"),
    [
        ("moon", "no service reads moon"),
        ("settlement-notifications", "settlement-notifications is read by"),
        (None, "say of which --service"),
    ],
)
def test_where_it_is_not_clear_whose_records_are_meant_it_is_asked(
    house: House, topic: str | None, why: str
) -> None:
    topics = [topic] if topic else []
    answer = house.run_beside_the_stack("replay", "plan", *topics, "--reason", "x")
    assert (answer.exit_code, asked_of(house)) == (2, [])
    assert why in answer.stderr


def test_parked_events_are_planned_where_they_are_parked(house: House) -> None:
    told_by_all(house, "/v1/parked", page())
    house.services["reconciliation"].on("GET", "/v1/parked", page(PARKED))
    house.services["reconciliation"].on("POST", "/v1/replays", (202, plan("rehearsing", kind="release")))
    words = "replay", "plan", "--parked", "--fault", "x", "--reason", "mended", "--no-wait", "--json"
    answer = house.run_beside_the_stack(*words)
    assert (answer.exit_code, json.loads(answer.stdout)["service"]) == (0, "reconciliation")


def test_where_several_have_parked_such_events_it_is_asked_whose(house: House) -> None:
    told_by_all(house, "/v1/parked", page(PARKED))
    answer = house.run_beside_the_stack("parked", "release", "--fault", "x")
    assert answer.exit_code == 2
    assert "have parked such events: say of which --service" in answer.stderr
    assert [each.posted() for each in house.services.values()] == [[]] * len(house.services)


def test_a_service_that_is_silent_is_told_beside_the_others(house: House) -> None:
    for name, service in house.services.items():
        service.on("GET", "/v1/lanes", (200, lanes(lane(0), service=name)))
    house.service.on("GET", "/v1/lanes", problem(500, "an internal fault; it was logged"))
    answer = house.run_beside_the_stack("lanes", "--json")
    told = json.loads(answer.stdout)
    assert answer.exit_code == 1
    assert list(told["silent"]) == ["settlement"]
    assert sorted([*told["services"], *told["silent"]]) == sorted(house.services)


def test_a_selfcheck_is_of_all_services_and_their_digests_are_one(house: House) -> None:
    for name, service in house.services.items():
        digest = StateDigestView(at=AT, digest=name, tables=[]).model_dump(mode="json")
        service.on("GET", "/v1/state-digest", (200, digest))
        service.on("GET", "/v1/lanes", (200, lanes(lane(0, inputs=[]), service=name)))
    answer = house.run_beside_the_stack("replay", "selfcheck", "--json")
    told = json.loads(answer.stdout)
    assert answer.exit_code == 0
    assert {name: each["digest_after"] for name, each in told["services"].items()} == {
        name: name for name in house.services
    }
    assert told["digest_before"] == told["digest_after"]
