"""The origin of a record is read the same way wherever its headers stand, and strictly."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from goodfunds.errors import InvariantBroken, Unreadable
from goodfunds.lanes.destinations import own_event
from goodfunds.lanes.headers import header, origin
from goodfunds.lanes.state import LaneState, admit


@dataclass
class Record:
    headers: list[Any]
    topic: str = "payments"
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    key: bytes | None = b"account"
    value: bytes | None = b""
    unused: list[Any] = field(default_factory=list)


OURS = [("producer", b"ingestion.a"), ("lane", b"0")]


@pytest.mark.parametrize(
    "seq", [b"-1", b"0", b"+1", b" 1", b"1_0", b"1.0", b"", None, "\u0663".encode(), b"9" * 5000]
)
def test_a_seq_that_is_no_positive_number_in_plain_digits_is_unreadable(seq: bytes | None) -> None:
    for headers in ([*OURS, ("seq", seq)], [("x", b""), *OURS, ("seq", seq)]):
        with pytest.raises(Unreadable):
            origin(Record(headers))


@pytest.mark.parametrize(
    "headers",
    [
        [("producer", None), ("lane", b"0"), ("seq", b"1")],
        [("producer", b"a"), ("lane", None), ("seq", b"1")],
        [("producer", b"\xff\xfe"), ("lane", b"0"), ("seq", b"1")],
        [("producer", b"a|b"), ("lane", b"0"), ("seq", b"1")],
        [("producer", b"a"), ("lane", b"0|1"), ("seq", b"1")],
        [("producer", b"a\x00b"), ("lane", b"0"), ("seq", b"1")],
    ],
)
def test_headers_that_a_watermark_cannot_be_stored_under_stop_the_lane(headers: list[Any]) -> None:
    """They would be written into the lane's row, and no owner could read it again."""
    with pytest.raises(InvariantBroken):
        admit(LaneState(0, 1, 1, {"payments": 0}), [Record(headers)], (), lambda record: b"")


def test_of_headers_that_stand_twice_the_first_counts_wherever_they_stand() -> None:
    twice = [*OURS, ("seq", b"4"), ("seq", b"9"), ("producer", b"forged")]
    assert origin(Record(twice)) == origin(Record([("x", b"y"), *twice])) == (b"ingestion.a", b"0", 4)


def test_a_null_header_is_as_good_as_none() -> None:
    assert header(Record([("content-type", None)]), "content-type") is None


@pytest.mark.parametrize("headers", [
    [("producer", None), ("lane", b"0"), ("seq", b"1")],
    [("producer", b"ingestion.abc"), ("lane", None), ("seq", b"1")],
    [("producer", b"ingestion.abc"), ("lane", b"x"), ("seq", b"1")],
    [],
])  # fmt: skip
def test_a_record_with_odd_headers_is_no_event_of_ours_and_ends_nothing(headers: Any) -> None:
    assert own_event(Record(headers), "ingestion.abc") is None
