"""What operators read of lanes that have worked: what is unread, what is parked, what was decided."""

from typing import Any

from aiokafka import TopicPartition

from goodfunds.lanes import lane_of
from goodfunds.operating.unread import UnreadRecords
from tests.integration.operating.conftest import PARTITIONS, Office

HUNDRED_EACH = 100
"""The copier says that each record is about 1.00 EUR."""


def of_lane(told: Any, lane: int) -> Any:
    (found,) = [each for each in told["lanes"] if each["lane"] == lane]
    return found


async def test_a_lane_tells_how_far_it_is_behind_in_events_in_money_and_in_time(office: Office) -> None:
    stage = office.stage
    await stage.publish(keys=6, each=10)
    async with office.at_work():
        await stage.until_handled()
    told = await office.get("/v1/lanes")
    assert (told["service"], told["broker"], len(told["lanes"])) == ("copier", True, PARTITIONS)
    for lane in told["lanes"]:
        assert (lane["lag"], lane["money"], lane["at_least"]) == (0, [], False)
        assert lane["oldest_unread_seconds"] is None
        assert lane["owner"] == "office"
        assert lane["outbox"] == {"rows": 0, "events": 0}
    await stage.publish(keys=6, each=3)
    told = await office.get("/v1/lanes")
    behind = {f"account-{n}": 3 for n in range(6)}
    for lane in told["lanes"]:
        unread = sum(count for key, count in behind.items() if lane_of(key, PARTITIONS) == lane["lane"])
        euros = {"currency": "EUR", "events": unread, "amount_minor": unread * HUNDRED_EACH}
        assert lane["lag"] == unread > 0
        assert (lane["money"], lane["at_least"]) == ([euros], False)
        assert lane["oldest_unread_seconds"] >= 0
        assert lane["inputs"][0]["money"] == [euros]


async def test_what_a_request_looks_at_is_bounded_and_each_lane_has_its_share(office: Office) -> None:
    stage = office.stage
    await stage.publish(keys=6, each=50)
    unread = UnreadRecords(stage.bootstrap, office.copier.amount_of)
    places = {TopicPartition(stage.source, lane): 0 for lane in range(PARTITIONS)}
    found = await unread.look(places, most=40)
    assert found is not None
    assert [each.looked_at for each in found.values()] == [20, 20]
    assert [each.whole for each in found.values()] == [False, False]
    assert sum(each.end for each in found.values()) == 300
    no_time = await unread.look(places, seconds=0)
    assert no_time is not None
    assert [(each.looked_at, each.whole) for each in no_time.values()] == [(0, False)] * 2


async def test_lanes_are_shown_while_the_broker_is_away(office: Office) -> None:
    async with office.at_work():
        pass
    away = UnreadRecords("127.0.0.1:1", office.copier.amount_of)
    assert await away.look({TopicPartition("any", 0): 0}) is None


async def test_a_stopped_lane_tells_why_and_its_backlog(office: Office) -> None:
    stage = office.stage
    await stage.publish(keys=1, each=2, values=lambda number: b"broken" if number else b"0")
    lane = lane_of("account-0", PARTITIONS)
    async with office.at_work():
        stopped = "SELECT stopped_reason IS NOT NULL FROM lanes WHERE lane = $1"
        await stage.until("stopped", lambda: stage.fetchval(stopped, lane))
    told = of_lane(await office.get("/v1/lanes"), lane)
    assert "broken" in told["stopped_reason"]
    assert told["stopped_at"] is not None
    assert told["lag"] >= 1


async def parked_office(office: Office) -> tuple[str, int]:
    """account-0's second event is poison, and its two later ones wait; the key and its lane."""
    await office.stage.publish(keys=3, each=4, values=lambda n: b"poison \xc3\xa9" if n == 1 else b"%d" % n)
    async with office.at_work():
        await office.stage.until_handled(3)
        parked = "SELECT count(*) = 9 FROM parked"
        await office.stage.until("parked", lambda: office.stage.fetchval(parked))
    return "account-0", lane_of("account-0", PARTITIONS)


async def test_parked_events_are_listed_in_the_order_of_handling_page_by_page(office: Office) -> None:
    key, lane = await parked_office(office)
    told = of_lane(await office.get("/v1/lanes"), lane)["parked"]
    assert told["poison"] * 3 == told["events"]
    assert told["money"] == [
        {"currency": "EUR", "events": told["events"], "amount_minor": told["events"] * HUNDRED_EACH}
    ]
    whole = (await office.get("/v1/parked"))["items"]
    assert len(whole) == 9
    assert [(each["lane"], each["parked_seq"]) for each in whole] == sorted(
        (each["lane"], each["parked_seq"]) for each in whole
    )
    pages, cursor = [], None
    while True:
        asked = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        got = await office.get("/v1/parked", **asked)
        pages += got["items"]
        if (cursor := got["next_cursor"]) is None:
            break
    assert [each["parked_seq"] for each in pages] == [each["parked_seq"] for each in whole]
    of_key = (await office.get("/v1/parked", key=key))["items"]
    assert [each["poison"] for each in of_key] == [True, False, False]
    assert all(each["lane"] == lane and each["age_seconds"] >= 0 for each in of_key)
    assert len((await office.get("/v1/parked", poison=True))["items"]) == 3
    assert len((await office.get("/v1/parked", fault="ValueError: poison é"))["items"]) == 3
    assert (await office.get("/v1/parked", fault="%"))["items"] == []
    assert (await office.get("/v1/parked", topic="other"))["items"] == []
    await office.get("/v1/parked", status=422, cursor="bm8")


async def test_a_parked_event_tells_its_fault_and_what_waits_behind_it(office: Office) -> None:
    key, _ = await parked_office(office)
    poison, second, last = (await office.get("/v1/parked", key=key))["items"]

    async def one(item: dict[str, Any]) -> dict[str, Any]:
        place = f"{item['topic']}/{item['partition']}/{item['offset']}"
        return dict(await office.get(f"/v1/parked/{place}"))

    told = await one(poison)
    assert told["fault"] == "ValueError: poison é"
    assert told["waits_for"] is None
    assert told["behind"]["events"] == 2
    assert told["behind"]["money"] == [{"currency": "EUR", "events": 2, "amount_minor": 200}]
    assert [each["offset"] for each in told["behind"]["next"]] == [second["offset"], last["offset"]]
    assert told["headers"]["producer"] == "test.1"
    assert "unreadable" in told["event"]
    waiting = await one(last)
    assert waiting["waits_for"]["offset"] == poison["offset"]
    assert waiting["behind"] == {"events": 0, "money": [], "next": []}
    await office.get(f"/v1/parked/{poison['topic']}/{poison['partition']}/999", status=404)


async def test_the_outbox_is_shown_event_by_event_by_its_rows_and_by_its_numbers(office: Office) -> None:
    stage = office.stage
    lane = lane_of("account-0", PARTITIONS)
    async with office.at_work():
        for handled in range(1, 5):
            await stage.publish(keys=1, each=5)
            await stage.until_handled(handled * 5)
    rows = await stage.fetchval("SELECT outbox_seq FROM lanes WHERE lane = $1", lane)
    assert rows > 1, "each piece was handled before the next was sent"
    items = (await office.get("/v1/outbox", lane=lane))["items"]
    assert [each["seq"] for each in items] == list(range(1, 21))
    assert all(each["published"] and each["key"] == "account-0" for each in items)
    incarnation = await stage.fetchval("SELECT incarnation FROM cluster")
    assert items[6]["ce_id"] == f"copier.{incarnation}/{lane}/{stage.target}/{lane}/7"
    events = await stage.events()
    assert [each["ce_id"] for each in items] == [headers["ce_id"].decode() for *_, headers in events]
    pages, cursor = [], None
    while True:
        asked = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        got = await office.get("/v1/outbox", lane=lane, **asked)
        pages += got["items"]
        if (cursor := got["next_cursor"]) is None:
            break
    assert pages == items
    last_row = [each["seq"] for each in items if each["outbox_seq"] == rows]
    got = await office.get("/v1/outbox", lane=lane, from_outbox_seq=rows, to_outbox_seq=rows + 1)
    assert [each["seq"] for each in got["items"]] == last_row
    for first in range(1, 21):
        asked = {"topic": stage.target, "from_seq": first, "to_seq": first + 5}
        got = await office.get("/v1/outbox", lane=lane, **asked)
        assert [each["seq"] for each in got["items"]] == list(range(first, min(first + 5, 21)))
        assert got["next_cursor"] is None
    none = await office.get("/v1/outbox", lane=lane, topic=stage.target, partition=1 - lane)
    assert none == {"items": [], "next_cursor": None}
    await office.get("/v1/outbox", status=422, lane=lane, from_seq=1)
    await office.get("/v1/outbox", status=404, lane=77)


async def test_what_was_decided_and_not_acknowledged_is_the_tail(office: Office) -> None:
    stage = office.stage
    async with office.at_work():
        await stage.publish(keys=1, each=5)
        await stage.until_handled()
    lane = lane_of("account-0", PARTITIONS)
    await stage.tamper("UPDATE lanes SET published_seq = 0 WHERE lane = $1", lane)
    tail = of_lane(await office.get("/v1/lanes"), lane)["outbox"]
    assert tail["events"] == 5
    assert [each["published"] for each in (await office.get("/v1/outbox", lane=lane))["items"]] == [False] * 5
