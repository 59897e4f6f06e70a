"""Ranges cut into slices: the same boundaries wherever reading went on, and no record that is missing."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.replay import slices
from goodfunds.replay.slices import Cutter, Position, Range, RecordMissing, Slice, Wanted

ACCOUNT = b"account-1"


@dataclass
class Read:
    topic: str
    offset: int
    headers: list[tuple[str, bytes]] = field(default_factory=list)
    value: bytes = b""
    key: bytes = ACCOUNT
    partition: int = 3
    timestamp: int = 0


class Keyed:
    def key_of(self, record: Any) -> bytes:
        return bytes(record.key)

    def payment_of(self, record: Any) -> bytes | None:
        return bytes(16) if record.value == b"paid" else None


def numbered(offset: int, seq: int, producer: bytes = b"ingestion.1", topic: str = "payments") -> Read:
    return Read(topic, offset, [("producer", producer), ("lane", b"3"), ("seq", b"%d" % seq)])


def cut(
    ranges: list[Range],
    position: Position | None = None,
    number: int = 0,
    wanted: Any = lambda record: True,
) -> list[Slice]:
    """What a reader of whole topics gives, with a marker at each seventh offset."""
    cutter = Cutter(ranges, position or Position(), number, wanted, {"wishes", "answers"})
    while (reading := cutter.reading) is not None:
        topic, offset, end = reading
        if offset < end and offset % 7:
            cutter.add(Read(topic, offset))
        cutter.reach(min(offset + 1, end))
    return list(cutter.ready)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE_RECORDS", 4)


def offsets(found: list[Slice]) -> list[list[int]]:
    return [[record.offset for record in each.records] for each in found]


@pytest.mark.usefixtures("small")
def test_slices_end_by_count_and_go_on_over_ranges_of_one_topic_but_not_over_topics() -> None:
    found = cut([Range("wishes", 1, 4), Range("wishes", 20, 24), Range("answers", 8, 10)])
    assert offsets(found) == [[1, 2, 3, 20], [22, 23], [8, 9]]
    assert [each.number for each in found] == [0, 1, 2]
    assert [each.last for each in found] == [False, False, True]


@pytest.mark.usefixtures("small")
@given(st.data())
def test_whoever_goes_on_from_a_slice_s_end_cuts_the_rest_as_it_would_have_been(data: st.DataObject) -> None:
    bounds = data.draw(st.lists(st.integers(0, 60), min_size=2, max_size=8, unique=True).map(sorted))
    ranges = [
        Range("wishes" if first < 30 else "answers", first, end)
        for first, end in zip(bounds[::2], bounds[1::2], strict=False)
    ]
    wanted = data.draw(st.sampled_from([lambda _: True, lambda record: record.offset % 5 == 0]))
    whole = cut(ranges, wanted=wanted)
    place = data.draw(st.integers(0, len(whole) - 1))
    after = whole[place]
    if after.last:
        return
    rest = cut(ranges, Position.read(after.position.text()), after.number + 1, wanted)
    assert offsets(rest) == offsets(whole[place + 1 :])
    assert [each.number for each in rest] == [each.number for each in whole[place + 1 :]]
    assert sum(len(each.records) + each.skipped for each in whole) == sum(
        offset % 7 > 0 for each in ranges for offset in range(each.first, each.end)
    )


@pytest.mark.usefixtures("small")
def test_slices_without_a_wanted_record_are_passed_over_and_keep_their_numbers() -> None:
    found = cut([Range("wishes", 0, 60)], wanted=lambda record: record.offset == 40)
    assert offsets(found) == [[40], []]
    # 34 records stand before it, markers aside: eight slices and a half.
    assert found[0].number == 8
    assert found[1].last


def test_a_slice_ends_by_bytes_where_records_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE_BYTES", 10)
    cutter = Cutter([Range("wishes", 0, 9)], Position(), 0, lambda _: True, {"wishes"})
    for offset in range(6):
        cutter.add(Read("wishes", offset, value=b"four"))
    assert [len(each.records) for each in cutter.ready] == [3, 3]


def test_a_share_without_ranges_or_behind_its_last_one_ends_at_once() -> None:
    assert [each.last for each in cut([])] == [True]
    assert [each.last for each in cut([Range("wishes", 1, 2)], Position(1))] == [True]
    assert [each.last for each in cut([Range("wishes", 5, 5)])] == [True]


def test_an_event_that_was_sent_again_is_left_out_also_by_whoever_goes_on() -> None:
    def cutter(position: Position) -> Cutter:
        return Cutter([Range("payments", 10, 30)], position, 0, lambda _: True, frozenset())

    whole = cutter(Position())
    for offset, seq in enumerate((5, 6, 7, 6, 7, 8), start=10):
        whole.add(numbered(offset, seq))
    whole.add(numbered(16, 9, b"ingestion.2"))
    whole.add(numbered(17, 1, b"settlement.1"))
    whole.reach(30)
    (found,) = whole.ready
    assert [record.offset for record in found.records] == [10, 11, 12, 15, 16, 17]
    assert found.skipped == 2
    on = cutter(Position(0, 15, {"ingestion|3": 7}))
    on.add(numbered(15, 7))
    on.reach(30)
    assert on.ready[0].records == ()


def test_a_hole_in_a_producer_s_numbers_is_a_missing_record_with_its_offset() -> None:
    cutter = Cutter([Range("payments", 10, 30)], Position(), 0, lambda _: True, frozenset())
    cutter.add(numbered(10, 5))
    with pytest.raises(RecordMissing, match=r"payments/3 does not have offset 11: seq 6 of ingestion\|3"):
        cutter.add(numbered(14, 7))


def test_records_are_wanted_by_account_or_by_payment_and_else_all() -> None:
    nil = "00000000-0000-0000-0000-000000000000"
    handler: Any = Keyed()
    paid, other = Read("wishes", 1, value=b"paid", key=b"x"), Read("wishes", 2)
    all_of_them = Wanted.of({}).by(handler)
    assert (all_of_them(paid), all_of_them(other)) == (True, True)
    by_key = Wanted.of({"keys": [ACCOUNT.decode()]}).by(handler)
    assert (by_key(paid), by_key(other)) == (False, True)
    by_payment = Wanted.of({"payments": [nil]}).by(handler)
    assert (by_payment(paid), by_payment(other)) == (True, False)
