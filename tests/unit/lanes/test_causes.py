"""Records are handled by what caused them, each lane's in its order; what clients write causes nothing."""

from hypothesis import given
from hypothesis import strategies as st

from goodfunds import ids
from goodfunds.lanes.causes import by_cause
from tests.stand_ins import Record

FIRST, SECOND = bytes(15) + b"1", bytes(15) + b"2"


def record(offset: int, cause: bytes | None, topic: str = "in") -> Record:
    headers = [("producer", b"p"), ("lane", b"0"), ("seq", b"1")]
    if cause is not None:
        headers.append(("replay_id", ids.text(cause).encode()))
    return Record(offset, topic=topic, headers=headers)


def test_where_no_replay_caused_anything_all_lanes_are_one_part() -> None:
    records = {0: [record(1, None)], 3: [record(1, None), record(2, None)]}
    assert by_cause(records, ()) == [(None, records)]
    assert by_cause({}, ()) == [(None, {})]


@given(st.dictionaries(st.integers(0, 3), st.lists(st.sampled_from([None, FIRST, SECOND]), max_size=8)))
def test_each_part_has_one_cause_and_a_lane_s_records_stay_in_their_order(
    causes: dict[int, list[bytes | None]],
) -> None:
    records = {
        lane: [record(offset, cause) for offset, cause in enumerate(of_lane)]
        for lane, of_lane in causes.items()
    }
    parts = by_cause(records, ())
    for lane, of_lane in causes.items():
        told = [
            (each.offset, cause)
            for cause, part in parts
            for each in part.get(lane, ())
        ]  # fmt: skip
        assert told == list(enumerate(of_lane))
    if any(cause for of_lane in causes.values() for cause in of_lane):
        assert all(len(part) == 1 for _, part in parts)


def test_a_client_that_names_a_replay_is_not_believed_and_a_name_that_is_no_id_is_none() -> None:
    odd = Record(1, headers=[("replay_id", b"no id")])
    assert by_cause({0: [record(1, FIRST, "wishes")]}, {"wishes"})[0][0] is None
    assert by_cause({0: [odd]}, ())[0][0] is None
