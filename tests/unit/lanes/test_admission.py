"""What a lane lets in: each event once, in order, without a gap, and nothing past a parked one."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.errors import InvariantBroken
from goodfunds.lanes.state import LaneState, admit


@dataclass
class Record:
    topic: str
    offset: int
    headers: list[tuple[str, bytes]] = field(default_factory=list)
    key: bytes | None = b"account"
    partition: int = 0
    timestamp: int = 0
    value: bytes | None = b""


def record(offset: int, seq: int, producer: bytes = b"ingestion.a", key: bytes = b"account") -> Record:
    headers = [("producer", producer), ("lane", b"0"), ("seq", b"%d" % seq)]
    return Record("payments", offset, headers, key)


def lane(**changes: object) -> LaneState:
    return LaneState(0, 1, 1, {"payments": 0, "payment-instructions": 0}, **changes)  # type: ignore[arg-type]


def key_of(found: object) -> bytes:
    return found.key  # type: ignore[attr-defined, no-any-return]


def test_a_record_that_comes_twice_is_handled_once() -> None:
    share = admit(lane(), [record(0, 1), record(1, 1), record(2, 2)], (), key_of)
    assert [each.offset for each in share.records] == [0, 2]
    assert share.repeats == 1
    assert share.offsets["payments"] == 3
    assert share.watermarks == {("payments", "ingestion.a", "0"): 2}


def test_a_record_below_the_stored_offset_changes_nothing() -> None:
    state = lane(watermarks={("payments", "ingestion.a", "0"): 5})
    state.offsets["payments"] = 10
    share = admit(state, [record(4, 5)], (), key_of)
    assert share.records == []
    assert share.offsets["payments"] == 10


def test_a_gap_in_seq_is_lost_data_and_breaks_the_invariant() -> None:
    with pytest.raises(InvariantBroken, match="seq 3 follows 1"):
        admit(lane(), [record(0, 1), record(1, 3)], (), key_of)


def test_a_producer_must_begin_with_one() -> None:
    with pytest.raises(InvariantBroken, match="begins with seq 7"):
        admit(lane(), [record(0, 7)], (), key_of)


def test_a_producer_may_begin_anywhere_where_the_lane_started_above_the_beginning() -> None:
    share = admit(lane(started_above=frozenset({"payments"})), [record(0, 7), record(1, 8)], (), key_of)
    assert len(share.records) == 2


def test_producers_are_numbered_apart() -> None:
    records = [record(0, 1), record(1, 1, b"settlement.b"), record(2, 2), record(3, 2, b"settlement.b")]
    assert len(admit(lane(), records, (), key_of).records) == 4


def test_a_database_that_was_brought_back_numbers_on_and_its_former_name_is_forgotten() -> None:
    share = admit(lane(), [record(0, 1), record(1, 2), record(2, 3, b"ingestion.b")], (), key_of)
    assert len(share.records) == 3
    assert share.watermarks == {("payments", "ingestion.b", "0"): 3}


@pytest.mark.parametrize("seq", [1, 2, 4])
def test_an_incarnation_that_does_not_begin_where_the_last_one_ended_breaks_the_invariant(seq: int) -> None:
    records = [record(0, 1), record(1, 2), record(2, seq, b"ingestion.b")]
    with pytest.raises(InvariantBroken, match=rf"begins with seq {seq}, ingestion.a ended with 2"):
        admit(lane(), records, (), key_of)


def test_an_instance_of_the_former_life_that_goes_on_breaks_the_invariant() -> None:
    records = [record(0, 1), record(1, 2, b"ingestion.b"), record(2, 2)]
    with pytest.raises(InvariantBroken, match=r"begins with seq 2, ingestion.b ended with 2"):
        admit(lane(), records, (), key_of)


@pytest.mark.parametrize(
    "headers", [[], [("producer", b"x")], [("producer", b"x"), ("lane", b"0"), ("seq", b"one")]]
)
def test_our_own_record_without_readable_headers_breaks_the_invariant(
    headers: list[tuple[str, bytes]],
) -> None:
    with pytest.raises(InvariantBroken):
        admit(lane(), [Record("payments", 0, headers)], (), key_of)


def test_headers_are_found_wherever_they_stand() -> None:
    moved = Record("payments", 0, [("x", b""), ("seq", b"1"), ("lane", b"0"), ("producer", b"p")])
    assert len(admit(lane(), [moved], (), key_of).records) == 1


def test_seq_on_a_topic_that_clients_write_counts_for_nothing() -> None:
    forged = [("producer", b"ingestion.a"), ("lane", b"0"), ("seq", b"99")]
    records = [Record("payment-instructions", 0, forged), Record("payment-instructions", 1, [])]
    share = admit(lane(), records, {"payment-instructions"}, key_of)
    assert len(share.records) == 2
    assert share.watermarks == {}


def test_poison_is_parked_and_later_events_of_its_account_wait_behind_it() -> None:
    records = [record(0, 1), record(1, 2, key=b"other"), record(2, 3)]
    share = admit(lane(), records, (), key_of, ("payments", 0, 0))
    assert [(each.offset, poison) for each, poison in share.parked] == [(0, True), (2, False)]
    assert [each.offset for each in share.records] == [1]
    assert share.offsets["payments"] == 3


def test_an_account_with_parked_events_stays_behind_them_in_later_polls() -> None:
    share = admit(lane(parked_keys={b"account"}), [record(0, 1), record(1, 2, key=b"other")], (), key_of)
    assert [(each.offset, poison) for each, poison in share.parked] == [(0, False)]
    assert [each.offset for each in share.records] == [1]


@given(st.lists(st.integers(0, 3), max_size=40))
def test_whatever_is_delivered_again_each_event_is_handled_once_in_order(steps_back: list[int]) -> None:
    """A log where the producer repeats its last few events now and then (a takeover publishes its tail)."""
    log: list[Record] = []
    seq = 0
    for back in steps_back:
        seq = max(seq - back, 0)
        for again in range(seq + 1, seq + back + 2):
            log.append(record(len(log), again))
        seq += back + 1
    handled = [int(dict(each.headers)["seq"]) for each in admit(lane(), log, (), key_of).records]
    assert handled == list(range(1, seq + 1))
