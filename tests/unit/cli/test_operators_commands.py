"""`goodfunds lanes`, `parked`, `outbox`, `audit`: what is asked of a service, and what is told of it."""

import json
import re
from typing import Any

import pytest

from goodfunds.http.paging import cursor_of
from goodfunds.operating.shapes import Behind, Money, OutboxEvent, ParkedEvent, ParkedView, Place
from tests.unit.cli.fake_answers import AT, FORECAST, PLAN, lane, lanes, plan
from tests.unit.cli.fake_services import House, page, problem

WORDS = "payments/3@12"
PATH = "/v1/parked/payments/3/12"


def parked(**differing: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "topic": "payments", "partition": 3, "offset": 12, "lane": 3, "parked_seq": 5, "key": "DE00ADA",
        "event_type": "PaymentAccepted", "payment_id": PLAN, "amount_minor": 123_456, "currency": "EUR",
        "poison": True, "fault": "KeyError: [bold]", "broker_time": AT, "parked_at": AT, "age_seconds": 61.0,
    }  # fmt: skip
    return {**told, **differing}


def parked_in_full() -> dict[str, Any]:
    behind = Behind(
        events=2,
        money=[Money(currency="EUR", events=2, amount_minor=5)],
        next=[Place(topic="payments", partition=3, offset=13)],
    )
    event = {"instruction": {"debtor_name": "Ada Almeida", "amount_minor": 123_456, "currency": "EUR"}}
    told = ParkedEvent(**parked(), event=event, headers={"seq": "4"}, waits_for=None, behind=behind)
    return told.model_dump(mode="json")


def listed(*found: dict[str, Any], cursor: str | None = None) -> tuple[int, dict[str, Any]]:
    return page(*(ParkedView(**each).model_dump(mode="json") for each in found), cursor=cursor)


def test_lanes_tell_lag_in_events_and_money_what_is_parked_and_unpublished(house: House) -> None:
    house.service.on("GET", "/v1/lanes", (200, lanes(lane(0), lane(1, at_least=True, owner=None))))
    answer = house.run("lanes")
    assert answer.exit_code == 0
    for told in ("1,234.56 EUR", "2,469.12 EUR", "1 d 2 h", "≥", "at work", "nobody's"):
        assert told in answer.stdout, told
    read = json.loads(house.run("lanes", "--json").stdout)
    assert read["services"]["settlement"]["lanes"][1]["at_least"] is True
    assert read["silent"] == {}


def test_a_stopped_lane_is_an_answer_that_is_no(house: House) -> None:
    stopped = lane(0, stopped_reason="Gap: [red]seq 9 follows 7")
    house.service.on("GET", "/v1/lanes", (200, lanes(stopped)))
    answer = house.run("lanes")
    assert answer.exit_code == 1
    assert "settlement lane 0 is stopped: Gap: [red]seq 9 follows 7" in answer.stdout


def test_where_kafka_does_not_say_the_lag_is_not_known(house: House) -> None:
    unknown = lane(0, lag=None, money=[], at_least=True, oldest_unread_seconds=None)
    house.service.on("GET", "/v1/lanes", (200, lanes(unknown, lane(1), broker=False)))
    answer = house.run("lanes")
    assert answer.exit_code == 0
    assert "?" in answer.stdout
    assert "settlement does not reach Kafka" in answer.stdout


def test_the_offsets_of_each_topic_are_told_on_request(house: House) -> None:
    read = lane(0).inputs[0].model_copy(update={"offset": 4_711, "end": 5_000, "lag": 289})
    house.service.on("GET", "/v1/lanes", (200, lanes(lane(0, inputs=[read]))))
    assert "4,711" not in house.run("lanes").stdout
    assert re.search(r"payments .* 0 .* 4,711 .* 5,000 .* 289", house.run("lanes", "--offsets").stdout)


def test_parked_events_are_listed_by_filters_over_pages(house: House) -> None:
    further = cursor_of(("3", "5"))
    house.service.on(
        "GET", "/v1/parked", listed(parked(), cursor=further), listed(parked(poison=False, amount_minor=None))
    )
    answer = house.run("parked", "list", "--fault", "Key", "--poison", "--lane", "3")
    assert answer.exit_code == 0
    for told in (WORDS, "DE00ADA", "1,234.56 EUR", "1 min 1 s", "KeyError: [bold]", "waits behind"):
        assert told in answer.stdout, told
    first, second = (dict(each.url.params) for each in house.service.asked)
    assert first == {"fault": "Key", "poison": "true", "lane": "3", "limit": "50"}
    assert second == {**first, "cursor": further, "limit": "49"}
    assert answer.stdout.splitlines()[-1] == "2 events, 1,234.56 EUR"


def test_where_more_is_parked_than_is_shown_it_says_so(house: House) -> None:
    house.service.on("GET", "/v1/parked", listed(parked(), cursor=cursor_of(("3", "5"))))
    answer = house.run("parked", "list", "--most", "1", "--json")
    assert json.loads(answer.stdout)["more"] is True
    assert "there are more" in answer.stderr


def test_a_parked_event_is_shown_with_what_waits_and_its_names_masked(house: House) -> None:
    house.service.on("GET", PATH, (200, parked_in_full()))
    told = house.run("parked", "show", WORDS).stdout
    for each in ("KeyError: [bold]", "2 events", "0.05 EUR", "1,234.56 EUR", "PaymentAccepted"):
        assert each in told, each
    assert "Almeida" not in told
    assert "Almeida" in house.run("parked", "show", WORDS, "--unmasked", "--json").stdout


def test_what_is_not_parked_is_an_answer_that_is_no(house: House) -> None:
    house.service.on("GET", PATH, problem(404, "no event of that place is parked here"))
    assert house.run("parked", "show", WORDS).exit_code == 1


@pytest.mark.parametrize(
    "place", ["payments", "payments/3", "payments/x@1", "/1@1", "payments/3@-1", "a/٣@1"]
)
def test_a_place_that_is_none_is_told(house: House, place: str) -> None:
    answer = house.run("parked", "show", place)
    assert answer.exit_code == 2
    assert "no place such as payments/3@4711" in answer.output


@pytest.mark.parametrize(
    ("faults", "following"),
    [(0, f"goodfunds parked release {WORDS}"), (2, "mend the cause, and try again")],
)
def test_a_trial_of_a_release_is_shown_and_its_plan_ended(house: House, faults: int, following: str) -> None:
    house.service.on("GET", PATH, (200, parked_in_full()))
    house.service.on("POST", f"{PATH}/diff", (202, plan("rehearsing", kind="release")))
    forecast = {**FORECAST, "faults": {"count": faults, "first": []}}
    tried = plan("rehearsed", kind="release", forecast=forecast, exact=True)
    house.service.on("GET", f"/v1/replays/{PLAN}", (200, plan("rehearsing", kind="release")), (200, tried))
    house.service.on("POST", f"/v1/replays/{PLAN}/abort", (200, plan("aborted", kind="release")))
    answer = house.run("parked", "diff", WORDS, "--json")
    assert answer.exit_code == (1 if faults else 0)
    told = json.loads(answer.stdout)
    assert told["forecast"] == forecast
    assert told["next"] == following
    assert house.service.posted() == [f"{PATH}/diff", f"/v1/replays/{PLAN}/abort"]


def test_parked_events_are_released_by_place_and_waited_for(house: House) -> None:
    house.service.on("GET", PATH, (200, parked_in_full()))
    house.service.on("POST", "/v1/replays", (202, plan("running", kind="release")))
    outcome = {"handled": 3, "skipped": 0, "rows_changed": 9, "events_emitted": 3}
    done = plan("done", kind="release", outcome=outcome)
    house.service.on("GET", f"/v1/replays/{PLAN}", (200, plan("running", kind="release")), (200, done))
    answer = house.run("parked", "release", WORDS, "--reason", "mended", "--rate", "50")
    assert answer.exit_code == 0
    assert "rows changed" in answer.stdout
    (asked,) = [each for each in house.service.asked if each.method == "POST"]
    place = {"topic": "payments", "partition": 3, "offset": 12}
    wanted = {"kind": "release", "parked": {"places": [place]}, "reason": "mended", "rate": 50}
    assert json.loads(asked.content) == wanted


def test_events_that_fault_again_end_a_release_with_1(house: House) -> None:
    failed = plan("failed", kind="release", fault="lane 3: 1 account stays parked")
    house.service.on("POST", "/v1/replays", (202, plan("running", kind="release")))
    house.service.on("GET", f"/v1/replays/{PLAN}", (200, failed))
    answer = house.run("parked", "release", "--all")
    assert answer.exit_code == 1
    assert "1 account stays parked" in answer.stdout
    assert "`goodfunds parked list --poison` shows" in answer.stdout


def test_what_is_to_be_released_has_to_be_said(house: House) -> None:
    assert house.run("parked", "release").exit_code == 2
    assert house.run("parked", "release", WORDS, "--all").exit_code == 2
    assert house.service.asked == []


def test_a_discard_waits_for_somebody_else(house: House) -> None:
    house.service.on("GET", PATH, (200, parked_in_full()))
    first = {"topic": "payments", "partition": 3, "offset": 12, "amount_minor": 123_456, "currency": "EUR"}
    sums = {"EUR": {"events": 1, "amount_minor": 123_456}}
    given_up = {"records": 1, "parked": sums, "first": [first]}
    house.service.on("POST", "/v1/replays", (202, plan("rehearsed", kind="discard", forecast=given_up)))
    answer = house.run("parked", "discard", WORDS, "--reason", "settled by hand")
    assert answer.exit_code == 0
    assert "given up" in answer.stdout
    assert answer.stdout.count("1,234.56 EUR") == 2
    assert WORDS in answer.stdout
    assert f"somebody else: goodfunds replay approve {PLAN}" in answer.stdout


def event(**differing: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "lane": 3, "outbox_seq": 900, "place": 2, "topic": "payments", "partition": 3, "seq": 4711,
        "decided_at": AT, "ce_id": "x", "key": "DE89370400440532013000", "event_type": "PaymentAccepted",
        "event": {"debtor_name": "Ada Almeida"}, "replay_id": None, "published": False,
    }  # fmt: skip
    return OutboxEvent(**{**told, **differing}).model_dump(mode="json")


def test_the_outbox_is_shown_event_by_event_masked(house: House) -> None:
    house.service.on("GET", "/v1/outbox", page(event(), event(replay_id=PLAN)))
    answer = house.run("outbox", "show", "3", "--topic", "payments", "--from-seq", "4711")
    assert answer.exit_code == 0
    words = " ".join(answer.stdout.split())
    for told in ("900.2", "seq 4711", "PaymentAccepted", "of replay"):
        assert told in words, told
    assert "Almeida" not in answer.stdout
    assert "from-row" not in answer.stderr
    assert dict(house.service.asked[0].url.params) == {
        "lane": "3", "topic": "payments", "from_seq": "4711", "limit": "50",
    }  # fmt: skip
    (shown, _) = json.loads(house.run("outbox", "show", "3", "--json").stdout)["events"]
    assert shown["key"] == "DE…3000"


def test_further_events_are_hinted_at_by_a_row_that_was_not_the_first_shown(house: House) -> None:
    for last, hint in ((900, "--most 20 shows further ones\n"), (901, "or --from-row 901\n")):
        shown = page(event(), event(outbox_seq=last), cursor=cursor_of(("900", "2")))
        house.service.on("GET", "/v1/outbox", shown)
        assert house.run("outbox", "show", "3", "--most", "2").stderr.endswith(hint)


def test_the_feeds_outbox_is_shown_too(house: House) -> None:
    house.service.on("GET", "/v1/outbox", page())
    answer = house.run("outbox", "show", "--json", "--", "-1")
    assert (answer.exit_code, json.loads(answer.stdout)) == (0, {"events": [], "more": False})


def test_events_are_published_again_by_their_numbers(house: House) -> None:
    house.service.on("POST", "/v1/replays", (202, plan("running", kind="republish")))
    house.service.on("GET", f"/v1/replays/{PLAN}", (200, plan("done", kind="republish")))
    answer = house.run("outbox", "republish", "--lane", "3", "--topic", "payments", "--partition", "3",
                       "--from-seq", "7", "--to-seq", "9", "--reason", "lost")  # fmt: skip
    assert answer.exit_code == 0
    assert json.loads(house.service.asked[0].content) == {
        "kind": "republish", "lanes": [3], "partitions": [3], "topic": "payments", "from_offset": 7,
        "to_offset": 9, "reason": "lost",
    }  # fmt: skip


def test_what_would_steer_a_terminal_is_shown_and_not_obeyed(house: House) -> None:
    forged = "mended\x1b[1A\x1b[2K\x9b31m \u202eDNIFER\x7f\r"
    house.service.on("GET", f"/v1/replays/{PLAN}", (200, plan("rehearsed", reason=forged)))
    house.service.on("GET", "/v1/parked", listed(parked(fault=forged)))
    for words in (("replay", "status", PLAN), ("parked", "list")):
        told = house.run(*words).stdout
        assert "mended" in told
        assert [each for each in told if not each.isprintable() and each != "\n"] == []
    assert json.loads(house.run("replay", "status", PLAN, "--json").stdout)["reason"] == forged


def test_a_fault_of_many_lines_keeps_a_parked_event_to_its_two(house: House) -> None:
    house.service.on("GET", "/v1/parked", listed(parked(fault="DataError: no\nHINT:  yes")))
    _, second, last = house.run("parked", "list").stdout.splitlines()
    assert (second.strip(), last) == ("DataError: no HINT: yes", "1 event, 1,234.56 EUR")
