"""What a subscription lets in: each event once, in order, and no gap unseen; and what it stores of that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.client.positions import Position, admit_records, numbered, read_position
from goodfunds.errors import Gap, InvariantBroken
from goodfunds.events.topics import CONTROL_TOTALS
from goodfunds.lanes.records import Record
from tests.unit.client.records import TOPIC, record

PLACE = (TOPIC, 0)
START = Position(0)
names = st.text("abcdefghijklmnopqrstuvwxyz-.0123456789", min_size=1, max_size=20)


@given(
    st.integers(0, 2**62),
    st.booleans(),
    st.dictionaries(st.tuples(names, names), st.integers(1, 2**62), max_size=5),
)
def test_a_position_is_read_as_it_was_stored(
    offset: int, above: bool, numbers: dict[tuple[str, str], int]
) -> None:
    position = Position(offset, above, numbers)
    assert read_position(offset, position.noted()) == position


@pytest.mark.parametrize("noted", ["", "by hand", "{}", "[]", '{"started_above": 1, "numbers": {"a": 1}}'])
def test_of_a_position_that_somebody_else_has_set_no_number_is_known(noted: str) -> None:
    position = read_position(7, noted)
    assert position == Position(7, started_above=True)
    assert admit_records(PLACE, position, [record(7, 900)]).after.numbers == {("settlement.a", "0"): 900}


def test_events_are_let_in_once_though_they_are_published_twice() -> None:
    sent = [record(0, 1), record(1, 2), record(2, 1), record(3, 2), record(4, 3)]
    found = admit_records(PLACE, START, sent)
    assert [each.offset for each in found.records] == [0, 1, 4]
    assert found.repeats == 2
    assert found.after == Position(5, False, {("settlement.a", "0"): 3})


def test_a_gap_is_raised_and_says_where_it_is() -> None:
    with pytest.raises(Gap, match="seq 4 follows 1"):
        admit_records(PLACE, START, [record(0, 1), record(1, 4)])


def test_a_first_event_that_is_not_number_one_is_a_gap_unless_reading_began_above_the_beginning() -> None:
    with pytest.raises(Gap, match="begins with seq 3"):
        admit_records(PLACE, START, [record(0, 3)])
    assert admit_records(PLACE, Position(9, True), [record(9, 3)]).records


def test_a_flagged_gap_is_told_with_the_events_behind_it_and_only_once() -> None:
    found = admit_records(PLACE, START, [record(0, 1), record(1, 4), record(2, 5)], flag_gaps=True)
    assert [each.offset for each in found.records] == [0, 1, 2]
    assert len(found.gaps) == 1
    assert found.after == Position(3, False, {("settlement.a", "0"): 5})


def test_a_record_that_none_of_our_producers_wrote_is_refused_flagged_or_not() -> None:
    for flag in (False, True):
        with pytest.raises(InvariantBroken, match="no headers of ours"):
            admit_records(PLACE, START, [record(0, 1, headers=())], flag_gaps=flag)


def test_a_database_that_came_back_numbers_on_and_its_former_life_is_over() -> None:
    found = admit_records(PLACE, START, [record(0, 1), record(1, 2, producer="settlement.b")])
    assert found.after.numbers == {("settlement.b", "0"): 2}
    with pytest.raises(Gap):
        admit_records(PLACE, found.after, [record(2, 2, producer="settlement.a")])


def test_control_totals_carry_no_numbers_and_are_let_in() -> None:
    counted = record(0, 1, topic=CONTROL_TOTALS, headers=())
    found = admit_records((CONTROL_TOTALS, 0), START, [counted])
    assert found.records == [counted]
    assert numbered(counted) == ("", "", 0)


@given(
    st.lists(
        st.tuples(st.sampled_from(["settlement.a", "gateway.b"]), st.sampled_from(["0", "1"])), max_size=40
    ),
    st.data(),
)
def test_whatever_is_repeated_each_event_comes_once_and_in_order(
    producers: list[tuple[str, str]], data: st.DataObject
) -> None:
    last: dict[tuple[str, str], int] = {}
    sent: list[Record] = []
    for producer in producers:
        again = last.get(producer, 0) and data.draw(st.booleans())
        if again:
            seq = data.draw(st.integers(1, last[producer]))
        else:
            seq = last[producer] = last.get(producer, 0) + 1
        sent.append(record(len(sent), seq, *producer))
    at, position, heard = 0, START, []
    while at < len(sent):
        size = data.draw(st.integers(1, 7))
        found = admit_records(PLACE, position, sent[at : at + size])
        # As after a restart: what is stored is all that is known.
        position = read_position(found.after.offset, found.after.noted())
        heard += [numbered(each) for each in found.records]
        at += size
    assert position.offset == len(sent)
    assert position.numbers == last
    for producer, count in last.items():
        assert [seq for name, lane, seq in heard if (name, lane) == producer] == list(range(1, count + 1))
