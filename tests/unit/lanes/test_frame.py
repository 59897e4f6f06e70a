"""The outbox frame gives back what was put in, numbered without a gap per destination."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.errors import InvariantBroken
from goodfunds.lanes.frame import LARGEST_BODY, NumberedEvent, OutboxRow, number, pack, unpack
from goodfunds.lanes.records import Emission

NOW = datetime(2026, 3, 1, tzinfo=UTC)
emissions = st.builds(
    Emission,
    topic=st.sampled_from(["payments", "payment-instructions"]),
    partition=st.integers(0, 50),
    key=st.binary(max_size=60),
    event_type=st.sampled_from(["PaymentAccepted", "PaymentRejected"]),
    body=st.binary(max_size=300),
    traceparent=st.binary(max_size=55),
    first_time=st.integers(0, 2**60),
)


def _row(events: list[NumberedEvent]) -> OutboxRow:
    topics, count, frame = pack(events)
    return OutboxRow(3, 1, NOW, topics, count, frame)


@given(st.lists(emissions, min_size=1, max_size=30))
def test_a_frame_gives_back_every_event(found: list[Emission]) -> None:
    events = list(number(found, {}))
    assert list(unpack(_row(events))) == events


@given(st.lists(emissions, max_size=60), st.integers(1, 10**12))
def test_numbers_are_gapless_per_destination(found: list[Emission], start: int) -> None:
    next_seq = {("payments", 0): start}
    seen: dict[tuple[str, int], list[int]] = {}
    for event in number(found, next_seq):
        seen.setdefault((event.topic, event.partition), []).append(event.seq)
    for place, seqs in seen.items():
        first = start if place == ("payments", 0) else 1
        assert seqs == list(range(first, first + len(seqs)))
        assert next_seq[place] == first + len(seqs)


def test_an_event_that_the_broker_would_refuse_is_refused_before_it_is_committed() -> None:
    emission = Emission("payments", 0, b"", "PaymentAccepted", bytes(LARGEST_BODY + 1), b"")
    with pytest.raises(ValueError, match="bytes"):
        list(number([emission], {}))


def test_a_damaged_frame_is_found() -> None:
    events = list(number([Emission("payments", 0, b"k", "PaymentAccepted", b"body", b"")], {}))
    row = _row(events)
    damaged = OutboxRow(row.lane, row.outbox_seq, NOW, row.topics, row.events, row.frame + b"x")
    with pytest.raises(InvariantBroken):
        list(unpack(damaged))
