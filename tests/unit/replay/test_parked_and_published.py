"""What of parked events is handled at once, and which events of the outbox are meant."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from goodfunds.lanes.frame import OutboxRow, number, pack
from goodfunds.lanes.records import Emission
from goodfunds.replay.parked_events import of_one_poll, parked_events
from goodfunds.replay.republishing import Chosen, _first_gone

NOW = datetime(2027, 1, 1, tzinfo=UTC)


def parked(topic: str, offset: int, headers: Any = ()) -> dict[str, Any]:
    return {
        "topic": topic, "source_partition": 2, "source_offset": offset, "broker_time_ms": 7, "key": b"k",
        "value": None, "headers": json.dumps(headers),
    }  # fmt: skip


def outbox_row(outbox_seq: int, *places: tuple[str, int]) -> OutboxRow:
    emissions = [Emission(topic, partition, b"k", "Copied", b"", b"") for topic, partition in places]
    topics, count, frame = pack(number(emissions, {}))
    return OutboxRow(0, outbox_seq, NOW, topics, count, frame)


def chosen(row: OutboxRow, **selection: Any) -> list[tuple[str, int, int]]:
    return [(each.topic, each.partition, each.seq) for each in Chosen.of(selection).from_row(row)]


def test_a_parked_event_is_read_as_it_came_a_null_header_included() -> None:
    (event,) = parked_events([parked("in", 4, [["a", "6162"], ["b", None]])])
    assert event.headers == [("a", b"ab"), ("b", None)]
    assert (event.place, event.timestamp, event.key, event.value) == (("in", 2, 4), 7, b"k", None)


def test_events_are_handled_together_as_far_as_one_poll_could_have_had_them() -> None:
    def taken(*places: tuple[str, int]) -> int:
        return len(of_one_poll(parked_events([parked(*place) for place in places]), ["in", "back"]))

    assert taken() == 0
    assert taken(("in", 4), ("in", 9), ("back", 1), ("back", 2)) == 4
    assert taken(("in", 4), ("back", 1), ("in", 9)) == 2
    assert taken(("in", 4), ("in", 3)) == 1


def test_events_are_chosen_by_topic_partition_number_and_time() -> None:
    row = outbox_row(1, ("a", 0), ("a", 1), ("a", 1), ("a", 1), ("b", 1))
    assert len(chosen(row)) == 5
    assert chosen(row, topic="b") == [("b", 1, 1)]
    assert chosen(row, topic="a", partitions=[1], from_offset=2, to_offset=3) == [("a", 1, 2)]
    later = (NOW + timedelta(seconds=1)).isoformat()
    assert (len(chosen(row, from_time=later)), len(chosen(row, to_time=later))) == (0, 5)
    assert (len(chosen(row, from_time=NOW.isoformat())), len(chosen(row, to_time=NOW.isoformat()))) == (5, 0)


def test_the_first_row_that_is_gone_is_named_wherever_it_stood() -> None:
    rows = [outbox_row(seq, ("a", 0)) for seq in (4, 5, 7)]
    assert _first_gone(rows[:2], 4, 9) is None
    assert _first_gone(rows, 4, 9) == 6
    assert _first_gone(rows[2:], 6, 9) == 6
    assert _first_gone([], 6, 9) == 6
    assert _first_gone([], 9, 9) is None
