"""What is selected comes to exact offsets on a real broker, or is refused with the exact bound, over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

from goodfunds import ids
from tests.integration.planning.office import Office
from tests.integration.tampering import unguarded

BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
"""What is older than a week the broker removes, whenever it looks."""


def at(second: int) -> datetime:
    return BEGAN + timedelta(seconds=second)


def ranges(plan: Any) -> dict[int, list[tuple[int, int]]]:
    return {each["lane"]: [(part["first"], part["end"]) for part in each["ranges"]] for each in plan["lanes"]}


async def filled(office: Office) -> None:
    """Lane 0 has thirty records, one a second; lane 1 ten, from second 10 on. All are handled."""
    await office.send_at({0: [at(n) for n in range(30)], 1: [at(10 + n) for n in range(10)]})
    await office.worked()


async def test_each_way_to_select_comes_to_exact_offsets(office: Office) -> None:
    await filled(office)
    topic = office.scene.source
    assert ranges(await office.rehearsed()) == {0: [(0, 30)], 1: [(0, 10)]}
    assert ranges(await office.rehearsed(topic=topic, lanes=[1])) == {1: [(0, 10)]}
    one = await office.rehearsed(topic=topic, partitions=[0], from_offset=5, to_offset=7)
    assert ranges(one) == {0: [(5, 7)]}
    assert one["lanes"][0]["ranges"][0]["topic"] == topic
    between = await office.rehearsed(from_time=at(8).isoformat(), to_time=at(12).isoformat())
    assert ranges(between) == {0: [(8, 12)], 1: [(0, 2)]}
    late = await office.rehearsed(from_time=at(25).isoformat(), to_time=at(999).isoformat())
    assert ranges(late) == {0: [(25, 30)]}
    payment = ids.text(ids.derived_id(int(at(75).timestamp() * 1000), b"x"))
    found = await office.rehearsed(payments=[payment])
    assert ranges(found) == {0: [(15, 30)], 1: [(5, 10)]}
    assert (found["forecast"]["records"], found["forecast"]["skipped"]) == (0, 20)
    ancient = await office.rehearsed(payments=["00000000-0000-7000-8000-000000000000"])
    assert ranges(ancient) == {0: [(0, 30)], 1: [(0, 10)]}
    keyed = await office.rehearsed(keys=["account-1"])
    assert (keyed["forecast"]["records"], keyed["forecast"]["skipped"]) == (10, 30)
    assert found["selection"] == {"payments": [payment]}


async def test_beyond_what_a_topic_or_a_lane_has_it_is_refused_with_the_bound(office: Office) -> None:
    await filled(office)
    topic = office.scene.source
    await office.trim(0, 12)

    async def refused(**selection: Any) -> tuple[str, str]:
        answer = await office.ask(409, kind="replay", **selection)
        return answer["code"], answer["detail"]

    code, why = await refused()
    assert code == "beyond_horizon"
    assert f"{topic}/0 begins at offset 12 ({at(12).isoformat(timespec='milliseconds')})" in why
    for selection in (
        {"topic": topic, "partitions": [0], "from_offset": 11},
        {"lanes": [0], "from_time": at(11).isoformat()},
        {"lanes": [0], "keys": ["account-0"]},
    ):
        code, why = await refused(**selection)
        assert (code, "begins at offset 12" in why) == ("beyond_horizon", True)
    kept = await office.rehearsed(topic=topic, partitions=[0], from_offset=12)
    assert ranges(kept) == {0: [(12, 30)]}
    code, why = await refused(topic=topic, partitions=[1], to_offset=11)
    assert code == "not_handled_yet"
    assert f"{topic}/1 up to offset 10" in why
    assert (await refused(lanes=[1], from_time=at(20).isoformat()))[0] == "nothing_selected"
    assert (await refused(topic="elsewhere"))[0] == "no_such_topic"
    assert (await refused(lanes=[2]))[0] == "no_such_lane"
    await office.pool.execute("UPDATE lanes SET stopped_reason = 'a gap' WHERE lane = 1")
    code, why = await refused(lanes=[1])
    assert (code, "a gap" in why) == ("lane_stopped", True)
    checked = await office.ask(path="/v1/selfchecks", lanes=[0])
    assert ranges(checked) == {0: [(12, 30)]}
    assert (checked["state"], checked["approved_by"]) == ("running", None)


async def test_parked_events_are_picked_by_what_is_asked_and_released_with_their_accounts(
    office: Office,
) -> None:
    office.handler.faulty = {
        ("account-0", 20): KeyError("unknown"), ("account-1", 8): ValueError("worse"),
    }  # fmt: skip
    await filled(office)
    assert await office.pool.fetchval("SELECT count(*) FROM parked") == 10 + 2
    office.handler.faulty = {}

    async def picked(**body: Any) -> dict[int, list[int]]:
        plan = await office.ask(**body)
        rows = await office.pool.fetch(
            "SELECT lane, source_offset FROM replay_parked WHERE plan_id = $1 ORDER BY 1, 2",
            ids.parse(plan["plan_id"]),
        )
        found: dict[int, list[int]] = {}
        for row in rows:
            found.setdefault(row["lane"], []).append(row["source_offset"])
        assert {each["lane"]: each["total"] for each in plan["lanes"]} == {
            lane: len(offsets) for lane, offsets in found.items()
        }
        return found

    every, last = list(range(20, 30)), [8, 9]
    topic = office.scene.source
    mended: dict[str, Any] = {"reason": "mended"}
    assert await picked(kind="replay", parked={}) == {0: every, 1: last}
    assert await picked(kind="replay", parked={"fault_contains": "KeyError"}) == {0: every}
    assert await picked(kind="release", parked={"keys": ["account-1"]}) == {1: last}
    assert await picked(kind="discard", parked={"fault_contains": "KeyError"}, **mended) == {0: [20]}
    places = [{"topic": topic, "partition": 0, "offset": 22}]
    assert await picked(kind="discard", parked={"places": places}, **mended) == {0: [22]}
    assert await picked(kind="release", parked={"places": places}) == {0: every}
    assert await picked(kind="discard", parked={"lanes": [1], "topic": topic}, **mended) == {1: last}
    none = await office.ask(409, kind="release", parked={"keys": ["nobody"]})
    assert none["code"] == "nothing_selected"
    places[0]["offset"] = 3
    missing = await office.ask(409, kind="discard", parked={"places": places}, **mended)
    assert (missing["code"], missing["detail"]) == ("not_parked", f"{topic}/0 offset 3 is not parked")
    nobody = await office.ada.post(f"/v1/parked/{topic}/0/3/diff")
    assert (nobody.status_code, nobody.json()["code"]) == (409, "not_parked")
    given_up = await office.ask(kind="discard", parked={"keys": ["account-1"]}, **mended)
    assert given_up["state"] == "rehearsed"
    first = [
        {"topic": topic, "partition": 1, "offset": each, "amount_minor": 100, "currency": "EUR"}
        for each in last
    ]
    assert given_up["forecast"] == {
        "records": 2, "parked": {"EUR": {"events": 2, "amount_minor": 200}}, "first": first,
    }  # fmt: skip


async def test_events_are_published_again_from_exact_rows_and_refused_beyond_what_the_outbox_has(
    office: Office,
) -> None:
    await filled(office)
    topic = office.scene.target
    lane: dict[str, Any] = {"topic": topic, "partitions": [0]}
    rows = await office.pool.fetch(
        "SELECT outbox_seq, min(seq) AS first, max(seq) AS last, min(decided_at) AS at FROM outbox_events "
        "WHERE lane = 0 GROUP BY outbox_seq ORDER BY outbox_seq"
    )

    def of_seq(seq: int) -> int:
        return next(int(row["outbox_seq"]) for row in rows if row["first"] <= seq <= row["last"])

    for first, end in ((1, 31), (2, 3), (17, 30), (30, 31)):
        plan = await office.ask(kind="republish", **lane, from_offset=first, to_offset=end)
        assert ranges(plan) == {0: [(of_seq(first), of_seq(end - 1) + 1)]}
        assert plan["state"] == "running"
        await office.step(plan, "abort")
    whole = await office.ask(kind="republish", topic=topic)
    assert ranges(whole)[0] == [(1, rows[-1]["outbox_seq"] + 1)]
    assert whole["total"] == 40

    async def refused(**selection: Any) -> tuple[str, str]:
        answer = await office.ask(409, kind="republish", **selection)
        return answer["code"], answer["detail"]

    code, why = await refused(**lane, from_offset=5, to_offset=32)
    assert (code, why.endswith("is number 30")) == ("not_published_yet", True)
    assert (await refused(topic="elsewhere"))[0] == "no_such_topic"
    future = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert (await refused(topic=topic, from_time=future))[0] == "nothing_selected"
    restored = "UPDATE cluster SET restored_at = $1"
    async with office.pool.acquire() as connection, unguarded(connection):
        await connection.execute(restored, rows[0]["at"] + timedelta(microseconds=1))
    code, why = await refused(**lane, from_offset=1)
    assert (code, "this database's life began at" in why) == ("before_restore", True)
    async with office.pool.acquire() as connection, unguarded(connection):
        await connection.execute(restored, None)
        await connection.execute("DELETE FROM outbox WHERE lane = 0 AND outbox_seq = 1")
    code, why = await refused(**lane, from_offset=1)
    kept = rows[1]["first"] if len(rows) > 1 else None
    assert code == "outbox_dropped"
    assert kept is None or f"is number {kept}: ask from there on" in why
    assert (await refused(topic=topic))[0] == "outbox_dropped"


async def test_what_does_not_fit_together_is_named_with_its_field(office: Office) -> None:
    for body, pointer in (
        ({"kind": "discard", "parked": {}}, "/reason"),
        ({"kind": "replay", "from_offset": 1}, "/topic"),
        ({"kind": "release"}, "/parked"),
        ({"kind": "republish", "keys": ["a"]}, "/keys"),
        ({"kind": "release", "parked": {"places": [], "topic": "t"}}, "/parked/places"),
        ({"kind": "replay", "rate": 0}, "/rate"),
        ({"kind": "replay", "further": 0}, "/further"),
        ({"kind": "replay", "from_time": "0001-01-01T00:00:00+14:00"}, "/from_time"),
        ({"kind": "replay", "to_time": "1969-12-31T23:59:59Z"}, "/to_time"),
        ({"kind": "republish", "to_time": "9999-12-31T23:59:59-10:00"}, "/to_time"),
        ({"kind": "release", "parked": {"parked_before": "9999-12-31T23:59-01:00"}}, "/parked/parked_before"),
    ):
        assert (await office.ask(422, **body))["errors"][0]["pointer"] == pointer
